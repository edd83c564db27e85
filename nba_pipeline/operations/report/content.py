"""What a status report says, as data: the state of every day, failures, coverage, validation, throughput,
what is left to do.

Belongs here: gathering it. Does not belong here: pages (``report_html.py``, ``report_markdown.py``). Says
what is true now, from the instance and the warehouse; nothing in it is copied from a log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.audit.validate import Answer, read_stored, validate
from nba_pipeline.operations.backfill.estimate import Measured
from nba_pipeline.operations.backfill.plan import PipelinePlan, make_plan
from nba_pipeline.operations.backfill.timings import expectations, expected_clock, load_timings
from nba_pipeline.operations.backfill.workers import slots_for
from nba_pipeline.operations.gaps import Standing, standings
from nba_pipeline.operations.quarantine import Rejected, read_rejected
from nba_pipeline.operations.status.staleness import StaleDays
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.rangerun.failed import Failed, by_cause
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.names import PLAYERS
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.quota import Quota

COVERAGE_TARGET_PCT = 100.0
"""Every player with playing time has a usage rate: the formula is defined for each of them."""
GOOD, STALE, FAILED, BLOCKED, RUNNING, MISSING = "good", "stale", "failed", "blocked", "running", "missing"
EMPTY = "empty: "


@dataclass(frozen=True)
class Cause:
    """Failures of one class in one table, each day with its own words."""

    failure_class: str
    table: str
    failed: tuple[Failed, ...]

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(f.day for f in self.failed)

    @property
    def remedy(self) -> str:
        return FailureClass(self.failure_class).remedy


@dataclass(frozen=True)
class Coverage:
    """usage_rate among players with playing time in one month."""

    month: str
    rows: int
    with_usage: int

    @property
    def percent(self) -> float:
        """Never rounded up: what lacks one row does not show as 100."""
        return math.floor(10_000 * self.with_usage / self.rows) / 100 if self.rows else 0.0

    @property
    def met(self) -> bool:
        return self.rows > 0 and 100.0 * self.with_usage >= COVERAGE_TARGET_PCT * self.rows


@dataclass(frozen=True)
class Left:
    """What a backfill of the report's days would still make of one table. ``why``: days by reason; None: not
    known yet."""

    table: str
    why: Mapping[str, int]
    runs: int
    rows: int | None
    seconds: float | None

    @property
    def days(self) -> int:
        return sum(self.why.values())


SOMEBODY, NEVER = "somebody to make them", "a first backfill"


@dataclass(frozen=True)
class Waiting:
    """Days of some tables that have not started, and what they wait for: a failed day, or anybody."""

    what: str
    days: tuple[date, ...]
    tables: tuple[str, ...]

    @property
    def short_names(self) -> list[str]:
        """The tables without their datasets."""
        return [table.split(".")[1] for table in self.tables]


@dataclass(frozen=True)
class Report:
    """Everything a report shows. ``cells``: table -> day -> what the day is, in words that a legend can
    list."""

    made_at: datetime
    days: tuple[date, ...]
    place: str
    cells: Mapping[str, Mapping[date, str]]
    rows: Mapping[str, int]
    causes: tuple[Cause, ...]
    coverage: tuple[Coverage, ...]
    answers: tuple[Answer, ...]
    throughput: Mapping[str, Sequence[Measured]]
    """What the remembered backfills of each table took, oldest first."""
    rejected: tuple[Rejected, ...]
    waiting: tuple[Waiting, ...]
    left: tuple[Left, ...]
    seconds_left: float | None = None
    """On the clock, for all that is left; None while a table of it has never been measured."""
    quota: Quota | None = None
    """Where today's quotas stand, of a warehouse that has some."""
    gaps: tuple[Standing, ...] = ()
    """Games that are declared gaps, or were and are left out still."""

    def counts(self, table: str) -> dict[str, int]:
        """Days of the table by what they are, good first."""
        order = {name: n for n, name in enumerate((GOOD, STALE, FAILED, BLOCKED, RUNNING, MISSING))}
        found = list(self.cells[table].values())
        return {what: found.count(what) for what in sorted(set(found), key=lambda w: (order.get(w, 0.5), w))}

    def total(self, what: str) -> int:
        """Days of all tables that are this."""
        return sum(list(found.values()).count(what) for found in self.cells.values())

    def complete(self, table: str | None = None) -> float:
        """Percent of the table's days, or of all tables', that are good or empty with a reason. Never rounded
        up."""
        found = [what for name in ([table] if table else self.cells) for what in self.cells[name].values()]
        done = sum(what == GOOD or what.startswith(EMPTY) for what in found)
        return math.floor(1000 * done / len(found)) / 10 if found else 0.0

    @property
    def whole_coverage(self) -> Coverage | None:
        """usage_rate over all months; None where nobody has played."""
        if not self.coverage:
            return None
        return Coverage("all", sum(c.rows for c in self.coverage), sum(c.with_usage for c in self.coverage))


def gather(
    w: Workspace, days: Sequence[date], states: Mapping[str, TableState], stale: StaleDays, now: datetime
) -> Report:
    """The report of these days; ``states`` and ``stale`` as ``status`` reads them."""
    pace = load_timings(w.instance, [p.table for p in w.recipes])
    plan = make_plan(w.recipes, states, stale, days, days_per_run=w.settings.days_per_run)
    failed, gaps = {name: set(state.failed) for name, state in states.items()}, w.gaps()
    return Report(
        now,
        tuple(days),
        f"{w.store.name} warehouse, {PLAYERS} in {w.store.location(w.tables[PLAYERS])}",
        {
            recipe.table: cells(states[recipe.table], stale.get(recipe.table, {}), days)
            for recipe in w.recipes
        },
        {recipe.table: states[recipe.table].rows for recipe in w.recipes},
        causes(states),
        coverage(w.store, w.tables, states),
        tuple(validate(read_stored(w.store, w.tables, days, failed, gaps))),
        {name: measured for name, measured in pace.items() if measured},
        tuple(read_rejected(w.store, w.tables, w.recipes, days)),
        waiting(w.recipes, states),
        left_to_do(plan, pace),
        expected_clock(plan, pace, slots_for(w, plan.request())),
        None if w.store.quota is None else w.store.quota.today([w.tables[p.table] for p in w.recipes]),
        tuple(one for one in standings(gaps) if days[0] <= one.gap.day <= days[-1]),
    )


def left_to_do(plan: PipelinePlan, pace: Mapping[str, list[Measured]]) -> tuple[Left, ...]:
    """What the plan would make, with the rows and the time that `nba-pipeline plan` expects; tables without
    any left out."""
    runs = {name: len(ranges) for name, ranges in plan.runs().items()}
    expected = expectations(plan, pace)
    return tuple(
        Left(
            name,
            {why.value: n for why, n in table.counts.items()},
            runs[name],
            expected[name]["expected_rows"],
            expected[name]["expected_seconds"],
        )
        for name, table in plan.tables.items()
        if table.reasons
    )


def cells(state: TableState, stale: Mapping[date, object], days: Sequence[date]) -> dict[date, str]:
    """What each day of a table is: exactly one of good, empty with its reason, stale, failed, blocked,
    running, missing."""
    found = {}
    for day in days:
        entry = state.materialized.get(day)
        if day in state.failed:
            found[day] = FAILED
        elif day in state.blocked:
            found[day] = BLOCKED
        elif day in state.in_progress:
            found[day] = RUNNING
        elif entry is None:
            found[day] = MISSING
        elif day in stale:
            found[day] = STALE
        else:
            found[day] = GOOD if entry.row_count else EMPTY + (entry.reason or "unknown")
    return found


def causes(states: Mapping[str, TableState]) -> tuple[Cause, ...]:
    """Failures grouped by class and table, the class that explains others first."""
    grouped = by_cause({name: state.failed.values() for name, state in states.items()})
    return tuple(
        Cause(failure_class, name, tuple(failed)) for (failure_class, name), failed in grouped.items()
    )


def coverage(store: Store, tables: TableRegistry, states: Mapping[str, TableState]) -> tuple[Coverage, ...]:
    """usage_rate of players with playing time, month by month. Stale days count: their rows are what readers
    get."""
    days = [day for day, entry in states[PLAYERS].materialized.items() if entry.row_count]
    rows = store.read(tables[PLAYERS], days, ("game_date", "seconds_played", "usage_rate"))
    played = rows[rows["seconds_played"].fillna(0).to_numpy(dtype="float64") > 0]
    known = pd.Series(played["usage_rate"].notna().to_numpy(), index=played.index)
    months = known.groupby(played["game_date"].dt.strftime("%Y-%m")).agg(["size", "sum"])
    return tuple(Coverage(str(month), int(row["size"]), int(row["sum"])) for month, row in months.iterrows())


def waiting(recipes: Sequence[Recipe], states: Mapping[str, TableState]) -> tuple[Waiting, ...]:
    """What has not started and why: blocked days by the failure at the root of it, then days that nobody has
    made."""
    grouped: dict[str, dict[tuple[date, ...], list[str]]] = {}
    for recipe in recipes:
        state = states[recipe.table]
        behind: dict[str, list[date]] = {}
        for day in state.blocked:
            behind.setdefault(_root(states, recipe.table, day), []).append(day)
        for root, days in behind.items():
            grouped.setdefault(root, {}).setdefault(tuple(sorted(days)), []).append(recipe.table)
    for recipe in recipes:
        state = states[recipe.table]
        why = SOMEBODY if state.materialized or state.failed or state.in_progress else NEVER
        if state.missing:
            grouped.setdefault(why, {}).setdefault(tuple(sorted(state.missing)), []).append(recipe.table)
    return tuple(
        Waiting(what, days, tuple(tables)) for what, sets in grouped.items() for days, tables in sets.items()
    )


def _root(states: Mapping[str, TableState], table: str, day: date) -> str:
    """The day at the beginning of the chain, for what a blocked day waits for may itself be blocked; with its
    failure."""
    while table in states and (obstacle := states[table].blocked.get(day)) is not None:
        table, text = obstacle.split(" ")
        day = date.fromisoformat(text)
    failure = states[table].failed.get(day) if table in states else None
    return f"{table} {day}" + (f" ({failure.failure_class})" if failure else "")


def about(report: Report) -> str:
    """Of what the report is, in a line."""
    what = f"{len(report.days):,} day{'s' if len(report.days) > 1 else ''}, {len(report.cells)} tables"
    return f"{what}; {report.place}; as it was on {report.made_at:%Y-%m-%d %H:%M %Z}."


def next_steps(report: Report) -> tuple[tuple[str, str], ...]:
    """What a person does now, in order: (in words, the command)."""
    first, last = report.days[0], report.days[-1]
    days = {what: report.total(what) for what in (FAILED, BLOCKED, STALE, MISSING)}
    steps = []
    if report.causes:
        classes = ", ".join(dict.fromkeys(c.failure_class for c in report.causes))
        words = (
            f"Remove the causes ({classes}), then run exactly the {days[FAILED]:,} failed and the"
            f" {days[BLOCKED]:,} blocked table-days"
        )
        steps.append((words, "nba-pipeline retry"))
    if days[STALE] or days[MISSING]:
        parts = [f"make the {days[MISSING]:,} missing table-days"] if days[MISSING] else []
        parts += [f"restate the {days[STALE]:,} stale table-days"] if days[STALE] else []
        words = " and ".join(parts).capitalize()
        if report.left:
            words += (
                f" ({sum(one.days for one in report.left):,} table-days with all that hangs on them:"
                f" {time_left(report)})"
            )
        steps.append((words, f"nba-pipeline backfill --start {first} --end {last}"))
    if report.rejected:
        words = (
            f"Look at the {len(report.rejected)} refused row(s) in quarantine; correct the source, then"
            " `nba-pipeline rejected replay`"
        )
        steps.append((words, "nba-pipeline rejected list"))
    if any(not answer.passed for answer in report.answers):
        steps.append(
            (
                "Ask the stored rows again after the repair",
                f"nba-pipeline validate --start {first} --end {last}",
            )
        )
    return tuple(steps)


def time_left(report: Report) -> str:
    """The time of all that is left, in words."""
    seconds = report.seconds_left
    if seconds is None:
        unknown = sum(one.seconds is None for one in report.left)
        return f"time not known yet, {unknown} table(s) have never been measured on this machine"
    return f"about {in_words(seconds)}, as measured on this machine"


def in_words(seconds: float) -> str:
    """``44 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(timedelta(seconds=seconds) / timedelta(minutes=1))
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
