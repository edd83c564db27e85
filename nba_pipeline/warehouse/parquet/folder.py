"""The files of a Parquet warehouse: where each day's file is, what is in its footer, and the manifest of a
table.

Belongs here: ``ParquetFolder``: looking, never writing a day. Does not belong here: replacing and reading
rows (``store.py``), the bytes of a file (``files.py``), the manifest cache (``manifest.py``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from nba_pipeline.failures import SourceUnavailable
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry
from nba_pipeline.warehouse.parquet.files import DamagedFile, FileKey, load, open_part, remove_stale
from nba_pipeline.warehouse.parquet.manifest import Cached, load_cache, save_cache

FILE_NAME = "part.parquet"
_FOLDER_PREFIX = "game_date="
# Waiting for fsync and for Arrow, which releases the interpreter: more threads than cores pay off.
_THREADS = 4
_SAFE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Result = TypeVar("_Result")


@dataclass
class Scan:
    """What was found of a table: the entries with their file versions, and why other files are damaged."""

    entries: Cached = field(default_factory=dict)
    damaged: dict[date, str] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[date, ManifestEntry]:
        return {day: self.entries[day][1] for day in sorted(self.entries)}


class ParquetFolder:
    """Daily files below ``root``: ``<root>/<dataset>/<table>/game_date=YYYY-MM-DD/part.parquet``."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def folder(self, table: Table) -> Path:
        for part in (table.dataset, table.name):
            if not _SAFE_NAME.fullmatch(part):  # Table promises this; a path is worth a second look
                raise ValueError(f"{part!r} cannot be a folder of the warehouse")
        return self.root / table.dataset / table.name

    def path(self, table: Table, day: date) -> Path:
        return self.folder(table) / f"{_FOLDER_PREFIX}{day.isoformat()}" / FILE_NAME

    def files(self, table: Table) -> str:
        """A pattern that matches the files of all days."""
        return str(self.folder(table) / "*" / FILE_NAME)

    def entries(self, table: Table) -> dict[date, ManifestEntry]:
        """The entries as they are in the files: with the schema version under which each day was written."""
        folder = self.folder(table)
        cached = load_cache(folder)
        scan = self.scan(table, None, cached)
        if scan.entries != cached:
            remove_stale(folder)
            save_cache(folder, scan.entries)
        if scan.damaged:
            raise self.corrupt(table, scan.damaged, scan.manifest)
        return scan.manifest

    def scan(self, table: Table, days: Iterable[date] | None = None, cached: Cached | None = None) -> Scan:
        """Entries of the days (default: all that are stored), opening only files that the cache does not
        know."""
        folder = self.folder(table)
        cached = load_cache(folder) if cached is None else cached
        scan, unknown = Scan(), []
        for day in self.stored_days(table) if days is None else days:
            key = _key(folder, day)
            if key is not None and day in cached and cached[day][0] == key:
                scan.entries[day] = cached[day]
            elif key is not None:
                unknown.append(day)
        for day, outcome in in_threads(lambda day: self.read_entry(table, day), unknown):
            if isinstance(outcome, DamagedFile):
                scan.damaged[day] = str(outcome)
            elif outcome is not None:
                scan.entries[day] = outcome
        return scan

    def stored_days(self, table: Table) -> list[date]:
        try:
            names = os.listdir(self.folder(table))  # noqa: PTH208 - names are all that is needed
        except (FileNotFoundError, NotADirectoryError):
            return []
        days = []
        for name in names:
            try:
                days.append(
                    date.fromisoformat(name.removeprefix(_FOLDER_PREFIX))
                    if name.startswith(_FOLDER_PREFIX)
                    else None
                )
            except ValueError:
                continue  # a folder somebody else made
        return sorted(day for day in days if day is not None)

    def key(self, table: Table, day: date) -> FileKey | None:
        """The version of a day's file; None if there is none."""
        return _key(self.folder(table), day)

    def read_entry(self, table: Table, day: date) -> tuple[FileKey, ManifestEntry] | DamagedFile | None:
        loaded = self.load(table, day)
        try:
            return (loaded[0], open_part(loaded[1], table, day)[0]) if loaded else None
        except DamagedFile as error:
            return error

    def load(self, table: Table, day: date) -> tuple[FileKey, bytes] | None:
        """The version and the bytes of a day's file; None if there is none."""
        path = self.path(table, day)
        try:
            return load(path)
        except OSError as error:
            raise SourceUnavailable(
                f"{table.full_name} on {day}: {path} cannot be read: {error.strerror or error}. Correct its"
                " permissions or the disk.",
                days=[day],
            ) from error

    def corrupt(
        self, table: Table, damaged: Mapping[date, str], readable: Mapping[date, ManifestEntry]
    ) -> CorruptPartition:
        paths = {day: self.path(table, day) for day in sorted(damaged)}
        shown = "; ".join(f"{day} ({paths[day]}): {damaged[day]}" for day in list(paths)[:3])
        more = f"; and {len(damaged) - 3} more" if len(damaged) > 3 else ""
        return CorruptPartition(
            f"{table.full_name} has {len(damaged)} damaged day(s): {shown}{more}. Materialize these days"
            " again, which replaces the files.",
            paths=paths,
            readable={day: entry for day, entry in readable.items() if day not in damaged},
        )


def _key(folder: Path, day: date) -> FileKey | None:
    """Text and no ``Path``: that halves the time of a command that looks at 1,900 days of all tables."""
    try:
        return FileKey.of(os.stat(f"{folder}/{_FOLDER_PREFIX}{day}/{FILE_NAME}"))  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return None


def in_threads(work: Callable[[date], _Result], days: Iterable[date]) -> list[tuple[date, _Result]]:
    """The work's result for each day, in order; a few days at a time."""
    days = list(days)
    if len(days) < 2:
        return [(day, work(day)) for day in days]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="parquet-store") as pool:
        return list(zip(days, pool.map(work, days), strict=True))
