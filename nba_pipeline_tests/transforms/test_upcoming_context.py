"""The slate of D against a slow reference written from the table's definition, and what must not change
it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.formulas import windows
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.analytics import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.names import CONTEXT, GAMES, OFFENSE, PLAYERS
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline_tests.support.pipeline import recipe_of
from nba_pipeline_tests.transforms.leagues import League, random_league

SEEDS = st.integers(0, 10**6)


def context(league: League, days: Any = None) -> pd.DataFrame:
    frames = {GAMES: league.games, PLAYERS: league.player_games, OFFENSE: league.team_games}
    return recipe_of(CONTEXT).compute(SimulatedSource(), frames, days or league.days).frame


def reference(league: League, day: date) -> dict[int, dict[str, Any]]:
    """player_id -> row of the slate of ``day``: plain loops, one sentence of the definition after another."""
    season_start = date(day.year if day.month >= 10 else day.year - 1, 10, 1)
    history = [
        r
        for r in league.player_games.to_dict("records")
        if r["game_date"].date() < day and r["seconds_played"] > 0
    ]
    team_history = [r for r in league.team_games.to_dict("records") if r["game_date"].date() < day]
    rows: dict[int, dict[str, Any]] = {}
    for game in league.games.to_dict("records"):
        competitive = game["game_type"] in ("regular", "cup_final", "play_in", "playoffs")
        if game["game_date"].date() != day or not competitive or game["status"] not in ("scheduled", "final"):
            continue
        for own, other in (("home_team_abbr", "away_team_abbr"), ("away_team_abbr", "home_team_abbr")):
            team, opponent = game[own], game[other]
            played = [
                r for r in team_history if r["team_abbr"] == team and r["game_date"].date() >= season_start
            ]
            faced = [
                r
                for r in team_history
                if r["team_abbr"] == opponent and r["game_date"].date() >= season_start
            ]
            for player in {r["player_id"] for r in history}:
                mine = sorted((r for r in history if r["player_id"] == player), key=lambda r: r["game_date"])
                reach = 30 if played else 365
                if mine[-1]["team_abbr"] != team or (day - mine[-1]["game_date"].date()).days > reach:
                    continue
                row = {
                    "game_id": game["game_id"],
                    "game_type": game["game_type"],
                    "team_abbr": team,
                    "opponent_team_abbr": opponent,
                }
                row |= {"is_home": own == "home_team_abbr", "is_season_opener_population": not played}
                row |= {"player_lookup": mine[-1]["player_lookup"], "season_year": season_start.year}
                row |= _reference_load(mine, day, season_start) | _reference_pace(played, faced, day)
                rows[player] = row
    return rows


def _reference_load(mine: list[dict[str, Any]], day: date, season_start: date) -> dict[str, Any]:
    dates = [r["game_date"].date() for r in mine]
    season = [d for d in dates if d >= season_start]
    rest = (day - season[-1]).days if season else None
    load: dict[str, Any] = {
        "days_rest": rest,
        "is_back_to_back": rest == 1,
        "player_games_played_season": len(season),
    }
    for n in (7, 14):
        inside = [r for r in mine if (day - r["game_date"].date()).days <= n]
        load[f"games_in_last_{n}_days"] = len(inside)
        load[f"minutes_in_last_{n}_days"] = sum(r["seconds_played"] for r in inside) / 60
    games = load["games_in_last_7_days"]
    load["avg_minutes_last_7_days"] = load["minutes_in_last_7_days"] / games if games else None
    load["back_to_backs_in_last_14_days"] = sum(
        (day - d).days <= 14 and d - timedelta(days=1) in dates for d in dates
    )
    return load


def _reference_pace(played: list[dict[str, Any]], faced: list[dict[str, Any]], day: date) -> dict[str, Any]:
    result: dict[str, Any] = {"team_games_played_season": len(played)}
    for name, games in (("team", played), ("opponent", faced)):
        last = sorted(games, key=lambda r: r["game_date"])[-10:]
        result[f"{name}_days_rest"] = (day - last[-1]["game_date"].date()).days if last else None
        minutes = sum(r["team_minutes"] for r in last) / 5
        result[f"{name}_pace_last_10"] = 48 * sum(r["possessions"] for r in last) / minutes if last else None
    own, other = result["team_pace_last_10"], result["opponent_pace_last_10"]
    result["pace_differential"] = (other - own) / 2 if own is not None and other is not None else None
    return result


def assert_rows(frame: pd.DataFrame, expected: dict[int, dict[str, Any]]) -> None:
    assert sorted(frame["player_id"]) == sorted(expected)
    for row in frame.to_dict("records"):
        for name, want in expected[row["player_id"]].items():
            got = row[name]
            if want is None:
                assert pd.isna(got), f"{name}: {got!r} instead of NULL"
            elif isinstance(want, float):
                assert got == pytest.approx(want, rel=1e-9, abs=1e-9), name
            else:
                assert got == want, name


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_equals_the_definition_applied_by_hand(seed: int) -> None:
    league = random_league(seed)
    frame = context(league)
    for day in league.days:
        assert_rows(frame[frame["game_date"] == pd.Timestamp(day)], reference(league, day))


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(0, 100))
def test_facts_of_the_day_and_later_change_nothing_of_it(seed: int, at: int) -> None:
    league = random_league(seed)
    day = league.days[at % len(league.days)]
    cut = pd.Timestamp(day)
    absurd = {
        "player_games": league.player_games.assign(
            seconds_played=league.player_games["seconds_played"].where(
                league.player_games["game_date"] < cut, 9_999
            )
        ),
        "team_games": league.team_games.assign(
            possessions=league.team_games["possessions"].where(league.team_games["game_date"] < cut, 777.0)
        ),
        "games": league.games.assign(home_score=0, away_score=999),
    }
    erased = {
        n: getattr(league, n)[getattr(league, n)["game_date"] < cut] for n in ("player_games", "team_games")
    }
    want = context(league, [day])
    pd.testing.assert_frame_equal(context(league.changed(**absurd), [day]), want, check_exact=True)
    pd.testing.assert_frame_equal(context(league.changed(**erased), [day]), want, check_exact=True)


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.integers(0, 100))
def test_neither_row_order_nor_range_nor_old_seasons_matter(seed: int, at: int) -> None:
    league = random_league(seed)
    whole = context(league)
    pd.testing.assert_frame_equal(context(league.shuffled(seed)), whole, check_exact=True)
    day = league.days[at % len(league.days)]
    alone = context(league, [day])
    pd.testing.assert_frame_equal(
        alone, whole[whole["game_date"] == pd.Timestamp(day)].reset_index(drop=True), check_exact=True
    )
    older = league.player_games[["game_date"]] - pd.Timedelta(days=800)
    more = pd.concat(
        [
            league.player_games,
            league.player_games.assign(game_date=older["game_date"].astype("datetime64[s]")),
        ]
    )
    pd.testing.assert_frame_equal(context(league.changed(player_games=more), [day]), alone, check_exact=True)


def test_inputs_are_not_modified_and_columns_are_the_tables() -> None:
    league = random_league(3)
    copies = [f.copy() for f in (league.games, league.player_games, league.team_games)]
    frame = context(league)
    for before, after in zip(copies, (league.games, league.player_games, league.team_games), strict=True):
        pd.testing.assert_frame_equal(before, after)
    assert {c: frame[c].dtype for c in frame} == {
        c.name: pandas_dtype(c) for c in UPCOMING_PLAYER_GAME_CONTEXT.columns
    }


def test_days_without_games_give_an_empty_frame_with_the_tables_dtypes() -> None:
    league = random_league(3)
    frame = context(league, [date(2022, 8, 1)])
    assert frame.empty
    assert {c: frame[c].dtype for c in frame} == {
        c.name: pandas_dtype(c) for c in UPCOMING_PLAYER_GAME_CONTEXT.columns
    }
    nothing = league.changed(player_games=league.player_games[:0], team_games=league.team_games[:0])
    assert context(nothing).empty


def test_a_planted_off_by_one_changes_the_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    league = random_league(3)
    clean = context(league)
    monkeypatch.setattr(
        windows, "_end_of_history", lambda facts, as_of: np.searchsorted(facts, as_of, side="right")
    )
    assert not context(league).equals(clean)
