"""The season calendar: known seasons, the rule for later ones, and the limits of a season."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from nba_pipeline.tables.calendar import (
    KNOWN_SEASONS,
    first_days,
    season,
    season_of,
    season_year_of,
    season_years,
)


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2021, 10, 1), 2021),
        (date(2022, 9, 30), 2021),
        (date(2022, 10, 1), 2022),
        (date(2024, 2, 29), 2023),
    ],
)
def test_a_season_runs_from_october_to_september(day: date, year: int) -> None:
    assert season_year_of(day) == year
    assert season_of(day).season_year == year
    assert season_of(day).first_day <= day <= season_of(day).last_day


def test_a_column_of_days_has_the_seasons_that_each_day_has() -> None:
    days = [
        date(2018, 9, 1) + timedelta(days=k) for k in range(2200)
    ]  # the shifted season of 2020 among them
    years = season_years(days)
    assert years.tolist() == [season_year_of(d) for d in days]
    assert first_days(years).tolist() == [season(int(year)).first_day for year in years]


@pytest.mark.parametrize("year", range(2021, 2045))
def test_opening_night_is_a_tuesday_and_the_last_finals_day_a_sunday(year: int) -> None:
    facts = season(year)
    assert facts.opening_day.weekday() == 1
    assert date(year, 10, 18) <= facts.opening_day <= date(year, 10, 24)
    assert facts.last_finals_day.weekday() == 6
    assert facts.first_day < facts.opening_day < facts.last_finals_day < facts.last_day


def test_known_seasons_are_as_announced() -> None:
    assert {y: (s.opening_day, s.last_finals_day) for y, s in KNOWN_SEASONS.items()}[2023] == (
        date(2023, 10, 24),
        date(2024, 6, 23),
    )
    assert season(2027).opening_day == date(2027, 10, 19)
    assert season(2027).last_finals_day == date(2028, 6, 18)


def test_in_play_is_from_opening_night_to_the_last_possible_finals_day() -> None:
    facts = season(2021)
    assert not facts.is_in_play(date(2021, 10, 18))
    assert facts.is_in_play(date(2021, 10, 19))
    assert facts.is_in_play(date(2022, 6, 19))
    assert not facts.is_in_play(date(2022, 6, 20))
