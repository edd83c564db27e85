"""The tables' full names, as constants.

Belongs here: one constant per table. Does not belong here: anything about a table (``registry.py`` has them
all).
"""

from __future__ import annotations

GAMES = "nba_raw.games"
BOXSCORES = "nba_raw.player_boxscores"
SHOTS = "nba_raw.shot_attempts"
OFFENSE = "nba_analytics.team_offense_game_summary"
DEFENSE = "nba_analytics.team_defense_game_summary"
PLAYERS = "nba_analytics.player_game_summary"
CONTEXT = "nba_analytics.upcoming_player_game_context"
TEAM_ZONES = "nba_precompute.team_defense_zone_analysis"
PLAYER_ZONES = "nba_precompute.player_shot_zone_analysis"
COMPOSITES = "nba_precompute.player_composite_factors"
CACHE = "nba_precompute.player_daily_cache"
FEATURES = "nba_precompute.ml_feature_store"
