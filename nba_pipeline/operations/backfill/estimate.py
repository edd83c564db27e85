"""What runs cost and how long the rest of a backfill takes: for `plan`, the progress line and `status
--watch`. Pure functions.

Belongs here: the cost of a run, and the one estimate. Does not belong here: remembering what runs took
(``pace.py``), knowing what is done and what runs (``remaining.py`` of a backfill of this process,
``watch.py`` of any other).

A run of a table costs something and each of its days costs something; a day on which no game can be costs
less, and the first runs of all load libraries. How these compare is stored, fitted anew to what this
machine's earlier backfills took, and put into the order of the runs, in which two workers help only where two
tables wait for nothing. This plan of the whole is then scaled by the time that its finished part has taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from nba_pipeline.operations.backfill.tasks import Task, ready
from nba_pipeline.ranges import contiguous
from nba_pipeline.tables.calendar import days_in_play
from nba_pipeline.tables.names import (
    BOXSCORES,
    CACHE,
    COMPOSITES,
    CONTEXT,
    DEFENSE,
    FEATURES,
    GAMES,
    OFFENSE,
    PLAYER_ZONES,
    PLAYERS,
    SHOTS,
    TEAM_ZONES,
)


@dataclass(frozen=True)
class Measured:
    """Runs of one table in one backfill: how many, the days they settled, the seconds they took, and those of
    the days on which games can be."""

    runs: int
    days: int
    seconds: float
    in_play: int

    @classmethod
    def of(cls, runs: int, days: Iterable[date], seconds: float = 0.0) -> Measured:
        """Runs of these days."""
        ranges = list(contiguous(days))
        return cls(
            runs,
            sum((b - a).days + 1 for a, b in ranges),
            seconds,
            sum(days_in_play(a, b) for a, b in ranges),
        )

    @classmethod
    def of_task(cls, task: Task) -> Measured:
        """The run of a task that has not ended."""
        return cls(1, (task.last - task.first).days + 1, 0.0, days_in_play(task.first, task.last))


@dataclass(frozen=True)
class Cost:
    """Seconds of one table: so many once in a backfill, for each run, and for each of its days in a
    season."""

    once: float
    per_run: float
    per_day: float

    def of(self, runs: Measured) -> float:
        return (
            self.once
            + self.per_run * runs.runs
            + self.per_day * (runs.in_play + QUIET * (runs.days - runs.in_play))
        )

    def times(self, factor: float) -> Cost:
        return Cost(self.once * factor, self.per_run * factor, self.per_day * factor)


QUIET = 0.5
"""A day between two seasons, compared with one of a season."""
STORED: Mapping[str, Cost] = {
    GAMES: Cost(0.40, 0.30, 0.0024),
    BOXSCORES: Cost(0.30, 0.42, 0.0064),
    SHOTS: Cost(0.20, 0.25, 0.0082),
    OFFENSE: Cost(0.15, 0.45, 0.0074),
    DEFENSE: Cost(0.00, 0.44, 0.0061),
    PLAYERS: Cost(0.10, 0.45, 0.0072),
    CONTEXT: Cost(0.00, 0.43, 0.0084),
    TEAM_ZONES: Cost(0.00, 0.32, 0.0053),
    PLAYER_ZONES: Cost(0.00, 0.60, 0.0072),
    COMPOSITES: Cost(0.00, 0.60, 0.0078),
    CACHE: Cost(0.00, 0.68, 0.0076),
    FEATURES: Cost(0.00, 0.88, 0.0116),
}
"""Processor seconds of a two-core machine, fitted to backfills of simulated and of real seasons. How they
compare is what matters: they are scaled as soon as something has been measured."""
_OTHER = Cost(0.0, 0.5, 0.0075)


@dataclass(frozen=True)
class Costs:
    """The cost of each table. ``measured``: they are seconds of this machine; otherwise they only say how
    tables compare."""

    of_table: Mapping[str, Cost]
    measured: bool

    def of(self, table: str, runs: Measured) -> float:
        return self.of_table[table].of(runs)


def costs(tables: Iterable[str], history: Mapping[str, Sequence[Measured]]) -> Costs:
    """The stored costs, fitted to the history; a table that was never measured goes along with the others."""
    stored = {name: STORED.get(name, _OTHER) for name in tables}
    measured = {name: history[name] for name in stored if history.get(name)}
    factor = (
        float(np.median([_factor(stored[name], of_table) for name, of_table in measured.items()]))
        if measured
        else 1.0
    )
    found = {
        name: _fit(cost, measured[name]) if name in measured else cost.times(factor)
        for name, cost in stored.items()
    }
    return Costs(found, measured=len(measured) == len(stored))


def _factor(stored: Cost, history: Sequence[Measured]) -> float:
    """How many times the stored cost all the measurements together took."""
    return sum(m.seconds for m in history) / max(sum(stored.of(m) for m in history), _LEAST)


_LEAST = 1e-3
_STIFFNESS = 0.01
"""How much a fit is drawn to the stored proportion of run and day. Small: two backfills of different lengths
overrule it."""


def _fit(stored: Cost, history: Sequence[Measured]) -> Cost:
    """The cost that explains the measurements best, in shares of their time, so that a long one does not
    drown the short ones."""
    took = np.array([[max(m.seconds, _LEAST)] for m in history])
    scaled = stored.times(_factor(stored, history))
    run, day = replace(scaled, per_day=0.0), Cost(0.0, 0.0, scaled.per_day)
    facts = np.array([[run.of(m), day.of(m), 0.0] for m in history]) / took
    # The unknowns are the factors of the run, of the day, and one that both are drawn to.
    pull = _STIFFNESS**0.5 * np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])
    wanted = np.append(np.ones(len(took)), [0.0, 0.0])
    of_run, of_day, _ = np.linalg.lstsq(np.vstack([facts, pull]), wanted, rcond=None)[0]
    return (
        scaled
        if min(of_run, of_day) < 0
        else replace(run.times(float(of_run)), per_day=scaled.per_day * float(of_day))
    )


_TRUST = 0.1
"""Costs measured in earlier backfills count like so much of this one: the machine may have other work today.
"""


def seconds_left(
    costs: Costs,
    done: Sequence[Task],
    unfinished: Sequence[Task],
    slots: int,
    elapsed: float,
    since: float = 0.0,
) -> float | None:
    """Seconds until all is done; None while nothing says how fast this machine is.

    ``done``: tasks that have ended, after ``elapsed`` seconds of work; ``unfinished``: those that run, then
    those that wait, in the order in which they will begin; ``since``: seconds from the newest end until now.
    """
    if not unfinished:
        return 0.0
    ends = planned_ends(_expected(costs, (*done, *unfinished)), slots)
    total, past = max(ends.values()), max((ends[task] for task in done), default=0.0)
    trust = _TRUST * total if costs.measured else 0.0
    if past + trust == 0:
        return None
    pace = (elapsed + trust) / (past + trust)
    return max(0.0, pace * (total - past) - since)


def _expected(costs: Costs, tasks: Iterable[Task]) -> dict[Task, float]:
    """The cost of each task in this order; what a table costs once is in its first run."""
    found: dict[Task, float] = {}
    had: set[str] = set()
    for task in tasks:
        name = task.recipe.table
        found[task] = costs.of(name, Measured.of_task(task)) - (
            costs.of_table[name].once if name in had else 0.0
        )
        had.add(name)
    return found


_SHARING = 0.5
"""How much longer a run takes for each other at the same time: between 0.2 on an idle two-core machine and 1
on a busy one."""
_ORDERED = 60  # tasks that are put into order; where there are more, workers hardly ever wait


def planned_ends(seconds: Mapping[Task, float], slots: int) -> dict[Task, float]:
    """When each task ends, if it takes so many seconds alone: ``slots`` at once, each after those it waits
    for."""
    now, ends, pending, running = 0.0, dict[Task, float](), list(seconds), dict[Task, float]()
    if slots == 1 or len(pending) > _ORDERED:
        for task in pending:
            now += seconds[task] * _slower(slots) / slots
            ends[task] = now
        return ends
    while pending or running:
        for task in ready(pending, list(running), slots):
            pending.remove(task)
            running[task] = seconds[task]
        first = min(running, key=lambda task: running[task])
        work, slower = running.pop(first), _slower(len(running) + 1)
        now += work * slower
        running = {task: left - work for task, left in running.items()}
        ends[first] = now
    return ends


def _slower(at_once: int) -> float:
    return 1.0 + _SHARING * (at_once - 1)
