"""Before a backfill: what of it fits into today's quotas of the warehouse? Pure functions but for asking the
warehouse.

Belongs here: turning a request into costs, and cutting it where a quota ends. Does not belong here: what a
write costs, which a warehouse with quotas knows (``Store.quota``); the others are not asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from nba_pipeline.operations.backfill.plan import PipelinePlan
from nba_pipeline.operations.backfill.tasks import Backfill, tasks_of
from nba_pipeline.operations.backfill.timings import expected_rows
from nba_pipeline.ranges import contiguous, described
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.quota import Cost, Quota, QuotaStore, Shortage, over_budget, shortages


@dataclass(frozen=True)
class Share:
    """A request as the quota allows it: ``today``, and the days that are left for when quotas start again."""

    today: Backfill
    left: Mapping[str, Sequence[date]] = field(default_factory=dict)
    shortages: Sequence[Shortage] = ()
    resets_at: datetime | None = None

    def __str__(self) -> str:
        """What is left, why, and when to go on; an empty text when nothing is left."""
        if self.resets_at is None:
            return ""
        days = {day for table_days in self.left.values() for day in table_days}
        return (
            f"{len(days)} day(s) of {len(self.left)} table(s) are left for another day: {described(days)}."
            f" The whole would pass today's BigQuery quota: {self.shortages[0]}. Nothing of these days was"
            f" begun. Quotas start again at {self.resets_at:%Y-%m-%d %H:%M %Z} (midnight Pacific time); the"
            f" same command then goes on from {min(days)}."
        )

    def as_json(self) -> dict[str, Any] | None:
        """What is left; None when nothing is."""
        if self.resets_at is None:
            return None
        ranges = {
            name: [[a.isoformat(), b.isoformat()] for a, b in contiguous(days)]
            for name, days in self.left.items()
        }
        return {
            "tables": ranges,
            "why": [str(s) for s in self.shortages],
            "again": self.resets_at.isoformat(),
        }


def share_of_today(store: Store, tables: Mapping[str, Table], request: Backfill) -> Share:
    """What of the request this warehouse's quota allows today. Raises ``OverBudget`` when that is nothing."""
    quotas = store.quota
    if quotas is None or not any(request.days.values()):
        return Share(request)
    return share(request, quotas, quotas.today([tables[p.table] for p in request.recipes]))


def costs_of(request: Backfill, quotas: QuotaStore) -> dict[str, Cost]:
    """What the request's writes cost per table. Days whose content turns out to be unchanged are counted
    although they will not be written, so this is an upper bound."""
    sizes: dict[str, list[int]] = {}
    for task in tasks_of(request):
        sizes.setdefault(task.recipe.table, []).append(len(task.days))
    return quotas.cost(sizes)


def share(request: Backfill, quotas: QuotaStore, quota: Quota) -> Share:
    """The request up to the last day with which every table still fits, oldest days first.

    Cut at one date for all tables: a day is made in every table that was asked for or in none, so nothing is
    left half-done.
    """

    def short(days: int) -> list[Shortage]:
        return shortages(costs_of(_until(request, ordered[days - 1]), quotas), quota.used, quota.limits)

    ordered = sorted({day for days in request.days.values() for day in days})
    found = short(len(ordered)) if ordered else []
    if not found:
        return Share(request)
    fits = bisect_left(range(1, len(ordered) + 1), True, key=lambda days: bool(short(days)))
    if not fits:
        raise over_budget(short(1))
    last = ordered[fits - 1]
    left = {name: [d for d in sorted(days) if d > last] for name, days in request.days.items()}
    return Share(
        _until(request, last), {name: days for name, days in left.items() if days}, found, quota.resets_at
    )


def _until(request: Backfill, last: date) -> Backfill:
    return replace(
        request, days={name: {d for d in days if d <= last} for name, days in request.days.items()}
    )


def forecast(planned: PipelinePlan, tables: Mapping[str, Table], quotas: QuotaStore) -> dict[str, Any]:
    """The ``quota`` of `nba-pipeline plan --json`: what the plan's writes use of what is left today, table by
    table.

    ``most_queries``: one per input and run, and two of the schedule; what the process wrote or read recently
    is not asked for again, so a backfill of all tables needs far fewer. ``bytes`` are loaded (free) and read
    once more by the script.
    """
    quota = quotas.today([tables[name] for name in planned.tables])
    costs = costs_of(planned.request(), quotas)
    found = shortages(costs, quota.used, quota.limits)
    per_table = {}
    for name, cost in costs.items():
        rows = expected_rows(planned.tables[name])
        runs = len(planned.runs()[name])
        per_table[name] = {
            "planned": vars(cost),
            "used_today": vars(quota.used.get(name, Cost())),
            "most_queries": (
                runs
                * (len(planned.tables[name].recipe.inputs) + 2 * bool(planned.tables[name].recipe.inputs))
            ),
            "bytes": None if rows is None else rows * quotas.row_bytes(tables[name]),
        }
    return {
        "limits": vars(quota.limits),
        "again": quota.resets_at.isoformat(),
        "write_jobs": 2 * sum(cost.loads for cost in costs.values()),
        "most_queries": sum(t["most_queries"] for t in per_table.values()),
        "fits_today": not found,
        "shortages": [str(s) for s in found],
        "tables": per_table,
    }
