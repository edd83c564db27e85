"""The warehouse in memory: the whole graph in one process without a disk, for tests and demonstrations.

Belongs here: ``MemoryStore``. Does not belong here: what all stores share (``days.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa

from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import ManifestEntry, ReplaceResult
from nba_pipeline.warehouse.prepare import (
    Prepared,
    PreparingStore,
    as_days,
    assemble,
    chosen_columns,
    unchanged_days,
)


class MemoryStore(PreparingStore):
    """Days as immutable Arrow tables; swapping one is a single assignment under a lock."""

    name = "memory"

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], dict[date, tuple[pa.Table, ManifestEntry]]] = {}
        self._lock = threading.Lock()

    def _store(self, prepared: Prepared) -> ReplaceResult:
        now = datetime.now(UTC)
        with self._lock:
            stored = self._tables.setdefault(prepared.table.asset_key, {})
            written = frozenset(prepared.days) - unchanged_days(
                prepared, {day: entry for day, (_, entry) in stored.items()}
            )
            for day in written:
                new = prepared.days[day]
                entry = ManifestEntry(
                    day,
                    new.row_count,
                    new.content_hash,
                    prepared.schema_version,
                    now,
                    new.reason,
                    new.data.nbytes,
                )
                stored[day] = (new.data, entry)
            return ReplaceResult({day: stored[day][1] for day in prepared.days}, written)

    def read(self, table: Table, days: Iterable[date], columns: Sequence[str] | None = None) -> pd.DataFrame:
        names = chosen_columns(table, columns)
        with self._lock:
            stored = self._tables.get(table.asset_key, {})
            parts = [(day, stored[day][0]) for day in as_days(days) if day in stored]
        return assemble(table, parts, names)

    def manifest(self, table: Table) -> dict[date, ManifestEntry]:
        with self._lock:
            return {day: entry for day, (_, entry) in sorted(self._tables.get(table.asset_key, {}).items())}

    def location(self, table: Table) -> str:
        return f"memory:{table.full_name}"
