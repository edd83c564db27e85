"""Columns of ml_feature_store: features that are no column of another table under the same name, and
bookkeeping.

Belongs here: the list of features, derived features and what says how complete a row is. Does not belong
here: windows of the player's own games (``recent.py``), shot zones (``zones.py``), composite scores
(``composites.py``).
"""

from __future__ import annotations

from nba_pipeline.tables.columns.recent import own_games
from nba_pipeline.tables.formula import (
    AsStored,
    Formula,
    Past,
    Ref,
    Relation,
    Statement,
    Taken,
    head_to_head,
    taken,
)
from nba_pipeline.tables.names import CACHE, CONTEXT, PLAYER_ZONES, PLAYERS, TEAM_ZONES
from nba_pipeline.tables.spec import BOOL, FLOAT64, INT64, STRING, Column, numeric

FEATURE_NAMES: tuple[str, ...] = tuple(
    (
        "points_avg_last_5 points_avg_last_10 points_avg_season points_std_last_10 games_in_last_7_days"
        " fatigue_score shot_zone_mismatch_score pace_score usage_spike_score rest_advantage"
        " recent_trend minutes_change opponent_defensive_rating opponent_pace is_home is_back_to_back"
        " is_playoff paint_rate mid_range_rate three_rate free_throw_points_share team_pace"
        " team_offensive_rating team_win_pct days_rest minutes_avg_last_10 minutes_ewma"
        " minutes_std_last_10 points_ewma points_per_minute_last_10 points_slope_last_10"
        " points_avg_last_3 usage_rate_last_10 usage_rate_last_3 start_rate_last_10"
        " points_vs_opponent_avg games_vs_opponent games_since_team_change games_played_season"
    ).split()
)
"""The features, in storage order; one FLOAT64 column each, never an array whose positions drift."""

PLAYER_HISTORY_FEATURES = (
    "points_avg_last_5 points_avg_last_10 points_avg_season points_std_last_10 recent_trend"
    " minutes_change paint_rate mid_range_rate three_rate free_throw_points_share"
    " minutes_avg_last_10 minutes_ewma minutes_std_last_10 points_ewma points_per_minute_last_10"
    " points_slope_last_10 points_avg_last_3 usage_rate_last_10 usage_rate_last_3 start_rate_last_10"
).split()
"""Features of the player's own season, all needed for training. The head-to-head average is not among them:
most pairs of player and opponent have not met within a year."""

_MEETINGS = Past(PLAYERS, Relation.PAIR, head_to_head())


def _slate(*names: str) -> dict[str, Ref]:
    """Columns of the player's row of the slate."""
    return {name: Ref(CONTEXT, name, Relation.PLAYER) for name in names}


def _cached(column: str) -> Taken:
    return taken(CACHE, column, Relation.PLAYER)


def _feature(
    name: str,
    description: str,
    unit: str,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    formula: Statement,
) -> Column:
    return Column(name, FLOAT64, description, unit=unit, minimum=minimum, maximum=maximum, formula=formula)


_FEATURES: tuple[Column, ...] = (
    _feature(
        "rest_advantage",
        "days_rest − opponent_days_rest, clamped to ±2.",
        "days",
        -2,
        2,
        formula=Formula(
            "clamp(days_rest - opponent_days_rest, -2, 2)", refs=_slate("days_rest", "opponent_days_rest")
        ),
    ),
    _feature(
        "recent_trend",
        "Mean points of the last 2 games − mean of the 3 before them; NULL below 5 games.",
        "points per game",
        formula=Formula(
            "mean(points, last=2) - mean(points, all_but=2) if count() == 5 else NULL", own_games("last_5")
        ),
    ),
    _feature(
        "minutes_change",
        "(minutes_avg_last_10 − minutes_avg_season) / minutes_avg_season, of the unrounded averages.",
        "ratio",
        -1,
        formula=Formula(
            "(mean(seconds_played, last=10) - mean(seconds_played)) / mean(seconds_played)",
            own_games("season"),
        ),
    ),
    _feature(
        "opponent_defensive_rating",
        "Defensive rating of the opponent over its last 15 games (defensive_rating_last_15).",
        "points per 100 possessions",
        0,
        300,
        formula=taken(TEAM_ZONES, "defensive_rating_last_15", Relation.OPPONENT),
    ),
    _feature(
        "opponent_pace",
        "Pace of the opponent over its last 10 games (opponent_pace_last_10).",
        "possessions per 48 minutes",
        40,
        200,
        formula=taken(CONTEXT, "opponent_pace_last_10", Relation.PLAYER),
    ),
    _feature(
        "is_playoff",
        "1 in a playoff game, else 0 (the play-in is not a playoff game).",
        "flag",
        0,
        1,
        formula=Formula("1 if game_type == 'playoffs' else 0", refs=_slate("game_type")),
    ),
    *(
        _feature(
            f"{zone}_rate",
            f"Share of the player's attempts in the zone {zone}, his last 10 games ({zone}_rate_last_10).",
            "percent",
            0,
            100,
            formula=taken(PLAYER_ZONES, f"{zone}_rate_last_10", Relation.PLAYER),
        )
        for zone in ("paint", "mid_range", "three")
    ),
    _feature(
        "free_throw_points_share",
        "Share of free throws among the player's points of his last 10 games.",
        "ratio",
        0,
        1,
        formula=_cached("free_throw_points_share_last_10"),
    ),
    _feature(
        "team_pace",
        "Pace of the team over its last 10 games (team_pace_last_10).",
        "possessions per 48 minutes",
        40,
        200,
        formula=_cached("team_pace_last_10"),
    ),
    _feature(
        "team_offensive_rating",
        "Offensive rating of the team over its last 10 games (team_offensive_rating_last_10).",
        "points per 100 possessions",
        0,
        300,
        formula=_cached("team_offensive_rating_last_10"),
    ),
    _feature(
        "team_win_pct",
        "Share of the season's games that the team won (team_win_pct_season).",
        "ratio",
        0,
        1,
        formula=_cached("team_win_pct_season"),
    ),
    _feature(
        "points_vs_opponent_avg",
        "Points per game against this opponent in [D−365, D−1], for whichever team he played; NULL without"
        " such a game.",
        "points per game",
        0,
        250,
        formula=Formula("mean(points)", _MEETINGS),
    ),
    _feature(
        "games_vs_opponent",
        "Games against this opponent in [D−365, D−1].",
        "games",
        0,
        120,
        formula=Formula("count()", _MEETINGS),
    ),
    _feature(
        "games_since_team_change",
        "Games in a row of this season, up to the last one, that the player played for his present team;"
        " without a change of team the games of the season, 0 before the first.",
        "games",
        0,
        120,
        formula=Formula("run(team_abbr)", own_games("season")),
    ),
)

_QUALITY: tuple[Column, ...] = (
    Column(
        "feature_version",
        STRING,
        "Names the feature list (count and digest of names and declarations) and the code version of the"
        " formulas.",
        nullable=False,
        pattern=r"f[0-9]+-[0-9a-f]{8}-[0-9a-f]{10}",
        formula=AsStored("names the feature list and a digest of the formulas, written by the run"),
    ),
    Column(
        "known_feature_count",
        INT64,
        "Features of the row that are not NULL.",
        unit="features",
        nullable=False,
        minimum=0,
        formula=Formula(f"{len(FEATURE_NAMES)} - listed(missing_features)"),
    ),
    Column(
        "missing_features",
        STRING,
        "Features that are NULL, comma-separated in storage order; empty when none is.",
        nullable=False,
        formula=Formula(f"missing({', '.join(FEATURE_NAMES)})"),
    ),
    Column(
        "feature_quality_score",
        numeric(5, 2),
        "100 · known features / all features, less 1 for each of history_gaps; never below 0.",
        unit="percent",
        nullable=False,
        minimum=0,
        maximum=100,
        formula=Formula(f"max(100 * known_feature_count / {len(FEATURE_NAMES)} - history_gaps, 0)"),
    ),
    Column(
        "is_training_ready",
        BOOL,
        "The player has played at least 5 games this season and every feature of his own history is known"
        " (scoring, minutes, usage, shot mix; not the head-to-head average, the opponent, the team or the"
        " composite scores).",
        nullable=False,
        formula=Formula(f"games_played_season >= 5 and missing({', '.join(PLAYER_HISTORY_FEATURES)}) == ''"),
    ),
)

FEATURES: tuple[Column, ...] = (*_FEATURES, *_QUALITY)
