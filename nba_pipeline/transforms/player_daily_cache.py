"""nba_precompute.player_daily_cache: each slate player's recent scoring, minutes, usage, team form and load,
before D.

Belongs here: that one table. Does not belong here: selecting history (``windows.py``), the slate's population
and load (``upcoming_player_game_context.py``), shot mix (``player_shot_zone_analysis.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.formulas.possessions import rating, ratio
from nba_pipeline.formulas.shooting import true_shooting
from nba_pipeline.formulas.windows import History, Slice, last_appearance, last_games, season_to_date
from nba_pipeline.tables.precompute import PLAYER_DAILY_CACHE, SHOT_MIX
from nba_pipeline.transforms.player_history import (
    SAME_PLAYER,
    appearances_with_team,
    looked_up,
    rows_of,
    usage_of,
)
from nba_pipeline.transforms.shaping import shaped

HALF_LIFE_GAMES = 8.0
"""An exponentially weighted mean with this half-life predicts points better than the last 5 or the last 10
games."""
SLOPE_LEAST_GAMES = 4
EARLY_SEASON_GAMES = 10
FURTHEST_LAST_GAME_DAYS = 365


def player_daily_cache(
    days: Sequence[date],
    context: pd.DataFrame,
    shot_zones: pd.DataFrame,
    player_games: pd.DataFrame,
    team_games: pd.DataFrame,
) -> pd.DataFrame:
    """One row per row of ``context`` on ``days``, columns of the table, unrounded, in key order.

    ``context``: nba_analytics.upcoming_player_game_context of ``days`` (ids, schedule load,
    team_pace_last_10). ``shot_zones``: player_shot_zone_analysis of ``days``. ``player_games``: history of
    player_game_summary (game_date, game_id, player_id, team_abbr, seconds_played, points, rebounds, assists,
    fg_attempts, ft_makes, ft_attempts, is_starter, plays_used). ``team_games``: history of
    team_offense_game_summary (game_date, game_id, team_abbr, points, possessions, plays_used, team_minutes,
    win_flag).
    """
    rows = rows_of(days, context)
    history = appearances_with_team(player_games, team_games)
    slices = {f"last_{n}": history.before(rows, last_games(n)) for n in (3, 5, 10)}
    slices["season"] = history.before(rows, season_to_date())
    mix = looked_up(rows, shot_zones, SAME_PLAYER, SHOT_MIX)
    values = {
        **{str(name): rows[name] for name in rows.columns},
        **{str(name): mix[name] for name in mix.columns},
        **_scoring(history, slices),
        **_minutes(history, slices),
        **_rates(slices),
        **_team(rows, History(team_games, ["team_abbr"])),
        "games_played_season": slices["season"].games,
        "games_in_window_5": slices["last_5"].games,
        "games_in_window_10": slices["last_10"].games,
        "days_since_last_game": history.before(rows, last_appearance(FURTHEST_LAST_GAME_DAYS)).days_since(),
        "is_early_season": slices["season"].games < EARLY_SEASON_GAMES,
    }
    return shaped(PLAYER_DAILY_CACHE, values)


def _scoring(history: History, slices: dict[str, Slice]) -> dict[str, np.ndarray]:
    ten = slices["last_10"]
    return {
        **{f"points_avg_{window}": games.mean("points") for window, games in slices.items()},
        "points_std_last_10": ten.std("points"),
        "points_slope_last_10": ten.slope("points", SLOPE_LEAST_GAMES),
        "points_ewma": slices["season"].at_latest(history.season_ewma("points", 0, HALF_LIFE_GAMES)),
        "rebounds_avg_last_10": ten.mean("rebounds"),
        "assists_avg_last_10": ten.mean("assists"),
    }


def _minutes(history: History, slices: dict[str, Slice]) -> dict[str, np.ndarray]:
    ten = slices["last_10"]
    return {
        **{
            f"minutes_avg_{w}": slices[w].mean("seconds_played") / 60.0
            for w in ("last_5", "last_10", "season")
        },
        "minutes_std_last_10": ten.std("seconds_played") / 60.0,
        "minutes_ewma": (
            slices["season"].at_latest(history.season_ewma("seconds_played", 0, HALF_LIFE_GAMES)) / 60.0
        ),
        "points_per_minute_last_10": ratio(60.0 * ten.total("points"), ten.total("seconds_played")),
    }


def _rates(slices: dict[str, Slice]) -> dict[str, np.ndarray]:
    """Ratios of sums over each window."""
    ten = slices["last_10"]
    shooting = {
        f"ts_pct_{w}": true_shooting(
            slices[w].total("points"), slices[w].total("fg_attempts"), slices[w].total("ft_attempts")
        )
        for w in ("last_10", "season")
    }
    return {
        **{f"usage_rate_{w}": usage_of(slices[w]) for w in ("last_3", "last_10", "season")},
        **shooting,
        "free_throw_points_share_last_10": ratio(ten.total("ft_makes"), ten.total("points")),
        "start_rate_last_10": ten.mean("is_starter"),
    }


def _team(rows: pd.DataFrame, teams: History) -> dict[str, np.ndarray]:
    ten, season = teams.before(rows, last_games(10)), teams.before(rows, season_to_date())
    return {
        "team_offensive_rating_last_10": rating(ten.total("points"), ten.total("possessions", 2)),
        "team_win_pct_season": season.mean("win_flag"),
    }
