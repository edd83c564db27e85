"""Time left of a backfill that runs: its days weighed by what a day of their table costs. Pure functions.

Belongs here: weights and the estimate. Does not belong here: measuring (``pace.py``), progress of runs that others started
(``watch.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nba_pipeline.operations.pace import Measured

RELATIVE_COST: Mapping[str, float] = {
    "nba_raw.games": 1.0,
    "nba_raw.player_boxscores": 1.6,
    "nba_raw.shot_attempts": 1.3,
    "nba_analytics.team_offense_game_summary": 1.5,
    "nba_analytics.team_defense_game_summary": 1.3,
    "nba_analytics.player_game_summary": 1.3,
    "nba_analytics.upcoming_player_game_context": 2.0,
    "nba_precompute.team_defense_zone_analysis": 1.4,
    "nba_precompute.player_shot_zone_analysis": 1.6,
    "nba_precompute.player_composite_factors": 2.2,
    "nba_precompute.player_daily_cache": 3.0,
    "nba_precompute.ml_feature_store": 2.6,
}
"""What a day of each table costs, compared with one of the schedule: `bench/eta_error.py`, 150 days of simulated games, two
busy cores. Used until a machine has measured its own."""


def costs(tables: Iterable[str], history: Mapping[str, Iterable[Measured]]) -> dict[str, float]:
    """Seconds per day of each table: as its earlier backfills took where all tables have been measured, else the stored
    relative costs, which only say how tables compare."""
    names = list(tables)
    measured = {name: list(history.get(name, ())) for name in names}
    if all(any(m.days and m.seconds for m in of_table) for of_table in measured.values()):
        return {name: sum(m.seconds for m in of) / sum(m.days for m in of) for name, of in measured.items()}
    return {name: RELATIVE_COST.get(name, 1.0) for name in names}


def seconds_left(total: Mapping[str, int], done: Mapping[str, int], cost: Mapping[str, float], elapsed: float) -> float | None:
    """Time left after ``elapsed`` seconds, if the rest goes as fast per unit of cost as what is done; None at the start."""
    spent = sum(days * cost[name] for name, days in done.items())
    if not spent:
        return None
    return elapsed * max(0.0, sum(days * cost[name] for name, days in total.items()) / spent - 1.0)
