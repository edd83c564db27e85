"""Which tables `--tables` means."""

from __future__ import annotations

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.graph import chosen


def names(text: str | None) -> list[str]:
    return [recipe.table.split(".")[1] for recipe in chosen(RECIPES, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("games,nba_raw.player_boxscores", ["games", "player_boxscores"]),
        ("nba_raw", ["games", "player_boxscores", "shot_attempts"]),
        ("*zone*", ["team_defense_zone_analysis", "player_shot_zone_analysis"]),
        ("+player_boxscores", ["games", "player_boxscores"]),
        ("player_daily_cache+", ["player_daily_cache", "ml_feature_store"]),
        (" games , shot_attempts ", ["games", "shot_attempts"]),
    ],
)
def test_names_datasets_patterns_and_neighbours(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_both_directions_and_all() -> None:
    assert len(names(None)) == 12
    assert names("games+") == names(None)  # everything is made from the schedule
    assert set(names("+ml_feature_store")) == set(names(None)) - {"player_shots"}
    assert {"games", "player_daily_cache", "ml_feature_store"} <= set(names("+player_daily_cache+"))


@pytest.mark.parametrize("text", ["", " ", "games,,shot_attempts", "+", ","])
def test_nothing_is_not_everything(text: str) -> None:
    with pytest.raises(ConfigurationError, match="names no table"):
        chosen(RECIPES, text)


def test_an_unknown_name_has_a_near_one() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean nba_precompute\.player_daily_cache"):
        chosen(RECIPES, "player_daily_cash")
