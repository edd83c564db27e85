"""Rows: every table is a DuckDB table in one in-memory database, so 600,000 rows are nothing to worry about.

Belongs here: creating, altering, counting and atomically replacing rows.
Does not belong here: rules of BigQuery (callers check them first).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from nba_pipeline_tests.bigquery_loopback.catalog import Dataset, Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid_query
from nba_pipeline_tests.bigquery_loopback.fields import WIDTH, Field, duck_type


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Storage:
    """The database; each job works on a cursor of its own, so that transactions are real ones."""

    def __init__(self) -> None:
        self.database = duckdb.connect(":memory:")
        self.database.execute("SET TimeZone = 'UTC'")
        self.database.execute("SET threads = 2")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        found = self.database.cursor()
        found.execute("SET TimeZone = 'UTC'")
        return found

    def create_dataset(self, dataset: Dataset) -> None:
        self._run(f"CREATE SCHEMA {dataset.schema_name}")

    def drop_dataset(self, dataset: Dataset) -> None:
        self._run(f"DROP SCHEMA {dataset.schema_name} CASCADE")

    def create(self, table: Table) -> None:
        # A table without columns may exist (DOC); DuckDB wants one.
        columns = ", ".join(_definition(f) for f in table.schema) or '"_no_columns" INTEGER'
        self._run(f"CREATE TABLE {table.duck_name} ({columns})")

    def drop(self, table: Table) -> None:
        self._run(f"DROP TABLE {table.duck_name}")

    def recreate(self, table: Table) -> None:
        self._run(f"DROP TABLE IF EXISTS {table.duck_name}")
        self.create(table)

    def add_columns(self, table: Table, added: list[Field]) -> None:
        for field in added:
            self._run(f"ALTER TABLE {table.duck_name} ADD COLUMN {quoted(field['name'])} {duck_type(field)}")

    def set_type(self, table: Table, field: Field) -> None:
        self._run(
            f"ALTER TABLE {table.duck_name} ALTER COLUMN {quoted(field['name'])} SET DATA TYPE"
            f" {duck_type(field)}"
        )

    def drop_not_null(self, table: Table, name: str) -> None:
        self._run(f"ALTER TABLE {table.duck_name} ALTER COLUMN {quoted(name)} DROP NOT NULL")

    def drop_column(self, table: Table, name: str) -> None:
        self._run(f"ALTER TABLE {table.duck_name} DROP COLUMN {quoted(name)}")

    def count(self, table: Table, where: str = "") -> int:
        return int(self.cursor().execute(f"SELECT COUNT(*) FROM {table.duck_name} {where}").fetchall()[0][0])

    def size(self, table: Table, names: list[str] | None = None, where: str = "") -> int:
        """Bytes of the columns (all of them by default) as the pricing page counts them (DOC)."""
        wanted = [f for f in table.schema if names is None or f["name"] in names]
        if not wanted:
            return 0
        found = (
            self.cursor()
            .execute(f"SELECT {' + '.join(_bytes(f) for f in wanted)} FROM {table.duck_name} {where}")
            .fetchall()
        )
        return int(found[0][0] or 0)

    def days(self, table: Table) -> list[tuple[str, int]]:
        """(partition id, rows) of each partition that has rows."""
        day = quoted(table.day_column or "")
        query = (
            f"SELECT coalesce(strftime({day}, '%Y%m%d'), '__NULL__'), COUNT(*) FROM {table.duck_name} GROUP"
            " BY 1 ORDER BY 1"
        )
        return [(str(k), int(n)) for k, n in self.cursor().execute(query).fetchall()]

    def rows(self, table: Table, where: str = "") -> pa.Table:
        return self.cursor().sql(f"SELECT * FROM {table.duck_name} {where}").to_arrow_table()

    def put(self, table: Table, rows: pa.Table, *, delete: str | None) -> None:
        """Append rows, after deleting those that ``delete`` (a WHERE clause, or "" for all) selects: one
        atomic step."""
        cursor = self.cursor()
        if rows.num_rows:
            cursor.register("_loaded", rows)
        names = ", ".join(quoted(n) for n in rows.column_names)
        cast = ", ".join(
            f"CAST({quoted(n)} AS {duck_type(table.column(n) or {})})" for n in rows.column_names
        )
        cursor.execute("BEGIN TRANSACTION")
        try:
            if delete is not None:
                cursor.execute(f"DELETE FROM {table.duck_name} {delete}")
            if rows.num_rows:
                cursor.execute(f"INSERT INTO {table.duck_name} ({names}) SELECT {cast} FROM _loaded")
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise

    def _run(self, statement: str) -> None:
        self.cursor().execute(statement)


def _definition(field: Field) -> str:
    return f"{quoted(field['name'])} {duck_type(field)}" + (
        " NOT NULL" if field["mode"] == "REQUIRED" else ""
    )


def _bytes(field: Field) -> str:
    name = quoted(field["name"])
    if field["mode"] == "REPEATED" or field["type"] not in WIDTH:
        length = (
            f"octet_length({name}) + 2"
            if field["type"] == "BYTES"
            else f"strlen(CAST({name} AS VARCHAR)) + 2"
        )
        return f"coalesce(SUM({length}), 0)"
    return f"COUNT({name}) * {WIDTH[field['type']]}"


class Writers:
    """Who may change a table now.

    DOC: a transaction that mutates a table keeps other mutations of it out; a second transaction is
    cancelled, single statements and loads wait. DOC: at most 20 statements wait for one table. ASSUMED:
    mutations outside transactions run one after another (production runs two at a time and retries conflicts;
    the result is one of the same orders).
    """

    MOST_WAITING = 20

    def __init__(self, patience: float = 60.0) -> None:
        self.patience = patience
        self._holders: dict[str, tuple[str, bool]] = {}
        self._waiting: dict[str, int] = {}
        self._changed = threading.Condition()

    def acquire(self, table: str, owner: str, *, transaction: bool) -> None:
        until = time.monotonic() + self.patience
        with self._changed:
            while self._holders.get(table, (owner, False))[0] != owner:
                if transaction and self._holders[table][1]:
                    raise aborted(table)
                if self._waiting.get(table, 0) >= self.MOST_WAITING:
                    raise BigQueryError(
                        "resourcesExceeded",
                        "Resources exceeded during query execution: Too many DML statements outstanding"
                        f" against table {table}, limit is {self.MOST_WAITING}.",
                    )
                self._waiting[table] = self._waiting.get(table, 0) + 1
                self._changed.wait(max(0.0, until - time.monotonic()))
                self._waiting[table] -= 1
                if time.monotonic() >= until:
                    raise invalid_query(
                        f"Could not serialize access to table {table} due to concurrent update"
                    )
            self._holders[table] = (owner, transaction)

    def release(self, owner: str) -> None:
        with self._changed:
            self._holders = {t: h for t, h in self._holders.items() if h[0] != owner}
            self._changed.notify_all()

    @contextmanager
    def writing(self, table: str, owner: str) -> Iterator[None]:
        """One load, statement or metadata change outside a transaction."""
        self.acquire(table, owner, transaction=False)
        try:
            yield
        finally:
            self.release(owner)


def aborted(table: str) -> BigQueryError:
    """The words are publicly reported."""
    return invalid_query(f"Transaction is aborted due to concurrent update against table {table}.")
