"""What a backfill would do, before anything runs: which days of which tables, why each, in which runs. Pure
functions.

Belongs here: turning a state into a plan. Does not belong here: reading the state, rows and times
(``pace.py``), executing (``execute.py``).

A day is planned if it is missing, failed, blocked, unfinished or stale; if a failed day behind it blames the
input (its raw day is fetched again); or if the plan makes a day that it is made from. Whatever is stored and
up to date is left alone, unless it was asked for with ``force``. A pipeline in which nothing changed has an
empty plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from nba_pipeline.operations.backfill.history import lacking_history
from nba_pipeline.operations.backfill.retry import blamed_inputs
from nba_pipeline.operations.backfill.tasks import Backfill, tasks_of
from nba_pipeline.operations.graph import days_depending_on
from nba_pipeline.operations.status.staleness import Stale, StaleDays
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.ranges import contiguous
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import DAYS_PER_RUN
from nba_pipeline.tables.names import GAMES


class Why(StrEnum):
    """Why a day is planned; when several hold, the first in this order is the one that is named."""

    FAILED = "failed"
    BLOCKED = "blocked"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    STALE_SCHEMA = Stale.SCHEMA.value
    STALE_CODE = Stale.CODE.value
    OTHER_SOURCE = Stale.SOURCE.value
    RESULTS_DUE = Stale.RESULTS.value
    SOURCE_CHANGED = Stale.SOURCE_CHANGED.value
    GAP_WITHDRAWN = Stale.GAP_WITHDRAWN.value
    UPSTREAM_CHANGED = Stale.UPSTREAM.value
    INPUT_BLAMED = "input_blamed"
    UPSTREAM_PLANNED = "upstream_planned"
    ASKED_FOR = "asked_for"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Why.FAILED: "failed when it was last tried",
    Why.BLOCKED: "not tried yet, because a day that it is made from had failed",
    Why.MISSING: "not there",
    Why.UNFINISHED: "a run that has not ended holds it: one that goes on elsewhere, or one that was killed",
    Why.STALE_SCHEMA: Stale.SCHEMA.words,
    Why.STALE_CODE: Stale.CODE.words,
    Why.OTHER_SOURCE: Stale.SOURCE.words,
    Why.RESULTS_DUE: Stale.RESULTS.words,
    Why.SOURCE_CHANGED: Stale.SOURCE_CHANGED.words,
    Why.GAP_WITHDRAWN: Stale.GAP_WITHDRAWN.words,
    Why.UPSTREAM_CHANGED: Stale.UPSTREAM.words,
    Why.INPUT_BLAMED: "a failed day that is made from it blames the input, so it is fetched again",
    Why.UPSTREAM_PLANNED: "this plan makes a day that it is made from",
    Why.ASKED_FOR: "up to date, but asked for with --force",
}


@dataclass(frozen=True)
class PlannedTable:
    """The days of one table that are to be made, each with its reason, and how many that were asked for need
    nothing."""

    recipe: Recipe
    reasons: Mapping[date, Why]
    up_to_date: int
    stored_rows: Mapping[date, int] = field(default_factory=dict)
    """Rows of the days that are stored now, planned or not: what the expected rows are drawn from."""

    @property
    def table(self) -> str:
        return self.recipe.table

    @property
    def counts(self) -> dict[Why, int]:
        """Days by reason, in the order of reasons."""
        given = list(self.reasons.values())
        return {why: given.count(why) for why in Why if why in given}


@dataclass(frozen=True)
class PipelinePlan:
    """A plan of every table asked for, in dependency order."""

    tables: Mapping[str, PlannedTable]
    on_invalid_rows: str = "fail"
    days_per_run: int = DAYS_PER_RUN["parquet"]
    lacking: Mapping[str, Mapping[date, date]] = field(default_factory=dict)
    """By table the days that were asked for and cannot be made, because days that they look back on are
    neither stored nor planned; with the first of these."""

    @property
    def lacking_days(self) -> int:
        return sum(len(days) for days in self.lacking.values())

    @property
    def table_days(self) -> int:
        return sum(len(t.reasons) for t in self.tables.values())

    def request(self) -> Backfill:
        """The backfill that does exactly this."""
        days = {name: set(table.reasons) for name, table in self.tables.items()}
        return Backfill(
            [t.recipe for t in self.tables.values()], days, self.on_invalid_rows, self.days_per_run
        )

    def runs(self) -> dict[str, list[tuple[date, date]]]:
        """First and last day of each run, per table, if nothing turns out to be blocked."""
        found: dict[str, list[tuple[date, date]]] = {name: [] for name in self.tables}
        for task in tasks_of(self.request()):
            found[task.recipe.table].append((task.first, task.last))
        return found


def make_plan(
    recipes: Sequence[Recipe],
    states: Mapping[str, TableState],
    stale: StaleDays,
    days: Collection[date] | Mapping[str, Collection[date]],
    *,
    force: bool = False,
    on_invalid_rows: str = "fail",
    days_per_run: int = DAYS_PER_RUN["parquet"],
    history: Mapping[str, Collection[date]] = MappingProxyType({}),
    scheduled: Collection[date] | None = None,
    start: date = date.min,
) -> PipelinePlan:
    """The plan for ``days`` of these tables (in dependency order), for all or by table. ``states`` and
    ``stale`` may hold more tables and days.

    ``force`` plans every day that was asked for, whatever its state. ``history``: by table further days that
    are wanted where they are not up to date. ``scheduled``: the days of which the schedule is stored; with it
    days that lack history are not planned (``lacking``), ``start`` being the pipeline's first day.
    """
    blamed = blamed_inputs(recipes, states)
    tables: dict[str, PlannedTable] = {}
    lacking: dict[str, dict[date, date]] = {}
    for recipe in recipes:
        state = states[recipe.table]
        asked = set(days.get(recipe.table, ()) if isinstance(days, Mapping) else days)
        wanted = asked | set(history.get(recipe.table, ()))
        planned = {name: table.reasons.keys() for name, table in tables.items()}
        reasons = _reasons(recipe, state, stale, wanted, blamed.get(recipe.table, set()), planned)
        if force:
            reasons |= {day: reasons.get(day, Why.ASKED_FOR) for day in asked}
        if scheduled is not None:
            known = {*scheduled, *tables[GAMES].reasons} if GAMES in tables else scheduled
            lacking[recipe.table] = lacking_history(recipe, sorted(reasons), known, start)
            reasons = {day: why for day, why in reasons.items() if day not in lacking[recipe.table]}
        stored = {day: entry.row_count for day, entry in state.materialized.items()}
        up_to_date = len(wanted) - len(reasons) - len(lacking.get(recipe.table, ()))
        tables[recipe.table] = PlannedTable(recipe, dict(sorted(reasons.items())), up_to_date, stored)
    return PipelinePlan(tables, on_invalid_rows, days_per_run, {n: of for n, of in lacking.items() if of})


def _reasons(
    recipe: Recipe,
    state: TableState,
    stale: StaleDays,
    wanted: Collection[date],
    blamed: Collection[date],
    planned: Mapping[str, Collection[date]],
) -> dict[date, Why]:
    """The days of a table that are to be made, each with its reason."""
    reasons = {
        day: why
        for day in wanted
        if (why := _own_reason(state, stale.get(recipe.table, {}), day)) is not None
    }
    left = set(wanted) - set(reasons)
    reasons |= dict.fromkeys(left & set(blamed), Why.INPUT_BLAMED)
    rest = sorted(left - set(reasons))
    return reasons | dict.fromkeys(days_depending_on(recipe, rest, planned), Why.UPSTREAM_PLANNED)


def _own_reason(state: TableState, stale: Mapping[date, Stale], day: date) -> Why | None:
    if day in state.failed:
        return Why.FAILED
    if day in state.blocked:
        return Why.BLOCKED
    if day in state.in_progress:
        return Why.UNFINISHED
    if day in stale:
        return Why(stale[day].value)
    return None if day in state.materialized else Why.MISSING


def as_json(plan: PipelinePlan, expected: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The documented JSON of `nba-pipeline plan --json`; ``expected``: rows and seconds per table."""
    runs = plan.runs()
    return {
        "nothing_to_do": plan.table_days == plan.lacking_days == 0,
        "lacks_history": {
            name: {
                "days": len(days),
                "ranges": [[a.isoformat(), b.isoformat()] for a, b in contiguous(days)],
                "first_missing": min(days.values()).isoformat(),
            }
            for name, days in plan.lacking.items()
        },
        "tables": {
            name: {
                "planned": len(table.reasons),
                "up_to_date": table.up_to_date,
                "why": {why.value: _ranges(table.reasons, why) for why in table.counts},
                "runs": [[a.isoformat(), b.isoformat()] for a, b in runs[name]],
                **(expected or {}).get(name, {}),
            }
            for name, table in plan.tables.items()
        },
    }


def _ranges(reasons: Mapping[date, Why], why: Why) -> dict[str, Any]:
    days = [day for day, reason in reasons.items() if reason is why]
    return {"days": len(days), "ranges": [[a.isoformat(), b.isoformat()] for a, b in contiguous(days)]}
