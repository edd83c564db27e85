"""What day it is for the league: US Eastern days, and when the results of a day must be there.

Belongs here: the only questions that the pipeline asks a clock about games. Standard library only.
Does not belong here: season dates (``tables/calendar.py``), Dagster's partitions (``partitions.py``).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = "America/New_York"
"""game_date is the US Eastern date of the slate, so a day ends when it ends there."""

RESULTS_BY = timedelta(hours=6)
"""After midnight: games of the West coast end around 1:30, with overtime later. The morning schedule runs
half an hour after."""


def now() -> datetime:
    """The time in New York."""
    return datetime.now(ZoneInfo(TIMEZONE))


def today() -> date:
    """The date in New York."""
    return now().date()


def results_due(moment: datetime | None = None) -> date:
    """The newest day whose games must be over at ``moment`` (with a time zone; by default now): from 06:00 on
    the day before, until then the one before that. Games of later days may still be to be played."""
    eastern = (moment or now()).astimezone(ZoneInfo(TIMEZONE))
    # On the wall clock: on the nights that clocks change, six hours of time are not six hours of the day.
    return (eastern.replace(tzinfo=None) - RESULTS_BY).date() - timedelta(days=1)
