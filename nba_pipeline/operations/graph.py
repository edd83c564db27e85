"""The graph of tables as the operations see it: order, parents, and which days are made from given days. Pure
functions.

Belongs here: questions about dependencies between days of tables. Does not belong here: Dagster and stores.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from nba_pipeline.recipes.recipe import LOOKBACK_DAYS, Recipe
from nba_pipeline.tables.registry import resolve


def select(recipes: Sequence[Recipe], names: Iterable[str] | None) -> list[Recipe]:
    """The plans named, in dependency order; all of them without names. A name may leave out the dataset."""
    if names is None:
        return list(recipes)
    wanted = resolve(names, [p.table for p in recipes])
    return [p for p in recipes if p.table in wanted]


def days_depending_on(
    recipe: Recipe, days: Sequence[date], some: Mapping[str, Collection[date]]
) -> dict[date, str]:
    """Which of the days of this table are made from one of ``some`` days of its inputs, the same day or one
    in the look-back; each with the newest such day."""
    found: dict[date, str] = {}
    for given in recipe.inputs:
        theirs = np.array(sorted(some.get(given.table, ())), dtype="datetime64[D]")
        if not len(theirs):
            continue
        asked = np.array(days, dtype="datetime64[D]")
        first = np.searchsorted(theirs, asked - LOOKBACK_DAYS if given.history else asked)
        last = np.searchsorted(theirs, asked, side="left" if given.history else "right")
        for day, a, b in zip(days, first, last, strict=True):
            if b > a:
                found.setdefault(day, f"{given.table} {theirs[b - 1]}")
    return found
