"""What a source of raw NBA data is: the protocol that every source keeps.

Belongs here: ``Source``, ``SourceFrame`` and the empty ``unusable`` frame. Does not belong here: a particular
source (``bulk_files.py``, ``simulated/``), validation (``checks/``), storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd

UNUSABLE_COLUMNS = ("game_date", "reason", "count", "sample")


def no_unusable() -> pd.DataFrame:
    """An ``unusable`` frame with no rows."""
    return pd.DataFrame(
        {
            "game_date": pd.Series(dtype="datetime64[s]"),
            "reason": pd.Series(dtype=object),
            "count": pd.Series(dtype="int64"),
            "sample": pd.Series(dtype=object),
        }
    )


@dataclass(frozen=True)
class SourceFrame:
    """Raw rows for the days asked for, and what the source holds for them but cannot be used.

    ``frame``: the raw table's columns in any order, ``game_date`` as datetime64; no row outside the days
    asked for. ``unusable``: one row per (game_date, reason) with the number of values concerned and one
    example in words; it goes into the partition's metadata, so that nothing is dropped without a trace.
    """

    frame: pd.DataFrame
    unusable: pd.DataFrame = field(default_factory=no_unusable)


@runtime_checkable
class Source(Protocol):
    """Raw frames for sets of days.

    Each method answers for exactly the days asked for. A day outside the source's coverage raises
    ``SourceUnavailable`` with ``days``; damaged input raises ``UnparseableSource`` (with ``days`` where only
    some are concerned); a day within coverage on which nothing was played has no rows.
    """

    name: str

    def games(self, days: Sequence[date]) -> SourceFrame: ...

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame: ...

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame: ...


@runtime_checkable
class Polled(Source, Protocol):
    """A source that can say what changed without being read as a whole each time.

    ``revision`` costs next to nothing and changes whenever a fingerprint may have changed. ``fingerprints``
    gives, for each of the days that the source covers, eight hex digits of everything it holds for that day;
    other days are left out. Both raise ``SourceUnavailable`` or ``UnparseableSource``: a source that is down
    has not "no changes".
    """

    def revision(self) -> str: ...

    def fingerprints(self, days: Sequence[date]) -> dict[date, str]: ...


@runtime_checkable
class Traceable(Source, Protocol):
    """A source that can say what it read a raw table's days from, so that a value can be traced to the bytes
    behind it."""

    def payloads(self, table: str, days: Sequence[date]) -> dict[str, str]:
        """Name of each file or payload that this process read for the days -> SHA-256 of the bytes as they
        were read."""
        ...

    def payload_files(self, table: str, days: Sequence[date]) -> list[Path]:
        """The files that the days would be read from now."""
        ...
