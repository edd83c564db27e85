"""A range run's job: which table, from where, to where, under which policy.

Belongs here: ``RangeJob``. Does not belong here: doing it (``range_run.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import Store


class InvalidRows(StrEnum):
    """What to do with a day that has rows which break the contract."""

    FAIL = "fail"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class RangeJob:
    """A table, where its inputs come from and where its rows go.

    ``start``: the first day of the pipeline; ``results_due``: the newest day whose games must be over (by
    default every day's); ``gaps``: games that may be left out, and those that have been.
    """

    recipe: Recipe
    tables: TableRegistry
    store: Store
    source: Source
    start: date
    on_invalid_rows: InvalidRows = InvalidRows.FAIL
    results_due: date = date.max
    gaps: Gaps = field(default_factory=Gaps)

    @property
    def table(self) -> Table:
        return self.tables[self.recipe.table]
