"""Possessions, pace, ratings and team rates. Arrays (or Series) of float in, the same shape out.

Belongs here: formulas about teams and games. Does not belong here: tables, grouping, rounding (done at the
boundary). A zero denominator gives NaN: a rate that is undefined is NULL, never 0. Source of the formulas:
the stats.nba.com and Basketball Reference glossaries; the possession formula is the *simple* one, whose
free-throw coefficient is 0.44 (Basketball Reference's long formula uses 0.4 and moves league pace by several
possessions).
"""

from __future__ import annotations

from typing import Any

import numpy as np

FREE_THROW_COEFFICIENT = 0.44
REGULATION_SECONDS = 14_400
"""Five players for 48 minutes."""
OVERTIME_SECONDS = 1_500
"""Five players for 5 minutes."""


def ratio(numerator: Any, denominator: Any) -> Any:
    """``numerator / denominator``, NaN where the denominator is 0."""
    denominator = np.asarray(denominator, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(numerator, dtype="float64") / np.where(denominator == 0, np.nan, denominator)


def plays(fg_attempts: Any, ft_attempts: Any, turnovers: Any) -> Any:
    """Plays that ended with the player or team: FGA + 0.44·FTA + TOV."""
    return fg_attempts + FREE_THROW_COEFFICIENT * ft_attempts + turnovers


def raw_possessions(fg_attempts: Any, ft_attempts: Any, offensive_rebounds: Any, turnovers: Any) -> Any:
    """One team's side of the possession estimate: FGA + 0.44·FTA − OREB + TOV."""
    return plays(fg_attempts, ft_attempts, turnovers) - offensive_rebounds


def overtime_periods(player_seconds: Any) -> Any:
    """Overtimes that a team's summed playing time amounts to, at least 0."""
    return np.maximum(
        np.rint((np.asarray(player_seconds, dtype="float64") - REGULATION_SECONDS) / OVERTIME_SECONDS), 0
    )


def team_minutes(overtimes: Any) -> Any:
    """Five players' minutes: 240 + 25 per overtime."""
    return 240.0 + 25.0 * overtimes


def pace(possessions: Any, minutes: Any) -> Any:
    """Possessions per 48 minutes, from five players' ``minutes``, so that overtime is right."""
    return ratio(48.0 * possessions, minutes / 5.0)


def rating(points: Any, possessions: Any) -> Any:
    """Points per 100 possessions, offensive or defensive according to whose points they are."""
    return ratio(100.0 * points, possessions)


def turnover_pct(fg_attempts: Any, ft_attempts: Any, turnovers: Any) -> Any:
    """TOV / (FGA + 0.44·FTA + TOV)."""
    return ratio(turnovers, plays(fg_attempts, ft_attempts, turnovers))


def offensive_rebound_pct(offensive_rebounds: Any, opponent_defensive_rebounds: Any) -> Any:
    """OREB / (OREB + opponent's DREB)."""
    return ratio(offensive_rebounds, offensive_rebounds + opponent_defensive_rebounds)
