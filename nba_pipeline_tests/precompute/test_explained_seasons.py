"""The formulas that `explain` shows come to the stored values of the real seasons, on the days that are
unlike the others."""

from __future__ import annotations

from datetime import date

import pytest

from nba_pipeline.formulas.dependencies import statement_of
from nba_pipeline.operations.explain.explain import Explainer
from nba_pipeline.operations.explain.rows import Reader, as_records
from nba_pipeline.tables.formula import AsStored
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = pytest.mark.bulk

DAYS = {
    "opening night": date(2021, 10, 19),
    "a season opener with history": date(2022, 10, 18),
    "shots without labels": date(2021, 12, 1),
    "play-in, without shots": date(2022, 4, 12),
    "the stint of two seconds": date(2024, 3, 7),
    "playoffs": date(2023, 4, 20),
}


@pytest.mark.parametrize("day", DAYS.values(), ids=list(DAYS))
def test_every_formula_comes_to_the_stored_values_of_a_real_day(phase4: Pipeline, day: date) -> None:
    wrong, compared = [], 0
    for name, table in TABLES.items():
        rows = phase4.store.read(table, [day])
        explainer = Explainer(Reader(phase4.store, TABLES, day, {name: rows}), TABLES, day)
        for row in as_records(rows.iloc[:: max(len(rows) // 2, 1)].head(2)):
            for column in table.column_names:
                if not isinstance(statement_of(name, column), AsStored):
                    found = explainer.stored(name, column, row)
                    compared += 1
                    if found.agrees is not True:
                        wrong.append((name, column, found.key, found.value, found.worked_out, found.numbers))
    assert wrong == []
    assert compared > 100
