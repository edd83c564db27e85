"""Formulas as text that can be filled in with a row's numbers and worked out: what `explain` shows of a value.

Belongs here: the text of formulas and working them out. Does not belong here: the formulas that make the tables
(``metrics/``); a test holds every text here against the values that those made.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

PLAYERS, OFFENSE = "nba_analytics.player_game_summary", "nba_analytics.team_offense_game_summary"

_PLAYS = "(fg_attempts + 0.44 * ft_attempts + turnovers)"
_SHOOTING = {
    "plays_used": "fg_attempts + 0.44 * ft_attempts + turnovers",
    "rebounds": "offensive_rebounds + defensive_rebounds",
    "ts_pct": "points / (2 * (fg_attempts + 0.44 * ft_attempts))",
    "efg_pct": "(fg_makes + 0.5 * three_pt_makes) / fg_attempts",
}
FORMULAS: Mapping[str, Mapping[str, str]] = {
    PLAYERS: {
        **_SHOOTING,
        "minutes_played": "seconds_played / 60",
        "usage_rate": "100 * plays_used * (team_minutes / 5) / ((seconds_played / 60) * team_plays_used)",
        "points_per_36": "36 * points / (seconds_played / 60)",
        "game_score": "points + 0.4 * fg_makes - 0.7 * fg_attempts - 0.4 * (ft_attempts - ft_makes) + 0.7 * offensive_rebounds "
        "+ 0.3 * defensive_rebounds + steals + 0.7 * assists + 0.7 * blocks - 0.4 * personal_fouls - turnovers",
    },
    OFFENSE: {
        **_SHOOTING,
        "team_minutes": "240 + 25 * overtime_periods",
        "possessions": "(fg_attempts + 0.44 * ft_attempts - offensive_rebounds + turnovers + opponent_fg_attempts "
        "+ 0.44 * opponent_ft_attempts - opponent_offensive_rebounds + opponent_turnovers) / 2",
        "pace": "48 * possessions / (team_minutes / 5)",
        "offensive_rating": "100 * points / possessions",
        "turnover_pct": f"turnovers / {_PLAYS}",
        "offensive_rebound_pct": "offensive_rebounds / (offensive_rebounds + opponent_defensive_rebounds)",
    },
}
"""Table and column -> arithmetic over columns of the row; ``team_`` and ``opponent_`` columns come from the team rows."""

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def names_in(formula: str) -> list[str]:
    """The columns that a formula speaks of, in order of their first appearance."""
    found = [n for n in ast.walk(ast.parse(formula, mode="eval")) if isinstance(n, ast.Name)]
    return list(dict.fromkeys(n.id for n in sorted(found, key=lambda n: n.col_offset)))


def filled(formula: str, values: Mapping[str, float]) -> str:
    """The formula with numbers in the place of its columns."""
    text = formula
    found = [n for n in ast.walk(ast.parse(formula, mode="eval")) if isinstance(n, ast.Name)]
    for name in sorted(found, key=lambda n: -n.col_offset):
        text = f"{text[: name.col_offset]}{values[name.id]:g}{text[name.end_col_offset :]}"
    return text


def worked_out(formula: str, values: Mapping[str, float]) -> float | None:
    """What the formula comes to; None where it divides by zero, which is where its column is NULL."""
    try:
        return _value(ast.parse(formula, mode="eval").body, values)
    except ZeroDivisionError:
        return None


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Name):
        return float(values[node.id])
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    raise ValueError(f"{ast.unparse(node)} is no arithmetic that a formula may hold")
