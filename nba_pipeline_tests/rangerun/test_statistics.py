"""Numbers of a day that the UI plots."""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_pipeline.rangerun.statistics import day_statistics
from nba_pipeline.tables.registry import TABLES

DAY, OTHER, EMPTY = date(2024, 3, 7), date(2024, 3, 8), date(2024, 3, 9)


def test_maximum_mean_and_share_of_nulls_of_each_day() -> None:
    frame = pd.DataFrame(
        {
            "game_date": pd.to_datetime([DAY, DAY, DAY, DAY, OTHER]).astype("datetime64[s]"),
            "usage_rate": [10.0, 20.0, 30.0, None, 5.0],
            "points": pd.array([1, 2, 3, 10, 4], dtype="Int64"),
        }
    )
    found = day_statistics(
        TABLES["nba_analytics.player_game_summary"], frame, ("usage_rate", "points"), [DAY, OTHER, EMPTY]
    )
    assert found[DAY] == {
        "max_usage_rate": 30.0,
        "mean_usage_rate": 20.0,
        "null_share_usage_rate": 0.25,
        "max_points": 10.0,
        "mean_points": 4.0,
        "null_share_points": 0.0,
        "null_counts": {"usage_rate": 1},
    }
    assert found[OTHER] == {
        "max_usage_rate": 5.0,
        "mean_usage_rate": 5.0,
        "null_share_usage_rate": 0.0,
        "max_points": 4.0,
        "mean_points": 4.0,
        "null_share_points": 0.0,
        "null_counts": {},
    }
    assert found[EMPTY] == {}
