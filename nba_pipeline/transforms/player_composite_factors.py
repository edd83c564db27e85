"""nba_precompute.player_composite_factors: fatigue, shot-zone matchup, pace and usage spike of each slate
player.

Belongs here: that one table and, in ``FACTORS``, every constant of it. Does not belong here: selecting
history (``windows.py``), shot mix and team defense themselves (tables of their own).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.formulas.versions import code_version
from nba_pipeline.formulas.windows import last_games
from nba_pipeline.tables.precompute import PLAYER_COMPOSITE_FACTORS
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms.player_history import (
    OPPONENT_TEAM,
    SAME_PLAYER,
    appearances_with_team,
    looked_up,
    rows_of,
    usage_of,
)
from nba_pipeline.transforms.shaping import floats, shaped, texts


@dataclass(frozen=True)
class CompositeFactors:
    """Constants of the factors, as in the specification of player_composite_factors."""

    rested: float = 100.0
    back_to_back: float = -15.0
    long_rest: float = 5.0
    long_rest_days: float = 3.0
    many_games: float = -10.0
    many_games_in_7_days: float = 4.0
    many_minutes: float = -10.0
    many_minutes_in_7_days: float = 140.0
    heavy_games: float = -8.0
    heavy_average_minutes: float = 35.0
    two_back_to_backs: float = -12.0
    one_back_to_back: float = -5.0
    full_weight_rate: float = 50.0
    extreme_difference: float = 5.0
    extreme_factor: float = 1.2
    mismatch_limit: float = 10.0
    pace_limit: float = 3.0
    usage_factor: float = 0.3
    usage_limit: float = 3.0
    fatigue_scale: float = 20.0


FACTORS = CompositeFactors()
ZONE_OF_PRIMARY = {"paint": "paint", "perimeter": "three", "mid_range": "mid_range", "balanced": "paint"}
"""primary_scoring_zone -> the zone whose defense it meets."""

_LOAD = ("days_rest", "games_in_last_7_days", "minutes_in_last_7_days", "back_to_backs_in_last_14_days")
INPUTS = (
    *_LOAD,
    "primary_scoring_zone",
    "opponent_zone_defense",
    "pace_differential",
    "usage_rate_last_3",
    "usage_rate_last_10",
)
"""What missing_inputs and data_completeness_pct speak of."""

_FORMULAS = (
    "nba_pipeline.transforms.player_composite_factors",
    "nba_pipeline.transforms.player_history",
    "nba_pipeline.formulas.windows",
    "nba_pipeline.formulas.shooting",
)


def calculation_version() -> str:
    """``c`` and a digest of the code of the factors and of the usage and windows behind them."""
    return "c" + code_version(*_FORMULAS)


def player_composite_factors(
    days: Sequence[date],
    context: pd.DataFrame,
    shot_zones: pd.DataFrame,
    team_defense: pd.DataFrame,
    player_games: pd.DataFrame,
    team_games: pd.DataFrame,
) -> pd.DataFrame:
    """One row per row of ``context`` on ``days``, columns of the table, unrounded, in key order.

    ``context``: nba_analytics.upcoming_player_game_context of ``days`` (ids, days_rest, is_back_to_back, load
    columns, pace_differential). ``shot_zones``, ``team_defense``: player_shot_zone_analysis
    (primary_scoring_zone, {zone}_rate_last_10) and team_defense_zone_analysis ({zone}_defense_vs_league) of
    ``days``. ``player_games``, ``team_games``: history of player_game_summary (game_date, game_id, team_abbr,
    player_id, seconds_played, plays_used) and team_offense_game_summary (game_id, team_abbr, plays_used,
    team_minutes).
    """
    rows = rows_of(days, context)
    zones = looked_up(
        rows, shot_zones, SAME_PLAYER, ["primary_scoring_zone", *(f"{z}_rate_last_10" for z in ZONES)]
    )
    defense = looked_up(rows, team_defense, OPPONENT_TEAM, [f"{z}_defense_vs_league" for z in ZONES])
    history = appearances_with_team(player_games, team_games)
    recent, usual = (usage_of(history.before(rows, last_games(n))) for n in (3, 10))
    rate, difference, primary = _meeting(zones, defense)
    fatigue = fatigue_score(rows)
    scores = {
        "shot_zone_mismatch_score": mismatch_score(rate, difference),
        "pace_score": np.clip(floats(rows["pace_differential"]), -FACTORS.pace_limit, FACTORS.pace_limit),
        "usage_spike_score": np.clip(
            FACTORS.usage_factor * (recent - usual), -FACTORS.usage_limit, FACTORS.usage_limit
        ),
    }
    adjustment = (fatigue - FACTORS.rested) / FACTORS.fatigue_scale + np.nansum(list(scores.values()), axis=0)
    missing = [
        *(rows[name].isna().to_numpy(dtype=bool) for name in _LOAD),
        pd.isna(primary),
        np.isnan(difference),
    ]
    missing += [rows["pace_differential"].isna().to_numpy(dtype=bool), np.isnan(recent), np.isnan(usual)]
    values = {
        **{str(name): rows[name] for name in rows.columns},
        **scores,
        **bookkeeping(np.column_stack(missing)),
        "fatigue_score": fatigue,
        "total_composite_adjustment": adjustment,
        "calculation_version": np.full(len(rows), calculation_version(), dtype=object),
    }
    return shaped(PLAYER_COMPOSITE_FACTORS, values)


def fatigue_score(load: pd.DataFrame) -> np.ndarray:
    """0 (exhausted) to 100 (rested) from the slate's load columns; an unknown one (every comparison false)
    changes nothing.

    The average of the week's games is judged on their sum: 35.004 minutes are stored as 35.00, but four games
    of them as 140.02.
    """
    rest, backs = floats(load["days_rest"]), floats(load["back_to_backs_in_last_14_days"])
    games, minutes = floats(load["games_in_last_7_days"]), floats(load["minutes_in_last_7_days"])
    f = FACTORS
    score = np.full(len(load), f.rested)
    score += np.where(
        floats(load["is_back_to_back"]) == 1,
        f.back_to_back,
        np.where(rest >= f.long_rest_days, f.long_rest, 0.0),
    )
    score += np.where(games >= f.many_games_in_7_days, f.many_games, 0.0)
    score += np.where(minutes > f.many_minutes_in_7_days, f.many_minutes, 0.0)
    score += np.where(minutes > f.heavy_average_minutes * games, f.heavy_games, 0.0)
    score += np.where(backs >= 2, f.two_back_to_backs, np.where(backs >= 1, f.one_back_to_back, 0.0))
    return np.clip(score, 0.0, f.rested)


def mismatch_score(rate: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """From the player's rate (percent) in a zone and the opponent's defense there (percentage points over the
    league)."""
    score = difference * np.minimum(rate / FACTORS.full_weight_rate, 1.0)
    score = np.where(np.abs(difference) > FACTORS.extreme_difference, score * FACTORS.extreme_factor, score)
    return np.clip(score, -FACTORS.mismatch_limit, FACTORS.mismatch_limit)


def _meeting(zones: pd.DataFrame, defense: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(player's rate in, opponent's difference in, name of) the primary zone of each row."""
    primary = texts(zones["primary_scoring_zone"])
    rate, difference = np.full(len(zones), np.nan), np.full(len(zones), np.nan)
    for name, zone in ZONE_OF_PRIMARY.items():
        here = primary == name
        rate = np.where(here, floats(zones[f"{zone}_rate_last_10"]), rate)
        difference = np.where(here, floats(defense[f"{zone}_defense_vs_league"]), difference)
    return rate, difference, primary


def bookkeeping(missing: np.ndarray) -> dict[str, np.ndarray]:
    """missing_inputs and data_completeness_pct from a (rows × inputs) matrix."""
    return {
        "missing_inputs": names_where(missing, INPUTS),
        "data_completeness_pct": 100.0 * (~missing).sum(axis=1) / len(INPUTS),
    }


def names_where(marked: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Comma-separated names (at most 62) of the marked columns of each row; "" when none is.

    Rows are grouped by their pattern, as one whole number, so that each text is built once.
    """
    codes = marked @ (np.int64(1) << np.arange(len(names), dtype="int64"))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    listed = [",".join(n for n, m in zip(names, marked[i], strict=True) if m) for i in first]
    return np.array([*listed, ""], dtype=object)[which.reshape(-1)]
