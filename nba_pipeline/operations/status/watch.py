"""Progress of whatever runs, started by anyone: pure functions over states taken one after the other.

Belongs here: counting, rate, time left, stalls. Does not belong here: reading states (``state.py``), the loop
and its printing (``cli/watch.py``). Everything is read from the instance and the warehouse, so a backfill of
the UI, a sensor or another terminal is seen as well as one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

from nba_pipeline.operations.backfill.estimate import Costs, seconds_left
from nba_pipeline.operations.backfill.tasks import Backfill, Task, tasks_of
from nba_pipeline.operations.status.runs import Ran, at_once, idle_seconds
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.ranges import described
from nba_pipeline.recipes.recipe import Recipe

STALLED_AFTER_SECONDS = 180.0
"""A run of a year of the largest table settles its days within a minute, so three without any are no pause.
"""
RATE_OVER_SECONDS = 120.0
"""The rate is that of the last two minutes: tables differ in speed, and an average since the start would lag
behind."""


@dataclass(frozen=True)
class Snapshot:
    """Table-days at one moment. ``seconds`` is a clock that only runs forward; ``active``: runs that have not
    ended."""

    seconds: float
    good: int
    failed: int
    open: int
    """Wanted days that are neither stored nor failed nor blocked: running or not yet reached."""
    blocked: int
    active: int

    @property
    def settled(self) -> int:
        return self.good + self.failed

    @property
    def total(self) -> int:
        return self.settled + self.open + self.blocked


@dataclass(frozen=True)
class Progress:
    """What the snapshots so far amount to. ``per_minute`` is None until something has moved."""

    now: Snapshot
    per_minute: float | None
    seconds_left: float | None
    quiet_seconds: float
    stalled: bool

    @property
    def ended(self) -> bool:
        return self.now.active == 0


def take(
    states: Mapping[str, TableState], asked: Mapping[str, AbstractSet[date]], active: int, seconds: float
) -> Snapshot:
    """A snapshot. ``asked``: the days of each table that were asked for; others count once they were
    tried."""
    good = sum(len(s.materialized) for s in states.values())
    failed = sum(len(s.failed) for s in states.values())
    blocked = sum(len(s.blocked) for s in states.values())
    return Snapshot(seconds, good, failed, sum(map(len, unsettled(states, asked).values())), blocked, active)


def unsettled(
    states: Mapping[str, TableState], asked: Mapping[str, AbstractSet[date]]
) -> dict[str, set[date]]:
    """The days of each table that run, or were asked for and are not there."""
    return {
        name: {*state.in_progress, *(asked.get(name, set()) & state.missing)}
        for name, state in states.items()
    }


def progress(snapshots: Sequence[Snapshot], seconds_left: float | None) -> Progress:
    """Rate and stalls of at least one snapshot, oldest first, with the time left at the last one."""
    now = snapshots[-1]
    recent = [s for s in snapshots if now.seconds - s.seconds <= RATE_OVER_SECONDS]
    first = recent[0]
    moved, took = now.settled - first.settled, now.seconds - first.seconds
    per_minute = 60.0 * moved / took if moved > 0 and took > 0 else None
    changed = next(
        (
            after.seconds
            for before, after in zip(snapshots[-2::-1], snapshots[:0:-1], strict=True)
            if _differ(before, after)
        ),
        None,
    )
    quiet = now.seconds - (snapshots[0].seconds if changed is None else changed)
    return Progress(now, per_minute, seconds_left, quiet, now.active > 0 and quiet >= STALLED_AFTER_SECONDS)


def time_left(
    recipes: Sequence[Recipe],
    wanted: Mapping[str, AbstractSet[date]],
    runs: Sequence[Ran],
    costs: Costs,
    days_per_run: int,
    now: float,
) -> float | None:
    """Seconds until the ``wanted`` days, which are not settled, are done; None while nothing says how fast
    they go.

    ``runs``: those of this stretch of work. Pauses between them, such as the daemon's, are expected to go on.
    """
    by_table = {p.table: p for p in recipes}

    def tasks(some: Sequence[Ran]) -> list[Task]:
        return list(
            dict.fromkeys(Task(by_table[name], run.first, run.last) for run in some for name in run.tables)
        )

    running = tasks([run for run in runs if run.ended is None])
    begun = {name: {d for t in running if t.recipe.table == name for d in t.days} for name in by_table}
    left_over = {name: set(days) - begun[name] for name, days in wanted.items()}
    waiting = tasks_of(Backfill(recipes, left_over, days_per_run=days_per_run))
    unfinished = [*running, *waiting]
    ended = [run for run in runs if run.ended is not None]
    done = [task for task in tasks(ended) if task not in unfinished]
    if not ended:
        return seconds_left(costs, [], unfinished, at_once(runs), 0.0)
    newest = max(run.ended or now for run in ended)
    pauses = idle_seconds(ended, newest)
    elapsed, since = newest - runs[0].began - pauses, now - newest if running else 0.0
    left = seconds_left(costs, done, unfinished, at_once(runs), elapsed, since)
    return None if left is None else left + len(waiting) * pauses / len(ended)


def _differ(before: Snapshot, after: Snapshot) -> bool:
    return (before.settled, before.open, before.blocked) != (after.settled, after.open, after.blocked)


def waiting_lines(states: Mapping[str, TableState]) -> list[str]:
    """What has not started because something stands before it, a line per table with the first obstacle."""
    lines = []
    for name, state in states.items():
        if state.blocked:
            first = min(state.blocked)
            lines.append(
                f"{name}: {len(state.blocked)} day(s) wait, from {first} on for {state.blocked[first]}"
            )
    return lines


def failed_lines(states: Mapping[str, TableState]) -> list[str]:
    """Failures by cause, a line per class and table."""
    grouped: dict[tuple[str, str], list[date]] = {}
    for name, state in states.items():
        for failure in state.failed.values():
            grouped.setdefault((failure.failure_class, name), []).append(failure.day)
    return [
        f"{failure_class} in {name}: {len(days)} day(s): {described(days)}"
        for (failure_class, name), days in sorted(grouped.items())
    ]


def as_json(found: Progress) -> dict[str, Any]:
    """One line of `status --watch --json`."""
    return {
        "total": found.now.total,
        "good": found.now.good,
        "failed": found.now.failed,
        "open": found.now.open,
        "blocked": found.now.blocked,
        "active_runs": found.now.active,
        "per_minute": None if found.per_minute is None else round(found.per_minute, 1),
        "seconds_left": None if found.seconds_left is None else round(found.seconds_left),
        "stalled": found.stalled,
    }
