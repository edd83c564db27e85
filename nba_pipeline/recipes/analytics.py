"""The analytics tables: these inputs, this transform, this table.

Belongs here: the plan of each analytics table. Does not belong here: formulas and joins (``transforms/``).
"""

from __future__ import annotations

from nba_pipeline.recipes.recipe import PLAYER_HISTORY, TEAM_HISTORY, Input, Recipe
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.common import COUNTS
from nba_pipeline.transforms.player_game_summary import player_game_summary
from nba_pipeline.transforms.team_defense_game_summary import team_defense_game_summary
from nba_pipeline.transforms.team_offense_game_summary import team_offense_game_summary
from nba_pipeline.transforms.upcoming_player_game_context import upcoming_player_game_context

GAMES, BOXSCORES, SHOTS = "nba_raw.games", "nba_raw.player_boxscores", "nba_raw.shot_attempts"
OFFENSE, PLAYERS = "nba_analytics.team_offense_game_summary", "nba_analytics.player_game_summary"

_SHOT_COLUMNS = tuple(
    "game_date nba_game_id team_abbr player_id is_made zone assist_player_id block_player_id".split()
)
_LINE_COLUMNS = (
    *"game_date nba_game_id team_abbr player_id player_name player_lookup is_starter plus_minus"
    " seconds_played".split(),
    *COUNTS,
)

ANALYTICS_RECIPES: tuple[Recipe, ...] = (
    Recipe(
        OFFENSE,
        2,
        (Input(GAMES), Input(BOXSCORES, columns=_LINE_COLUMNS), Input(SHOTS, columns=_SHOT_COLUMNS)),
        lambda source, frames, days: SourceFrame(
            team_offense_game_summary(frames[GAMES], frames[BOXSCORES], frames[SHOTS])
        ),
        summary_columns=("pace", "points", "offensive_rating"),
    ),
    Recipe(
        "nba_analytics.team_defense_game_summary",
        3,
        (Input(OFFENSE), Input(SHOTS, columns=_SHOT_COLUMNS)),
        lambda source, frames, days: SourceFrame(team_defense_game_summary(frames[OFFENSE], frames[SHOTS])),
        summary_columns=("defensive_rating",),
    ),
    Recipe(
        PLAYERS,
        3,
        (Input(OFFENSE), Input(BOXSCORES, columns=_LINE_COLUMNS), Input(SHOTS, columns=_SHOT_COLUMNS)),
        lambda source, frames, days: SourceFrame(
            player_game_summary(frames[BOXSCORES], frames[OFFENSE], frames[SHOTS])
        ),
        summary_columns=("usage_rate", "points", "minutes_played"),
    ),
    Recipe(
        "nba_analytics.upcoming_player_game_context",
        4,
        (
            Input(GAMES),
            PLAYER_HISTORY,
            TEAM_HISTORY,
        ),
        lambda source, frames, days: SourceFrame(
            upcoming_player_game_context(days, frames[GAMES], frames[PLAYERS], frames[OFFENSE])
        ),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("games_in_last_7_days",),
    ),
)
