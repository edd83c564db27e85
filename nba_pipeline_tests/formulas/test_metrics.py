"""Formulas against known numbers and against identities that hold for every line of every game."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.formulas import possessions as m
from nba_pipeline.formulas import shooting
from nba_pipeline.formulas.zones import PAINT_MAX_DISTANCE_FT, shot_zones

QUINONES = {"plays_used": 1.0, "team_plays_used": 120.32, "team_minutes": 240.0}
"""L. Quinones in 20240307_CHI_GSW: one shot in two seconds, of Golden State's 120.32 plays."""


def test_the_usage_of_a_two_second_stint() -> None:
    exact = shooting.usage_rate(seconds_played=2, **QUINONES)
    assert exact == pytest.approx(1196.8085, abs=5e-5)
    assert round(float(exact), 2) == 1196.81
    rounded_minutes_first = shooting.usage_rate(seconds_played=60 * 0.03, **QUINONES)
    assert round(float(rounded_minutes_first), 2) == 1329.79


def test_pace_uses_the_minutes_played_so_that_overtime_is_right() -> None:
    assert m.pace(100.0, 240.0) == 100.0
    assert m.pace(100.0 * 53 / 48, 265.0) == pytest.approx(100.0)
    assert [float(m.overtime_periods(s)) for s in (0, 14_398, 14_404, 15_900, 17_401, 23_400)] == [
        0,
        0,
        0,
        1,
        2,
        6,
    ]
    assert [m.team_minutes(n) for n in (0, 1, 6)] == [240, 265, 390]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (shooting.true_shooting(0, 5, 0), 0.0),  # 0-for-5 is zero
        (shooting.true_shooting(2, 0, 2), 2 / (2 * 0.88)),  # free throws only has a TS%
        (shooting.true_shooting(3, 1, 0), 1.5),
        (shooting.effective_fg(1, 1, 1), 1.5),
        (shooting.per_36(3, 24), 270.0),  # has happened
        (m.rating(110, 100), 110.0),
        (m.turnover_pct(80, 25, 10), 10 / 101),
        (m.offensive_rebound_pct(10, 30), 0.25),
        (m.raw_possessions(88, 25, 10, 14), 103.0),
        (m.plays(88, 25, 14), 113.0),
    ],
)
def test_known_numbers(made: float, expected: float) -> None:
    assert float(made) == pytest.approx(expected)


def test_game_score_is_hollingers() -> None:
    names = (
        "points fg_makes fg_attempts ft_makes ft_attempts offensive_rebounds defensive_rebounds assists"
        " steals blocks personal_fouls turnovers"
    )
    line = dict(zip(names.split(), (30, 11, 20, 6, 8, 2, 6, 5, 2, 1, 3, 4), strict=True))
    assert shooting.game_score(line) == pytest.approx(
        30 + 4.4 - 14 - 0.8 + 1.4 + 1.8 + 2 + 3.5 + 0.7 - 1.2 - 4
    )


@pytest.mark.parametrize(
    "undefined",
    [
        shooting.true_shooting(0, 0, 0),
        shooting.effective_fg(0, 0, 0),
        shooting.usage_rate(1.0, 0, 100.0, 240.0),
        shooting.usage_rate(0.0, 600, 0.0, 240.0),
        shooting.usage_rate_bound(0, 240.0),
        shooting.per_36(2, 0),
        m.pace(100.0, 0.0),
        m.rating(100, 0),
        m.turnover_pct(0, 0, 0),
        m.offensive_rebound_pct(0, 0),
        m.ratio(0, 0),
        m.ratio(1, 0),
    ],
)
def test_a_rate_with_a_zero_denominator_is_unknown(undefined: float) -> None:
    assert np.isnan(undefined)


def test_unknown_inputs_give_unknown_rates_and_leave_the_others_alone() -> None:
    rates = m.ratio(pd.Series([1.0, np.nan, 3.0]), pd.Series([2.0, 2.0, np.nan]))
    np.testing.assert_array_equal(rates, [0.5, np.nan, np.nan])


def test_inputs_are_not_changed() -> None:
    columns = {name: pd.Series([3.0, 0.0, 7.0]) for name in ("a", "b", "c", "d")}
    before = {name: series.copy() for name, series in columns.items()}
    a, b, c, d = columns.values()
    shooting.usage_rate(a, b, c, d)
    shooting.usage_rate_bound(a, b)
    shooting.true_shooting(a, b, c)
    shooting.effective_fg(a, b, c)
    shooting.per_36(a, b)
    m.pace(a, b)
    m.raw_possessions(a, b, c, d)
    m.overtime_periods(a)
    for name, series in columns.items():
        pd.testing.assert_series_equal(series, before[name])


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
    plays = m.plays(shots, free_throws, turnovers)
    minutes = m.team_minutes(overtimes)
    usage = shooting.usage_rate(plays, seconds, plays.sum(), minutes)
    if plays.sum() == 0:
        assert np.isnan(usage).all()
        return
    assert (usage * (seconds / 60) / (minutes / 5)).sum() == pytest.approx(100.0)
    assert (usage <= shooting.usage_rate_bound(seconds, minutes) * (1 + 1e-12)).all()
    assert (usage >= 0).all()


@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 25), st.data())
def test_shooting_percentages_stay_in_their_range(
    twos: int, threes: int, free_throws: int, data: st.DataObject
) -> None:
    two_makes, three_makes, ft_makes = (
        data.draw(st.integers(0, most)) for most in (twos, threes, free_throws)
    )
    points = 2 * two_makes + 3 * three_makes + ft_makes
    ts = float(shooting.true_shooting(points, twos + threes, free_throws))
    efg = float(shooting.effective_fg(two_makes + three_makes, three_makes, twos + threes))
    assert np.isnan(ts) == (twos + threes + free_throws == 0)
    assert np.isnan(efg) == (twos + threes == 0)
    assert np.isnan(ts) or 0 <= ts <= 1.5 + 1e-12
    assert np.isnan(efg) or 0 <= efg <= 1.5


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
        (
            False,
            None,
            None,
            "paint",
            "distance",
        ),  # the play-by-play leaves out the distance of shots at the rim
    ]
    threes, labels, distances, zones, methods = zip(*cases, strict=True)
    zone, method = shot_zones(
        list(threes), pd.Series(labels, dtype=object), pd.Series(distances, dtype="Int64")
    )
    assert (zone.tolist(), method.tolist()) == (list(zones), list(methods))


def test_no_shots_have_no_zones() -> None:
    zone, method = shot_zones([], pd.Series([], dtype=object), pd.Series([], dtype="Int64"))
    assert (len(zone), len(method)) == (0, 0)
