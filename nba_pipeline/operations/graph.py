"""The graph of tables as the operations see it: order, parents, and which days a bad day blocks. Pure functions.

Belongs here: questions about dependencies between days of tables. Does not belong here: Dagster and stores.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.partitions import LOOKBACK_DAYS


def select(plans: Sequence[TablePlan], names: Iterable[str] | None) -> list[TablePlan]:
    """The plans named, in dependency order; all of them without names. A name may leave out the dataset."""
    if names is None:
        return list(plans)
    wanted = set()
    for name in names:
        matches = [p.table for p in plans if name in (p.table, p.table.split(".")[1])]
        if not matches:
            raise ConfigurationError(f"there is no table {name!r}; there are {', '.join(p.table for p in plans)}")
        wanted.update(matches)
    return [p for p in plans if p.table in wanted]


def blocked_days(plan: TablePlan, days: Sequence[date], bad: Mapping[str, Collection[date]]) -> dict[date, str]:
    """The days of this table that must wait, each with the reason: a bad day (failed or itself blocked) among the days
    that it is made from, the same day or one in its look-back."""
    reasons: dict[date, str] = {}
    for given in plan.inputs:
        theirs = np.array(sorted(bad.get(given.table, ())), dtype="datetime64[D]")
        if not len(theirs):
            continue
        asked = np.array(days, dtype="datetime64[D]")
        first = np.searchsorted(theirs, asked - LOOKBACK_DAYS if given.history else asked)
        last = np.searchsorted(theirs, asked, side="left" if given.history else "right")
        for day, a, b in zip(days, first, last, strict=True):
            if b > a:
                reasons.setdefault(day, f"{given.table} {theirs[b - 1]}")
    return reasons
