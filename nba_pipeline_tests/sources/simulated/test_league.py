"""The simulated league: identifiers, careers, schedule, calendar and bracket."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.sources.simulated.league import CONFERENCES, TEAM_IDS, TEAMS, TYPE_DIGIT
from nba_pipeline.sources.simulated.names import player_lookup
from nba_pipeline.sources.simulated.rosters import rosters_of
from nba_pipeline.sources.simulated.season import skeleton_of
from nba_pipeline_tests.sources.simulated.season import CHOSEN_DAY

# Identifiers, teams and players
# -----------------------------------------------------------------------------------


def test_identifiers_say_what_they_are_built_from(games: pd.DataFrame) -> None:
    built = (
        games["game_date"].dt.strftime("%Y%m%d")
        + "_"
        + games["away_team_abbr"]
        + "_"
        + games["home_team_abbr"]
    )
    assert (games["game_id"] == built).all()
    assert games["nba_game_id"].str.fullmatch(r"00[1-6]23\d{5}").all()
    assert (games["nba_game_id"].str[2].astype(int) == games["game_type"].map(TYPE_DIGIT)).all()
    assert (games["season_year"] == 2023).all()
    nba = games[games["game_type"] != "all_star"]
    ids = dict(zip(TEAMS, TEAM_IDS.tolist(), strict=True))
    assert (nba["home_team_id"] == nba["home_team_abbr"].map(ids)).all()
    assert (nba["away_team_id"] == nba["away_team_abbr"].map(ids)).all()
    assert {ids["ATL"], ids["LAL"], ids["CHA"]} == {1610612737, 1610612747, 1610612766}


def test_ids_are_not_in_order_of_date_because_of_rescheduled_games(games: pd.DataFrame) -> None:
    regular = games[(games["game_type"] == "regular") & (games["status"] == "final")].sort_values(
        "nba_game_id"
    )
    backwards = (regular["game_date"].diff().dt.days < 0).sum()
    assert 5 <= backwards <= 25


def test_players_change_teams_and_keep_their_ids(competitive: pd.DataFrame) -> None:
    teams = competitive[competitive["game_type"] == "regular"].groupby("player_id")["team_id"].nunique()
    assert teams.max() == 2
    assert (teams == 2).sum() >= 15
    assert (
        len(competitive[["player_id", "player_name"]].drop_duplicates()) == competitive["player_id"].nunique()
    )


def test_careers_go_on_over_the_summer_with_some_turnover() -> None:
    before, after = (set(rosters_of(2021, y).players.player_id.tolist()) for y in (2022, 2023))
    assert 0.6 < len(before & after) / len(after) < 0.95
    players = rosters_of(2021, 2025).players
    assert len(set(players.player_id.tolist())) == len(players.player_id)
    assert len(set(players.name.tolist())) == len(players.name)
    assert players.age.min() >= 18
    assert players.age.max() <= 45


@pytest.mark.parametrize(
    ("name", "lookup"),
    [
        ("Luka Dončić", "lukadoncic"),
        ("Ja'Marcus O'Rourke Jr.", "jamarcusorourkejr"),
        ("Žiga Đurić-Saint", "zigaduricsaint"),
    ],
)
def test_player_lookup(name: str, lookup: str) -> None:
    assert player_lookup(name) == lookup


# Schedule
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "season_year"), [(2021, 2021), (2021, 2025), (1, 2023), (2, 2024), (183, 2028)]
)
def test_everybody_plays_82_half_at_home_and_never_three_days_in_a_row(seed: int, season_year: int) -> None:
    regular = next(g for g in skeleton_of(seed, season_year).games if g.game_type == "regular").fixtures
    final = regular.status == "final"
    home, away, day = regular.home[final], regular.away[final], regular.day[final]
    assert (np.bincount(home, minlength=30) == 41).all()
    assert (np.bincount(away, minlength=30) == 41).all()
    back_to_backs = []
    for team in range(30):
        days = np.sort(day[(home == team) | (away == team)])
        assert (np.diff(days) >= 1).all()
        assert (days[2:] - days[:-2] > 2).all()
        back_to_backs.append((np.diff(days) == 1).sum())
    assert (
        10 <= np.mean(back_to_backs) <= 18
    )  # 13.4-14.1 in the real seasons; more where the calendar is a week shorter
    meetings = np.zeros((30, 30), dtype=int)
    np.add.at(meetings, (home, away), 1)
    meetings += meetings.T
    for c, conference in enumerate(CONFERENCES):
        assert (meetings[np.ix_(conference, CONFERENCES[1 - c])] == 2).all()


def test_the_calendar_of_a_season(games: pd.DataFrame) -> None:
    span = games[games["status"] == "final"].groupby("game_type")["game_date"].agg(["min", "max"])
    assert span.loc["regular", "min"] == pd.Timestamp(2023, 10, 24)
    assert span.loc["regular", "max"] == pd.Timestamp(2024, 4, 14)
    assert span.loc["preseason", "max"] < pd.Timestamp(2023, 10, 24)
    assert span.loc["preseason", "min"] >= pd.Timestamp(2023, 10, 1)
    assert span.loc["play_in", "min"] == pd.Timestamp(2024, 4, 16)
    assert span.loc["playoffs", "min"] == pd.Timestamp(2024, 4, 20)
    assert games.loc[games["game_type"] == "playoffs", "game_date"].max() == pd.Timestamp(2024, 6, 23)
    cup = games[games["game_type"] == "cup_final"]
    assert list(cup["game_date"].dt.date) == [CHOSEN_DAY]
    assert cup["is_neutral"].all()
    assert (games["game_date"] == pd.Timestamp(CHOSEN_DAY)).sum() == 1
    opening = games[games["game_date"] == pd.Timestamp(2023, 10, 24)]
    assert len(opening) == 2
    assert games.loc[games["game_type"] == "regular", "is_neutral"].sum() >= 1


def test_there_is_no_cup_final_before_2023() -> None:
    assert "cup_final" not in {g.game_type for g in skeleton_of(2021, 2022).games}


def test_the_bracket_follows_from_the_results(games: pd.DataFrame) -> None:
    winner = games["home_team_abbr"].where(
        games["home_score"].fillna(0) > games["away_score"].fillna(0), games["away_team_abbr"]
    )
    final = games[games["status"] == "final"].assign(winner=winner)
    playoffs = final[final["game_type"] == "playoffs"].assign(series=lambda d: d["nba_game_id"].str[5:9])
    wins = playoffs.groupby("series")["winner"].value_counts()
    best = wins.groupby("series").max()
    assert len(best) == 15
    assert (best == 4).all()
    assert (wins.groupby("series").sum() <= 7).all()
    champions = {s: w.idxmax()[1] for s, w in wins.groupby("series")}
    contestants = playoffs.groupby("series")["home_team_abbr"].unique().map(set)
    for number in (2, 3, 4):
        before = {w for s, w in champions.items() if s.startswith(f"00{number - 1}")}
        assert set().union(*contestants[contestants.index.str.startswith(f"00{number}")]) == before
    first_round = set().union(*contestants[contestants.index.str.startswith("001")])
    play_in = final[final["game_type"] == "play_in"]
    everyone = {*play_in["home_team_abbr"], *play_in["away_team_abbr"]}
    assert len(everyone) == 8
    assert len(first_round & everyone) == 4
    regular_wins = final.loc[final["game_type"] == "regular", "winner"].value_counts()
    assert (
        regular_wins[sorted(first_round - everyone)].min()
        >= regular_wins[sorted(set(TEAMS) - first_round - everyone)].min()
    )


def test_unneeded_playoff_games_come_after_the_fourth_win(games: pd.DataFrame) -> None:
    playoffs = games[games["game_type"] == "playoffs"].assign(series=lambda d: d["nba_game_id"].str[5:9])
    assert (playoffs.groupby("series").size() == 7).all()
    needed = playoffs.sort_values("nba_game_id").groupby("series")["status"].agg(list)
    assert needed.map(lambda s: s == sorted(s, key=["final", "not_needed"].index)).all()
    assert 10 <= (playoffs["status"] == "not_needed").sum() <= 45
