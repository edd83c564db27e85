"""Quotas of a warehouse per table and day, in words that no warehouse owns.

Belongs here: ``Cost``, ``Limits``, ``Quota``, what is short, and what a store with quotas offers
(``QuotaStore``). Does not belong here: what a write costs and what was used today, which a warehouse knows
(``bigquery/quota.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

from nba_pipeline.failures import FailureClass, PipelineError
from nba_pipeline.tables.spec import Table


@dataclass(frozen=True)
class Cost:
    """What some writes of one table use. ``dml``: statements that change rows of the table or of its
    manifest."""

    loads: int = 0
    dml: int = 0
    partitions: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.loads + other.loads, self.dml + other.dml, self.partitions + other.partitions)


@dataclass(frozen=True)
class Limits:
    """What a table may use per day. BigQuery's own are 1,500 loads (failed ones count), no limit of DML,
    30,000 partitions."""

    loads: int = 1_500
    dml: int = 1_500
    partitions: int = 30_000


_WORDS = {"loads": "load jobs", "dml": "DML statements", "partitions": "partition modifications"}


class OverBudget(PipelineError):
    """A write would use more of a daily quota than is left; nothing was sent."""

    failure_class = FailureClass.WRITE_FAILED


@dataclass(frozen=True)
class Shortage:
    """A limit that a plan would pass."""

    table: str
    unit: str
    needed: int
    used: int
    limit: int

    def __str__(self) -> str:
        left = max(0, self.limit - self.used)
        return (
            f"{self.table} needs {self.needed:,} {_WORDS[self.unit]}, and {left:,} of {self.limit:,} are left"
            " today"
        )


@dataclass(frozen=True)
class Quota:
    """Where today stands: what the tables' writes have used, the limits, and when counting starts again."""

    used: Mapping[str, Cost]
    limits: Limits
    resets_at: datetime


class QuotaStore(Protocol):
    """What a warehouse with quotas per day offers."""

    def today(self, tables: Iterable[Table]) -> Quota:
        """Where today's quotas of these tables stand. Nothing is written."""
        ...

    def cost(self, runs: Mapping[str, Sequence[int]]) -> dict[str, Cost]:
        """The cost per table of runs, each given as its number of days: ``{"nba_raw.games": [400, 400,
        120]}``."""
        ...

    def row_bytes(self, table: Table) -> int:
        """About how many bytes a row is to the warehouse."""
        ...


def over_budget(found: Sequence[Shortage]) -> OverBudget:
    """The error of writes that would pass these limits."""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return OverBudget(
        f"the writes do not fit into today's BigQuery quota: {found[0]}{more}. Nothing was sent. Daily quotas"
        " start again at midnight Pacific time: run fewer days, wait, or raise NBA_PIPELINE_BIGQUERY_DAILY_*"
        " where Google allows more."
    )


def shortages(costs: Mapping[str, Cost], used: Mapping[str, Cost], limits: Limits) -> list[Shortage]:
    """Every limit that the costs would pass, on top of what was used today."""
    found = []
    for table, cost in costs.items():
        before = used.get(table, Cost())
        for unit in (f.name for f in fields(Cost)):
            needed, spent, limit = getattr(cost, unit), getattr(before, unit), getattr(limits, unit)
            if needed and spent + needed > limit:
                found.append(Shortage(table, unit, needed, spent, limit))
    return found
