"""A store on top of another that it never changes, and running tables of phase 4 on it.

Belongs here: ``Overlay`` and ``run_on``. Does not belong here: expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pandas as pd

from nba_pipeline.build import RECIPES
from nba_pipeline.rangerun.outcome import RangeOutcome
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import ManifestEntry, ReplaceResult, Store
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline, recipe_of

LOOKING_BACK = tuple(recipe.table for recipe in RECIPES if recipe.table not in GAME_TABLES)
"""The six tables that read history, in dependency order."""


class Overlay:
    """Reads come from the store below, without the days that were taken ``out``; writes go to ``written`` and
    are not read back."""

    name = "overlay"

    def __init__(self, below: Store, out: Iterable[tuple[str, date]] = ()) -> None:
        self._below, self._out, self.written = below, frozenset(out), MemoryStore()

    def read(self, table: Table, days: Iterable[date], columns: Sequence[str] | None = None) -> pd.DataFrame:
        return self._below.read(table, [d for d in days if (table.full_name, d) not in self._out], columns)

    def manifest(self, table: Table) -> dict[date, ManifestEntry]:
        return {d: e for d, e in self._below.manifest(table).items() if (table.full_name, d) not in self._out}

    def replace(
        self, table: Table, frames: Mapping[date, pd.DataFrame], *, reasons: Mapping[date, str] | None = None
    ) -> ReplaceResult:
        return self.written.replace(table, frames, reasons=reasons)

    def replace_range(
        self,
        table: Table,
        frame: pd.DataFrame,
        days: Iterable[date],
        *,
        reasons: Mapping[date, str] | None = None,
    ) -> ReplaceResult:
        return self.written.replace_range(table, frame, days, reasons=reasons)

    def location(self, table: Table) -> str:
        return f"overlay:{table.full_name}"


def run_on(
    pipeline: Pipeline, table: str, days: Sequence[date], *, out: Iterable[tuple[str, date]] = ()
) -> RangeOutcome:
    """The table over those days from what the pipeline has stored (less ``out``), leaving the pipeline as it
    is."""
    copy = Pipeline(pipeline.source, pipeline.start, Overlay(pipeline.store, out), pipeline.tables)
    return copy.run_plan(recipe_of(table), days)
