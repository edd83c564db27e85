"""nba_precompute.player_shot_zone_analysis: where each player of the slate shoots from, and how well, before
D.

Belongs here: that one table. Does not belong here: selecting history (``windows.py``), the slate's
population.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.possessions import ratio
from nba_pipeline.formulas.windows import Slice, last_games
from nba_pipeline.tables.precompute import PLAYER_SHOT_ZONE_ANALYSIS
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms.player_history import appearances, rows_of
from nba_pipeline.transforms.shaping import null_where, shaped

PRIMARY_ZONE = (("paint", "paint", 40.0), ("three", "perimeter", 40.0), ("mid_range", "mid_range", 35.0))
"""Zone, its name as a primary zone, least rate in percent: the first that is reached; else `balanced`."""
QUALITY = ((10, "excellent"), (7, "good"), (5, "limited"), (0, "insufficient"))
"""Least number of games among the last 10 -> sample_quality."""


def player_shot_zone_analysis(
    days: Sequence[date], context: pd.DataFrame, player_games: pd.DataFrame
) -> pd.DataFrame:
    """One row per row of ``context`` on ``days``, columns of the table, unrounded, in key order.

    ``context``: nba_analytics.upcoming_player_game_context of ``days`` (game_date, player_id, player_lookup,
    game_id, team_abbr, opponent_team_abbr). ``player_games``: history of nba_analytics.player_game_summary
    (game_date, player_id, seconds_played, {zone}_makes, {zone}_attempts, assisted_fg_makes,
    unassisted_fg_makes). Attempts are those of the three zones; games without shot data take part in no rate.
    """
    rows = rows_of(days, context)
    history = appearances(player_games)
    ten, twenty = history.before(rows, last_games(10)), history.before(rows, last_games(20))
    rates = _rates(ten, 10)
    quality = np.select([ten.games >= least for least, _ in QUALITY], [name for _, name in QUALITY], "")
    values = {
        **{str(name): rows[name] for name in rows.columns},
        **rates,
        **_rates(twenty, 20),
        **_volume(ten),
        **_creation(ten),
        "primary_scoring_zone": _primary(rates),
        "games_in_window_10": ten.games,
        "games_in_window_20": twenty.games,
        "sample_quality": quality,
    }
    return shaped(PLAYER_SHOT_ZONE_ANALYSIS, values)


def _attempts(games: Slice) -> np.ndarray:
    return np.sum([games.total(f"{zone}_attempts") for zone in ZONES], axis=0)


def _rates(games: Slice, n: int) -> dict[str, np.ndarray]:
    attempts = _attempts(games)
    return {
        f"{zone}_rate_last_{n}": ratio(100.0 * games.total(f"{zone}_attempts"), attempts) for zone in ZONES
    }


def _volume(games: Slice) -> dict[str, np.ndarray]:
    values = {"shot_attempts_last_10": np.where(games.known("paint_attempts") > 0, _attempts(games), np.nan)}
    for zone in ZONES:
        values[f"{zone}_pct_last_10"] = ratio(games.total(f"{zone}_makes"), games.total(f"{zone}_attempts"))
        values[f"{zone}_attempts_per_game_last_10"] = games.mean(f"{zone}_attempts")
    return values


def _creation(games: Slice) -> dict[str, np.ndarray]:
    assisted, unassisted = games.total("assisted_fg_makes"), games.total("unassisted_fg_makes")
    makes = assisted + unassisted
    return {
        "assisted_rate_last_10": ratio(100.0 * assisted, makes),
        "unassisted_rate_last_10": ratio(100.0 * unassisted, makes),
    }


def _primary(rates: dict[str, Any]) -> np.ndarray:
    """Judged on unrounded rates: 39.996 is printed as 40.00 but is not 40."""
    by_zone = {zone: rates[f"{zone}_rate_last_10"] for zone in ZONES}
    reached = [by_zone[zone] >= least for zone, _, least in PRIMARY_ZONE]
    named = np.select(reached, [name for _, name, _ in PRIMARY_ZONE], "balanced")
    return null_where(np.isnan(by_zone["paint"]), named)
