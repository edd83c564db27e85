"""Load jobs: a Parquet file into a table or into one day of it.

Belongs here: dispositions, the schema of the job against that of the table, and the one atomic step at the
end. Does not belong here: Parquet types (``parquet``), uploads (``server``).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nba_pipeline_tests.bigquery_loopback import catalog, parquet
from nba_pipeline_tests.bigquery_loopback.catalog import DECORATOR, Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, duplicate, invalid, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.jobs import Job
    from nba_pipeline_tests.bigquery_loopback.service import Service

DISPOSITIONS = ("WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND", "WRITE_EMPTY")


def split_decorator(table_id: str) -> tuple[str, str | None]:
    """``t$20240101`` -> (``t``, ``20240101``)."""
    found = DECORATOR.fullmatch(table_id)
    return (found["table"], found["partition"]) if found else (table_id, None)


def partition_day(table: Table, partition: str) -> date:
    if table.day_column is None:
        # Publicly reported: the decorator is refused on a table without partitions.
        raise invalid(
            f"Cannot use a partition decorator (${partition}) with the table {table.full_name}, which is not"
            " partitioned."
        )
    try:
        return datetime.strptime(partition, "%Y%m%d").date()
    except ValueError:
        raise invalid(
            f'Invalid time partition "{partition}" of table {table.full_name}: expected YYYYMMDD.'
        ) from None


def where_day(table: Table, day: date | None) -> str:
    return f"WHERE \"{table.day_column}\" = DATE '{day}'" if day else ""


def run_load(service: Service, job: Job) -> None:
    config = job.config["load"]
    if config.get("sourceUris"):
        raise not_modelled("loads from Cloud Storage")
    if config.get("sourceFormat") != "PARQUET":
        raise not_modelled(f"loads of {config.get('sourceFormat') or 'CSV'} files")
    to = config["destinationTable"]
    name, partition = split_decorator(to["tableId"])
    full_name = f"{to['projectId']}:{to['datasetId']}.{name}"
    service.catalog.dataset(to["projectId"], to["datasetId"], job.location)
    service.counters.count_load(full_name)
    rows = parquet.read(job.payload or b"")
    given = catalog.schema_of(config.get("schema")) if config.get("schema") else None
    job_schema = given or [parquet.inferred(f) for f in rows.schema]
    for column in rows.schema:
        declared = next((f for f in job_schema if f["name"].lower() == column.name.lower()), None)
        if declared is None:  # ASSUMED
            raise invalid(
                f"Error while reading data, error message: the file's column {column.name} is not in the"
                " schema of the load."
            )
        parquet.check_type(column, declared)
    job.check_cancelled()
    with service.writers.writing(full_name, job.id):
        table = _target(service, config, name, job_schema)
        load = _write(service, table, partition, rows, config, job_schema, explicit=given is not None)
    job.statistics["load"] = {"inputFiles": "1", "inputFileBytes": str(len(job.payload or b"")), **load}


def _target(service: Service, config: dict[str, Any], name: str, schema: list[Field]) -> Table:
    """The destination, made now if it is missing and CREATE_IF_NEEDED (DOC: the default) allows it."""
    to = config["destinationTable"]
    try:
        return service.catalog.table(to["projectId"], to["datasetId"], name)
    except BigQueryError:
        if config.get("createDisposition") == "CREATE_NEVER":
            raise
    body = {"tableReference": {**to, "tableId": name}, "schema": {"fields": schema}}
    return service.create_table(
        to["projectId"],
        to["datasetId"],
        body | {k: config[k] for k in ("timePartitioning", "clustering") if config.get(k)},
    )


def _write(
    service: Service,
    table: Table,
    partition: str | None,
    rows: pa.Table,
    config: dict[str, Any],
    schema: list[Field],
    *,
    explicit: bool,
) -> dict[str, str]:
    """Check everything, then change everything (DOC: "one atomic update upon job completion")."""
    disposition = config.get("writeDisposition") or "WRITE_APPEND"  # DOC: the default of loads
    if disposition not in DISPOSITIONS:
        raise invalid(f"Invalid value for writeDisposition: {disposition}")
    day = partition_day(table, partition) if partition else None
    if disposition == "WRITE_EMPTY" and service.storage.count(table, where_day(table, day)):
        raise duplicate(f"Table {table.full_name}")
    options = set(config.get("schemaUpdateOptions") or [])
    after = Table(table.project, table.dataset, table.name, list(table.schema), table.partitioning)
    if disposition == "WRITE_TRUNCATE" and day is None:
        after.schema = schema  # DOC: the schema is replaced too
        catalog.partitioning_of(table.partitioning, after)
        catalog.check_clustering(after, table.extra.get("clustering"))
        added: list[Field] = []
    else:
        added = _check_schema(table, schema, options, explicit=explicit)
        after.schema = [*_relaxed(table, schema, options), *added]
    fitted = parquet.fitted(rows, after)
    if day is not None and partition is not None:
        parquet.check_decorator(fitted, table, partition, day)
    days = parquet.distinct_days(fitted, table)
    service.counters.count_partitions(table.full_name, max(len(days), 1))
    _apply(service, table, after, added, fitted, disposition, day)
    return {"outputRows": str(rows.num_rows), "outputBytes": str(rows.nbytes), "badRecords": "0"}


def _apply(
    service: Service,
    table: Table,
    after: Table,
    added: list[Field],
    rows: pa.Table,
    disposition: str,
    day: date | None,
) -> None:
    replaced = disposition == "WRITE_TRUNCATE" and day is None
    if replaced and after.schema != table.schema:
        service.storage.recreate(after)
    elif added:
        service.storage.add_columns(after, added)
    for old, new in zip(table.schema, after.schema, strict=False):
        if not replaced and old["mode"] == "REQUIRED" and new["mode"] == "NULLABLE":
            service.storage.drop_not_null(table, old["name"])
    if after.schema != table.schema:
        table.schema = after.schema
        table.touch()
    service.storage.put(
        table, rows, delete=where_day(table, day) if disposition.startswith("WRITE_TRUNCATE") else None
    )


def _check_schema(table: Table, schema: list[Field], options: set[str], *, explicit: bool) -> list[Field]:
    """The added fields, if the schema of the job suits the table (see ``catalog.check_schema_change``).

    DOC: columns of the table that the job lacks become NULL. Publicly reported: a REQUIRED column loaded from
    an optional Parquet column without a schema in the job is "changed mode from REQUIRED to NULLABLE".
    ASSUMED: an inferred NUMERIC has no parameters and is held to the table's, and an inferred REQUIRED suits
    a NULLABLE column.
    """
    full = []
    for old in table.schema:
        new = next((f for f in schema if f["name"].lower() == old["name"].lower()), None)
        if new is None:
            full.append(old)
        elif explicit:
            full.append(new)
        else:
            mode = old["mode"] if new["mode"] == "REQUIRED" else new["mode"]
            same = {"NUMERIC", "BIGNUMERIC"} >= {old["type"], new["type"]} or old["type"] == new["type"]
            full.append({**(old if same else new), "mode": mode})
    full += [
        {**f, "mode": "NULLABLE" if not explicit and f["mode"] == "REQUIRED" else f["mode"]}
        for f in schema
        if table.column(f["name"]) is None
    ]
    return catalog.check_schema_change(
        table, full, add="ALLOW_FIELD_ADDITION" in options, relax="ALLOW_FIELD_RELAXATION" in options
    )


def _relaxed(table: Table, schema: list[Field], options: set[str]) -> list[Field]:
    if "ALLOW_FIELD_RELAXATION" not in options:
        return table.schema
    nullable = {f["name"].lower() for f in schema if f["mode"] == "NULLABLE"}
    return [
        {**f, "mode": "NULLABLE"} if f["mode"] == "REQUIRED" and f["name"].lower() in nullable else f
        for f in table.schema
    ]
