"""Running tables of the pipeline without Dagster: every plan over some days, into a store in memory.

Belongs here: helpers around ``run_range``. Does not belong here: leagues and defects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from nba_pipeline.build import RECIPES
from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.rangerun.job import InvalidRows, RangeJob
from nba_pipeline.rangerun.outcome import RangeOutcome
from nba_pipeline.rangerun.range_run import run_range
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.memory import MemoryStore

GAME_TABLES = (
    "nba_raw.games",
    "nba_raw.player_boxscores",
    "nba_raw.shot_attempts",
    "nba_analytics.team_offense_game_summary",
    "nba_analytics.team_defense_game_summary",
    "nba_analytics.player_game_summary",
)
"""The tables of games; later ones are about what is known before a slate."""


@dataclass
class Pipeline:
    """A source, a store and the registry; ``run`` materializes tables over days in dependency order."""

    source: Source
    start: date
    store: Store = field(default_factory=MemoryStore)
    tables: TableRegistry = field(default_factory=lambda: TABLES)
    outcomes: dict[str, RangeOutcome] = field(default_factory=dict)
    results_due: date = date.max
    gaps: Gaps = field(default_factory=Gaps)

    def run(
        self, days: Sequence[date], names: Iterable[str] = GAME_TABLES, on_invalid_rows: str = "fail"
    ) -> dict[str, RangeOutcome]:
        wanted = set(names)
        done = {
            recipe.table: self.run_plan(recipe, days, on_invalid_rows)
            for recipe in RECIPES
            if recipe.table in wanted
        }
        self.outcomes |= done
        return done

    def run_plan(self, recipe: Recipe, days: Sequence[date], on_invalid_rows: str = "fail") -> RangeOutcome:
        policy = InvalidRows(on_invalid_rows)
        job = RangeJob(
            recipe, self.tables, self.store, self.source, self.start, policy, self.results_due, self.gaps
        )
        return run_range(job, days)

    def read(self, table: str, days: Iterable[date] | None = None) -> pd.DataFrame:
        declared = self.tables[table]
        return self.store.read(declared, sorted(self.store.manifest(declared)) if days is None else days)


def recipe_of(table: str) -> Recipe:
    return next(recipe for recipe in RECIPES if recipe.table == table)
