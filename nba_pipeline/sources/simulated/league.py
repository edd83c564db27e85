"""The simulated league's fixed facts: teams, conferences, zones, and the seeded random streams.

Belongs here: what never changes from season to season, and ``stream``, the only way to obtain random numbers.
Does not belong here: anything drawn at random (players: ``rosters.py``, games: ``schedule.py`` and
``season.py``).
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

# In the order of the league's team ids, which run from 1610612737 without a gap.
_TEAM_ORDER = (
    "ATL BOS CLE NOP CHI DAL DEN GSW HOU LAC LAL MIA MIL MIN BKN NYK ORL IND PHI PHX POR SAC SAS OKC TOR UTA"
    " MEM WAS DET CHA"
)
TEAMS: Final = tuple(_TEAM_ORDER.split())
FIRST_TEAM_ID: Final = 1610612737
TEAM_IDS: Final = np.arange(FIRST_TEAM_ID, FIRST_TEAM_ID + len(TEAMS))

# Two conferences of three divisions of five.
DIVISIONS: Final = tuple(
    tuple(TEAMS.index(code) for code in division.split())
    for division in (
        "BOS BKN NYK PHI TOR",
        "CHI CLE DET IND MIL",
        "ATL CHA MIA ORL WAS",
        "DEN MIN OKC POR UTA",
        "GSW LAC LAL PHX SAC",
        "DAL HOU MEM NOP SAS",
    )
)
CONFERENCES: Final = tuple(tuple(t for d in DIVISIONS[3 * c : 3 * c + 3] for t in d) for c in (0, 1))

# The league's SHOT_ZONE_BASIC labels, in the order of every zone axis in this package.
ZONES: Final = (
    "Restricted Area",
    "In The Paint (Non-RA)",
    "Mid-Range",
    "Left Corner 3",
    "Right Corner 3",
    "Above the Break 3",
    "Backcourt",
)
IS_THREE: Final = np.array([False, False, False, True, True, True, True])

TYPE_DIGIT: Final = {"preseason": 1, "regular": 2, "all_star": 3, "playoffs": 4, "play_in": 5, "cup_final": 6}

PERIOD_SECONDS: Final = 720
OVERTIME_SECONDS: Final = 300
REGULATION_SECONDS: Final = 4 * PERIOD_SECONDS
PLAYERS_ON_COURT: Final = 5


def stream(seed: int, *path: int | str) -> np.random.Generator:
    """The random numbers of one purpose, e.g. ``stream(seed, 2023, "schedule")``.

    Every unit of work has its own stream, so that what is generated for it does not depend on what was
    generated before, nor on the process that does it. Words become numbers by CRC, because ``hash()`` differs
    between processes.
    """
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in path]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def nba_game_id(game_type: str, season_year: int, number: int) -> str:
    """The league's 10-digit id: two zeros, the type's digit, two digits of the season's first year, a serial
    number."""
    return f"00{TYPE_DIGIT[game_type]}{season_year % 100:02d}{number:05d}"
