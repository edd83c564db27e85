"""The embedded warehouse: one Parquet file per table and day, readable by any number of processes and any
tool.

Belongs here: ``ParquetStore``: replacing and reading days, telling missing from damaged. Does not belong
here: which files there are (``folder.py``), the bytes of a file (``files.py``), days of other declarations
(``schema.py``).

Layout: ``<root>/<dataset>/<table>/game_date=YYYY-MM-DD/part.parquet``. The day stands in the folder's name
only, so that pandas, pyarrow, DuckDB and Spark read a table's folder as it is. An empty day is a file without
rows, and the manifest entry is in the footer. Every write goes to a temporary name in the same folder, is
synced, and is renamed over the old file; so a crash leaves the old day or the new one.

SQL over a table, from anywhere (or see ``duck.py``)::

    duckdb -c "SELECT * FROM '<root>/<dataset>/<table>/*/part.parquet'"
    pandas.read_parquet("<root>/<dataset>/<table>")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from nba_pipeline.failures import WriteFailed
from nba_pipeline.tables.render.arrow import schema_version
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, ReplaceResult
from nba_pipeline.warehouse.cache import RecentPartitions
from nba_pipeline.warehouse.parquet.accepted import Accepted, load_accepted
from nba_pipeline.warehouse.parquet.files import (
    DamagedFile,
    FileKey,
    can_sync_filesystem,
    decode,
    discard,
    encode,
    is_current,
    publish,
    remove_stale,
    stage,
    sync_filesystem,
    sync_folder,
    write_atomically,
    written_under,
)
from nba_pipeline.warehouse.parquet.folder import ParquetFolder, in_threads
from nba_pipeline.warehouse.parquet.manifest import Cached, is_settled, load_cache, save_cache
from nba_pipeline.warehouse.parquet.schema import ParquetSchema
from nba_pipeline.warehouse.prepare import (
    Prepared,
    PreparingStore,
    as_days,
    assemble,
    chosen_columns,
    unchanged_days,
    with_absent,
)

_MANY_DAYS = 32  # from here on days are synced together
_Written = tuple[FileKey, ManifestEntry]


class ParquetStore(ParquetFolder, PreparingStore):
    """Daily partitions as Parquet files below ``root``, which is created by the first write."""

    name = "parquet"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._recent = RecentPartitions()

    def location(self, table: Table) -> str:
        return str(self.folder(table))

    @property
    def schema(self) -> ParquetSchema:
        """Looking at the declarations under which days are stored, and accepting them under today's."""
        return ParquetSchema(self)

    def _accepted(self, table: Table) -> Accepted:
        return load_accepted(self.folder(table), schema_version(table))

    # ------------------------------------------------------------------------------------------ writing

    def _store(self, prepared: Prepared) -> ReplaceResult:
        table, days = prepared.table, list(prepared.days)
        cached = load_cache(self.folder(table))
        entries = self.scan(table, days, cached).entries
        accepted = self._accepted(table)
        same = unchanged_days(
            prepared, accepted.presented({day: entry for day, (_, entry) in entries.items()})
        )
        # "Unchanged" was read from the footer; a file with damaged pages must be rewritten, or it could never
        # be repaired, and so must one that other readers refuse.
        kept = {day for day, current in in_threads(lambda day: self._is_current(table, day), same) if current}
        written = [day for day in days if day not in kept]
        self.schema.check_replaceable(
            table, {day: entries[day][1] for day in written if day in entries}, accepted
        )
        written_now = self._write(prepared, written) if written else {}
        entries.update(written_now)
        if written_now:
            remove_stale(self.folder(table))
            save_cache(self.folder(table), cached | entries)
        return ReplaceResult(accepted.presented({day: entries[day][1] for day in days}), frozenset(written))

    def _is_current(self, table: Table, day: date) -> bool:
        loaded = self.load(table, day)
        return loaded is not None and is_current(loaded[1])

    def _write(self, prepared: Prepared, days: Sequence[date]) -> Cached:
        """Write the days; those that fail are named together, after all others have been stored."""
        now = datetime.now(UTC)
        failed: dict[date, OSError] = {}
        stored: Cached = {}
        try:
            self._make_folders(prepared.table, days)
        except OSError as error:
            raise self._write_failed(prepared.table, dict.fromkeys(days, error), 0) from error

        many = len(days) >= _MANY_DAYS and can_sync_filesystem()
        for day, outcome in (self._write_together if many else self._write_singly)(prepared, days, now):
            if isinstance(outcome, OSError):
                failed[day] = outcome
            else:
                stored[day] = outcome
        if failed:
            raise self._write_failed(prepared.table, failed, len(stored))
        return stored

    def _write_singly(
        self, prepared: Prepared, days: Sequence[date], now: datetime
    ) -> list[tuple[date, _Written | OSError]]:
        """Each day written, synced and renamed by itself."""

        def write(day: date) -> _Written | OSError:
            try:
                entry, content = self._encoded(prepared, day, now)
                return write_atomically(self.path(prepared.table, day), content), entry
            except OSError as error:
                return error

        return in_threads(write, days)

    def _write_together(
        self, prepared: Prepared, days: Sequence[date], now: datetime
    ) -> list[tuple[date, _Written | OSError]]:
        """All days written, one sync, all renamed, one sync: two waits for the disk instead of two per day.

        Two fsyncs of a day take 7 ms on a busy disk and were two thirds of the time of a large write.
        """

        def stage_day(day: date) -> tuple[Path, FileKey, ManifestEntry] | OSError:
            try:
                entry, content = self._encoded(prepared, day, now)
                return (*stage(self.path(prepared.table, day), content, durable=False), entry)
            except OSError as error:
                return error

        staged = in_threads(stage_day, days)
        try:
            sync_filesystem(self.root)
        except OSError as error:
            for _, outcome in staged:
                if not isinstance(outcome, OSError):
                    discard(outcome[0])
            return [(day, error) for day in days]
        written: list[tuple[date, _Written | OSError]] = []
        for day, outcome in staged:
            if isinstance(outcome, OSError):
                written.append((day, outcome))
                continue
            temporary, key, entry = outcome
            try:
                publish(temporary, self.path(prepared.table, day))
                written.append((day, (key, entry)))
            except OSError as error:
                written.append((day, error))
        sync_filesystem(self.root)
        return written

    def _encoded(self, prepared: Prepared, day: date, now: datetime) -> tuple[ManifestEntry, bytes]:
        new = prepared.days[day]
        entry = ManifestEntry(day, new.row_count, new.content_hash, prepared.schema_version, now, new.reason)
        content = encode(prepared.table, entry, new.data)
        remove_stale(self.path(prepared.table, day).parent)
        return replace(entry, size_bytes=len(content)), content

    def _make_folders(self, table: Table, days: Sequence[date]) -> None:
        """The days' folders, before any file: whatever fails here has changed nothing."""
        new = [folder for folder in (self.path(table, day).parent for day in days) if not folder.is_dir()]
        for folder in new:
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder(table), self.folder(table).parent, self.root) if new else ():
            sync_folder(folder)

    def _write_failed(self, table: Table, failed: Mapping[date, OSError], stored: int) -> WriteFailed:
        day = min(failed)
        more = f", nor could {len(failed) - 1} other day(s)" if len(failed) > 1 else ""
        return WriteFailed(
            f"{table.full_name} on {day} could not be written to {self.path(table, day)}:"
            f" {failed[day].strerror or failed[day]}{more}. What these days held before is still stored"
            f" ({stored} other day(s) of this write were stored). Free the disk or correct the permissions,"
            " then materialize the days again.",
            days=sorted(failed),
        )

    # ------------------------------------------------------------------------------------------ reading

    def read(self, table: Table, days: Iterable[date], columns: Sequence[str] | None = None) -> pd.DataFrame:
        names, accepted = chosen_columns(table, columns), self._accepted(table)
        damaged: dict[date, str] = {}
        parts: list[tuple[date, pa.Table]] = []

        def read_day(day: date) -> pa.Table | DamagedFile | None:
            key = (table.full_name, day, tuple(names))
            version = self.key(table, day)
            recent = self._recent.get(key, version)
            if recent is not None:
                return recent
            loaded = self.load(table, day)
            try:
                rows = decode(loaded[1], table, day, names) if loaded else None
            except DamagedFile as error:
                return error
            if loaded and rows is not None and is_settled(loaded[0]):
                self._recent.put(key, loaded[0], rows)
            return rows

        for day, outcome in in_threads(read_day, self._days_with_rows(table, as_days(days))):
            if isinstance(outcome, DamagedFile):
                damaged[day] = str(outcome)
            elif outcome is not None:
                lacking = outcome.num_columns < len(names) and written_under(outcome) in accepted.lacking
                parts.append((day, with_absent(table, outcome, names) if lacking else outcome))
        if damaged:
            raise self.corrupt(table, damaged, self.scan(table).manifest)
        return assemble(table, parts, names)

    def _days_with_rows(self, table: Table, days: list[date]) -> list[date]:
        """The days without those that the cache knows to be empty: a third of a calendar, whose files need no
        opening."""
        cached = load_cache(self.folder(table)) if len(days) > 1 else {}
        return [
            day
            for day in days
            if day not in cached or cached[day][1].row_count or cached[day][0] != self.key(table, day)
        ]

    def manifest(self, table: Table) -> dict[date, ManifestEntry]:
        accepted = self._accepted(table)
        try:
            return accepted.presented(self.entries(table))
        except CorruptPartition as error:
            error.readable = accepted.presented(error.readable)
            raise

    def entry(self, table: Table, day: date) -> ManifestEntry | None:
        """One day's entry from its own file; see ``Store.entry``."""
        found = self.read_entry(table, day)
        if isinstance(found, DamagedFile):
            raise self.corrupt(table, {day: str(found)}, {})
        return None if found is None else self._accepted(table).presented({day: found[1]})[day]
