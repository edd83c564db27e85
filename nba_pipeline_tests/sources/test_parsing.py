"""Parsing of published texts: every way in which a playing time has been printed, ids, names, and the seconds
of 2021-22."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.sources import parsing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("38:34", 2314),
        ("0:00", 0),
        ("00:02", 2),
        ("17:60", 1080),  # published for 18:00
        ("57:00", 3420),  # three overtimes
        ("48.0", 2880),
        ("0.5", 30),
        ("PT36M12.00S", 2172),
        ("PT12.00S", 12),
        ("PT05M", 300),
        ("PT36M12.49S", 2172),
        ("PT36M12.50S", 2173),
        ("PT11M59.60S", 720),
        ("38:34.7", 2315),
        ("38.000000:34", 2314),
        (" 38:34 ", 2314),
    ],
)
def test_a_published_playing_time_is_exact_seconds(text: str, seconds: int) -> None:
    assert parsing.parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "0",
        "1",
        "31",
        "-79:0-6",
        "-5:00",
        "17:61",
        "1:2:3",
        "PT",
        "DNP",
        "nan",
        "1e3",
        "3:",
        ":30",
        "−3:00",
    ],
)
def test_what_is_no_duration_to_the_second_is_unknown_and_never_zero(text: str) -> None:
    assert math.isnan(parsing.parse_seconds(text))


@given(st.integers(0, 120), st.integers(0, 59))
def test_every_clock_reads_back(minutes: int, seconds: int) -> None:
    for text in (f"{minutes}:{seconds:02d}", f"PT{minutes:02d}M{seconds:02d}.00S"):
        assert parsing.parse_seconds(text) == 60 * minutes + seconds


@given(st.text(max_size=12))
def test_no_text_crashes_and_none_is_negative(text: str) -> None:
    seconds = parsing.parse_seconds(text)
    assert math.isnan(seconds) or seconds >= 0


def test_columns_of_texts_keep_their_nulls() -> None:
    seconds = parsing.seconds_of(pd.Series(["1:00", None, "", "1:00"]))
    np.testing.assert_array_equal(seconds, [60, np.nan, np.nan, 60])


@pytest.mark.parametrize(
    ("name", "lookup"),
    [
        ("Nikola Vučević", "nikolavucevic"),
        ("Luka Dončić", "lukadoncic"),
        ("P.J. Washington Jr.", "pjwashingtonjr"),
        ("Shai Gilgeous-Alexander", "shaigilgeousalexander"),
        ("D'Angelo Russell", "dangelorussell"),
        ("Đorđe Øster Łuk", "djordjeosterluk".replace("dj", "d")),
    ],
)
def test_a_lookup_name_has_letters_and_digits_only(name: str, lookup: str) -> None:
    assert parsing.player_lookup(name) == lookup


def test_a_game_id_is_date_away_home_and_its_third_digit_the_type() -> None:
    ids = parsing.game_ids(pd.Series(pd.to_datetime(["2024-03-07"])), pd.Series(["CHI"]), pd.Series(["GSW"]))
    assert ids.tolist() == ["20240307_CHI_GSW"]
    types = parsing.game_types(pd.Series([f"00{digit}2300001" for digit in "1234567"]))
    assert types.iloc[:6].tolist() == ["preseason", "regular", "all_star", "playoffs", "play_in", "cup_final"]
    assert types.iloc[6:].isna().all()


def reconciled(minutes: list[float], play_by_play: list[float]) -> tuple[list[float], list[bool]]:
    seconds, corrected = parsing.reconcile_seconds(
        pd.Series(minutes), pd.Series(play_by_play), pd.Series(["g"] * len(minutes))
    )
    return seconds.tolist(), corrected.tolist()


def test_agreeing_play_by_play_seconds_are_taken_as_they_are() -> None:
    assert reconciled([48, 48, 48, 48, 48], [2880, 2889, 2851, 2890, 2890]) == (
        [2880, 2889, 2851, 2890, 2890],
        [False] * 5,
    )


def test_one_contradicting_line_gets_what_the_team_leaves_over() -> None:
    minutes, play_by_play = (
        [48.0, 48.0, 48.0, 48.0, 32.0, 16.0],
        [
            2880.0,
            2880.0,
            2880.0,
            2880.0,
            1910.0,
            1300.0,
        ],
    )
    assert reconciled(minutes, play_by_play) == ([2880, 2880, 2880, 2880, 1910, 970], [False] * 5 + [True])


def test_overtime_is_counted_in_what_is_left_over() -> None:
    minutes, play_by_play = (
        [53.0, 53.0, 53.0, 53.0, 36.0, 17.0],
        [
            3180.0,
            3180.0,
            3180.0,
            3180.0,
            2160.0,
            200.0,
        ],
    )
    assert reconciled(minutes, play_by_play)[0][-1] == 14_400 + 1_500 - 4 * 3180 - 2160


def test_a_contradiction_that_cannot_be_resolved_is_unknown_not_a_guess() -> None:
    two_wrong, flags = reconciled([48, 48, 48, 48, 32, 16], [2880, 2880, 2880, 2880, 300, 1900])
    assert flags[-2:] == [True, True]
    assert np.isnan(two_wrong[-2:]).all()
    left_over_does_not_round, _ = reconciled([48, 48, 48, 48, 30, 16], [2880, 2880, 2880, 2880, 1800, 200])
    assert math.isnan(left_over_does_not_round[-1])


def test_missing_seconds_contradict_nothing() -> None:
    seconds, corrected = reconciled([48, 0], [2880, float("nan")])
    assert corrected == [False, False]
    assert math.isnan(seconds[1])
