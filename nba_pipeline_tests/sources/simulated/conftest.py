"""One simulated season, made once for all of them, and the parts of it that the tests look at."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline_tests.sources.simulated.season import COMPETITIVE, SEASON_DAYS, TABLES


@pytest.fixture(scope="package")
def season() -> dict[str, pd.DataFrame]:
    source = SimulatedSource()
    return {table: getattr(source, table)(SEASON_DAYS).frame for table in TABLES}


@pytest.fixture(scope="package")
def games(season: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return season["games"]


@pytest.fixture(scope="package")
def played(season: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of players who played, with the type of their game."""
    box = season["player_boxscores"].merge(
        season["games"][["nba_game_id", "game_type"]], on="nba_game_id", validate="m:1"
    )
    return box[box["status"] == "played"]


@pytest.fixture(scope="package")
def competitive(played: pd.DataFrame) -> pd.DataFrame:
    return played[played["game_type"].isin(COMPETITIVE)]


@pytest.fixture(scope="package")
def shots(season: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return season["shot_attempts"]
