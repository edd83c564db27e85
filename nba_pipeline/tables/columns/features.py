"""Columns of phase 4 about a player's recent scoring, minutes and team, and the features built from them.

Belongs here: windows over a player's or team's games (``player_daily_cache``), derived features and their
bookkeeping (``ml_feature_store``). Does not belong here: shot zones and composite scores (``zones.py``), rest
and load (``context.py``). `last_n` is up to n games of the season before D; only games with playing time
count.
"""

from __future__ import annotations

from nba_pipeline.tables.spec import BOOL, FLOAT64, INT64, STRING, Column, numeric

_GLOSSARY = "stats.nba.com / Basketball Reference glossary"
_WINDOWS = {
    "last_3": "his last 3 games",
    "last_5": "his last 5 games",
    "last_10": "his last 10 games",
    "season": "the season to date",
}
_PER_GAME_MAX = {"points": 250, "minutes": 108, "rebounds": 130, "assists": 80}


def _average(stat: str, window: str) -> Column:
    return Column(
        f"{stat}_avg_{window}",
        numeric(5, 2),
        f"{stat.capitalize()} per game of the player, {_WINDOWS[window]}; NULL without games.",
        unit=f"{stat} per game",
        minimum=0,
        maximum=_PER_GAME_MAX[stat],
    )


def _spread(stat: str) -> tuple[Column, Column]:
    return (
        Column(
            f"{stat}_std_last_10",
            numeric(5, 2),
            f"Sample standard deviation (n − 1) of {stat} per game, his last 10 games; NULL below 2 games.",
            unit=stat,
            minimum=0,
            maximum=_PER_GAME_MAX[stat],
        ),
        Column(
            f"{stat}_ewma",
            numeric(5, 2),
            f"Weighted mean of {stat} over the games of the season, weight 0.5^(k/8) for the k-th game back"
            " (half-life 8 games).",
            unit=f"{stat} per game",
            minimum=0,
            maximum=_PER_GAME_MAX[stat],
        ),
    )


def _usage(window: str) -> Column:
    return Column(
        f"usage_rate_{window}",
        numeric(6, 2),
        "100 · Σ plays · Σ(team_minutes/5) / (Σ minutes · Σ team plays) over the player's games,"
        f" {_WINDOWS[window]}: the formula of usage_rate applied to totals.",
        unit="percent",
        minimum=0,
        source=_GLOSSARY,
    )


def _true_shooting(window: str) -> Column:
    return Column(
        f"ts_pct_{window}",
        numeric(5, 4),
        f"Σ PTS / (2 · (Σ FGA + 0.44 · Σ FTA)), {_WINDOWS[window]}.",
        unit="ratio",
        minimum=0,
        maximum=3.5,
        source=_GLOSSARY,
    )


_CACHE: tuple[Column, ...] = (
    Column(
        "games_played_season",
        INT64,
        "Games the player has played this season before D.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=120,
    ),
    *(_average("points", window) for window in _WINDOWS),
    *_spread("points"),
    Column(
        "points_slope_last_10",
        numeric(6, 3),
        "Least-squares slope of points over game number, his last 10 games; NULL below 4 games.",
        unit="points per game",
    ),
    *(_average("minutes", window) for window in ("last_5", "last_10", "season")),
    *_spread("minutes"),
    Column(
        "points_per_minute_last_10",
        numeric(7, 4),
        "Σ points / Σ minutes, his last 10 games. Three points in the one second of an only game are 180 per"
        " minute, which NUMERIC(6,4) could not hold.",
        unit="points per minute",
        minimum=0,
    ),
    _average("rebounds", "last_10"),
    _average("assists", "last_10"),
    *(_usage(window) for window in ("last_3", "last_10", "season")),
    *(_true_shooting(window) for window in ("last_10", "season")),
    Column(
        "free_throw_points_share_last_10",
        numeric(5, 4),
        "Σ free throws made / Σ points, his last 10 games; NULL when he scored nothing.",
        unit="ratio",
        minimum=0,
        maximum=1,
    ),
    Column(
        "start_rate_last_10",
        numeric(5, 4),
        "Share of his last 10 games that he started, among those whose starters are known.",
        unit="ratio",
        minimum=0,
        maximum=1,
    ),
    Column(
        "team_offensive_rating_last_10",
        numeric(6, 2),
        "100 · Σ points / Σ possessions of the team, its last 10 games of the season.",
        unit="points per 100 possessions",
        minimum=0,
        maximum=300,
        source=_GLOSSARY,
    ),
    Column(
        "team_win_pct_season",
        numeric(5, 4),
        "Share of the season's games that the team won.",
        unit="ratio",
        minimum=0,
        maximum=1,
    ),
    Column(
        "days_since_last_game",
        INT64,
        "Days since the player's last game, this season or the one before; days_rest looks at this season"
        " only.",
        unit="days",
        minimum=1,
        maximum=365,
    ),
    Column("is_early_season", BOOL, "The player has played fewer than 10 games this season.", nullable=False),
)


def _feature(
    name: str, description: str, unit: str, minimum: float | None = None, maximum: float | None = None
) -> Column:
    return Column(name, FLOAT64, description, unit=unit, minimum=minimum, maximum=maximum)


_FEATURES: tuple[Column, ...] = (
    _feature("rest_advantage", "days_rest − opponent_days_rest, clamped to ±2.", "days", -2, 2),
    _feature(
        "recent_trend",
        "Mean points of the last 2 games − mean of the 3 before them; NULL below 5 games.",
        "points per game",
    ),
    _feature(
        "minutes_change",
        "(minutes_avg_last_10 − minutes_avg_season) / minutes_avg_season, of the unrounded averages.",
        "ratio",
        -1,
    ),
    _feature(
        "opponent_defensive_rating",
        "The opponent's defensive_rating_last_15.",
        "points per 100 possessions",
        0,
        300,
    ),
    _feature("opponent_pace", "opponent_pace_last_10.", "possessions per 48 minutes", 40, 200),
    _feature("is_playoff", "1 in a playoff game, else 0 (the play-in is not a playoff game).", "flag", 0, 1),
    *(
        _feature(f"{zone}_rate", f"{zone}_rate_last_10 of player_shot_zone_analysis.", "percent", 0, 100)
        for zone in ("paint", "mid_range", "three")
    ),
    _feature("free_throw_points_share", "free_throw_points_share_last_10.", "ratio", 0, 1),
    _feature("team_pace", "team_pace_last_10.", "possessions per 48 minutes", 40, 200),
    _feature("team_offensive_rating", "team_offensive_rating_last_10.", "points per 100 possessions", 0, 300),
    _feature("team_win_pct", "team_win_pct_season.", "ratio", 0, 1),
    _feature(
        "points_vs_opponent_avg",
        "Points per game against this opponent in [D−365, D−1], for whichever team he played; NULL without"
        " such a game.",
        "points per game",
        0,
        250,
    ),
    _feature("games_vs_opponent", "Games against this opponent in [D−365, D−1].", "games", 0, 120),
    _feature(
        "games_since_team_change",
        "Games in a row of this season, up to the last one, that the player played for his present team;"
        " without a change of team the games of the season, 0 before the first.",
        "games",
        0,
        120,
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
    ),
    Column(
        "known_feature_count",
        INT64,
        "Features of the row that are not NULL.",
        unit="features",
        nullable=False,
        minimum=0,
    ),
    Column(
        "missing_features",
        STRING,
        "Features that are NULL, comma-separated in storage order; empty when none is.",
        nullable=False,
    ),
    Column(
        "feature_quality_score",
        numeric(5, 2),
        "100 · known features / all features.",
        unit="percent",
        nullable=False,
        minimum=0,
        maximum=100,
    ),
    Column(
        "is_training_ready",
        BOOL,
        "The player has played at least 5 games this season and every feature of his own history is known"
        " (scoring, minutes, usage, shot mix; not the head-to-head average, the opponent, the team or the"
        " composite scores).",
        nullable=False,
    ),
)

FEATURES: tuple[Column, ...] = (*_CACHE, *_FEATURES, *_QUALITY)
