"""Recently read partitions, kept in memory: history is read by one table after the other and by one range
after the other.

Belongs here: a bounded, thread-safe cache of decoded days. Does not belong here: files and what identifies
their versions.

Why: the five tables of phase 4 read the same look-back of the same two tables for every range. Opening a
Parquet file costs about a millisecond whatever is in it, so a backfill of three seasons spent 26 s opening
the same files again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import pyarrow as pa

LIMIT_BYTES = 256 * 2**20


class RecentPartitions:
    """Decoded days by key, least recently used out first. A day counts only while its file's version is the
    same."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._lock = threading.Lock()
        self._days: OrderedDict[Hashable, tuple[Hashable, pa.Table, int]] = OrderedDict()

    def get(self, key: Hashable, version: Hashable) -> pa.Table | None:
        """The day, if it is held in this version."""
        with self._lock:
            held = self._days.get(key)
            if held is None or held[0] != version:
                return None
            self._days.move_to_end(key)
            return held[1]

    def put(self, key: Hashable, version: Hashable, rows: pa.Table) -> None:
        """Hold the day, and drop what was not used for longest when that is too much."""
        size = (
            rows.nbytes + 512
        )  # not the buffers' size: the days of one query result are slices of the same buffers
        with self._lock:
            if old := self._days.pop(key, None):
                self._size -= old[2]
            self._days[key] = (version, rows, size)
            self._size += size
            while self._size > self._limit and self._days:
                self._size -= self._days.popitem(last=False)[1][2]
