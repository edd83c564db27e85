"""Columns of player_daily_cache: a player's recent scoring, minutes, usage and team, as known the day before.

Belongs here: windows over a player's or team's games. Does not belong here: features that are derived from
them (``features.py``), shot zones (``zones.py``), rest and load (``context.py``). `last_n` is up to n games
of the season before D; only games with playing time count.
"""

from __future__ import annotations

from nba_pipeline.tables.formula import Formula, Past, Relation, last_appearance, last_games, season_to_date
from nba_pipeline.tables.names import OFFENSE, PLAYERS
from nba_pipeline.tables.spec import BOOL, INT64, Column, numeric

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
HALF_LIFE_GAMES = 8
"""An exponentially weighted mean with this half-life predicts points better than the last 5 or the last 10
games."""
_PER_GAME_MAX = {"points": 250, "minutes": 108, "rebounds": 130, "assists": 80}


def own_games(window: str, *, with_team: bool = False) -> Past:
    """The player's own games of a window."""
    return Past(PLAYERS, Relation.PLAYER, _REACH[window], with_team)


def _mean(stat: str, window: str) -> Formula:
    return Formula(f"mean({_COUNTED[stat]}){_UNIT[stat]}", own_games(window))


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
            formula=Formula(f"std({_COUNTED[stat]}){_UNIT[stat]}", own_games("last_10")),
        ),
        Column(
            f"{stat}_ewma",
            numeric(5, 2),
            f"Weighted mean of {stat} over the games of the season, weight 0.5^(k/8) for the k-th game back"
            " (half-life 8 games).",
            unit=f"{stat} per game",
            minimum=0,
            maximum=_PER_GAME_MAX[stat],
            formula=Formula(f"ewma({_COUNTED[stat]}, {HALF_LIFE_GAMES}){_UNIT[stat]}", own_games("season")),
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
            own_games(window, with_team=True),
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
        formula=Formula(
            "sum(points) / (2 * (sum(fg_attempts) + 0.44 * sum(ft_attempts)))", own_games(window)
        ),
    )


RECENT: tuple[Column, ...] = (
    Column(
        "games_played_season",
        INT64,
        "Games the player has played this season before D.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=120,
        formula=Formula("count()", own_games("season")),
    ),
    *(_average("points", window) for window in _WINDOWS),
    *_spread("points"),
    Column(
        "points_slope_last_10",
        numeric(6, 3),
        "Least-squares slope of points over game number, his last 10 games; NULL below 4 games.",
        unit="points per game",
        formula=Formula("slope(points) if count() >= 4 else NULL", own_games("last_10")),
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
        formula=Formula("60 * sum(points) / sum(seconds_played)", own_games("last_10")),
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
        formula=Formula("sum(ft_makes) / sum(points)", own_games("last_10")),
    ),
    Column(
        "start_rate_last_10",
        numeric(5, 4),
        "Share of his last 10 games that he started, among those whose starters are known.",
        unit="ratio",
        minimum=0,
        maximum=1,
        formula=Formula("mean(is_starter)", own_games("last_10")),
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
