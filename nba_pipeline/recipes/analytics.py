"""The analytics tables: which rows each has.

Belongs here: the recipe of each analytics table. Does not belong here: joins (``transforms/``), formulas (the
columns' declarations).
"""

from __future__ import annotations

from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.formula import last_days, season_to_date
from nba_pipeline.tables.names import BOXSCORES, CONTEXT, DEFENSE, GAMES, OFFENSE, PLAYERS, SHOTS
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.games import defending_sides, played_sides, player_lines
from nba_pipeline.transforms.slate import ROSTER_DAYS, population

_LINE = ("game_date", "nba_game_id", "team_abbr", "player_id", "player_name", "player_lookup")
_SHOT = ("game_date", "nba_game_id", "team_abbr", "player_id")
_CREDITED = (*_SHOT, "assist_player_id", "block_player_id")  # checks compare them with assists and blocks

ANALYTICS_RECIPES: tuple[Recipe, ...] = (
    Recipe(
        OFFENSE,
        rows=lambda frames, days: played_sides(frames[GAMES]),
        rows_from={GAMES: None, BOXSCORES: _LINE, SHOTS: _CREDITED},
        summary_columns=("pace", "points", "offensive_rating"),
    ),
    Recipe(
        DEFENSE,
        rows=lambda frames, days: defending_sides(frames[OFFENSE]),
        rows_from={OFFENSE: None, SHOTS: _SHOT},
        summary_columns=("defensive_rating",),
    ),
    Recipe(
        PLAYERS,
        rows=lambda frames, days: player_lines(frames[BOXSCORES], frames[OFFENSE]),
        rows_from={OFFENSE: None, BOXSCORES: _LINE, SHOTS: _CREDITED},
        carries=BOXSCORES,
        beside={"team_minutes": "usage_rate", "team_plays_used": "usage_rate"},  # for messages about usage
        summary_columns=("usage_rate", "points", "minutes_played"),
    ),
    Recipe(
        CONTEXT,
        rows=lambda frames, days: population(days, frames[GAMES], frames[PLAYERS], frames[OFFENSE]),
        rows_from={GAMES: None, f"<{PLAYERS}": None, f"<{OFFENSE}": None},
        rows_reach=(last_days(ROSTER_DAYS), season_to_date()),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("games_in_last_7_days",),
    ),
)
