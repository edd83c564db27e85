"""Every table under the semantics of pandas 3: copy-on-write, whose arrays are read-only."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from nba_pipeline.ranges import span
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.support.pipeline import Pipeline

DAYS = span(date(2023, 11, 3), date(2023, 11, 5))


@pytest.mark.skipif(not pd.__version__.startswith("2."), reason="pandas 3 knows nothing else")
def test_no_table_writes_into_an_array_of_a_frame() -> None:
    with pd.option_context("mode.copy_on_write", True):
        pipeline = Pipeline(SimulatedSource(first_day=DAYS[0]), DAYS[0])
        pipeline.run(DAYS, TABLES)
    assert {name: outcome.failed for name, outcome in pipeline.outcomes.items() if outcome.failed} == {}
