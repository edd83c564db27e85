"""What a check is and what it finds: evidence in, violations out.

Belongs here: ``Evidence``, ``Check``, the violations frame and how one is built.
Does not belong here: particular checks, Dagster (``assets/`` turns these into asset checks).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.spec import Table

VIOLATION_COLUMNS = ("day", "check", "row", "column", "value", "failure_class", "message", "inputs")


@dataclass(frozen=True)
class Evidence:
    """All a check may look at, for a range of days.

    ``computed`` is the transform's unrounded result with a RangeIndex (it may carry inputs of the formulas as
    further columns), ``conformed`` the same rows with the table's columns, dtypes and rounding, ``inputs``
    the frames the transform was given, by table name, ``days`` the days asked for. ``history`` names the
    inputs that are looked back into; ``recompute(inputs, days)`` is the transform itself, for checks that ask
    what it would say to other inputs.
    """

    table: Table
    days: pd.DatetimeIndex
    computed: pd.DataFrame
    conformed: pd.DataFrame
    inputs: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    history: frozenset[str] = frozenset()
    recompute: Callable[[Mapping[str, pd.DataFrame], Sequence[date]], pd.DataFrame] | None = None


@dataclass(frozen=True)
class Check:
    """One rule of a table. ``find`` returns violations for the whole range; ``compares`` says in the plural
    what is counted per day as compared (rows, team-games, ...), ``population`` how many there were per day
    (rows if not given). ``severity`` of a violation is always ERROR: every check here is enforced before the
    write."""

    name: str
    description: str
    find: Callable[[Evidence], pd.DataFrame]
    compares: str = "rows"
    population: Callable[[Evidence], pd.Series] | None = None


def no_violations() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in VIOLATION_COLUMNS}).astype(
        {"day": "datetime64[s]", "row": "Int64"}
    )


def violations(
    check: str,
    days: pd.Series | np.ndarray,
    failure_class: FailureClass | Sequence[FailureClass],
    messages: Sequence[str],
    *,
    rows: Sequence[int] | np.ndarray | None = None,
    column: str | Sequence[str | None] | None = None,
    values: Sequence[object] | None = None,
    inputs: Sequence[Mapping[str, object]] | None = None,
) -> pd.DataFrame:
    """A violations frame: one row per offending row, or per day when no row can be named (``rows`` None)."""
    n = len(messages)
    if n == 0:
        return no_violations()
    return pd.DataFrame(
        {
            "day": pd.to_datetime(np.asarray(days)).astype("datetime64[s]"),
            "check": check,
            "row": pd.array(rows if rows is not None else [pd.NA] * n, dtype="Int64"),
            "column": column if column is None or isinstance(column, str) else list(column),
            "value": [None if v is None else str(v) for v in (values if values is not None else [None] * n)],
            "failure_class": (
                failure_class if isinstance(failure_class, FailureClass) else list(failure_class)
            ),
            "message": list(messages),
            "inputs": (
                [json.dumps({k: plain(v) for k, v in i.items()}) for i in inputs]
                if inputs is not None
                else None
            ),
        }
    )


def combined(found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All violations of several checks in one frame."""
    filled = [f for f in found if len(f)]
    return pd.concat(filled, ignore_index=True) if filled else no_violations()


def plain(value: object) -> object:
    """A JSON value of a cell: NULL as None, numbers as Python numbers, everything else as text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return str(value)


_LABELS = ("game_id", "team_abbr", "player_full_name", "player_name", "player_id", "nba_game_id", "event_id")


def row_labels(frame: pd.DataFrame, rows: Sequence[int] | np.ndarray) -> list[str]:
    """How a person recognises each row: ``20240307_CHI_GSW GSW Lester Quinones (1631311)``."""
    columns = [c for c in _LABELS if c in frame.columns]
    if not columns:
        return [f"row {row}" for row in rows]
    labels = []
    for record in frame.loc[list(rows), columns].to_dict("records"):
        name = record.pop("player_full_name", None) or record.pop("player_name", None)
        record.pop("player_name", None)
        player = record.pop("player_id", None)
        league_id = record.pop("nba_game_id", None) if "game_id" in record else None
        parts = [str(v) for v in record.values() if v is not None and not pd.isna(v)]
        if name is not None and not pd.isna(name):
            parts.append(f"{name} ({player})")
        elif player is not None and not pd.isna(player):
            parts.append(f"player {player}")
        labels.append(" ".join(parts) or str(league_id))
    return labels
