"""No table of D knows anything of D's results or later, and the canary that says so can be made to sing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.formulas import arrays, windows
from nba_pipeline.formulas.windows import Slice
from nba_pipeline.tables.precompute import PRECOMPUTE_TABLES
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import Table
from nba_pipeline.transforms.look_ahead import ABSURD, leaking_columns, made_absurd
from nba_pipeline_tests.transforms.leagues import League, random_league
from nba_pipeline_tests.transforms.precompute import phase_4

TABLES = [
    "upcoming_player_game_context",
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_composite_factors",
    "player_daily_cache",
    "ml_feature_store",
]
ALL_PLAYER_TABLES = "all tables of the slate population, side by side"
HISTORY = ("player_games", "team_games", "defense_games")


def leaks(league: League, table: str, day: date) -> tuple[str, ...]:
    """The canary over the whole chain that leads to ``table``."""

    def compute(days: Sequence[date], **frames: pd.DataFrame) -> pd.DataFrame:
        tables = phase_4(league.changed(**frames), days)
        if table != ALL_PLAYER_TABLES:
            return tables[table]
        return pd.concat(
            [frame.add_prefix(f"{name}.") for name, frame in tables.items() if "player_id" in frame], axis=1
        )

    return leaking_columns(compute, day, {n: getattr(league, n) for n in HISTORY}, {"games": league.games})


def late_day(league: League) -> date:
    """A day with games deep in the season, when every window is full of something."""
    lines = league.player_games
    return max(lines["game_date"]).date()


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100))
def test_no_table_looks_ahead(seed: int, at: int) -> None:
    league = random_league(seed)
    for day in (league.days[at % len(league.days)], late_day(league)):
        assert leaks(league, "team_defense_zone_analysis", day) == ()
        assert leaks(league, ALL_PLAYER_TABLES, day) == ()


@pytest.mark.parametrize("table", TABLES)
def test_a_planted_off_by_one_is_caught_in_every_table(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    league = random_league(11, game_days=24)
    monkeypatch.setattr(
        windows, "_end_of_history", lambda facts, as_of: np.searchsorted(facts, as_of, side="right")
    )
    assert leaks(league, table, late_day(league))


def test_a_league_average_that_includes_the_day_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    league = random_league(11, game_days=24)

    def with_the_day(allowed: Slice, column: str) -> np.ndarray:
        days = allowed.history._days
        next_is_today = (allowed.stop < len(days)) & (
            days[np.minimum(allowed.stop, len(days) - 1)] == allowed.as_of_days
        )
        seen = Slice(allowed.history, allowed.start, allowed.stop + next_is_today, allowed.as_of_days)
        return seen.total(column)

    monkeypatch.setitem(arrays._OVER_HISTORY, "league_sum", with_the_day)
    found = leaks(league, "team_defense_zone_analysis", late_day(league))
    assert "paint_defense_vs_league" in found
    assert "paint_pct_allowed_last_15" not in found


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100))
def test_neither_row_order_nor_range_matter(seed: int, at: int) -> None:
    league = random_league(seed)
    whole, shuffled = phase_4(league), phase_4(league.shuffled(seed))
    day = league.days[at % len(league.days)]
    alone = phase_4(league, [day])
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(shuffled[name], frame, check_exact=True)
        of_day = frame[frame["game_date"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[name], of_day, check_exact=True)


@pytest.mark.parametrize("table", PRECOMPUTE_TABLES, ids=lambda t: t.name)
def test_frames_have_the_tables_columns_dtypes_and_bounds_also_when_empty(table: Table) -> None:
    league = random_league(3)
    for days in (league.days, [date(2022, 8, 1)]):
        frame = phase_4(league, days)[table.name]
        assert {c: frame[c].dtype for c in frame} == {c.name: pandas_dtype(c) for c in table.columns}
        for column in table.columns:
            values = frame[column.name].dropna()
            assert column.minimum is None or (values >= column.minimum - 1e-9).all(), column.name
            assert column.maximum is None or (values <= column.maximum + 1e-9).all(), column.name
            assert not column.allowed or set(values) <= set(column.allowed), column.name
            assert column.nullable or len(values) == len(frame), column.name


def test_inputs_are_not_modified() -> None:
    league = random_league(3)
    copies = {n: getattr(league, n).copy() for n in (*HISTORY, "games")}
    phase_4(league)
    leaks(league, "ml_feature_store", late_day(league))
    for name, before in copies.items():
        pd.testing.assert_frame_equal(getattr(league, name), before)


def test_the_attack_replaces_results_and_leaves_identities_and_the_past_alone() -> None:
    league = random_league(3)
    day = late_day(league)
    attacked = made_absurd(league.player_games, day)
    late = league.player_games["game_date"] >= pd.Timestamp(day)
    assert (attacked.loc[late, ["points", "seconds_played", "plays_used", "paint_makes"]] >= ABSURD).all(
        axis=None
    )
    assert (attacked.loc[late, "is_starter"] != league.player_games.loc[late, "is_starter"]).all()
    pd.testing.assert_frame_equal(attacked[~late], league.player_games[~late])
    kept = ["game_id", "player_id", "team_abbr", "opponent_team_abbr", "game_date"]
    pd.testing.assert_frame_equal(attacked[kept], league.player_games[kept])
