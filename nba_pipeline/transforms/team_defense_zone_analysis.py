"""nba_precompute.team_defense_zone_analysis: what each team allows by zone, and against the league, before D.

Belongs here: that one table. Does not belong here: selecting history (``windows.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.possessions import pace, rating, ratio
from nba_pipeline.formulas.windows import History, Slice, last_games
from nba_pipeline.tables.precompute import TEAM_DEFENSE_ZONE_ANALYSIS
from nba_pipeline.tables.vocabulary import TEAM_IDS, ZONES
from nba_pipeline.transforms.shaping import null_where, shaped
from nba_pipeline.transforms.upcoming_player_game_context import slate_games

WINDOW = last_games(15)
QUALITY = ((15, "high"), (10, "medium"), (5, "low"), (0, "insufficient"))
"""Least number of games in the window -> sample_quality; below `low` every rate is NULL."""
_LEAST_GAMES = 5


def team_defense_zone_analysis(
    days: Sequence[date], games: pd.DataFrame, defense_games: pd.DataFrame, team_games: pd.DataFrame
) -> pd.DataFrame:
    """One row per team and day of ``days`` that has a competitive game, columns of the table, unrounded, in
    key order.

    ``games``: nba_raw.games of ``days`` (game_id, game_date, game_type, status). ``defense_games``: history
    of nba_analytics.team_defense_game_summary (game_date, team_abbr, opp_{zone}_makes, opp_{zone}_attempts,
    blocks_{zone}, points_allowed, possessions). ``team_games``: history of
    nba_analytics.team_offense_game_summary (game_date, team_abbr, possessions, team_minutes), for the pace.
    All thirty teams are there, also before their first game.
    """
    rows = _every_team(slate_games(days, games)["game_date"])
    allowed = History(defense_games, ["team_abbr"]).before(rows, WINDOW)
    values: dict[str, Any] = {}
    for zone in ZONES:
        values |= _zone(allowed, zone)
    values |= _whole_team(allowed, History(team_games, ["team_abbr"]).before(rows, WINDOW))
    values = {name: np.where(allowed.games >= _LEAST_GAMES, value, np.nan) for name, value in values.items()}
    values |= _extreme_zones(np.column_stack([values[f"{zone}_defense_vs_league"] for zone in ZONES]))
    quality = np.select([allowed.games >= least for least, _ in QUALITY], [name for _, name in QUALITY], "")
    known = {"game_date": rows["game_date"], "team_abbr": rows["team_abbr"]}
    return shaped(
        TEAM_DEFENSE_ZONE_ANALYSIS,
        {**known, **values, "games_in_window_15": allowed.games, "sample_quality": quality},
    )


def _every_team(dates: pd.Series) -> pd.DataFrame:
    """Day by day, all teams in the same order, which ``_over_the_league`` relies on."""
    unique, teams = np.unique(dates.to_numpy()), np.array(list(TEAM_IDS), dtype=object)
    return pd.DataFrame(
        {"game_date": np.repeat(unique, len(teams)), "team_abbr": np.tile(teams, len(unique))}
    )


def _over_the_league(per_team: np.ndarray) -> np.ndarray:
    """Sum over the teams of the same day, for each row."""
    return np.repeat(per_team.reshape(-1, len(TEAM_IDS)).sum(axis=1), len(TEAM_IDS))


def _league_pct(allowed: Slice, zone: str) -> np.ndarray:
    """The league's pct: Σ makes / Σ attempts over the same windows, those of all thirty teams, so never with
    day D."""
    return ratio(
        _over_the_league(allowed.total(f"opp_{zone}_makes")),
        _over_the_league(allowed.total(f"opp_{zone}_attempts")),
    )


def _zone(allowed: Slice, zone: str) -> dict[str, np.ndarray]:
    makes, attempts = allowed.total(f"opp_{zone}_makes"), allowed.total(f"opp_{zone}_attempts")
    pct = ratio(makes, attempts)
    return {
        f"{zone}_pct_allowed_last_15": pct,
        f"{zone}_attempts_allowed_per_game": allowed.mean(f"opp_{zone}_attempts"),
        f"{zone}_blocks_per_game": allowed.mean(f"blocks_{zone}"),
        f"{zone}_defense_vs_league": 100.0 * (pct - _league_pct(allowed, zone)),
    }


def _whole_team(allowed: Slice, played: Slice) -> dict[str, np.ndarray]:
    points = allowed.total("points_allowed")
    return {
        "defensive_rating_last_15": rating(points, allowed.total("possessions", 2)),
        "opponent_points_per_game_last_15": allowed.mean("points_allowed"),
        "opponent_pace_last_15": pace(played.total("possessions", 2), played.total("team_minutes", 2)),
    }


def _extreme_zones(vs_league: np.ndarray) -> dict[str, np.ndarray]:
    """Zones with the lowest and highest difference (rows × zones), the first in the order of ZONES when
    equal."""
    unknown, names = np.isnan(vs_league), np.array(ZONES, dtype=object)
    best = names[np.where(unknown, np.inf, vs_league).argmin(axis=1)]
    worst = names[np.where(unknown, -np.inf, vs_league).argmax(axis=1)]
    none = unknown.all(axis=1)
    return {"strongest_zone": null_where(none, best), "weakest_zone": null_where(none, worst)}
