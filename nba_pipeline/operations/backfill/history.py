"""Which history a request needs: what its days look back on, and which of them lack it. Pure functions.

Belongs here: ``history_of`` and ``lacking_history``. Does not belong here: holes that only the rows of the
schedule show (``rangerun/inputs.py``), the plan (``plan.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

import numpy as np

from nba_pipeline.operations.backfill.retry import same_day_parents
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.names import GAMES


def history_of(
    recipes: Sequence[Recipe], wanted: Collection[str], first: date, start: date
) -> dict[str, set[date]]:
    """The days before ``first`` that its tables look back on, by table: of each history, and of what that is
    made from on the same day. ``start``: the first day of the pipeline."""
    by_name = {recipe.table: recipe for recipe in recipes}
    found: dict[str, set[date]] = {}
    for name in wanted:
        for given in by_name[name].history:
            begin = max(start, given.first_needed([first])[0].item())
            days = span(begin, first - timedelta(days=1))
            for table in (GAMES, given.table, *same_day_parents(by_name, given.table)):
                found.setdefault(table, set()).update(days)
    return found


def lacking_history(
    recipe: Recipe, days: Sequence[date], known: Collection[date], start: date
) -> dict[date, date]:
    """The days of the table that cannot be made, because their look-back holds a day of which not even the
    schedule is ``known``: neither stored nor planned. With the first such day."""
    if not recipe.history or not days:
        return {}
    known = set(known)
    unknown = np.array([d for d in span(start, max(days)) if d not in known], dtype="datetime64[D]")
    low = np.searchsorted(unknown, recipe.first_needed(days))
    high = np.searchsorted(unknown, np.array(days, dtype="datetime64[D]"))
    return {day: unknown[a].item() for day, a, b in zip(days, low, high, strict=True) if b > a}
