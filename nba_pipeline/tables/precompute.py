"""Declarations of ``nba_precompute`` (phase 4): what is known of D's teams and players the day before, and
the features.

Belongs here: the precompute tables and the list of features. Does not belong here: column definitions
(``columns/``) or how values are computed (``transforms/``).
"""

from __future__ import annotations

from dataclasses import replace

from nba_pipeline.tables.columns import COLUMNS
from nba_pipeline.tables.columns.features import FEATURE_NAMES
from nba_pipeline.tables.columns.zones import PLAYER_QUALITY, TEAM_QUALITY, graded
from nba_pipeline.tables.formula import Relation, taken
from nba_pipeline.tables.names import CACHE, COMPOSITES, CONTEXT, PLAYER_ZONES
from nba_pipeline.tables.spec import FLOAT64, Column, Kind, Table, pick
from nba_pipeline.tables.vocabulary import ZONES

_SLATE = ["game_date", "player_id", "player_lookup", "game_id", "team_abbr", "opponent_team_abbr"]

SCHEDULE_LOAD = [
    "days_rest",
    "is_back_to_back",
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "back_to_backs_in_last_14_days",
    "avg_minutes_last_7_days",
]
"""Columns of the slate context that player_daily_cache repeats."""

SHOT_MIX = [
    "paint_rate_last_10",
    "mid_range_rate_last_10",
    "three_rate_last_10",
    "assisted_rate_last_10",
    "primary_scoring_zone",
]
"""Columns of player_shot_zone_analysis that player_daily_cache repeats."""

_FEATURES_OF = {
    CONTEXT: "games_in_last_7_days is_home is_back_to_back days_rest".split(),
    COMPOSITES: "fatigue_score shot_zone_mismatch_score pace_score usage_spike_score".split(),
}
"""Where features that are columns of another table under the same name are taken from; the others are of the
cache."""


def _as_feature(column: Column) -> Column:
    """The column as a feature: FLOAT64 and nullable, because a feature that is unknown is NULL and not a
    default. A column of another table is taken from there."""
    if column.type == FLOAT64:
        return column
    table = next((name for name, columns in _FEATURES_OF.items() if column.name in columns), CACHE)
    column = replace(column, formula=taken(table, column.name, Relation.PLAYER))
    if column.type.kind is Kind.BOOL:
        return replace(
            column,
            type=FLOAT64,
            nullable=True,
            unit="flag",
            minimum=0,
            maximum=1,
            description=f"1 or 0: {column.description}",
        )
    return replace(column, type=FLOAT64, nullable=True)


TEAM_DEFENSE_ZONE_ANALYSIS = Table(
    dataset="nba_precompute",
    phase="precompute",
    name="team_defense_zone_analysis",
    description=(
        "What each of the thirty teams allows by shot zone, and against the league, as known the day before."
    ),
    grain="one row per team on every date with a competitive game",
    key=("game_date", "team_abbr"),
    columns=pick(
        COLUMNS,
        [
            "game_date",
            "team_abbr",
            *(f"{zone}_pct_allowed_last_15" for zone in ZONES),
            *(f"{zone}_attempts_allowed_per_game" for zone in ZONES),
            *(f"{zone}_blocks_per_game" for zone in ZONES),
            *(f"{zone}_defense_vs_league" for zone in ZONES),
            *[
                "defensive_rating_last_15",
                "opponent_points_per_game_last_15",
                "opponent_pace_last_15",
                "games_in_window_15",
                "strongest_zone",
                "weakest_zone",
                "sample_quality",
                "history_gaps",
            ],
        ],
        formulas={"sample_quality": graded("games_in_window_15", TEAM_QUALITY)},
    ),
).with_column("sample_quality", allowed=tuple(TEAM_QUALITY.values()))

PLAYER_SHOT_ZONE_ANALYSIS = Table(
    dataset="nba_precompute",
    phase="precompute",
    name="player_shot_zone_analysis",
    description="Where each player of the slate shoots from and how well, as known the day before.",
    grain="one row per player of the slate",
    key=("game_date", "player_id"),
    columns=pick(
        COLUMNS,
        [
            *_SLATE,
            *(f"{zone}_rate_last_10" for zone in ZONES),
            *(f"{zone}_pct_last_10" for zone in ZONES),
            *(f"{zone}_attempts_per_game_last_10" for zone in ZONES),
            *(f"{zone}_rate_last_20" for zone in ZONES),
            *[
                "shot_attempts_last_10",
                "assisted_rate_last_10",
                "unassisted_rate_last_10",
                "primary_scoring_zone",
                "games_in_window_10",
                "games_in_window_20",
                "sample_quality",
                "history_gaps",
            ],
        ],
        formulas={"sample_quality": graded("games_in_window_10", PLAYER_QUALITY)},
    ),
).with_column("sample_quality", allowed=tuple(PLAYER_QUALITY.values()))

PLAYER_COMPOSITE_FACTORS = Table(
    dataset="nba_precompute",
    phase="precompute",
    name="player_composite_factors",
    description=(
        "Fatigue, shot-zone matchup, pace and usage of each player of the slate, as one adjustment in points."
    ),
    grain="one row per player of the slate",
    key=("game_date", "player_id"),
    columns=pick(
        COLUMNS,
        [
            *_SLATE,
            *[
                "fatigue_score",
                "shot_zone_mismatch_score",
                "pace_score",
                "usage_spike_score",
                "total_composite_adjustment",
                "missing_inputs",
                "data_completeness_pct",
                "history_gaps",
                "calculation_version",
            ],
        ],
    ),
)

PLAYER_DAILY_CACHE = Table(
    dataset="nba_precompute",
    phase="precompute",
    name="player_daily_cache",
    description=(
        "Each slate player's recent scoring, minutes, usage, team form, load and shot mix, as known the day"
        " before."
    ),
    grain="one row per player of the slate",
    key=("game_date", "player_id"),
    columns=pick(
        COLUMNS,
        [
            *_SLATE,
            *[
                "games_played_season",
                "points_avg_last_3",
                "points_avg_last_5",
                "points_avg_last_10",
                "points_avg_season",
                "points_std_last_10",
                "points_ewma",
                "points_slope_last_10",
                "minutes_avg_last_5",
                "minutes_avg_last_10",
                "minutes_avg_season",
                "minutes_std_last_10",
                "minutes_ewma",
                "points_per_minute_last_10",
                "rebounds_avg_last_10",
                "assists_avg_last_10",
                "usage_rate_last_3",
                "usage_rate_last_10",
                "usage_rate_season",
                "ts_pct_last_10",
                "ts_pct_season",
                "free_throw_points_share_last_10",
                "start_rate_last_10",
                "team_pace_last_10",
                "team_offensive_rating_last_10",
                "team_win_pct_season",
            ],
            *SCHEDULE_LOAD,
            *SHOT_MIX,
            *[
                "games_in_window_5",
                "games_in_window_10",
                "days_since_last_game",
                "is_early_season",
                "history_gaps",
            ],
        ],
        formulas={
            **{name: taken(CONTEXT, name, Relation.PLAYER) for name in (*SCHEDULE_LOAD, "team_pace_last_10")},
            **{name: taken(PLAYER_ZONES, name, Relation.PLAYER) for name in SHOT_MIX},
        },
    ),
)

ML_FEATURE_STORE = Table(
    dataset="nba_precompute",
    phase="precompute",
    name="ml_feature_store",
    description=(
        "One row of named features per player of the slate; labels are joined by the training export, never"
        " stored here."
    ),
    grain="one row per player of the slate and version of the features",
    key=("game_date", "player_id", "feature_version"),
    columns=(
        *pick(COLUMNS, [*_SLATE, "feature_version"]),
        *(_as_feature(COLUMNS[name]) for name in FEATURE_NAMES),
        *pick(
            COLUMNS,
            [
                *("known_feature_count", "missing_features", "history_gaps", "feature_quality_score"),
                "is_training_ready",
            ],
        ),
    ),
)

PRECOMPUTE_TABLES: tuple[Table, ...] = (
    TEAM_DEFENSE_ZONE_ANALYSIS,
    PLAYER_SHOT_ZONE_ANALYSIS,
    PLAYER_COMPOSITE_FACTORS,
    PLAYER_DAILY_CACHE,
    ML_FEATURE_STORE,
)
