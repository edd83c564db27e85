"""The store protocol: what every warehouse promises, and the manifest it keeps.

Belongs here: ``Store``, ``ManifestEntry`` and the errors of stores.
Does not belong here: a particular warehouse, Dagster (``io_manager.py``), validation (``checks/``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd

from nba_pipeline.failures import FailureClass, PipelineError
from nba_pipeline.tables.evolution import Change
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.quota import QuotaStore


@dataclass(frozen=True)
class ManifestEntry:
    """What is stored for one day of one table. A day is present only if it has an entry."""

    day: date
    row_count: int
    content_hash: str
    schema_version: str
    written_at: datetime
    reason: str | None = None  # why row_count is 0: off_day, off_season, exhibition_only, postponed, ...
    size_bytes: int | None = None


@dataclass(frozen=True)
class ReplaceResult:
    """What one ``replace`` did: the entry of each day asked for, and which days were really written."""

    entries: Mapping[date, ManifestEntry]
    written: frozenset[date]


class CorruptPartition(PipelineError):
    """Stored partitions that cannot be read; ``paths`` names them, ``readable`` holds the table's other
    entries."""

    failure_class = FailureClass.UNPARSEABLE_SOURCE

    def __init__(
        self,
        message: str,
        *,
        paths: Mapping[date, Path | str],
        readable: Mapping[date, ManifestEntry] | None = None,
    ) -> None:
        super().__init__(message, days=sorted(paths))
        self.paths = dict(paths)
        self.readable = dict(readable or {})


class SchemaStore(Protocol):
    """Looking at and changing tables. ``changes`` is empty where a table is as declared; ``ddl`` gives the
    statements that make the table, or these changes of it; ``apply`` makes them and returns what is left."""

    def changes(self, table: Table) -> list[Change]: ...

    def ddl(self, table: Table, changes: Sequence[Change] | None = None) -> list[str]: ...

    def dataset_ddl(self, tables: Iterable[Table]) -> list[str]: ...

    def create_datasets(self, tables: Iterable[Table]) -> None: ...

    def apply(self, table: Table, changes: Sequence[Change]) -> list[Change]: ...


@runtime_checkable
class Store(Protocol):
    """Daily partitions of declared tables, quarantine tables included.

    ``replace`` swaps each given day as a whole and atomically: a reader, or a crash at any moment, sees the
    old day or the new one, never a mixture. Writing the same content again changes nothing (same content
    hash, schema version and reason: not rewritten). Frames hold the table's columns in any order with every
    row's ``game_date`` equal to its day; anything else raises before a side effect. ``reasons`` says why a
    day is empty and is ignored for days with rows.

    ``replace_range`` is the same for one frame that holds many days; each of ``days`` without rows is stored
    as empty. It converts once, so it is the way to write a range.

    ``read`` returns the rows of the given days that are present, columns in declared order (or in the order
    asked for), rows ordered by day, then key, dtypes as ``tables.render.frames`` declares them. Absent days
    add no rows.

    ``entry`` is one day of the manifest; CorruptPartition if that day cannot be read. ``location`` says where
    the table is, for people. ``schema`` and ``quota`` are None for a warehouse that has nothing of the kind.
    """

    name: str

    @property
    def schema(self) -> SchemaStore | None: ...

    @property
    def quota(self) -> QuotaStore | None: ...

    def replace(
        self, table: Table, frames: Mapping[date, pd.DataFrame], *, reasons: Mapping[date, str] | None = None
    ) -> ReplaceResult: ...

    def replace_range(
        self,
        table: Table,
        frame: pd.DataFrame,
        days: Iterable[date],
        *,
        reasons: Mapping[date, str] | None = None,
    ) -> ReplaceResult: ...

    def read(
        self, table: Table, days: Iterable[date], columns: Sequence[str] | None = None
    ) -> pd.DataFrame: ...

    def manifest(self, table: Table) -> dict[date, ManifestEntry]: ...

    def entry(self, table: Table, day: date) -> ManifestEntry | None: ...

    def location(self, table: Table) -> str: ...
