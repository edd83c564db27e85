"""The REST methods: one function per method of the API that is modelled, and the table of their paths.

Belongs here: requests to resources.
Does not belong here: sockets and uploads (``server``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from nba_pipeline_tests.bigquery_loopback import catalog, encode, loads, streaming
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field
from nba_pipeline_tests.bigquery_loopback.jobs import Job
from nba_pipeline_tests.bigquery_loopback.service import Service

CELLS_PER_PAGE = 1_000_000
"""ASSUMED stand-in for the documented 20 MB per page."""


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> int | None:
        return int(self.query[name]) if self.query.get(name) else None


Answerer = Callable[..., dict[str, Any]]
ROUTES: list[tuple[str, re.Pattern[str], Answerer]] = []


def route(method: str, path: str) -> Callable[[Answerer], Answerer]:
    """``{name}`` in a path matches one segment."""
    pattern = re.compile("/bigquery/v2" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(function: Answerer) -> Answerer:
        ROUTES.append((method, pattern, function))
        return function

    return register


def answer(service: Service, request: Request) -> dict[str, Any]:
    service.drop_expired()
    for method, pattern, function in ROUTES:
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            return function(service, request, **found.groupdict())
    raise not_modelled(f"{request.method} {request.path}")


# --- datasets
# ---------------------------------------------------------------------------------------------------------


@route("POST", "/projects/{project}/datasets")
def insert_dataset(service: Service, request: Request, project: str) -> dict[str, Any]:
    return service.create_dataset(project, request.body).body


@route("GET", "/projects/{project}/datasets/{dataset}")
def get_dataset(service: Service, request: Request, project: str, dataset: str) -> dict[str, Any]:
    return service.catalog.dataset(project, dataset).body


@route("GET", "/projects/{project}/datasets")
def list_datasets(service: Service, request: Request, project: str) -> dict[str, Any]:
    found = [d for (p, _), d in sorted(service.catalog.datasets.items()) if p == project]
    keys = ("kind", "id", "datasetReference", "location", "labels")
    return {
        "kind": "bigquery#datasetList",
        "datasets": [{k: d.body[k] for k in keys if k in d.body} for d in found],
    }


@route("DELETE", "/projects/{project}/datasets/{dataset}")
def delete_dataset(service: Service, request: Request, project: str, dataset: str) -> dict[str, Any]:
    found = service.catalog.dataset(project, dataset)
    if found.tables and request.query.get("deleteContents") != "true":  # DOC
        raise BigQueryError("resourceInUse", f"Dataset {project}:{dataset} is still in use")
    del service.catalog.datasets[project, dataset]
    service.storage.drop_dataset(found)
    return {}


# --- tables
# -----------------------------------------------------------------------------------------------------------


@route("POST", "/projects/{project}/datasets/{dataset}/tables")
def insert_table(service: Service, request: Request, project: str, dataset: str) -> dict[str, Any]:
    return _resource(service, service.create_table(project, dataset, request.body))


@route("GET", "/projects/{project}/datasets/{dataset}/tables")
def list_tables(service: Service, request: Request, project: str, dataset: str) -> dict[str, Any]:
    found = sorted(service.catalog.dataset(project, dataset).tables.values(), key=lambda t: t.name)
    start, most = int(request.query.get("pageToken") or 0), request.number("maxResults") or 50
    keys = (
        "id",
        "tableReference",
        "type",
        "timePartitioning",
        "clustering",
        "labels",
        "creationTime",
        "expirationTime",
    )
    listed = [
        {k: r[k] for k in keys if k in r} for r in (t.resource(0, 0) for t in found[start : start + most])
    ]
    page: dict[str, Any] = {"kind": "bigquery#tableList", "tables": listed, "totalItems": len(found)}
    return page | ({"nextPageToken": str(start + most)} if start + most < len(found) else {})


SUMMARY = "__PARTITIONS_SUMMARY__"


@route("GET", "/projects/{project}/datasets/{dataset}/tables/{table}")
def get_table(service: Service, request: Request, project: str, dataset: str, table: str) -> dict[str, Any]:
    name, partition = loads.split_decorator(table)
    found = service.catalog.table(project, dataset, name)
    resource = _resource(service, found, None if partition == SUMMARY else partition)
    resource["tableReference"]["tableId"] = table
    if partition == SUMMARY:  # publicly reported; list_partitions of the client rests on it
        resource["schema"] = {"fields": _summary(service, found)[1]}
    return resource


@route("PATCH", "/projects/{project}/datasets/{dataset}/tables/{table}")
def patch_table(service: Service, request: Request, project: str, dataset: str, table: str) -> dict[str, Any]:
    found = service.catalog.table(project, dataset, table)
    before = found.schema
    with service.writers.writing(found.full_name, f"patch of {found.full_name} {id(request)}"):
        added = catalog.patch(found, request.body, request.headers.get("if-match"))
        service.counters.add(service.counters.metadata, found.full_name)
        service.storage.add_columns(found, added)
        for old in before:
            now = found.column(old["name"])
            if old["mode"] == "REQUIRED" and now is not None and now["mode"] == "NULLABLE":
                service.storage.drop_not_null(found, old["name"])
    return _resource(service, found)


@route("DELETE", "/projects/{project}/datasets/{dataset}/tables/{table}")
def delete_table(
    service: Service, request: Request, project: str, dataset: str, table: str
) -> dict[str, Any]:
    name, partition = loads.split_decorator(table)
    found = service.catalog.table(project, dataset, name)
    with service.writers.writing(found.full_name, f"delete of {found.full_name} {id(request)}"):
        if partition is None:
            service.drop_table(found)
        else:
            where = loads.where_day(found, loads.partition_day(found, partition))
            service.storage.put(found, pa.table({}), delete=where)
    return {}


def _resource(service: Service, table: Table, partition: str | None = None) -> dict[str, Any]:
    where = loads.where_day(table, loads.partition_day(table, partition)) if partition else ""
    return table.resource(service.storage.count(table, where), service.storage.size(table, where=where))


def _summary(service: Service, table: Table) -> tuple[pa.Table, list[Field]]:
    days = service.storage.days(table) if table.day_column else []
    rows = pa.table(
        {
            "table_id": pa.array([table.name] * len(days)),
            "partition_id": pa.array([d for d, _ in days], pa.string()),
        }
    )
    return rows, [{"name": n, "type": "STRING", "mode": "NULLABLE"} for n in rows.column_names]


# --- rows
# ----------------------------------------------------------------------------------------------------------


@route("GET", "/projects/{project}/datasets/{dataset}/tables/{table}/data")
def list_rows(service: Service, request: Request, project: str, dataset: str, table: str) -> dict[str, Any]:
    name, partition = loads.split_decorator(table)
    if dataset == "_anonymous":
        job = service.jobs.get(project, name.removeprefix("anon_"), None)
        assert job.result is not None and job.result.rows is not None
        rows, schema = job.result.rows, job.result.schema or []
    else:
        found = service.catalog.table(project, dataset, name)
        if partition == SUMMARY:
            rows, schema = _summary(service, found)
        else:
            rows = service.storage.rows(
                found, loads.where_day(found, loads.partition_day(found, partition)) if partition else ""
            )
            schema = found.schema
    if request.query.get("selectedFields"):
        wanted = {n.lower() for n in request.query["selectedFields"].split(",")}
        schema = [f for f in schema if f["name"].lower() in wanted]
        rows = rows.select([f["name"] for f in schema])
    return {"kind": "bigquery#tableDataList", **_page(rows, schema, request)}


@route("POST", "/projects/{project}/datasets/{dataset}/tables/{table}/insertAll")
def insert_all(service: Service, request: Request, project: str, dataset: str, table: str) -> dict[str, Any]:
    return streaming.insert_all(service, service.catalog.table(project, dataset, table), request.body)


def _page(rows: pa.Table, schema: list[Field], request: Request) -> dict[str, Any]:
    """DOC: pages by token or start index; never more than ``maxResults`` rows, and fewer where they are
    wide."""
    start = int(request.query.get("pageToken") or request.query.get("startIndex") or 0)
    most = request.number("maxResults")
    room = max(1, CELLS_PER_PAGE // max(1, len(schema)))
    count = room if most is None else min(room, most)
    integer = request.query.get("formatOptions.useInt64Timestamp", "").lower() == "true"
    found: dict[str, Any] = {"totalRows": str(rows.num_rows)}
    if count:
        found["rows"] = encode.rows(rows.slice(start, count), schema, integer_timestamps=integer)
    if count and start + count < rows.num_rows:
        found["pageToken"] = str(start + count)
    return found


# --- jobs
# ----------------------------------------------------------------------------------------------------------


@route("POST", "/projects/{project}/jobs")
def insert_job(service: Service, request: Request, project: str) -> dict[str, Any]:
    if "load" in (request.body.get("configuration") or {}):
        raise not_modelled("a load without an upload")
    return service.insert_job(project, request.body)


@route("GET", "/projects/{project}/jobs/{job}")
def get_job(service: Service, request: Request, project: str, job: str) -> dict[str, Any]:
    return service.jobs.get(project, job, request.query.get("location")).resource()


@route("GET", "/projects/{project}/jobs")
def list_jobs(service: Service, request: Request, project: str) -> dict[str, Any]:
    parent = request.query.get("parentJobId")
    found = [
        j for j in service.jobs if j.project == project and (j.parent.id if j.parent else None) == parent
    ]
    return {"kind": "bigquery#jobList", "jobs": [j.resource() | {"state": j.state} for j in reversed(found)]}


@route("POST", "/projects/{project}/jobs/{job}/cancel")
def cancel_job(service: Service, request: Request, project: str, job: str) -> dict[str, Any]:
    found = service.jobs.get(project, job, request.query.get("location"))
    service.jobs.cancel(found)
    return {"kind": "bigquery#jobCancelResponse", "job": found.resource()}


@route("POST", "/projects/{project}/queries")
def query(service: Service, request: Request, project: str) -> dict[str, Any]:
    """jobs.query: a job with an answer at once. DOC: ``requestId`` makes a repeated request the same one."""
    body = request.body
    known = {
        k: v
        for k, v in body.items()
        if k
        not in {
            "kind",
            "maxResults",
            "timeoutMs",
            "location",
            "requestId",
            "formatOptions",
            "labels",
            "dryRun",
        }
    }
    identity = f"job_{body['requestId']}" if body.get("requestId") else None
    reference = {
        "projectId": project,
        "location": body.get("location"),
        **({"jobId": identity} if identity else {}),
    }
    existing = next((j for j in service.jobs if identity and j.id == identity), None)
    if existing is None:
        resource = service.insert_job(
            project,
            {"jobReference": reference, "configuration": {"query": known, "dryRun": body.get("dryRun")}},
        )
        if body.get("dryRun"):
            statistics = resource["statistics"]
            return {
                "jobComplete": True,
                "totalBytesProcessed": statistics["totalBytesProcessed"],
                "schema": statistics["query"].get("schema"),
            }
        existing = service.jobs.get(
            project, resource["jobReference"]["jobId"], resource["jobReference"]["location"]
        )
    options = body.get("formatOptions") or {}
    request.query |= {
        "formatOptions.useInt64Timestamp": str(options.get("useInt64Timestamp", "")),
        "maxResults": str(body.get("maxResults") or ""),
    }
    return _results(existing, request, body.get("timeoutMs"))


@route("GET", "/projects/{project}/queries/{job}")
def get_query_results(service: Service, request: Request, project: str, job: str) -> dict[str, Any]:
    return _results(
        service.jobs.get(project, job, request.query.get("location")), request, request.query.get("timeoutMs")
    )


def _results(job: Job, request: Request, timeout_ms: Any) -> dict[str, Any]:
    job.done.wait(min(float(timeout_ms or 10_000), 10_000) / 1000)
    reference = job.resource()["jobReference"]
    if job.state != "DONE":
        return {"kind": "bigquery#getQueryResultsResponse", "jobReference": reference, "jobComplete": False}
    if job.error is not None:  # publicly reported: the job's error is the call's
        raise job.error
    if job.kind != "query":
        raise invalid(f"Job {job.id} is not a query")
    found: dict[str, Any] = {
        "kind": "bigquery#queryResponse",
        "jobReference": reference,
        "jobComplete": True,
        "cacheHit": False,
    }
    result = job.result
    if result is not None and result.rows is not None:
        zero = request.query.get("maxResults") == "0"
        page = (
            {"totalRows": str(result.rows.num_rows)}
            if zero
            else _page(result.rows, result.schema or [], request)
        )
        return found | {"schema": {"fields": result.schema}, "totalBytesProcessed": "0", **page}
    if result is not None and result.affected is not None:
        found |= {"numDmlAffectedRows": str(result.affected), "dmlStats": result.dml}
    return found
