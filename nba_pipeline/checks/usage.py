"""Usage rate: `usage_rate_range` and `usage_rate_coverage` of player_game_summary.

Belongs here: the rules about the column that caused the incident. Does not belong here: its formula
(``tables/columns/efficiency.py``).

A usage rate can be wrong in two ways that need opposite cures. *Too big*: true, but NUMERIC(p,s) cannot hold
it, so the column must be widened. *Impossible*: above 100 · (team_minutes/5) / minutes, more plays than the
whole team had, so the input must be corrected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, no_violations, row_labels, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.formulas.windows import ratio
from nba_pipeline.tables.render.frames import round_half_even
from nba_pipeline.tables.spec import Column

USAGE_RATE_RANGE = "usage_rate_range"
USAGE_RATE_COVERAGE = "usage_rate_coverage"
_FLOAT_EPSILON = 1e-9
_INPUTS = ("seconds_played", "plays_used", "team_plays_used", "team_minutes")


def find_usage_out_of_range(evidence: Evidence) -> pd.DataFrame:
    """Usage rates that are impossible (above the row's own bound, or negative) or too big for the column's
    type."""
    frame = evidence.computed
    column = evidence.table.column("usage_rate")
    most = float(column.type.physical_max or np.inf)
    usage = frame["usage_rate"].to_numpy(dtype="float64", na_value=np.nan)
    bound = usage_rate_bound(
        frame["seconds_played"].to_numpy(dtype="float64", na_value=np.nan),
        frame["team_minutes"].to_numpy(dtype="float64", na_value=np.nan),
    )
    with np.errstate(invalid="ignore"):
        impossible = (usage > bound * (1 + _FLOAT_EPSILON)) | (usage < 0)
        rounded = usage if column.type.scale is None else round_half_even(usage, column.type.scale)
        too_big = (np.abs(rounded) > most) & ~impossible
    positions = np.flatnonzero(impossible | too_big)
    if not len(positions):
        return no_violations()
    rows = frame.index[positions]
    inputs = [dict(record) for record in frame.loc[rows, list(_INPUTS)].to_dict("records")]
    most_of_row = np.where(impossible, bound, np.nan)
    messages = [
        _said(f"usage_rate {usage[p]:.2f} of {label}", given, column, usage[p], most_of_row[p])
        for p, label, given in zip(positions, row_labels(frame, rows), inputs, strict=True)
    ]
    kinds = {True: FailureClass.IMPOSSIBLE_VALUE, False: FailureClass.TYPE_OVERFLOW}
    return violations(
        USAGE_RATE_RANGE,
        frame.loc[rows, "game_date"],
        [kinds[bool(impossible[p])] for p in positions],
        messages,
        rows=rows.to_numpy(),
        column="usage_rate",
        values=[f"{usage[p]:.2f}" for p in positions],
        inputs=inputs,
    )


def _said(what: str, given: dict[str, Any], column: Column, value: float, bound: float) -> str:
    """The message of one row; ``bound``: of an impossible value, else NaN."""
    stint = (
        f"{given['plays_used']:g} plays in {given['seconds_played']:g} s of a team's"
        f" {given['team_plays_used']:g} plays in {given['team_minutes']:g} player minutes"
    )
    if not np.isnan(bound):
        return f"{what} is impossible: the bound of the row is {bound:.2f} ({stint}); correct the input"
    most = float(column.type.physical_max or np.inf)
    return (
        f"{what} does not fit {column.type} (range [-{most:.2f}, {most:.2f}]); the value is true ({stint}):"
        f" widen the column to {column.type.widened_for(value)}"
    )


def usage_rate_bound(seconds_played: np.ndarray, team_minutes: np.ndarray) -> np.ndarray:
    """The usage rate of a player who used every play of his team: 100 · (team minutes / 5) / minutes."""
    return ratio(100.0 * (team_minutes / 5.0), seconds_played / 60.0)


def rows_with_time(evidence: Evidence) -> pd.Series:
    """Rows per day with seconds_played > 0: each of them must have a usage rate."""
    timed = evidence.computed["seconds_played"].to_numpy(dtype="float64", na_value=0) > 0
    return evidence.computed.loc[timed, "game_date"].value_counts()


def find_missing_usage(evidence: Evidence) -> pd.DataFrame:
    """Rows with playing time and no usage rate. Expected coverage: 100 %."""
    frame = evidence.computed
    timed = frame["seconds_played"].to_numpy(dtype="float64", na_value=0) > 0
    rows = frame.index[timed & frame["usage_rate"].isna().to_numpy()].to_numpy()
    inputs = [dict(record) for record in frame.loc[rows, list(_INPUTS)].to_dict("records")]
    messages = [f"{label} has playing time and no usage_rate" for label in row_labels(frame, rows)]
    days = frame.loc[rows, "game_date"]
    return violations(
        USAGE_RATE_COVERAGE,
        days,
        FailureClass.INCOMPLETE_INPUT,
        messages,
        rows=rows,
        column="usage_rate",
        inputs=inputs,
    )
