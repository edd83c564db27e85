"""SQL over the embedded warehouse: DuckDB views over the Parquet files, and one guarded way to query them.

Belongs here: ``connect`` (a connection with one view ``<dataset>.<table>`` per table) and ``query`` (one reading statement,
anything that writes refused). Does not belong here: writing, printing (``cli/``).

DuckDB opens nothing but the warehouse here: access to other files and the network, extensions and changes of these
settings are switched off. It could still COPY into the warehouse's own folder, so text from people goes through ``query``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from nba_pipeline.failures import PipelineError
from nba_pipeline.tables.render.arrow import schema_version
from nba_pipeline.tables.spec import Column, Kind, Table
from nba_pipeline.warehouse.base import CorruptPartition
from nba_pipeline.warehouse.parquet import FILE_NAME, ParquetStore

_SQL_TYPES = {Kind.STRING: "VARCHAR", Kind.INT64: "BIGINT", Kind.FLOAT64: "DOUBLE", Kind.BOOL: "BOOLEAN", Kind.DATE: "DATE"}
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)


class ReadOnlyQuery(PipelineError):
    """A statement that would change something was given where only reading is possible."""


def connect(root: Path, tables: Iterable[Table]) -> duckdb.DuckDBPyConnection:
    """A connection in memory whose views show the tables as declared; tables without any day are empty."""
    store = ParquetStore(root)
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    for table in tables:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_name(table.dataset)}")
        connection.execute(f"CREATE VIEW {_name(table.dataset)}.{_name(table.name)} AS {_select(store, table)}")
    connection.execute(f"SET allowed_directories = [{_text(str(Path(root).resolve()))}, {_text(str(root))}]")
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


def _select(store: ParquetStore, table: Table) -> str:
    versions = _versions(store, table)
    if versions is None:
        columns = ", ".join(f"NULL::{sql_type(c)} AS {_name(c.name)}" for c in table.columns)
        return f"SELECT {columns} WHERE false"
    # Days of different declarations are matched by name, for which DuckDB opens every footer first: only where needed.
    by_name = ", union_by_name=true" if versions != {schema_version(table)} else ""
    files = _text(str(store.folder(table) / "*" / FILE_NAME))
    names = ", ".join(_name(c.name) for c in table.columns)
    return f"SELECT {names} FROM read_parquet({files}, hive_partitioning=false{by_name})"


def _versions(store: ParquetStore, table: Table) -> set[str] | None:
    """The schema versions among the stored days; None if no day is stored. Damaged files fail when they are queried."""
    try:
        manifest = store.manifest(table)
    except CorruptPartition as error:
        return {e.schema_version for e in error.readable.values()}
    return {e.schema_version for e in manifest.values()} or None


def sql_type(column: Column) -> str:
    if column.type.kind is Kind.NUMERIC:
        return f"DECIMAL({column.type.precision},{column.type.scale})"
    return _SQL_TYPES[column.type.kind]


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
            f"the warehouse is read-only here, and {kind.name} is not a query. Use SELECT; days are written by materializing them."
        )


def _name(identifier: str) -> str:
    return f'"{identifier}"'  # identifiers are [a-z][a-z0-9_]*; quoted because some are words of SQL


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
