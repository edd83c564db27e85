"""What writes cost in BigQuery's own units, and a budget per day that is not exceeded.

Belongs here: ``write_cost``, ``cost`` and ``Budget``. Pure but for ``Budget``'s counters and clock. Does not
belong here: writing, and waiting when BigQuery itself says that a quota is used up (``jobs.py``).

The units are counted against the *target* table, although the loads go into staging tables and DML is exempt
from the quotas of loads and partitions: Google's pages disagree in places, and a limit kept without need
costs nothing here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Protocol
from zoneinfo import ZoneInfo

from nba_pipeline.tables.spec import Kind, Table
from nba_pipeline.warehouse.quota import Cost, Limits, Quota, over_budget, shortages

MOST_DAYS = 4_000
"""BigQuery: partitions that one job may change. A write of more days is split."""

RESET_ZONE = ZoneInfo("America/Los_Angeles")
"""Daily quotas start again at midnight Pacific time."""


def write_cost(days: int) -> Cost:
    """What replacing so many days of one table uses: per chunk one load, and DELETE and INSERT for rows and
    for manifest."""
    chunks = ceil(days / MOST_DAYS)
    return Cost(chunks, 4 * chunks, days)


_BYTES = {Kind.STRING: 2 + 12, Kind.NUMERIC: 16, Kind.BOOL: 1}
"""BigQuery's logical sizes; a text has 2 bytes and its own, for which 12 are assumed. Every other type has 8.
"""


def row_bytes(table: Table) -> int:
    """About how many bytes a row is to BigQuery, NULLs not subtracted."""
    return sum(_BYTES.get(column.type.kind, 8) for column in table.columns)


def cost(runs: Mapping[str, Sequence[int]]) -> dict[str, Cost]:
    """The cost per table of runs, each given as its number of days: ``{"nba_raw.games": [400, 400,
    120]}``."""
    return {table: sum((write_cost(days) for days in sizes), Cost()) for table, sizes in runs.items()}


def quota_day_start(now: datetime) -> datetime:
    """When the present quota day began."""
    return now.astimezone(RESET_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def next_quota_day(now: datetime) -> datetime:
    """When the next quota day begins."""
    return quota_day_start(
        quota_day_start(now) + timedelta(hours=36)
    )  # a day with a change of the clock has 23 or 25 hours


def quota_day(now: datetime) -> date:
    """The day to which quotas count this moment."""
    return now.astimezone(RESET_ZONE).date()


class Ledger(Protocol):
    """Counts by name that several processes add to (``orchestration/instance/counts.py``)."""

    def read(self, names: Iterable[str]) -> dict[str, int]: ...

    def add(self, amounts: Mapping[str, int]) -> None: ...


@dataclass
class Budget:
    """What this process has used today, per table, and what it may still use.

    Every attempt is counted when it is planned, because BigQuery counts failed loads too.
    """

    limits: Limits = field(default_factory=Limits)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _day: date | None = None
    _used: dict[str, Cost] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    ledger: Ledger | None = None
    """Where writes are counted for all processes of an instance; without one only this process is counted."""

    def used(self) -> dict[str, Cost]:
        """Per table, since midnight Pacific time."""
        with self._lock:
            self._turn()
            return dict(self._used)

    def start_with(self, used: Mapping[str, Cost]) -> None:
        """Take over what other processes have used today (see ``BigQueryStore.used_today``)."""
        with self._lock:
            self._turn()
            self._used = dict(used)

    def check(self, costs: Mapping[str, Cost]) -> None:
        """Raise ``OverBudget`` when the costs do not fit into what is left today."""
        if found := shortages(costs, self.used(), self.limits):
            raise over_budget(found)

    def spend(self, table: Table, cost: Cost) -> None:
        """Count a write that is about to be sent. Raises ``OverBudget`` first when it does not fit."""
        self._reserve(table.full_name, cost)
        self.check({table.full_name: cost})
        with self._lock:
            self._turn()
            self._used[table.full_name] = self._used.get(table.full_name, Cost()) + cost

    def _reserve(self, table: str, cost: Cost) -> None:
        """Count the write for all processes, and take it back if together they are over a limit.

        Added first and compared then: of two processes that want the last of a quota at most one gets it,
        never both.
        """
        if self.ledger is None:
            return
        names = {unit: f"{quota_day(self.now())}/{table}/{unit}" for unit in vars(cost)}
        amounts = {names[unit]: amount for unit, amount in vars(cost).items()}
        self.ledger.add(amounts)
        totals = self.ledger.read(names.values())
        before = Cost(**{unit: totals.get(name, 0) - amounts[name] for unit, name in names.items()})
        if found := shortages({table: cost}, {table: before}, self.limits):
            self.ledger.add({name: -amount for name, amount in amounts.items()})
            raise over_budget(found)

    def _turn(self) -> None:
        today = quota_day(self.now())
        if today != self._day:
            self._day, self._used = today, {}


@dataclass(frozen=True)
class DailyQuota:
    """A store's quotas; see ``QuotaStore``. ``used_today``: what the account's writes of tables have used."""

    budget: Budget
    used_today: Callable[[Iterable[Table]], dict[str, Cost]]

    def today(self, tables: Iterable[Table]) -> Quota:
        """Where today's quotas of these tables stand. One call that lists jobs; nothing is written."""
        self.budget.start_with(self.used_today(tables))
        return Quota(self.budget.used(), self.budget.limits, next_quota_day(self.budget.now()))

    def cost(self, runs: Mapping[str, Sequence[int]]) -> dict[str, Cost]:
        """The cost per table of runs, each given as its number of days."""
        return cost(runs)

    def row_bytes(self, table: Table) -> int:
        """About how many bytes a row is to BigQuery."""
        return row_bytes(table)
