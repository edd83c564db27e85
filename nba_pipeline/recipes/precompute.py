"""The precompute tables (phase 4): the slate of a day, history strictly before it, this transform, this
table.

Belongs here: the plan of each precompute table. Does not belong here: formulas and windows (``transforms/``).

Every table has an identity input (the schedule or the slate of the day) besides its look-back: the backfill
daemon reaches a day only through a parent partition that maps to it, and the first day of all has no day
before it (fact F10).
"""

from __future__ import annotations

from nba_pipeline.recipes.recipe import PLAYER_HISTORY, TEAM_HISTORY, Input, Recipe
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.tables.vocabulary import ZONES, EmptyReason
from nba_pipeline.transforms.ml_feature_store import ml_feature_store
from nba_pipeline.transforms.player_composite_factors import player_composite_factors
from nba_pipeline.transforms.player_daily_cache import player_daily_cache
from nba_pipeline.transforms.player_shot_zone_analysis import player_shot_zone_analysis
from nba_pipeline.transforms.team_defense_zone_analysis import team_defense_zone_analysis

GAMES = "nba_raw.games"
OFFENSE, DEFENSE = "nba_analytics.team_offense_game_summary", "nba_analytics.team_defense_game_summary"
PLAYERS, CONTEXT = "nba_analytics.player_game_summary", "nba_analytics.upcoming_player_game_context"
TEAM_ZONES, PLAYER_ZONES = (
    "nba_precompute.team_defense_zone_analysis",
    "nba_precompute.player_shot_zone_analysis",
)
COMPOSITES, CACHE = "nba_precompute.player_composite_factors", "nba_precompute.player_daily_cache"
FEATURES = "nba_precompute.ml_feature_store"


_ALLOWED = tuple(
    name for zone in ZONES for name in (f"opp_{zone}_makes", f"opp_{zone}_attempts", f"blocks_{zone}")
)
_DEFENSE_HISTORY = Input(
    DEFENSE, history=True, columns=("game_date", "team_abbr", *_ALLOWED, "points_allowed", "possessions")
)

PRECOMPUTE_RECIPES: tuple[Recipe, ...] = (
    Recipe(
        TEAM_ZONES,
        4,
        (
            Input(GAMES),
            _DEFENSE_HISTORY,
            TEAM_HISTORY,
        ),
        lambda source, frames, days: SourceFrame(
            team_defense_zone_analysis(days, frames[GAMES], frames[DEFENSE], frames[OFFENSE])
        ),
        summary_columns=("games_in_window_15",),
    ),
    Recipe(
        PLAYER_ZONES,
        5,
        (Input(CONTEXT), PLAYER_HISTORY),
        lambda source, frames, days: SourceFrame(
            player_shot_zone_analysis(days, frames[CONTEXT], frames[PLAYERS])
        ),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("games_in_window_10",),
    ),
    Recipe(
        COMPOSITES,
        6,
        (
            Input(CONTEXT),
            Input(PLAYER_ZONES),
            Input(TEAM_ZONES),
            PLAYER_HISTORY,
            TEAM_HISTORY,
        ),
        lambda source, frames, days: SourceFrame(
            player_composite_factors(
                days,
                frames[CONTEXT],
                frames[PLAYER_ZONES],
                frames[TEAM_ZONES],
                frames[PLAYERS],
                frames[OFFENSE],
            )
        ),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("fatigue_score", "data_completeness_pct"),
    ),
    Recipe(
        CACHE,
        6,
        (
            Input(CONTEXT),
            Input(PLAYER_ZONES),
            PLAYER_HISTORY,
            TEAM_HISTORY,
        ),
        lambda source, frames, days: SourceFrame(
            player_daily_cache(days, frames[CONTEXT], frames[PLAYER_ZONES], frames[PLAYERS], frames[OFFENSE])
        ),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("points_avg_last_10", "games_played_season"),
    ),
    Recipe(
        FEATURES,
        7,
        (
            Input(CONTEXT),
            Input(CACHE),
            Input(PLAYER_ZONES),
            Input(COMPOSITES),
            Input(TEAM_ZONES),
            PLAYER_HISTORY,
        ),
        lambda source, frames, days: SourceFrame(
            ml_feature_store(
                days,
                frames[CONTEXT],
                frames[CACHE],
                frames[PLAYER_ZONES],
                frames[COMPOSITES],
                frames[TEAM_ZONES],
                frames[PLAYERS],
            )
        ),
        empty_with_games=EmptyReason.NO_HISTORY,
        summary_columns=("feature_quality_score", "known_feature_count"),
    ),
)
