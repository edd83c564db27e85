"""Shooting efficiency, usage and one-number summaries of a line. Arrays (or Series) of float in, the same
shape out.

Belongs here: formulas over one player's or team's counts. Does not belong here: tables, grouping, rounding.
Source: the stats.nba.com and Basketball Reference glossaries; Game Score is John Hollinger's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nba_pipeline.formulas.possessions import FREE_THROW_COEFFICIENT, ratio

RELIABLE_USAGE_SECONDS = 300
"""Below five minutes a usage rate says little: the true maximum so far, 1196.81 %, was a stint of two
seconds."""


def true_shooting(points: Any, fg_attempts: Any, ft_attempts: Any) -> Any:
    """TS%: PTS / (2·(FGA + 0.44·FTA)). 0-for-5 is 0; free throws only has a TS%; without either it is NaN."""
    return ratio(points, 2.0 * (fg_attempts + FREE_THROW_COEFFICIENT * ft_attempts))


def effective_fg(fg_makes: Any, three_pt_makes: Any, fg_attempts: Any) -> Any:
    """eFG%: (FGM + 0.5·3PM) / FGA."""
    return ratio(fg_makes + 0.5 * three_pt_makes, fg_attempts)


def usage_rate(plays_used: Any, seconds_played: Any, team_plays_used: Any, team_minutes: Any) -> Any:
    """USG%: 100 · plays · (team minutes / 5) / (minutes · team plays), with minutes = seconds / 60 unrounded.

    Rounding minutes first is what turned the incident's 1196.81 into 1329.79. NaN at 0 seconds or 0 team
    plays.
    """
    minutes = np.asarray(seconds_played, dtype="float64") / 60.0
    return ratio(100.0 * plays_used * (team_minutes / 5.0), minutes * team_plays_used)


def usage_rate_bound(seconds_played: Any, team_minutes: Any) -> Any:
    """The usage rate of a player who used every play of his team: 100 · (team minutes / 5) / minutes."""
    return ratio(
        100.0 * (np.asarray(team_minutes, dtype="float64") / 5.0),
        np.asarray(seconds_played, dtype="float64") / 60.0,
    )


def per_36(count: Any, seconds_played: Any) -> Any:
    """``count`` per 36 minutes played."""
    return ratio(36.0 * 60.0 * count, seconds_played)


def game_score(line: Any) -> Any:
    """Hollinger's Game Score of box-score lines (a mapping or frame of the counting columns, float)."""
    return (
        line["points"]
        + 0.4 * line["fg_makes"]
        - 0.7 * line["fg_attempts"]
        - 0.4 * (line["ft_attempts"] - line["ft_makes"])
        + 0.7 * line["offensive_rebounds"]
        + 0.3 * line["defensive_rebounds"]
        + line["steals"]
        + 0.7 * line["assists"]
        + 0.7 * line["blocks"]
        - 0.4 * line["personal_fouls"]
        - line["turnovers"]
    )
