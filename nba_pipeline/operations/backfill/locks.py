"""Locks: which partitions a backfill of the command line materializes now, so that a second one leaves them
alone.

Belongs here: lock files in the home's folder ``backfills``, who still holds them, which of them conflict.
Does not belong here: waiting and telling people (``cli/waiting.py``). Runs of the UI and of sensors hold no
lock; `plan` names their days as unfinished.

A lock file is locked by its process. The lock ends with the process, however that ends, so a killed backfill
stands in nobody's way. Without locks two backfills of one range would corrupt nothing, because each day is
swapped as a whole, but every day would be materialized twice, and a day could be refused because the other
had not come to its inputs yet.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nba_pipeline.operations.backfill.tasks import Backfill, Task, waits_for
from nba_pipeline.ranges import contiguous
from nba_pipeline.recipes.recipe import Recipe

Ranges = Mapping[str, Sequence[tuple[date, date]]]
_FOLDER, _GUARD = "backfills", "guard"


@dataclass(frozen=True)
class Lock:
    """The days of a backfill that has not ended: first and last day of each range, per table."""

    process: int
    since: datetime
    days: Ranges

    @property
    def identity(self) -> tuple[int, datetime]:
        return self.process, self.since

    def as_text(self) -> str:
        days = {
            name: [[a.isoformat(), b.isoformat()] for a, b in ranges] for name, ranges in self.days.items()
        }
        return json.dumps(
            {"process": self.process, "since": self.since.isoformat(timespec="seconds"), "days": days}
        )

    @classmethod
    def from_text(cls, text: str) -> Lock:
        found = json.loads(text)
        days = {
            name: [(date.fromisoformat(a), date.fromisoformat(b)) for a, b in ranges]
            for name, ranges in found["days"].items()
        }
        return cls(found["process"], datetime.fromisoformat(found["since"]), days)


class Busy(Exception):
    """Other backfills materialize days that the request holds, needs or changes."""

    def __init__(self, others: Sequence[Lock]) -> None:
        super().__init__(f"{len(others)} other backfill(s)")
        self.others = tuple(others)


@contextmanager
def hold(home: Path, request: Backfill, recipes: Sequence[Recipe]) -> Iterator[None]:
    """Lock the request's days for the time of the block. Raises ``Busy``, and locks nothing, where others
    stand in the way."""
    folder = home / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
    own = Lock(os.getpid(), datetime.now(UTC).replace(microsecond=0), _ranges(request))
    held = FileLock(_lock_of(path))
    with FileLock(folder / _GUARD):
        others = [lock for lock in _living(folder) if in_the_way(lock.days, own.days, recipes)]
        if others:
            raise Busy(others)
        held.acquire()
        path.write_text(own.as_text(), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        _lock_of(path).unlink(missing_ok=True)
        held.release()


def living(home: Path) -> list[Lock]:
    """The locks of backfills that have not ended."""
    folder = home / _FOLDER
    if not folder.is_dir():
        return []
    with FileLock(folder / _GUARD):
        return _living(folder)


def in_the_way(theirs: Ranges, ours: Ranges, recipes: Sequence[Recipe]) -> bool:
    """Whether the two have a day of a table in common, or one has a day that the other's depend on."""
    mine, others = _tasks(ours, recipes), _tasks(theirs, recipes)
    return any(_same_days(a, b) or waits_for(a, b) or waits_for(b, a) for a in mine for b in others)


def _same_days(a: Task, b: Task) -> bool:
    return a.recipe.table == b.recipe.table and a.first <= b.last and b.first <= a.last


def _tasks(ranges: Ranges, recipes: Sequence[Recipe]) -> list[Task]:
    return [Task(recipe, first, last) for recipe in recipes for first, last in ranges.get(recipe.table, ())]


def _ranges(request: Backfill) -> dict[str, list[tuple[date, date]]]:
    return {recipe.table: list(contiguous(request.days.get(recipe.table, ()))) for recipe in request.recipes}


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _living(folder: Path) -> list[Lock]:
    """The locks that a process still holds; what the others have left is removed."""
    found = []
    for path in sorted(folder.glob("*.json")):
        lock = FileLock(_lock_of(path), blocking=False)
        try:
            lock.acquire()
        except Timeout:
            with suppress(FileNotFoundError):  # its process is ending just now
                found.append(Lock.from_text(path.read_text(encoding="utf-8")))
            continue
        path.unlink(missing_ok=True)
        _lock_of(path).unlink(missing_ok=True)
        lock.release()
    return found
