"""The closed vocabularies of the data: teams, game types, states, zones and the reasons for an empty day.

Belongs here: code lists that several tables, sources or checks share. Standard library only.
Does not belong here: column declarations (``columns/``) and season dates (``calendar.py``).
"""

from __future__ import annotations

from enum import StrEnum

GAME_TYPE_BY_DIGIT = {
    "1": "preseason",
    "2": "regular",
    "3": "all_star",
    "4": "playoffs",
    "5": "play_in",
    "6": "cup_final",
}
"""Third digit of the league's game id -> game type. All-Star covers the All-Star Game and Rising Stars."""

GAME_TYPES = tuple(GAME_TYPE_BY_DIGIT.values())
COMPETITIVE_GAME_TYPES = ("regular", "cup_final", "play_in", "playoffs")
GAME_STATUSES = ("scheduled", "final", "postponed", "cancelled", "not_needed")
PLAYER_STATUSES = ("played", "dnp", "inactive")
SECONDS_SOURCES = ("official", "play_by_play")
ZONES = ("paint", "mid_range", "three")
ZONE_METHODS = ("label", "distance")
PAINT_LABELS = ("Restricted Area", "In The Paint (Non-RA)")
"""SHOT_ZONE_BASIC labels inside the lane; every other two-point label is `mid_range`."""

ZONE_LABELS = (
    *PAINT_LABELS,
    "Mid-Range",
    "Left Corner 3",
    "Right Corner 3",
    "Above the Break 3",
    "Backcourt",
)


class EmptyReason(StrEnum):
    """Why a materialized day has no rows."""

    OFF_DAY = "off_day"
    OFF_SEASON = "off_season"
    EXHIBITION_ONLY = "exhibition_only"
    POSTPONED = "postponed"
    NOT_PUBLISHED = "not_published"
    """Games were played, but the source publishes nothing of this kind for them (shots of play-in games)."""
    NOT_PLAYED_YET = "not_played_yet"
    """Games are scheduled, and their results are not due yet (today's slate)."""
    DECLARED_GAP = "declared_gap"
    """Games were played, but all of them are declared gaps: what is missing of them will never come."""
    NO_HISTORY = "no_history"
    """Games are scheduled, but nothing before the day is known (the first days of the pipeline)."""


TEAM_IDS: dict[str, int] = {
    "ATL": 1610612737,
    "BOS": 1610612738,
    "BKN": 1610612751,
    "CHA": 1610612766,
    "CHI": 1610612741,
    "CLE": 1610612739,
    "DAL": 1610612742,
    "DEN": 1610612743,
    "DET": 1610612765,
    "GSW": 1610612744,
    "HOU": 1610612745,
    "IND": 1610612754,
    "LAC": 1610612746,
    "LAL": 1610612747,
    "MEM": 1610612763,
    "MIA": 1610612748,
    "MIL": 1610612749,
    "MIN": 1610612750,
    "NOP": 1610612740,
    "NYK": 1610612752,
    "OKC": 1610612760,
    "ORL": 1610612753,
    "PHI": 1610612755,
    "PHX": 1610612756,
    "POR": 1610612757,
    "SAC": 1610612758,
    "SAS": 1610612759,
    "TOR": 1610612761,
    "UTA": 1610612762,
    "WAS": 1610612764,
}
"""The thirty teams of the league and their stats.nba.com ids."""
