"""nba_precompute.ml_feature_store: one FLOAT64 column per feature for each slate player, and how complete the
row is.

Belongs here: that one table: gathering features under their names, the few that only it needs, and their
bookkeeping. Does not belong here: selecting history (``windows.py``), labels (the training export joins
them), defaults for what is unknown: an unknown feature is NULL and is named in ``missing_features``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.formulas.possessions import ratio
from nba_pipeline.formulas.versions import code_version, columns_version
from nba_pipeline.formulas.windows import head_to_head, last_games, season_to_date
from nba_pipeline.tables.precompute import FEATURE_NAMES, ML_FEATURE_STORE
from nba_pipeline.transforms.player_composite_factors import names_where
from nba_pipeline.transforms.player_history import OPPONENT_TEAM, SAME_PLAYER, appearances, looked_up, rows_of
from nba_pipeline.transforms.shaping import floats, shaped, texts

REST_LIMIT_DAYS = 2.0
TREND_GAMES = (2, 5)
"""recent_trend compares the last 2 games with the 3 before them; below 5 games it is NULL."""
TRAINING_LEAST_GAMES = 5

PLAYER_HISTORY_FEATURES = [
    "points_avg_last_5",
    "points_avg_last_10",
    "points_avg_season",
    "points_std_last_10",
    "recent_trend",
    "minutes_change",
    "paint_rate",
    "mid_range_rate",
    "three_rate",
    "free_throw_points_share",
    "minutes_avg_last_10",
    "minutes_ewma",
    "minutes_std_last_10",
    "points_ewma",
    "points_per_minute_last_10",
    "points_slope_last_10",
    "points_avg_last_3",
    "usage_rate_last_10",
    "usage_rate_last_3",
    "start_rate_last_10",
]
"""Features of the player's own season, all needed for training. The head-to-head average is not among them:
most pairs of player and opponent have not met within a year."""

_SAME_NAME = {
    "context": ["games_in_last_7_days", "is_home", "is_back_to_back", "days_rest"],
    "cache": [
        "points_avg_last_3",
        "points_avg_last_5",
        "points_avg_last_10",
        "points_avg_season",
        "points_std_last_10",
        "minutes_avg_last_10",
        "minutes_ewma",
        "minutes_std_last_10",
        "points_ewma",
        "points_per_minute_last_10",
        "points_slope_last_10",
        "usage_rate_last_10",
        "usage_rate_last_3",
        "start_rate_last_10",
        "games_played_season",
    ],
    "composites": ["fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score"],
}
_RENAMED = {
    "context": {"opponent_pace_last_10": "opponent_pace"},
    "shot_zones": {f"{zone}_rate_last_10": f"{zone}_rate" for zone in ("paint", "mid_range", "three")},
    "cache": {
        "free_throw_points_share_last_10": "free_throw_points_share",
        "team_pace_last_10": "team_pace",
        "team_offensive_rating_last_10": "team_offensive_rating",
        "team_win_pct_season": "team_win_pct",
    },
    "team_defense": {"defensive_rating_last_15": "opponent_defensive_rating"},
}
TAKEN_OVER = {
    name: {**_RENAMED.get(name, {}), **{column: column for column in _SAME_NAME.get(name, ())}}
    for name in ("context", "shot_zones", "cache", "composites", "team_defense")
}
"""Input -> its columns that are features, each with the feature's name."""

_FORMULAS = tuple(
    f"nba_pipeline.{module}"
    for module in [
        "transforms.ml_feature_store",
        "transforms.player_daily_cache",
        "transforms.player_composite_factors",
        "transforms.player_shot_zone_analysis",
        "transforms.team_defense_zone_analysis",
        "transforms.upcoming_player_game_context",
        "transforms.player_history",
        "formulas.windows",
        "formulas.possessions",
        "formulas.shooting",
    ]
)


def feature_version() -> str:
    """``f<number of features>-<digest of their declarations>-<digest of the code behind them>``."""
    declared = columns_version(ML_FEATURE_STORE.column(name) for name in FEATURE_NAMES)
    return f"f{len(FEATURE_NAMES)}-{declared}-{code_version(*_FORMULAS)}"


def ml_feature_store(
    days: Sequence[date],
    context: pd.DataFrame,
    cache: pd.DataFrame,
    shot_zones: pd.DataFrame,
    composites: pd.DataFrame,
    team_defense: pd.DataFrame,
    player_games: pd.DataFrame,
) -> pd.DataFrame:
    """One row per row of ``context`` on ``days``, columns of the table, unrounded, in key order.

    ``context``: nba_analytics.upcoming_player_game_context of ``days``; ``cache``, ``shot_zones``,
    ``composites``, ``team_defense``: player_daily_cache, player_shot_zone_analysis, player_composite_factors
    and team_defense_zone_analysis of ``days``; ``player_games``: history of nba_analytics.player_game_summary
    (game_date, player_id, team_abbr, opponent_team_abbr, seconds_played, points). A row that one of the day's
    tables lacks has NULL features.
    """
    rows = rows_of(days, context)
    tables = {
        "context": context,
        "cache": cache,
        "shot_zones": shot_zones,
        "composites": composites,
        "team_defense": team_defense,
    }
    features: dict[str, np.ndarray] = {}
    for name, table in tables.items():
        features |= _gathered(name, rows, table)
    features |= _slate_features(rows) | _history_features(rows, player_games)
    ids = {
        str(name): rows[name]
        for name in ("game_date", "player_id", "player_lookup", "game_id", "team_abbr", "opponent_team_abbr")
    }
    version = np.full(len(rows), feature_version(), dtype=object)
    return shaped(ML_FEATURE_STORE, {**ids, **features, **_quality(features), "feature_version": version})


def _gathered(name: str, rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Features that are columns of another table of the day."""
    sources = TAKEN_OVER[name]
    found = looked_up(rows, table, OPPONENT_TEAM if name == "team_defense" else SAME_PLAYER, sources)
    return {feature: floats(found[source]) for source, feature in sources.items()}


def _slate_features(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    rest = floats(rows["days_rest"]) - floats(rows["opponent_days_rest"])
    return {
        "rest_advantage": np.clip(rest, -REST_LIMIT_DAYS, REST_LIMIT_DAYS),
        "is_playoff": (texts(rows["game_type"]) == "playoffs").astype("float64"),
    }


def _history_features(rows: pd.DataFrame, player_games: pd.DataFrame) -> dict[str, np.ndarray]:
    history = appearances(player_games)
    recent, both = (history.before(rows, last_games(n)) for n in TREND_GAMES)
    earlier = ratio(both.total("points") - recent.total("points"), both.games - recent.games)
    season, ten = history.before(rows, season_to_date()), history.before(rows, last_games(10))
    usual = season.mean("seconds_played")
    met = appearances(player_games, ["player_id", "opponent_team_abbr"]).before(rows, head_to_head())
    return {
        "minutes_change": ratio(ten.mean("seconds_played") - usual, usual),
        "recent_trend": np.where(both.games == TREND_GAMES[1], recent.mean("points") - earlier, np.nan),
        "points_vs_opponent_avg": met.mean("points"),
        "games_vs_opponent": met.games.astype("float64"),
        "games_since_team_change": np.nan_to_num(season.at_latest(history.run_lengths("team_abbr")), nan=0.0),
    }


def _quality(features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    matrix = np.column_stack([features[name] for name in FEATURE_NAMES])
    unknown = np.isnan(matrix)
    known = (~unknown).sum(axis=1)
    own = unknown[:, [FEATURE_NAMES.index(name) for name in PLAYER_HISTORY_FEATURES]]
    return {
        "known_feature_count": known,
        "missing_features": names_where(unknown, FEATURE_NAMES),
        "feature_quality_score": 100.0 * known / len(FEATURE_NAMES),
        "is_training_ready": (features["games_played_season"] >= TRAINING_LEAST_GAMES) & ~own.any(axis=1),
    }
