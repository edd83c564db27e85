"""Names of the endpoints that the pipeline can use, as the archive has them, and their keys.

Belongs here: names, providers, keys and seasons. Does not belong here: addresses and parameters
(``operations/``), the shape of an answer (``shapes.py``).
"""

from __future__ import annotations

import re
from enum import StrEnum

from nba_pipeline.sources.archive.archive import Place

_GAME = re.compile(r"00\d{8}")


class Provider(StrEnum):
    """Who answers; each can fill the raw tables without the other."""

    STATS = "stats"
    CDN = "cdn"


class Endpoint(StrEnum):
    """An endpoint. Keys: a game's 10-digit id for boxes and play-by-plays, a season (``2024-25``) for
    schedules; the caller's choice for logs (``Regular-Season_P_2025-03-01_2025-03-14``) and for the
    scoreboard (its date)."""

    STATS_BOX = "boxscoretraditionalv3"
    STATS_PLAYS = "playbyplayv3"
    STATS_SCHEDULE = "scheduleleaguev2"
    STATS_LOG = "leaguegamelog"
    CDN_BOX = "cdn_boxscore"
    CDN_PLAYS = "cdn_playbyplay"
    CDN_SCHEDULE = "cdn_schedule"
    CDN_SCOREBOARD = "cdn_scoreboard"

    @property
    def provider(self) -> Provider:
        return Provider.CDN if self.startswith("cdn_") else Provider.STATS

    @property
    def of_game(self) -> bool:
        """Whether the key is a game's id."""
        return self in GAME_ENDPOINTS


BOXES = {Provider.STATS: Endpoint.STATS_BOX, Provider.CDN: Endpoint.CDN_BOX}
PLAYS = {Provider.STATS: Endpoint.STATS_PLAYS, Provider.CDN: Endpoint.CDN_PLAYS}
SCHEDULES = {Provider.STATS: Endpoint.STATS_SCHEDULE, Provider.CDN: Endpoint.CDN_SCHEDULE}
GAME_ENDPOINTS = frozenset({*BOXES.values(), *PLAYS.values()})


def season_of_game(game_id: str) -> str:
    """``0022400695`` -> ``2024-25``. Raises ValueError for what is no id of a game."""
    if not _GAME.fullmatch(game_id):
        raise ValueError(f"{game_id!r} is no game id of the league: ten digits that begin with 00")
    year = int(game_id[3:5])
    year += 1900 if year >= 46 else 2000  # the league's first season is 1946-47
    return f"{year}-{(year + 1) % 100:02d}"


def game_place(endpoint: Endpoint, game_id: str) -> Place:
    """Where the archive has a game's answer."""
    return Place(season_of_game(game_id), endpoint.value, game_id)
