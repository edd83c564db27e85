"""SQL over the embedded warehouse: DuckDB views over the Parquet files, and one guarded way to query them.

Belongs here: ``connect`` (a connection with one view ``<dataset>.<table>`` per table) and ``query`` (one
reading statement, anything that writes refused). Does not belong here: writing, printing (``cli/``).

DuckDB opens nothing but the warehouse here: access to other files and the network, extensions and changes of
these settings are switched off. It could still COPY into the warehouse's own folder, so text from people goes
through ``query``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from nba_pipeline.failures import PipelineError
from nba_pipeline.tables.render.duckdb import text
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.parquet.store import ParquetStore

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)


class ReadOnlyQuery(PipelineError):
    """A statement that would change something was given where only reading is possible."""


def connect(root: Path, tables: Iterable[Table]) -> duckdb.DuckDBPyConnection:
    """A connection in memory whose views show the tables as declared; tables without any day are empty."""
    schema, tables = ParquetStore(root).schema, list(tables)
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    for statement in (*schema.dataset_ddl(tables), *(s for table in tables for s in schema.ddl(table))):
        connection.execute(statement)
    connection.execute(f"SET allowed_directories = [{text(str(Path(root).resolve()))}, {text(str(root))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def query(root: Path, tables: Iterable[Table], sql: str) -> pa.Table:
    """The result of one reading statement (SELECT, WITH, DESCRIBE, SHOW, EXPLAIN)."""
    with connect(root, tables) as connection:
        _check_reads(connection, sql)
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise PipelineError(f"the query failed: {error}") from error


def _check_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise PipelineError(f"this is not SQL that DuckDB understands: {error}") from error
    if len(statements) != 1:
        raise ReadOnlyQuery(f"one statement at a time, please: {len(statements)} were given.")
    kind = statements[0].type
    if kind is duckdb.StatementType.EXPLAIN:  # EXPLAIN ANALYZE runs what it explains
        inner = _EXPLAIN.sub("", statements[0].query, count=1)
        if inner != statements[0].query:
            _check_reads(connection, inner)
            return
    if kind is not duckdb.StatementType.SELECT:
        raise ReadOnlyQuery(
            f"the warehouse is read-only here, and {kind.name} is not a query. Use SELECT; days are written"
            " by materializing them."
        )
