"""What a status report says, as data: the state of every day, failures, coverage, throughput, quarantine, what waits.

Belongs here: gathering it. Does not belong here: pages (``report_html.py``, ``report_markdown.py``). Says what is true
now, from the instance and the warehouse; nothing in it is copied from a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import dagster as dg
import pandas as pd

from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.eta import Measured
from nba_pipeline.operations.pace import recall_pace
from nba_pipeline.operations.rejected import Rejected, read_rejected
from nba_pipeline.operations.staleness import StaleDays
from nba_pipeline.operations.state import TableState
from nba_pipeline.ranges import described
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store

PLAYERS = "nba_analytics.player_game_summary"
COVERAGE_TARGET_PCT = 100.0
"""Every player with playing time has a usage rate: the formula is defined for each of them."""
GOOD, STALE, FAILED, BLOCKED, RUNNING, MISSING = "good", "stale", "failed", "blocked", "running", "missing"
EMPTY = "empty: "


@dataclass(frozen=True)
class Cause:
    """Failures of one class in one table."""

    failure_class: str
    table: str
    days: tuple[date, ...]
    sample: str

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
        return 100.0 * self.with_usage / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Report:
    """Everything a report shows. ``cells``: table -> day -> what the day is, in words that a legend can list."""

    made_at: datetime
    days: tuple[date, ...]
    cells: Mapping[str, Mapping[date, str]]
    rows: Mapping[str, int]
    causes: tuple[Cause, ...]
    coverage: tuple[Coverage, ...]
    throughput: Mapping[str, Measured]
    rejected: tuple[Rejected, ...]
    waiting: tuple[str, ...]
    """What has not started, and why, a line each."""

    def counts(self, table: str) -> dict[str, int]:
        """Days of the table by what they are, good first."""
        order = {name: n for n, name in enumerate((GOOD, STALE, FAILED, BLOCKED, RUNNING, MISSING))}
        found = list(self.cells[table].values())
        return {what: found.count(what) for what in sorted(set(found), key=lambda w: (order.get(w, 0.5), w))}


def gather(
    instance: dg.DagsterInstance,
    store: Store,
    tables: TableRegistry,
    plans: Sequence[TablePlan],
    days: Sequence[date],
    states: Mapping[str, TableState],
    stale: StaleDays,
    now: datetime,
) -> Report:
    """The report of these days; ``states`` and ``stale`` as ``status`` reads them."""
    pace = recall_pace(instance, [p.table for p in plans])
    return Report(
        now,
        tuple(days),
        {plan.table: cells(states[plan.table], stale.get(plan.table, {}), days) for plan in plans},
        {plan.table: states[plan.table].rows for plan in plans},
        causes(states),
        coverage(store, tables, states, stale) if PLAYERS in states else (),
        {name: measured[-1] for name, measured in pace.items() if measured},
        tuple(read_rejected(store, tables, plans, days)),
        waiting(plans, states),
    )


def cells(state: TableState, stale: Mapping[date, object], days: Sequence[date]) -> dict[date, str]:
    """What each day of a table is: exactly one of good, empty with its reason, stale, failed, blocked, running, missing."""
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
    grouped: dict[tuple[str, str], list[date]] = {}
    for name, state in states.items():
        for failure in state.failed.values():
            grouped.setdefault((failure.failure_class, name), []).append(failure.day)
    ordered = sorted(grouped.items(), key=lambda item: (FailureClass(item[0][0]).rank, item[0][1]))
    return tuple(Cause(c, name, tuple(sorted(days)), states[name].failed[min(days)].message) for (c, name), days in ordered)


def coverage(store: Store, tables: TableRegistry, states: Mapping[str, TableState], stale: StaleDays) -> tuple[Coverage, ...]:
    """usage_rate of players with playing time, month by month. Stale days count: their rows are what readers get."""
    days = [day for day, entry in states[PLAYERS].materialized.items() if entry.row_count]
    rows = store.read(tables[PLAYERS], days, ("game_date", "seconds_played", "usage_rate"))
    played = rows[rows["seconds_played"].fillna(0).to_numpy(dtype="float64") > 0]
    known = pd.Series(played["usage_rate"].notna().to_numpy(), index=played.index)
    months = known.groupby(played["game_date"].dt.strftime("%Y-%m")).agg(["size", "sum"])
    return tuple(Coverage(str(month), int(row["size"]), int(row["sum"])) for month, row in months.iterrows())


def waiting(plans: Sequence[TablePlan], states: Mapping[str, TableState]) -> tuple[str, ...]:
    """What has not started and why: blocked days with what stands before them, days that nobody has made."""
    lines = []
    for plan in plans:
        state = states[plan.table]
        behind: dict[str, list[date]] = {}
        for day, obstacle in state.blocked.items():
            behind.setdefault(obstacle, []).append(day)
        for obstacle, days in list(behind.items())[:3]:
            lines.append(f"{plan.table}: {len(days)} day(s) wait for {obstacle}: {described(days)}")
        if len(behind) > 3:
            lines.append(f"{plan.table}: {sum(len(d) for d in list(behind.values())[3:])} day(s) wait for {len(behind) - 3} other days")
        if state.missing:
            why = "the table was never made" if not state.materialized and not state.failed else "nobody has made them"
            lines.append(f"{plan.table}: {len(state.missing)} day(s) missing, {why}: {described(state.missing)}")
    return tuple(lines)
