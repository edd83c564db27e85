"""Which days a backfill of the command line is making now, so that a second one does not make the same days
at once.

Belongs here: claims in the home's folder ``backfills``, who still holds them, which of them stand in each
other's way. Does not belong here: waiting and telling people (``cli/waiting.py``). Runs of the UI and of
sensors hold no claim; `plan` names their days as unfinished.

A claim is a file that its process keeps locked. The lock ends with the process, however that ends, so a
killed backfill stands in nobody's way. Without claims two backfills of one range would corrupt nothing,
because each day is swapped as a whole, but every day would be made twice, and a day could be refused because
the other had not come to its inputs yet.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO

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
    """Other backfills make days that the request holds, needs or changes."""

    def __init__(self, others: Sequence[Lock]) -> None:
        super().__init__(f"{len(others)} other backfill(s)")
        self.others = tuple(others)


@contextmanager
def hold(home: Path, request: Backfill, recipes: Sequence[Recipe]) -> Iterator[None]:
    """Hold the request's days for the time of the block. Raises ``Busy``, and holds nothing, where others
    stand in the way."""
    folder = home / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
    own = Lock(os.getpid(), datetime.now(UTC).replace(microsecond=0), _ranges(request))
    with _guarded(folder):
        others = [claim for claim in _living(folder) if in_the_way(claim.days, own.days, recipes)]
        if others:
            raise Busy(others)
        file = path.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(own.as_text())
        file.flush()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def living(home: Path) -> list[Lock]:
    """The claims of backfills that have not ended."""
    folder = home / _FOLDER
    if not folder.is_dir():
        return []
    with _guarded(folder):
        return _living(folder)


def in_the_way(theirs: Ranges, ours: Ranges, recipes: Sequence[Recipe]) -> bool:
    """Whether the two make a day of a table in common, or one makes a day that the other's are made from."""
    mine, others = _tasks(ours, recipes), _tasks(theirs, recipes)
    return any(_same_days(a, b) or waits_for(a, b) or waits_for(b, a) for a in mine for b in others)


def _same_days(a: Task, b: Task) -> bool:
    return a.recipe.table == b.recipe.table and a.first <= b.last and b.first <= a.last


def _tasks(ranges: Ranges, recipes: Sequence[Recipe]) -> list[Task]:
    return [Task(recipe, first, last) for recipe in recipes for first, last in ranges.get(recipe.table, ())]


def _ranges(request: Backfill) -> dict[str, list[tuple[date, date]]]:
    return {recipe.table: list(contiguous(request.days.get(recipe.table, ()))) for recipe in request.recipes}


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """One process at a time looks at claims and adds its own."""
    with (folder / _GUARD).open("a", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _living(folder: Path) -> list[Lock]:
    """The claims that a process still holds; the others are removed."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            file = path.open(encoding="utf-8")
        except FileNotFoundError:  # its process has ended just now
            continue
        with file:
            if _is_free(file):
                path.unlink(missing_ok=True)
            else:
                found.append(Lock.from_text(file.read()))
    return found


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
