"""The join of features and results: right games only, everything else listed with its reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.export.training import Choice, LookAhead, TrainingSet, training_set
from nba_pipeline.tables.columns.features import FEATURE_NAMES

FIRST = date(2023, 12, 1)
D1, D2 = pd.Timestamp("2023-12-01"), pd.Timestamp("2023-12-03")


def slate(day: pd.Timestamp, game: str, team: str, player: int, **values: Any) -> dict[str, Any]:
    features = dict.fromkeys(FEATURE_NAMES, 1.0) | {"games_played_season": 10.0}
    return (
        {"game_date": day, "game_id": game, "team_abbr": team, "player_id": player}
        | {"player_lookup": f"p{player}", "opponent_team_abbr": "OPP", "feature_version": "v"}
        | {"history_gaps": 0, "feature_quality_score": 100.0, "is_training_ready": True}
        | features
        | values
    )


def line(day: pd.Timestamp, game: str, team: str, player: int, **values: Any) -> dict[str, Any]:
    counts = dict.fromkeys("points rebounds assists three_pt_makes steals blocks turnovers".split(), 7)
    return (
        {"game_date": day, "game_id": game, "team_abbr": team, "player_id": player}
        | {"player_lookup": f"p{player}", "season_year": 2023, "is_starter": True}
        | {"seconds_played": 1200, "minutes_played": 20.0}
        | counts
        | values
    )


def made(features: list[dict[str, Any]], results: list[dict[str, Any]], **choice: Any) -> TrainingSet:
    return training_set(pd.DataFrame(features), pd.DataFrame(results), FIRST, Choice(**choice))


def test_a_row_meets_its_own_game_only():
    """By day and player alone, a traded player's row meets another team's game."""
    found = made(
        [slate(D1, "g1", "CHI", 1), slate(D1, "g1", "CHI", 2), slate(D1, "g1", "CHI", 9)],
        [line(D1, "g1", "CHI", 1, points=11), line(D1, "g2", "LAL", 2, points=30), line(D1, "g1", "CHI", 9)],
    )
    assert found.rows[["player_id", "y_points"]].values.tolist() == [[1, 11.0], [9, 7.0]]
    told = found.unmatched.set_index("side")["reason"].to_dict()
    assert told == {"features": "changed_team", "result": "no_earlier_game"}


@pytest.mark.parametrize(
    ("earlier", "reason"),
    [
        ([], "no_earlier_game"),
        ([line(pd.Timestamp("2023-11-29"), "g0", "LAL", 5)], "changed_team"),
        ([line(pd.Timestamp("2023-04-01"), "g0", "CHI", 5, season_year=2022)], "season_opener"),
        ([line(pd.Timestamp("2023-10-25"), "g0", "CHI", 5)], "absent_over_30_days"),
        ([line(pd.Timestamp("2023-11-29"), "g0", "CHI", 5)], "not_on_the_slate"),
    ],
)
def test_a_result_without_features_is_listed_with_its_reason(earlier, reason):
    found = made([slate(D1, "g1", "CHI", 1)], [*earlier, line(D1, "g1", "CHI", 1), line(D1, "g1", "CHI", 5)])
    assert found.unmatched["reason"].tolist() == [reason]
    assert found.rows["player_id"].tolist() == [1], "history is no row"


def test_the_populations_differ_by_those_who_did_not_appear():
    features = [slate(D1, "g1", "CHI", player) for player in (1, 2, 3)] + [slate(D2, "g7", "CHI", 1)]
    results = [line(D1, "g1", "CHI", 1), line(D1, "g1", "CHI", 2, seconds_played=0, minutes_played=None)]
    assert made(features, results).rows["player_id"].tolist() == [1]
    found = made(features, results, population="slate")
    assert found.rows["player_id"].tolist() == [1, 2, 3]
    assert found.rows["y_played"].tolist() == [True, False, False]
    assert found.rows["weight_team_game"].tolist() == pytest.approx([1 / 3] * 3)
    assert found.without_result == 1, "a game without a box score has no result, and no row"


def test_bounds_and_splits():
    features = [
        slate(D1, "g1", "CHI", 1, games_played_season=4.0),
        slate(D1, "g1", "CHI", 2, feature_quality_score=60.0),
        slate(D2, "g2", "CHI", 3),
    ]
    results = [
        line(D1, "g1", "CHI", 1),
        line(D1, "g1", "CHI", 2),
        line(D2, "g2", "CHI", 3, season_year=2024),
    ]
    found = made(features, results, min_games=5, min_quality=70, splits={2024: "test"})
    assert (found.rows["split"].tolist(), found.left_out) == (["test"], 2)
    assert found.rows["known_at"].tolist() == [D2 - pd.Timedelta(days=1)]
    assert list(found.features("test").columns) == list(FEATURE_NAMES)
    assert found.target("points", "train").empty


def test_a_feature_that_holds_the_result_refuses():
    features = [slate(D1, "g1", "CHI", p, points_avg_last_5=float(p % 30)) for p in range(200)]
    results = [line(D1, "g1", "CHI", p, points=p % 30) for p in range(200)]
    with pytest.raises(
        LookAhead,
        match=r"ml_feature_store.points_avg_last_5 equals y_points in 100% of .* first for p1 on 2023-12-01",
    ):
        made(features, results)


@pytest.mark.parametrize(
    "choice", [{"targets": ("salary",)}, {"features": ("y_points",)}, {"population": "all"}, {"targets": ()}]
)
def test_unknown_names_are_wrong_usage(choice):
    with pytest.raises(ConfigurationError):
        Choice(**choice)
