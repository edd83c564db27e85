"""What goes wrong in the demo: the days, the source's faults and the column that was declared too small.

Belongs here: facts of the replayed incident. Does not belong here: what the pipeline does about them
(``story.py``).
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_pipeline.demo.faulty import Fault, FaultySource
from nba_pipeline.ranges import span
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.names import BOXSCORES, PLAYERS
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric

FIRST, LAST = date(2024, 2, 12), date(2024, 3, 12)
DAYS = span(FIRST, LAST)
EXHIBITION = date(2024, 2, 16)
"""Rising Stars: the simulated league publishes minutes such as "-77:0-0" there, as the real one did."""
PARTIAL = date(2024, 2, 28)
OUTAGE = date(2024, 3, 3)
STINT = date(2024, 3, 7)
"""In the real incident this day had the only true value of three seasons that NUMERIC(5,2) could not hold."""
NARROW = TABLES.with_column(PLAYERS, "usage_rate", type=numeric(5, 2))
STINT_SECONDS = 2


def incident_source() -> FaultySource:
    """The simulated league on the days of the incident. The two-second stint is true: it is the one fault
    nobody heals."""
    faults = {
        PARTIAL: Fault("half a team is missing", BOXSCORES, half_a_team),
        OUTAGE: Fault("the source is down", BOXSCORES, None),
        STINT: Fault("two seconds of playing time", BOXSCORES, two_second_stint),
    }
    return FaultySource(SimulatedSource(first_day=FIRST), faults)


def half_a_team(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    """Every other line of the home team's players is lost on the way."""
    home = game[game["is_home"].astype(bool) & (game["seconds_played"].astype("float64").fillna(0) > 0)]
    return frame.drop(index=home.index[::2])


def two_second_stint(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    """A substitute who took part in one play or two did so within two seconds; a team-mate has the rest of
    his time.

    Nothing else changes, so every sum still adds up: the line is unusual, and true.
    """
    seconds = game["seconds_played"].astype("float64").fillna(0)
    plays = (game["fg_attempts"] + 0.44 * game["ft_attempts"] + game["turnovers"]).astype("float64").fillna(0)
    short = seconds[plays.between(1, 3) & (seconds > 0) & ~game["is_starter"].astype(bool)].idxmin()
    mates = game["team_abbr"].eq(game.at[short, "team_abbr"]) & (seconds > 0)
    longest = 48 * 60 - (seconds[short] - STINT_SECONDS)
    mate = seconds[mates & (seconds <= longest) & (seconds.index != short)].idxmax()
    times = {short: STINT_SECONDS, mate: int(seconds[mate] + seconds[short] - STINT_SECONDS)}
    changed = frame.copy()
    for label, time in times.items():
        changed.loc[label, "seconds_played"] = time
        changed.loc[label, "minutes_text"] = f"{time // 60}:{time % 60:02d}"
    return changed
