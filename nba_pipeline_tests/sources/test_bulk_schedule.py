"""What the bulk source says of games: state, date, season, type."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.failures import (
    FailureClass,
    PipelineError,
    UnparseableSource,
)
from nba_pipeline_tests.sources.bulk_rows import DAY, GAME, NEXT_DAY, Folder, reasons


def test_games_of_an_unknown_type_are_counted_and_left_out(folder: Folder) -> None:
    answer = folder(games=(GAME, {**GAME, "game_id": "0092300001"})).games([DAY])
    assert answer.frame["nba_game_id"].tolist() == [GAME["game_id"]]
    assert reasons(answer.unusable) == {"game_type_unknown": (1, "0092300001")}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "final"),
        ({"played": False, "home_score": None, "away_score": None}, "scheduled"),
        ({"played": False, "home_score": 0, "away_score": 0}, "scheduled"),
        ({"played": False, "home_score": None, "away_score": None, "game_id": "0042300407"}, "scheduled"),
        ({"played": False, "postponed_status": "Y"}, "postponed"),
        ({"played": False, "postponed_status": "Cancelled"}, "cancelled"),
        ({"played": True, "home_score": None}, "scheduled"),
        ({"played": None, "home_score": None, "away_score": None}, "scheduled"),
    ],
)
def test_the_state_of_a_game(folder: Folder, changes: dict[str, Any], status: str) -> None:
    assert folder(games=({**GAME, **changes},)).games([DAY]).frame["status"].tolist() == [status]


def test_a_playoff_game_is_not_needed_once_a_team_has_won_the_series(folder: Folder) -> None:
    """`played` false alone is how sources write "not yet"."""
    series = [
        {**GAME, "game_id": f"004230040{n}", "game_date": f"2024-03-{n:02d}", "game_code": None}
        for n in range(1, 5)
    ]
    fifth = {**series[0], "game_id": "0042300405", "game_date": "2024-03-07", "played": False}
    assert folder(games=(*series[:3], fifth)).games([DAY]).frame["status"].tolist() == ["scheduled"]
    assert folder(games=(*series, fifth)).games([DAY]).frame["status"].tolist() == ["not_needed"]


def test_a_game_on_two_dates_belongs_to_the_one_on_which_it_was_played(folder: Folder) -> None:
    unplayed = {**GAME, "played": False, "home_score": None, "away_score": None}
    source = folder(games=(unplayed, {**GAME, "game_date": "2024-03-08"}))
    games = source.games([DAY, NEXT_DAY]).frame
    assert games["status"].tolist() == ["postponed", "final"]
    assert source.player_boxscores([DAY]).frame.empty
    lines = source.player_boxscores([DAY, NEXT_DAY])
    assert lines.frame["game_date"].tolist() == [pd.Timestamp(NEXT_DAY)]
    assert reasons(lines.unusable) == {"date_differs_from_schedule": (1, "Ann Őne")}
    still_to_come = folder(games=(unplayed, {**unplayed, "game_date": "2024-03-08"}))
    assert still_to_come.games([DAY, NEXT_DAY]).frame["status"].tolist() == ["postponed", "scheduled"]


def test_a_game_that_was_played_on_two_dates_is_refused_on_both(folder: Folder) -> None:
    source = folder(games=(GAME, {**GAME, "game_date": "2024-03-08"}))
    for ask in (source.games, source.player_boxscores):
        with pytest.raises(PipelineError, match="a game is played once") as caught:
            ask([DAY, NEXT_DAY, date(2024, 3, 9)])
        assert caught.value.failure_class is FailureClass.DUPLICATE_KEY
        assert caught.value.days == (DAY, NEXT_DAY)


def test_the_season_is_the_game_s_and_not_the_calendar_s(folder: Folder) -> None:
    """The Finals of October 2020 belong to 2019-20."""
    day = {"season": "2019-20", "game_date": "2020-10-11", "game_code": None}
    before = {**GAME, **day, "game_id": "0021900001", "game_date": "2019-10-22"}
    source = folder(games=(before, {**GAME, **day, "game_id": "0041900406"}))
    answer = source.games([date(2020, 10, 11)])
    assert answer.frame["season_year"].tolist() == [2019]
    assert source.games([date(2020, 10, 10)]).frame.empty
    odd = folder(games=({**GAME, "game_id": "0022200907", "season": "2022-23"},)).games([DAY])
    assert odd.frame["season_year"].tolist() == [2022]
    assert reasons(odd.unusable) == {"season_of_the_game_differs_from_the_calendar": (1, "0022200907")}


def test_a_date_that_cannot_be_read_comes_from_the_game_code(folder: Folder) -> None:
    assert len(folder(games=({**GAME, "game_date": "soon"},)).games([DAY]).frame) == 1
    with pytest.raises(UnparseableSource, match="0022300907 has no readable date"):
        folder(games=({**GAME, "game_date": "soon", "game_code": "?"},)).games([DAY])
