"""The season calendar: which NBA season a date belongs to, and the days on which it opens and can last end.

Belongs here: ``Season`` and the questions ``season_of``, ``season_year_of`` and ``days_in_play``. Does not
belong here: which games are on which day (that is data: ``nba_raw.games``) and the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

FIRST_MONTH = 10  # a season is Oct 1 .. Sep 30
SHIFTED = {2020: date(2020, 12, 1)}
"""Seasons that do not begin in October -> the day from which on days are theirs: the Finals of 2019-20 were
played until 11 October 2020, the preseason of 2020-21 began on 11 December."""

_TUESDAY, _SUNDAY = 1, 6


@dataclass(frozen=True)
class Season:
    """One season: ``season_year`` is the year in which it starts; both days are US Eastern calendar dates.

    ``opening_day`` is the first day of the regular season, ``last_finals_day`` the day of a seventh Finals
    game.
    """

    season_year: int
    opening_day: date
    last_finals_day: date

    @property
    def first_day(self) -> date:
        """October 1, with the exceptions of ``SHIFTED``: from here on a day counts as this
        season's, preseason included."""
        return first_day(self.season_year)

    @property
    def last_day(self) -> date:
        """The day before the next season's first one."""
        return first_day(self.season_year + 1) - timedelta(days=1)

    def is_in_play(self, day: date) -> bool:
        """Whether competitive games can take place on ``day``; False in the preseason and the off-season."""
        return self.opening_day <= day <= self.last_finals_day


KNOWN_SEASONS: dict[int, Season] = {
    season.season_year: season
    for season in (
        Season(2019, date(2019, 10, 22), date(2020, 10, 13)),
        Season(2020, date(2020, 12, 22), date(2021, 7, 22)),
        Season(2021, date(2021, 10, 19), date(2022, 6, 19)),
        Season(2022, date(2022, 10, 18), date(2023, 6, 18)),
        Season(2023, date(2023, 10, 24), date(2024, 6, 23)),
        Season(2024, date(2024, 10, 22), date(2025, 6, 22)),
        Season(2025, date(2025, 10, 21), date(2026, 6, 21)),
        Season(2026, date(2026, 10, 20), date(2027, 6, 20)),
    )
}


def first_day(season_year: int) -> date:
    """The first day that counts as the season's."""
    return SHIFTED.get(season_year, date(season_year, FIRST_MONTH, 1))


def season_year_of(day: date) -> int:
    """The year in which the season of ``day`` starts, by the calendar. A game's own season is in its id."""
    return day.year if day >= first_day(day.year) else day.year - 1


def season_years(days: Any) -> np.ndarray:
    """``season_year_of`` (int64) of each date of a column or sequence; none of them may be missing."""
    days = np.asarray(days, dtype="datetime64[D]")
    years = days.astype("datetime64[Y]").astype("int64") + 1970
    return years - (days < first_days(years))


def first_days(season_years: np.ndarray) -> np.ndarray:
    """``first_day`` (datetime64[D]) of each season."""
    months = (season_years - 1970) * 12 + (FIRST_MONTH - 1)
    days = months.astype("datetime64[M]").astype("datetime64[D]")
    for year, first in SHIFTED.items():
        days = np.where(season_years == year, np.datetime64(first), days)
    return days


def season(season_year: int) -> Season:
    """The season that starts in ``season_year``: as announced where known, otherwise by the league's custom
    (Tuesday on or after October 18, Sunday on or before June 22)."""
    if season_year in KNOWN_SEASONS:
        return KNOWN_SEASONS[season_year]
    opening, last = date(season_year, 10, 18), date(season_year + 1, 6, 22)
    return Season(
        season_year,
        opening + timedelta(days=(_TUESDAY - opening.weekday()) % 7),
        last - timedelta(days=(last.weekday() - _SUNDAY) % 7),
    )


def season_of(day: date) -> Season:
    """The season that ``day`` belongs to (Oct 1 .. Sep 30)."""
    return season(season_year_of(day))


def days_in_play(first: date, last: date) -> int:
    """On how many days from ``first`` to ``last`` competitive games can take place."""
    seasons = [season(year) for year in range(season_year_of(first), season_year_of(last) + 1)]
    return sum(max(0, (min(last, s.last_finals_day) - max(first, s.opening_day)).days + 1) for s in seasons)
