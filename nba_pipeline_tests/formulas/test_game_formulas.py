"""Formulas of games against known numbers and against identities that hold for every line of every game."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.checks.usage import usage_rate_bound
from nba_pipeline.formulas.arrays import evaluate
from nba_pipeline.formulas.dependencies import statement_of
from nba_pipeline.formulas.windows import ratio
from nba_pipeline.tables.columns.shots import PAINT_MAX_DISTANCE_FT
from nba_pipeline.tables.formula import Formula
from nba_pipeline.tables.names import DEFENSE, OFFENSE, PLAYERS, SHOTS

QUINONES = {"plays_used": 1.0, "team_plays_used": 120.32, "team_minutes": 240.0}
"""L. Quinones in 20240307_CHI_GSW: one shot in two seconds, of Golden State's 120.32 plays."""


def value(table: str, column: str, **given: Any) -> Any:
    """The column's formula on these numbers; names that are not given are 0."""
    formula = statement_of(table, column)
    assert isinstance(formula, Formula)
    size = max((np.size(v) for v in given.values()), default=1)
    numbers = {n: np.broadcast_to(np.asarray(v, dtype="float64"), size) for n, v in given.items()}
    result = evaluate(formula.text, numbers)
    return result if size > 1 else float(result[0])


def of_player(column: str, **given: Any) -> Any:
    return value(PLAYERS, column, **given)


def of_team(column: str, **given: Any) -> Any:
    return value(OFFENSE, column, **given)


def test_the_usage_of_a_two_second_stint() -> None:
    exact = of_player("usage_rate", seconds_played=2, **QUINONES)
    assert exact == pytest.approx(1196.8085, abs=5e-5)
    assert round(exact, 2) == 1196.81
    rounded_minutes_first = of_player("usage_rate", seconds_played=60 * 0.03, **QUINONES)
    assert round(rounded_minutes_first, 2) == 1329.79


def test_pace_uses_the_minutes_played_so_that_overtime_is_right() -> None:
    assert of_team("pace", possessions=100, team_minutes=240) == 100.0
    assert of_team("pace", possessions=100 * 53 / 48, team_minutes=265) == pytest.approx(100.0)
    seconds = [0, 14_398, 14_404, 15_900, 17_401, 23_400]
    assert of_team("overtime_periods", player_seconds=seconds).tolist() == [0, 0, 0, 1, 2, 6]
    assert of_team("team_minutes", overtime_periods=[0, 1, 6]).tolist() == [240, 265, 390]


SIDE = {"fg_attempts": 88, "ft_attempts": 25, "offensive_rebounds": 10, "turnovers": 14}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (of_player("ts_pct", points=0, fg_attempts=5, ft_attempts=0), 0.0),  # 0-for-5 is zero
        (of_player("ts_pct", points=2, fg_attempts=0, ft_attempts=2), 2 / (2 * 0.88)),  # only free throws
        (of_player("ts_pct", points=3, fg_attempts=1, ft_attempts=0), 1.5),
        (of_player("efg_pct", fg_makes=1, three_pt_makes=1, fg_attempts=1), 1.5),
        (of_player("points_per_36", points=3, seconds_played=24), 270.0),  # has happened
        (of_team("offensive_rating", points=110, possessions=100), 110.0),
        (value(DEFENSE, "defensive_rating", points_allowed=110, possessions=100), 110.0),
        (of_team("turnover_pct", turnovers=10, fg_attempts=80, ft_attempts=25), 10 / 101),
        (of_team("offensive_rebound_pct", offensive_rebounds=10, opponent_defensive_rebounds=30), 0.25),
        (of_team("possessions", **SIDE, **{f"opponent_{k}": v for k, v in SIDE.items()}), 103.0),
        (of_team("plays_used", fg_attempts=88, ft_attempts=25, turnovers=14), 113.0),
    ],
)
def test_known_numbers(found: float, expected: float) -> None:
    assert found == pytest.approx(expected)


def test_game_score_is_hollingers() -> None:
    names = (
        "points fg_makes fg_attempts ft_makes ft_attempts offensive_rebounds defensive_rebounds assists"
        " steals blocks personal_fouls turnovers"
    )
    line = dict(zip(names.split(), (30, 11, 20, 6, 8, 2, 6, 5, 2, 1, 3, 4), strict=True))
    assert of_player("game_score", **line) == pytest.approx(
        30 + 4.4 - 14 - 0.8 + 1.4 + 1.8 + 2 + 3.5 + 0.7 - 1.2 - 4
    )


@pytest.mark.parametrize(
    "undefined",
    [
        of_player("ts_pct", points=0, fg_attempts=0, ft_attempts=0),
        of_player("efg_pct", fg_makes=0, three_pt_makes=0, fg_attempts=0),
        of_player("usage_rate", plays_used=1, seconds_played=0, team_plays_used=100, team_minutes=240),
        of_player("usage_rate", plays_used=0, seconds_played=600, team_plays_used=0, team_minutes=240),
        float(usage_rate_bound(np.array(0.0), np.array(240.0))),
        of_player("points_per_36", points=2, seconds_played=0),
        of_team("pace", possessions=100, team_minutes=0),
        of_team("offensive_rating", points=100, possessions=0),
        of_team("turnover_pct", turnovers=0, fg_attempts=0, ft_attempts=0),
        of_team("offensive_rebound_pct", offensive_rebounds=0, opponent_defensive_rebounds=0),
        float(ratio(0, 0)),
        float(ratio(1, 0)),
    ],
)
def test_a_rate_with_a_zero_denominator_is_unknown(undefined: float) -> None:
    assert np.isnan(undefined)


def test_unknown_inputs_give_unknown_rates_and_leave_the_others_alone() -> None:
    rates = of_team("offensive_rating", points=[1.0, np.nan, 3.0], possessions=[2.0, 2.0, np.nan])
    np.testing.assert_array_equal(rates, [50.0, np.nan, np.nan])


lines = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 25), st.integers(0, 12), st.integers(1, 3000)),
    min_size=5,
    max_size=15,
)


@given(lines, st.integers(0, 6))
def test_usage_shares_of_a_team_sum_to_100_and_no_player_uses_more_than_all_of_it(
    team: list[tuple[int, ...]], overtimes: int
) -> None:
    shots, free_throws, turnovers, seconds = (
        np.array(column, dtype="float64") for column in zip(*team, strict=True)
    )
    plays = of_player("plays_used", fg_attempts=shots, ft_attempts=free_throws, turnovers=turnovers)
    minutes = of_team("team_minutes", overtime_periods=overtimes)
    usage = of_player(
        "usage_rate",
        plays_used=plays,
        seconds_played=seconds,
        team_plays_used=plays.sum(),
        team_minutes=minutes,
    )
    if plays.sum() == 0:
        assert np.isnan(usage).all()
        return
    assert (usage * (seconds / 60) / (minutes / 5)).sum() == pytest.approx(100.0)
    assert (usage <= usage_rate_bound(seconds, np.full(len(seconds), minutes)) * (1 + 1e-12)).all()
    assert (usage >= 0).all()


@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 25), st.data())
def test_shooting_percentages_stay_in_their_range(
    twos: int, threes: int, free_throws: int, data: st.DataObject
) -> None:
    two_makes, three_makes, ft_makes = (
        data.draw(st.integers(0, most)) for most in (twos, threes, free_throws)
    )
    attempts, makes = twos + threes, two_makes + three_makes
    points = 2 * two_makes + 3 * three_makes + ft_makes
    ts = of_player("ts_pct", points=points, fg_attempts=attempts, ft_attempts=free_throws)
    efg = of_player("efg_pct", fg_makes=makes, three_pt_makes=three_makes, fg_attempts=attempts)
    assert np.isnan(ts) == (attempts + free_throws == 0)
    assert np.isnan(efg) == (attempts == 0)
    assert np.isnan(ts) or 0 <= ts <= 1.5 + 1e-12
    assert np.isnan(efg) or 0 <= efg <= 1.5


def zones(threes: list[bool], labels: list[Any], distances: list[Any]) -> tuple[list[str], list[str]]:
    given = {
        "is_three": np.array(threes, dtype=bool),
        "zone_basic": np.array(labels, dtype=object),
        "distance_ft": np.array([np.nan if d is None else d for d in distances], dtype="float64"),
    }
    both = []
    for column in ("zone", "zone_method"):
        formula = statement_of(SHOTS, column)
        assert isinstance(formula, Formula)
        both.append(evaluate(formula.text, given).tolist())
    return both[0], both[1]


def test_the_zone_of_a_shot_and_how_it_was_decided() -> None:
    cases = [
        # is_three, label, distance, zone, method
        (True, None, None, "three", "label"),
        (True, "Mid-Range", 15, "three", "label"),  # worth three, whatever the label
        (False, "Restricted Area", 40, "paint", "label"),
        (False, "In The Paint (Non-RA)", 9, "paint", "label"),
        (False, "Mid-Range", 5, "mid_range", "label"),
        (False, "Left Corner 3", 22, "mid_range", "label"),  # a toe on the line
        (False, None, PAINT_MAX_DISTANCE_FT, "paint", "distance"),
        (False, None, PAINT_MAX_DISTANCE_FT + 1, "mid_range", "distance"),
        (False, None, None, "paint", "distance"),  # the play-by-play omits the distance of shots at the rim
    ]
    threes, labels, distances, where, methods = (list(c) for c in zip(*cases, strict=True))
    assert zones(threes, labels, distances) == (where, methods)


def test_no_shots_have_no_zones() -> None:
    assert zones([], [], []) == ([], [])
