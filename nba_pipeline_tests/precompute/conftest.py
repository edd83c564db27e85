"""Fixtures of phase 4: all twelve tables over the real seasons, and the same seasons read straight from their
files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.ranges import span
from nba_pipeline_tests.precompute.raw_history import RawHistory
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline

FIRST, LAST = date(2021, 10, 19), date(2024, 6, 30)


@pytest.fixture(scope="session")
def all_days() -> Sequence[date]:
    """Every calendar day of the three seasons, off-seasons included."""
    return span(FIRST, LAST)


@pytest.fixture(scope="session")
def phase4(real_seasons: Pipeline, all_days: Sequence[date]) -> Pipeline:
    """The look-back tables on top of the tables of games (some 20 s), in memory, with the outcome of every
    table."""
    real_seasons.run(all_days, [recipe.table for recipe in RECIPES if recipe.table not in GAME_TABLES])
    return real_seasons


@pytest.fixture(scope="session")
def raw(bulk_dir: Path) -> RawHistory:
    """What the published files say, read without the pipeline."""
    return RawHistory(bulk_dir)
