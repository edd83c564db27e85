"""The BigQuery warehouse: day-partitioned tables whose days are swapped together with their manifest.

Belongs here: ``BigQueryStore``: which days need a write, reading days, what is cached.
Does not belong here: how a write is carried out (``bigquery_write.py``), creating and altering tables
(``bigquery_schema.py``), waiting (``bigquery_jobs.py``), words for errors (``bigquery_errors.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa
from google.cloud import bigquery

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.tables.evolution import StoredTable, blocking, differences
from nba_pipeline.tables.render.arrow import arrow_type, day_bounds, sort_rows
from nba_pipeline.tables.render.bigquery import MANIFEST_FIELDS, Address, quoted, stored_table
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, ReplaceResult
from nba_pipeline.warehouse.bigquery.errors import REMOTE_ERRORS, explained, missing_kind
from nba_pipeline.warehouse.bigquery.jobs import Patience, Runner
from nba_pipeline.warehouse.bigquery.quota import MOST_DAYS, Budget, DailyQuota, quota_day_start, write_cost
from nba_pipeline.warehouse.bigquery.schema import SchemaKeeper
from nba_pipeline.warehouse.bigquery.write import Write, Writer, used_by
from nba_pipeline.warehouse.cache import RecentPartitions
from nba_pipeline.warehouse.prepare import (
    Prepared,
    PreparingStore,
    as_days,
    assemble,
    chosen_columns,
    unchanged_days,
)
from nba_pipeline.warehouse.quota import Cost


class BigQueryStore(PreparingStore):
    """Daily partitions in BigQuery.

    ``connect`` makes the client on first use. Rows and manifest of a write change in one transaction, so what
    ``manifest`` says is what ``read`` finds. One process may use a store from several threads; any number of
    processes may read and write the same tables, where of two writes of the same days one is lost as a whole.
    """

    name = "bigquery"

    def __init__(
        self,
        connect: Callable[[], bigquery.Client],
        address: Address,
        location: str,
        *,
        patience: Patience | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.address, self.region = address, location
        self.budget = budget or Budget()
        self._connect, self._patience = connect, patience or Patience()
        self._recent = RecentPartitions()
        self._lock = threading.Lock()

    @cached_property
    def runner(self) -> Runner:
        with self._lock, self._explaining(None, (), writing=False):
            return Runner(self._connect(), self.region, self._patience)

    @property
    def schema(self) -> SchemaKeeper:
        return SchemaKeeper(lambda: self.runner, self.address, self.region)

    def location(self, table: Table) -> str:
        return self.address.data(table)

    # ------------------------------------------------------------------------------------------ writing

    def _store(self, prepared: Prepared) -> ReplaceResult:
        table, asked = prepared.table, list(prepared.days)
        if not asked:
            return ReplaceResult({}, frozenset())
        with self._explaining(table, asked, writing=True):
            stored = self._checked(table)
            listed = self._find_manifest(table)
            if listed is None:  # the table was made by hand, without it
                self.schema.create(table)
            known = listed or {}
            same = unchanged_days(prepared, known)
            if same and stored.num_rows != sum(e.row_count for e in known.values()):
                same -= self._tampered(table, known)
            days = [day for day in asked if day not in same]
            for first in range(0, len(days), MOST_DAYS):
                known |= self._write(prepared, days[first : first + MOST_DAYS], known)
        return ReplaceResult({day: known[day] for day in asked}, frozenset(days))

    def _checked(self, table: Table) -> bigquery.Table:
        """The stored table, made if there was none; SchemaDrift when it is not what is declared. Nothing is
        altered."""
        found = self.schema.get(table) or self.schema.create(table)
        if changes := blocking(differences(table, stored_table(found))):
            raise _drift(table, self.address.data(table), [c.text for c in changes])
        return found

    def _write(
        self, prepared: Prepared, days: Sequence[date], known: Mapping[date, ManifestEntry]
    ) -> dict[date, ManifestEntry]:
        write = Write(prepared, days, datetime.now(UTC), known)
        self.budget.spend(prepared.table, write_cost(len(days)))
        try:
            found = Writer(self.runner, self.address).write(write)
        except REMOTE_ERRORS:
            # The transaction may have been committed all the same: its last answer was lost, or dropping the
            # staging table failed. What is stored decides, not what was heard.
            landed = self._landed(write)
            if landed is None:
                self._checked(
                    prepared.table
                )  # if somebody altered the table meanwhile, that explains it better
                raise
            return landed
        entries = (self._landed(write) if found else None) or {day: write.entry(day) for day in days}
        for day in days:
            self._recent.put((prepared.table.full_name, day), _version(entries[day]), prepared.days[day].data)
        return entries

    def _landed(self, write: Write) -> dict[date, ManifestEntry] | None:
        """The stored entries of the days, if they are what the write wanted; None if any is not."""
        known = self._list_manifest(write.table)
        wanted = unchanged_days(write.prepared, known)
        return {day: known[day] for day in write.days} if wanted.issuperset(write.days) else None

    def _tampered(self, table: Table, known: Mapping[date, ManifestEntry]) -> set[date]:
        """Days whose number of rows is not what the manifest says: changed by other hands, so to be written
        again."""
        day = quoted(table.partition_column)
        sql = (
            f"SELECT {day}, COUNT(*) AS row_count FROM {quoted(self.address.data(table))} "
            f"WHERE {day} BETWEEN @first_day AND @last_day GROUP BY {day}"
        )
        found = self._query(table, sql, _span(list(known)))
        counts = dict(zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True))
        return {d for d, entry in known.items() if counts.get(d, 0) != entry.row_count}

    # ------------------------------------------------------------------------------------------ reading

    def manifest(self, table: Table) -> dict[date, ManifestEntry]:
        with self._explaining(table, (), writing=False):
            return self._list_manifest(table)

    def _list_manifest(self, table: Table) -> dict[date, ManifestEntry]:
        return self._find_manifest(table) or {}

    def _find_manifest(self, table: Table) -> dict[date, ManifestEntry] | None:
        """All entries, read without a job (tabledata.list): free, and not counted by any quota of jobs. None:
        no such table."""
        client, seconds = self.runner.client, self._patience.call

        def fetch() -> list[Any]:
            return list(
                client.list_rows(
                    self.address.manifest(table), selected_fields=MANIFEST_FIELDS, retry=None, timeout=seconds
                )
            )

        try:
            found = self.runner.call(fetch)
        except REMOTE_ERRORS as error:
            if missing_kind(error) == "table":  # never written; a dataset that is missing is an error
                return None
            raise
        entries = (
            ManifestEntry(r.game_date, r.row_count, r.content_hash, r.schema_version, r.written_at, r.reason)
            for r in found
        )
        return {entry.day: entry for entry in sorted(entries, key=lambda e: e.day)}

    def read(self, table: Table, days: Iterable[date], columns: Sequence[str] | None = None) -> pd.DataFrame:
        names, wanted = chosen_columns(table, columns), as_days(days)
        with self._explaining(table, wanted, writing=False):
            known = self._list_manifest(table) if wanted else {}
            filled = [day for day in wanted if day in known and known[day].row_count]
            held = {
                day: rows for day in filled if (rows := self._held(table, day, names, known[day])) is not None
            }
            fetched = self._fetch(table, [day for day in filled if day not in held], names, known)
        return assemble(table, sorted((held | fetched).items(), key=lambda part: part[0]), names)

    def _held(self, table: Table, day: date, names: Sequence[str], entry: ManifestEntry) -> pa.Table | None:
        whole = self._recent.get((table.full_name, day), _version(entry))
        if whole is not None and set(names) <= set(whole.column_names):
            return whole
        return self._recent.get((table.full_name, day, tuple(names)), _version(entry))

    def _fetch(
        self, table: Table, days: list[date], names: Sequence[str], known: Mapping[date, ManifestEntry]
    ) -> dict[date, pa.Table]:
        """The days' rows by one query. They are kept only if the manifest was the same before and after."""
        if not days:
            return {}
        found = self.schema.get(table)
        if found is None:
            raise self._corrupt(table, days, known, "the table does not exist, although its manifest does")
        stored = stored_table(found)
        if stored.partitioned_by != table.partition_column:
            raise _drift(
                table, self.address.data(table), [c.text for c in blocking(differences(table, stored))][:1]
            )
        arrow = self._rows(table, stored, days, names)
        now = self._list_manifest(table)
        bounds = day_bounds(table, arrow)
        parts = {day: arrow.slice(start, stop - start) for day, (start, stop) in bounds.items()}
        settled = [day for day in days if now.get(day) == known[day]]
        wrong = [
            day for day in settled if (parts[day].num_rows if day in parts else 0) != known[day].row_count
        ]
        if wrong:
            raise self._corrupt(
                table,
                wrong,
                known,
                "the number of rows is not what the manifest says: other hands changed the table",
            )
        for day in settled:
            key = (
                (table.full_name, day)
                if set(table.column_names) <= set(arrow.column_names)
                else (table.full_name, day, tuple(names))
            )
            self._recent.put(key, _version(known[day]), parts[day])
        return parts

    def _rows(self, table: Table, stored: StoredTable, days: list[date], names: Sequence[str]) -> pa.Table:
        """Rows of the days, sorted, with the columns asked for as far as they are stored, and the key (for
        the order)."""
        wanted = [
            n for n in dict.fromkeys([*names, *table.key, table.partition_column]) if n in stored.columns
        ]
        day = quoted(table.partition_column)
        where = f"{day} BETWEEN @first_day AND @last_day"
        if (max(days) - min(days)).days + 1 != len(days):
            where += f" AND {day} IN UNNEST(@days)"
        sql = f"SELECT {', '.join(map(quoted, wanted))} FROM {quoted(self.address.data(table))} WHERE {where}"
        arrow = self._query(table, sql, _span(days))
        types = {n: stored.columns[n].type for n in wanted}
        arrays = [arrow.column(n).cast(arrow_type(t)) if (t := types[n]) else arrow.column(n) for n in wanted]
        arrow = pa.Table.from_arrays(arrays, names=wanted)
        key_is_stored = all(k in stored.columns for k in table.key)
        return (
            sort_rows(table, arrow)
            if key_is_stored
            else arrow.combine_chunks().sort_by(table.partition_column)
        )

    def _query(self, table: Table, sql: str, parameters: list[Any]) -> pa.Table:
        """Rows through the REST API: no Storage Read permission, extra library or second endpoint is
        needed."""
        client, seconds = self.runner.client, self._patience.call
        config = bigquery.QueryJobConfig(
            query_parameters=parameters, labels={"managed-by": "nba-pipeline", "table": table.name[:63]}
        )
        now = datetime.now(UTC)
        base_id = (
            f"nba_read_{table.dataset}__{table.name}_{now:%Y%m%d%H%M%S%f}_{threading.get_ident() % 10**6}"
        )

        def start(job_id: str) -> Any:
            return client.query(
                sql, config, job_id=job_id, location=self.region, retry=None, job_retry=None, timeout=seconds
            )

        job, _ = self.runner.run(base_id, start)
        fetch = lambda: job.result(retry=None, timeout=seconds).to_arrow(create_bqstorage_client=False)  # noqa: E731
        return self.runner.call(fetch)

    # ------------------------------------------------------------------------------------------ quotas

    def used_today(self, tables: Iterable[Table]) -> dict[str, Cost]:
        """What this account's writes have used since midnight Pacific time, in whichever process, by the list
        of jobs."""
        since = quota_day_start(self.budget.now())
        with self._explaining(None, (), writing=False):
            listed = self.runner.client.list_jobs
            wait = self._patience.call
            jobs = self.runner.call(lambda: list(listed(min_creation_time=since, retry=None, timeout=wait)))
        return used_by(self.address, tables, ((job.job_id, job.labels or {}) for job in jobs))

    @property
    def quota(self) -> DailyQuota:
        """Where today stands, and what writes cost."""
        return DailyQuota(self.budget, self.used_today)

    # ------------------------------------------------------------------------------------------ errors

    @contextmanager
    def _explaining(self, table: Table | None, days: Sequence[date], *, writing: bool) -> Iterator[None]:
        where = f"project {self.address.project}, location {self.region}"
        try:
            yield
        except REMOTE_ERRORS as error:
            raise explained(error, table, days, writing=writing, where=where) from error

    def _corrupt(
        self, table: Table, days: Sequence[date], known: Mapping[date, ManifestEntry], why: str
    ) -> CorruptPartition:
        return CorruptPartition(
            f"{table.full_name} on {days[0]}{f' and {len(days) - 1} other day(s)' if len(days) > 1 else ''}"
            f" ({self.address.data(table)}): {why}. Materialize these days again, which writes them anew.",
            paths=dict.fromkeys(days, self.address.data(table)),
            readable={day: entry for day, entry in known.items() if day not in set(days)},
        )


def _version(entry: ManifestEntry) -> tuple[object, ...]:
    return (entry.content_hash, entry.schema_version, entry.written_at)


def _span(days: Sequence[date]) -> list[Any]:
    return [
        bigquery.ScalarQueryParameter("first_day", "DATE", min(days)),
        bigquery.ScalarQueryParameter("last_day", "DATE", max(days)),
        bigquery.ArrayQueryParameter("days", "DATE", list(days)),
    ]


def _drift(table: Table, where: str, problems: Sequence[str]) -> SchemaDrift:
    more = f" (and {len(problems) - 1} more difference(s))" if len(problems) > 1 else ""
    return SchemaDrift(
        f"{table.full_name}: {where} is not what is declared: {problems[0]}{more}. Nothing was written."
        " `nba-pipeline schema diff --warehouse bigquery` shows all differences, `schema apply` makes those"
        " that can be made in place."
    )
