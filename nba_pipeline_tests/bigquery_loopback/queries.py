"""Query jobs: parameters, dry runs, destinations, statistics.

Belongs here: what a query job does around its statements.
Does not belong here: the statements (``interpreter``), the pages of a result (``rest``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from nba_pipeline_tests.bigquery_loopback import ddl, dml, fields, loads, parquet, translate
from nba_pipeline_tests.bigquery_loopback.answers import Answer
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import (
    BigQueryError,
    duplicate,
    invalid,
    invalid_query,
    not_modelled,
)
from nba_pipeline_tests.bigquery_loopback.interpreter import Interpreter, Statements
from nba_pipeline_tests.bigquery_loopback.jobs import Job
from nba_pipeline_tests.bigquery_loopback.script import Statement, parse

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.service import Service


def run_query(service: Service, job: Job) -> None:
    config = job.config["query"]
    check_config(config)
    interpreter = _interpreter(service, job)
    text = config["query"]
    try:
        answers = interpreter.run(text)
    finally:
        _children(service, job, interpreter.answers, script=_is_script(text))
    rows = [a for a in answers if a.rows is not None]
    statistics: dict[str, Any] = {
        "statementType": "SCRIPT" if _is_script(text) else answers[-1].statement_type
    }
    if statistics["statementType"] == "SCRIPT":
        job.result = rows[-1] if rows else None  # DOC: the rows of the last SELECT
    else:
        job.result = answers[-1]
        if job.result.affected is not None:
            statistics |= {"numDmlAffectedRows": str(job.result.affected), "dmlStats": job.result.dml}
    if config.get("destinationTable") and job.result is not None and job.result.rows is not None:
        _store(service, job, job.result)
    else:
        # Every query has a destination (DOC: an anonymous table); its rows are read through the job here.
        job.config["query"]["destinationTable"] = {
            "projectId": job.project,
            "datasetId": "_anonymous",
            "tableId": f"anon_{job.id}",
        }
    job.statistics["query"] = statistics | {"totalBytesProcessed": "0", "cacheHit": False}
    job.statistics["totalBytesProcessed"] = "0"


def check_config(config: dict[str, Any]) -> None:
    if config.get("useLegacySql", True):  # DOC: the API's default is legacy SQL
        raise not_modelled("legacy SQL (useLegacySql is true unless the request says false)")
    if not (config.get("query") or "").strip():
        raise invalid("Required parameter is missing: query")


def _interpreter(service: Service, job: Job) -> Interpreter:
    named, positional = parameters(job.config["query"].get("queryParameters") or [])
    return Interpreter(service, job, named, positional, Statements(dml.run, ddl.run))


def _is_script(text: str) -> bool:
    nodes = parse(text)
    if len(nodes) > 1 or not isinstance(nodes[0], Statement):
        return True
    return nodes[0].text.split()[0].upper() in {"DECLARE", "SET", "BEGIN", "COMMIT", "ROLLBACK", "ASSERT"}


def _children(service: Service, job: Job, answers: list[Answer], *, script: bool) -> None:
    """DOC: each statement of a script is a job of its own, whose parent is the script."""
    for position, answer in enumerate(answers if script else []):
        child = Job(
            job.project,
            {"jobReference": {"jobId": f"script_job_{job.id}_{position}", "location": job.location}},
            None,
            parent=job,
        )
        child.config = {"query": {"useLegacySql": False}}
        child.result, child.state = answer, "DONE"
        child.statistics["query"] = {"statementType": answer.statement_type}
        child.done.set()
        job.children.append(service.jobs.add(child))
        service.counters.add_job(child=True)


def dry_run(service: Service, job: Job) -> dict[str, Any]:
    """DOC: the bytes that the query would read: whole columns, of the partitions that its filter leaves.

    ASSUMED for simplicity: partitions are not pruned, so the number is an upper bound.
    """
    config = job.config["query"]
    check_config(config)
    nodes = parse(config["query"])
    if len(nodes) != 1 or not isinstance(nodes[0], Statement):
        raise not_modelled("a dry run of a script")
    interpreter = _interpreter(service, job)
    tree = translate.parse_one(nodes[0].text)
    sql, used = interpreter.resolved(tree)
    star = any(
        isinstance(n, exp.Star) and not isinstance(n.parent, exp.Count) for n in tree.find_all(exp.Star)
    )
    names = {c.name.lower() for c in tree.find_all(exp.Column)}
    size = sum(
        service.storage.size(t, None if star else [f["name"] for f in t.schema if f["name"].lower() in names])
        for t in used
    )
    statistics: dict[str, Any] = {
        "totalBytesProcessed": str(size),
        "statementType": type(tree).__name__.upper(),
    }
    if isinstance(tree, exp.Query):
        answer = interpreter.select(exp.select("*").from_(tree.subquery("q")).limit(0)) if sql else None
        statistics["schema"] = {"fields": answer.schema if answer else []}
    job.state = "DONE"
    job.statistics |= {"query": statistics, "totalBytesProcessed": str(size)}
    return job.resource()


def _store(service: Service, job: Job, answer: Answer) -> None:
    """The rows into the destination table, or one day of it; WRITE_EMPTY is the default (DOC)."""
    config = job.config["query"]
    to = config["destinationTable"]
    assert answer.rows is not None and answer.schema is not None
    write_rows(service, job, to, answer, config.get("writeDisposition") or "WRITE_EMPTY", config)


def write_rows(
    service: Service, job: Job, to: dict[str, str], answer: Answer, disposition: str, config: dict[str, Any]
) -> None:
    """Rows of a query or a copy into a table that is made if it is missing. One atomic step."""
    assert answer.rows is not None and answer.schema is not None
    name, partition = loads.split_decorator(to["tableId"])
    try:
        table = service.catalog.table(to["projectId"], to["datasetId"], name, job.location)
    except BigQueryError as error:
        if error.reason != "notFound" or config.get("createDisposition") == "CREATE_NEVER":
            raise
        body = {
            "tableReference": {**to, "tableId": name},
            "schema": {"fields": answer.schema},
            "timePartitioning": config.get("timePartitioning"),
        }
        table = service.create_table(to["projectId"], to["datasetId"], body)
    day = loads.partition_day(table, partition) if partition else None
    if partition is None and disposition == "WRITE_TRUNCATE":
        raise not_modelled("WRITE_TRUNCATE of a whole table by a query or copy, which replaces its schema")
    for given in answer.schema:
        column = table.column(given["name"])
        if column is None or column["type"] != given["type"]:
            raise invalid(
                f"Provided Schema does not match Table {table.full_name}. Field {given['name']} differs."
            )
    rows = answer.rows.rename_columns([(table.column(f["name"]) or f)["name"] for f in answer.schema])
    with service.writers.writing(table.full_name, job.id):
        rows = parquet.fitted(rows, table)
        if day is not None and partition is not None:
            parquet.check_decorator(rows, table, partition, day)
        where = loads.where_day(table, day)
        if disposition == "WRITE_EMPTY" and service.storage.count(table, where):
            raise duplicate(f"Table {table.full_name}")
        service.counters.count_partitions(table.full_name, max(1, len(parquet.distinct_days(rows, table))))
        service.storage.put(table, rows, delete=where if disposition.startswith("WRITE_TRUNCATE") else None)


def run_copy(service: Service, job: Job) -> None:
    """DOC: from one table, or one day of it, into another, with the dispositions of loads (WRITE_EMPTY is the
    default)."""
    config = job.config["copy"]
    sources = config.get("sourceTables") or [config["sourceTable"]]
    if len(sources) != 1 or config.get("operationType") not in (None, "COPY"):
        raise not_modelled("copies of several tables, snapshots and clones")
    name, partition = loads.split_decorator(sources[0]["tableId"])
    source = service.catalog.table(sources[0]["projectId"], sources[0]["datasetId"], name, job.location)
    where = loads.where_day(source, loads.partition_day(source, partition)) if partition else ""
    answer = Answer("COPY", [dict(f) for f in source.schema], service.storage.rows(source, where))
    write_rows(
        service,
        job,
        config["destinationTable"],
        answer,
        config.get("writeDisposition") or "WRITE_EMPTY",
        config,
    )
    job.statistics["copy"] = {"copiedRows": str(answer.rows.num_rows if answer.rows is not None else 0)}


def parameters(given: list[dict[str, Any]]) -> tuple[dict[str, str], list[str]]:
    """Named and positional parameters as DuckDB literals."""
    named, positional = {}, []
    for parameter in given:
        literal = _literal(parameter["parameterType"], parameter.get("parameterValue") or {})
        if parameter.get("name"):
            named[parameter["name"].lower()] = literal
        else:
            positional.append(literal)
    return named, positional


def _literal(kind: dict[str, Any], value: dict[str, Any]) -> str:
    name = kind["type"].upper()
    if name == "ARRAY":
        element = kind["arrayType"]
        items = ", ".join(_literal(element, v) for v in value.get("arrayValues") or [])
        return f"CAST([{items}] AS {_duck(element['type'])}[])"
    if name not in fields.SQL_NAMES:
        raise not_modelled(f"query parameters of type {name}")
    text = value.get("value")
    if text is None:
        return f"CAST(NULL AS {_duck(name)})"
    quoted = "'" + str(text).replace("'", "''") + "'"
    return f"from_base64({quoted})" if name == "BYTES" else f"CAST({quoted} AS {_duck(name)})"


def _duck(name: str) -> str:
    kind = fields.SQL_NAMES.get(name.upper())
    if kind is None or kind == "BIGNUMERIC":
        raise not_modelled(f"query parameters of type {name}")
    return fields.duck_type({"type": kind, "mode": "NULLABLE"})


def information_schema(
    view: str, tables: list[Table], service: Service
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of the INFORMATION_SCHEMA views that are modelled (a part of their columns)."""
    if view == "PARTITIONS":
        found = [
            (t.project, t.dataset, t.name, partition, rows)
            for t in tables
            for partition, rows in (
                service.storage.days(t) if t.day_column else [(None, service.storage.count(t))]
            )
        ]
        return ["table_catalog", "table_schema", "table_name", "partition_id", "total_rows"], found
    if view == "TABLES":
        return ["table_catalog", "table_schema", "table_name", "table_type"], [
            (t.project, t.dataset, t.name, "BASE TABLE") for t in tables
        ]
    if view == "COLUMNS":
        rows = [
            (
                t.project,
                t.dataset,
                t.name,
                f["name"],
                i + 1,
                "NO" if f["mode"] == "REQUIRED" else "YES",
                fields.standard_type(f),
                "YES" if f["name"] == t.day_column else "NO",
            )
            for t in tables
            for i, f in enumerate(t.schema)
        ]
        return [
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "ordinal_position",
            "is_nullable",
            "data_type",
            "is_partitioning_column",
        ], rows
    raise invalid_query(f"Table INFORMATION_SCHEMA.{view} is not modelled")
