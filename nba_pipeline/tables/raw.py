"""Declarations of ``nba_raw``: sources as published, typed, nothing removed but what cannot be typed.

Belongs here: the raw tables. Does not belong here: column definitions (``columns/``) or anything computed
from rows.
"""

from __future__ import annotations

from nba_pipeline.tables.columns import COLUMNS
from nba_pipeline.tables.spec import Table, pick
from nba_pipeline.tables.vocabulary import GAME_STATUSES, PLAYER_STATUSES

_COUNTS = (
    "fg_makes fg_attempts three_pt_makes three_pt_attempts ft_makes ft_attempts offensive_rebounds"
    " defensive_rebounds assists steals blocks turnovers personal_fouls points plus_minus"
).split()

GAMES = Table(
    dataset="nba_raw",
    name="games",
    description=(
        "The schedule with its results: every game of every kind, on the date on which it was finally played."
    ),
    grain="one row per scheduled game",
    phase="raw",
    key=("nba_game_id",),
    columns=pick(
        COLUMNS,
        (
            "game_id nba_game_id game_date season_year game_type home_team_abbr away_team_abbr home_team_id"
            " away_team_id home_score away_score status is_neutral source"
        ).split(),
    ),
).with_column("status", allowed=GAME_STATUSES)

PLAYER_BOXSCORES = Table(
    dataset="nba_raw",
    name="player_boxscores",
    description=(
        "Box score lines as published, of every kind of game, players who did not play included (with NULL"
        " counts)."
    ),
    grain="one row per player and game",
    phase="raw",
    key=("nba_game_id", "player_id"),
    columns=pick(
        COLUMNS,
        [
            *(
                "game_id nba_game_id game_date team_id team_abbr opponent_team_abbr is_home player_id"
                " player_name player_lookup is_starter status comment minutes_text seconds_played"
                " seconds_source"
            ).split(),
            *_COUNTS,
        ],
        nullable=_COUNTS,
    ),
).with_column("status", allowed=PLAYER_STATUSES)

SHOT_ATTEMPTS = Table(
    dataset="nba_raw",
    name="shot_attempts",
    description=(
        "Every field goal attempt that the source publishes, with the league's zone label where there is one."
    ),
    grain="one row per field goal attempt",
    phase="raw",
    key=("nba_game_id", "event_id"),
    columns=pick(
        COLUMNS,
        (
            "game_id nba_game_id game_date event_id period seconds_remaining team_abbr player_id is_made"
            " is_three distance_ft loc_x loc_y zone_basic zone zone_method assist_player_id block_player_id"
        ).split(),
    ),
)

RAW_TABLES: tuple[Table, ...] = (GAMES, PLAYER_BOXSCORES, SHOT_ATTEMPTS)
