"""Columns of phase 4 about a player's recent scoring, minutes and team, and the features built from them.

Belongs here: windows over a player's or team's games (``player_daily_cache``), derived features and their
bookkeeping (``ml_feature_store``). Does not belong here: shot zones and composite scores (``zones.py``), rest
and load (``context.py``). `last_n` is up to n games of the season before D; only games with playing time
count.
"""

from __future__ import annotations

from nba_pipeline.tables.formula import (
    AsStored,
    Formula,
    Past,
    Ref,
    Relation,
    Statement,
    Taken,
    head_to_head,
    last_appearance,
    last_games,
    season_to_date,
    taken,
)
from nba_pipeline.tables.names import CACHE, CONTEXT, OFFENSE, PLAYER_ZONES, PLAYERS, TEAM_ZONES
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

_GLOSSARY = "stats.nba.com / Basketball Reference glossary"
_WINDOWS = {
    "last_3": "his last 3 games",
    "last_5": "his last 5 games",
    "last_10": "his last 10 games",
    "season": "the season to date",
}
_REACH = {
    "last_3": last_games(3),
    "last_5": last_games(5),
    "last_10": last_games(10),
    "season": season_to_date(),
}
_COUNTED = {"minutes": "seconds_played"} | {name: name for name in ("points", "rebounds", "assists")}
_UNIT = {"minutes": " / 60", "points": "", "rebounds": "", "assists": ""}
_MEETINGS = Past(PLAYERS, Relation.PAIR, head_to_head())
HALF_LIFE_GAMES = 8
"""An exponentially weighted mean with this half-life predicts points better than the last 5 or the last 10
games."""
_PER_GAME_MAX = {"points": 250, "minutes": 108, "rebounds": 130, "assists": 80}


def _own(window: str, *, with_team: bool = False) -> Past:
    """The player's own games of a window."""
    return Past(PLAYERS, Relation.PLAYER, _REACH[window], with_team)


def _mean(stat: str, window: str) -> Formula:
    return Formula(f"mean({_COUNTED[stat]}){_UNIT[stat]}", _own(window))


def _slate(*names: str) -> dict[str, Ref]:
    """Columns of the player's row of the slate."""
    return {name: Ref(CONTEXT, name, Relation.PLAYER) for name in names}


def _cached(column: str) -> Taken:
    return taken(CACHE, column, Relation.PLAYER)


def _average(stat: str, window: str) -> Column:
    return Column(
        f"{stat}_avg_{window}",
        numeric(5, 2),
        f"{stat.capitalize()} per game of the player, {_WINDOWS[window]}; NULL without games.",
        unit=f"{stat} per game",
        minimum=0,
        maximum=_PER_GAME_MAX[stat],
        formula=_mean(stat, window),
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
            formula=Formula(f"std({_COUNTED[stat]}){_UNIT[stat]}", _own("last_10")),
        ),
        Column(
            f"{stat}_ewma",
            numeric(5, 2),
            f"Weighted mean of {stat} over the games of the season, weight 0.5^(k/8) for the k-th game back"
            " (half-life 8 games).",
            unit=f"{stat} per game",
            minimum=0,
            maximum=_PER_GAME_MAX[stat],
            formula=Formula(f"ewma({_COUNTED[stat]}, {HALF_LIFE_GAMES}){_UNIT[stat]}", _own("season")),
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
        formula=Formula(
            "100 * sum(usage_plays) * (sum(team_minutes) / 5)"
            " / (sum(usage_seconds) / 60 * sum(team_plays_used))",
            _own(window, with_team=True),
        ),
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
        formula=Formula("sum(points) / (2 * (sum(fg_attempts) + 0.44 * sum(ft_attempts)))", _own(window)),
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
        formula=Formula("count()", _own("season")),
    ),
    *(_average("points", window) for window in _WINDOWS),
    *_spread("points"),
    Column(
        "points_slope_last_10",
        numeric(6, 3),
        "Least-squares slope of points over game number, his last 10 games; NULL below 4 games.",
        unit="points per game",
        formula=Formula("slope(points) if count() >= 4 else NULL", _own("last_10")),
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
        formula=Formula("60 * sum(points) / sum(seconds_played)", _own("last_10")),
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
        formula=Formula("sum(ft_makes) / sum(points)", _own("last_10")),
    ),
    Column(
        "start_rate_last_10",
        numeric(5, 4),
        "Share of his last 10 games that he started, among those whose starters are known.",
        unit="ratio",
        minimum=0,
        maximum=1,
        formula=Formula("mean(is_starter)", _own("last_10")),
    ),
    Column(
        "team_offensive_rating_last_10",
        numeric(6, 2),
        "100 · Σ points / Σ possessions of the team, its last 10 games of the season.",
        unit="points per 100 possessions",
        minimum=0,
        maximum=300,
        source=_GLOSSARY,
        formula=Formula("100 * sum(points) / sum(possessions)", Past(OFFENSE, Relation.TEAM, last_games(10))),
    ),
    Column(
        "team_win_pct_season",
        numeric(5, 4),
        "Share of the season's games that the team won.",
        unit="ratio",
        minimum=0,
        maximum=1,
        formula=Formula("mean(win_flag)", Past(OFFENSE, Relation.TEAM, season_to_date())),
    ),
    Column(
        "days_since_last_game",
        INT64,
        "Days since the player's last game, this season or the one before; days_rest looks at this season"
        " only.",
        unit="days",
        minimum=1,
        maximum=365,
        formula=Formula(
            "day - latest(game_date)", Past(PLAYERS, Relation.PLAYER, last_appearance(within_days=365))
        ),
    ),
    Column(
        "is_early_season",
        BOOL,
        "The player has played fewer than 10 games this season.",
        nullable=False,
        formula=Formula("games_played_season < 10"),
    ),
)


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
            "mean(points, last=2) - mean(points, all_but=2) if count() == 5 else NULL", _own("last_5")
        ),
    ),
    _feature(
        "minutes_change",
        "(minutes_avg_last_10 − minutes_avg_season) / minutes_avg_season, of the unrounded averages.",
        "ratio",
        -1,
        formula=Formula(
            "(mean(seconds_played, last=10) - mean(seconds_played)) / mean(seconds_played)", _own("season")
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
        formula=Formula("run(team_abbr)", _own("season")),
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
        "100 · known features / all features.",
        unit="percent",
        nullable=False,
        minimum=0,
        maximum=100,
        formula=Formula(f"100 * known_feature_count / {len(FEATURE_NAMES)}"),
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

FEATURES: tuple[Column, ...] = (*_CACHE, *_FEATURES, *_QUALITY)
