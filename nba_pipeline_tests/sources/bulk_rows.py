"""A row of each file of a bulk folder, to be given one oddity.

Belongs here: what several test modules of the bulk source share. Does not belong here: tests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd

from nba_pipeline.sources.bulk.source import BulkSource

DAY, NEXT_DAY = date(2024, 3, 7), date(2024, 3, 8)


GAME = {
    "game_id": "0022300907",
    "game_code": "20240307/CHIGSW",
    "game_date": "2024-03-07",
    "season": "2023-24",
    "home_team": "GSW",
    "away_team": "CHI",
    "home_team_id": 1610612744,
    "away_team_id": 1610612741,
    "home_score": 120,
    "away_score": 125,
    "played": True,
    "is_neutral": "False",
    "postponed_status": None,
}


ZEROS = dict.fromkeys(
    [
        "field_goals_made",
        "field_goals_attempted",
        "three_pointers_made",
        "three_pointers_attempted",
        "free_throws_made",
        "free_throws_attempted",
        "rebounds_offensive",
        "rebounds_defensive",
        "assists",
        "steals",
        "blocks",
        "turnovers",
        "fouls_personal",
        "points",
        "plus_minus_points",
    ],
    0,
)


LINE = {
    "season": "2023-24",
    "game_id": "0022300907",
    "game_date": "2024-03-07",
    "home_away": "home",
    "team_id": 1610612744,
    "team_tricode": "GSW",
    "person_id": 1,
    "player_name": "Ann Őne",
    "is_starter": True,
    "comment": "",
    "minutes": "38:34",
    "seconds_pbp": None,
    **ZEROS,
    "points": 2,
    "field_goals_made": 1,
    "field_goals_attempted": 1,
}


SHOT = {
    "GAME_ID": "0022300907",
    "GAME_DATE": "2024-03-07",
    "GAME_EVENT_ID": 7,
    "PERIOD": 1,
    "MINUTES_REMAINING": 11,
    "SECONDS_REMAINING": 40,
    "PLAYER_ID": 1,
    "TEAM_ABBREVIATION": "GSW",
    "SHOT_MADE_FLAG": 1,
    "IS_THREE": False,
    "ASSIST_PLAYER_ID": None,
    "BLOCK_PLAYER_ID": None,
    "PBP_DISTANCE": None,
    "SHOT_DISTANCE": 3,
}


Folder = Callable[..., BulkSource]


def reasons(unusable: pd.DataFrame) -> dict[str, tuple[int, str]]:
    """reason -> (count, sample)"""
    return {
        reason: (count, sample)
        for reason, count, sample in unusable[["reason", "count", "sample"]].itertuples(
            index=False, name=None
        )
    }


NEXT_GAME = {**GAME, "game_id": "0022300908", "game_code": None, "game_date": "2024-03-08"}
