"""The leak canary over what is stored: do a day's values of phase 4 move when results of that day or later
change?

Belongs here: choosing days, reading what their tables are made from, asking ``leaking_columns``. Does not
belong here: the attack itself (``transforms/look_ahead.py``), printing (``cli/``). The check `no_lookahead`
asks the same of one day of each run; this asks about days of the whole history, with the results of the day
and of two more weeks in reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS, Input, Recipe
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.transforms.look_ahead import leaking_columns
from nba_pipeline.warehouse.base import Store

DAYS_AFTER = 14
"""How many days after the tested one are read as well: a leak may reach further than the day itself."""
SEED = 2023


@dataclass
class Canary:
    """What was asked of a table: days, recomputed rows, and the columns that moved on each day on which some
    did."""

    table: str
    days: list[date] = field(default_factory=list)
    rows: int = 0
    leaks: dict[date, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Warehouse:
    """What is read for the days of one canary; several tables read the same look-back, so it is kept while a
    day is tested."""

    store: Store
    tables: TableRegistry
    held: dict[tuple[object, ...], pd.DataFrame] = field(default_factory=dict)

    def read(self, given: Input, first: date, last: date) -> pd.DataFrame:
        key = (given.table, given.columns, first, last)
        if key not in self.held:
            self.held[key] = self.store.read(self.tables[given.table], span(first, last), given.columns)
        return self.held[key]

    def days_with_rows(self, table: str) -> set[date]:
        return {day for day, entry in self.store.manifest(self.tables[table]).items() if entry.row_count}


def run_canary(
    recipes: Sequence[Recipe],
    tables: TableRegistry,
    store: Store,
    source: Source,
    days: Sequence[date],
    count: int,
) -> dict[str, Canary]:
    """Test ``count`` stored days, spread over ``days`` and the same in each call, of every table that looks
    back.

    A day can be tested of a table when its rows and the results of that very day are stored: without them
    there is nothing that could leak. Writes nothing. ConfigurationError when there is no such day at all.
    """
    warehouse = _Warehouse(store, tables)
    looking_back = [recipe for recipe in recipes if recipe.history]
    testable = {recipe.table: _testable(warehouse, recipe, days) for recipe in looking_back}
    chosen = spread_sample(sorted(set().union(*testable.values())), count)
    if not chosen:
        raise ConfigurationError(
            f"no day from {days[0]} to {days[-1]} is stored with its results and the tables that look back:"
            " run backfill first"
        )
    found = {recipe.table: Canary(recipe.table) for recipe in looking_back}
    for day in chosen:
        for recipe in looking_back:
            if day in testable[recipe.table]:
                _test(warehouse, recipe, source, day, found[recipe.table])
        warehouse.held.clear()
    return found


def spread_sample(days: Sequence[date], count: int) -> list[date]:
    """Up to ``count`` of the days, one drawn from each of as many equal stretches of them; the same ones
    every time."""
    rng = np.random.default_rng(SEED)
    stretches = np.array_split(np.arange(len(days)), min(count, len(days))) if days else []
    return [days[int(rng.choice(stretch))] for stretch in stretches]


def as_json(found: Mapping[str, Canary]) -> dict[str, object]:
    """The answer for programs."""
    tables = {
        name: {
            "days": [day.isoformat() for day in canary.days],
            "rows": canary.rows,
            "leaks": {day.isoformat(): list(columns) for day, columns in canary.leaks.items()},
        }
        for name, canary in found.items()
    }
    return {"clean": not any(canary.leaks for canary in found.values()), "tables": tables}


def _testable(warehouse: _Warehouse, recipe: Recipe, days: Sequence[date]) -> set[date]:
    needed = [
        warehouse.days_with_rows(name) for name in (recipe.table, *(given.table for given in recipe.inputs))
    ]
    return set(days).intersection(*needed)


def _test(warehouse: _Warehouse, recipe: Recipe, source: Source, day: date, canary: Canary) -> None:
    first, last = day - timedelta(days=LOOKBACK_DAYS), day + timedelta(days=DAYS_AFTER)
    history = {given.table: warehouse.read(given, first, last) for given in recipe.history}
    of_day = {given.table: warehouse.read(given, day, day) for given in recipe.same_day}
    sizes = []

    def compute(days: Sequence[date], **frames: pd.DataFrame) -> pd.DataFrame:
        made = recipe.compute(source, frames, days).frame
        sizes.append(len(made))
        return made

    columns = leaking_columns(compute, day, history, of_day)
    canary.days.append(day)
    canary.rows += sizes[0]
    if columns:
        canary.leaks[day] = columns
