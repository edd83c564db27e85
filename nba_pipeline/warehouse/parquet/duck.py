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

from nba_pipeline.failures import ConfigurationError, UnparseableSource
from nba_pipeline.tables.render.duckdb import text
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.parquet.store import ParquetStore

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)


_SHOW_TABLES = re.compile(r"\s*show\s+(all\s+)?tables\s*;?\s*", re.IGNORECASE)
_TABLES = """
    SELECT table_schema || '.' || table_name AS "table" FROM information_schema.tables
    WHERE table_schema <> 'main' ORDER BY ALL
"""


class WrongQuery(ConfigurationError):
    """The text is no query that can be answered: a typing mistake, or something that would write."""


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
    """The result of one reading statement (SELECT, WITH, DESCRIBE, SHOW, EXPLAIN).

    Raises WrongQuery with DuckDB's own hint, and UnparseableSource where a stored file cannot be read.
    """
    if _SHOW_TABLES.fullmatch(sql):  # DuckDB's own shows the schema main, which is empty
        sql = _TABLES
    with connect(root, tables) as connection:
        _check_reads(connection, sql)
        try:
            return connection.sql(sql).to_arrow_table()
        except (duckdb.IOException, duckdb.InternalException, duckdb.FatalException) as error:
            raise UnparseableSource(f"the warehouse cannot be read: {error}") from error
        except duckdb.Error as error:
            raise WrongQuery(f"the query is wrong: {error}") from error


def _check_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise WrongQuery(f"this is not SQL that DuckDB understands: {error}") from error
    if len(statements) != 1:
        raise WrongQuery(f"one statement at a time, please: {len(statements)} were given.")
    kind = statements[0].type
    if kind is duckdb.StatementType.EXPLAIN:  # EXPLAIN ANALYZE runs what it explains
        inner = _EXPLAIN.sub("", statements[0].query, count=1)
        if inner != statements[0].query:
            _check_reads(connection, inner)
            return
    if kind is not duckdb.StatementType.SELECT:
        raise WrongQuery(
            f"the warehouse is read-only here, and {kind.name} is not a query. Use SELECT; days are written"
            " by materializing them."
        )
