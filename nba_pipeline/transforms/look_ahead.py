"""The leak canary: recompute a day with an absurd present and future, and say which columns noticed.

Belongs here: the pure part: frames in, names of leaking columns out. Does not belong here: reading tables,
choosing days, reporting (``checks/``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

ABSURD = 9_000
KEPT = frozenset(
    [
        "game_id",
        "nba_game_id",
        "game_date",
        "season_year",
        "game_type",
        "status",
        "home_team_abbr",
        "away_team_abbr",
        "home_team_id",
        "away_team_id",
        "team_id",
        "team_abbr",
        "opponent_team_abbr",
        "player_id",
        "player_lookup",
        "player_full_name",
        "player_name",
        "is_home",
    ]
)
"""Columns that say which game or player a row is about; absurd values in them would be another row, not
another result."""
_SCORES = ("home_score", "away_score")
MISSING_ROWS = "(rows)"


def leaking_columns(
    compute: Callable[..., pd.DataFrame],
    day: date,
    history: Mapping[str, pd.DataFrame],
    of_day: Mapping[str, pd.DataFrame],
) -> tuple[str, ...]:
    """Columns of ``compute([day], **history, **of_day)`` that depend on results of ``day`` or later; () is
    clean.

    ``history`` are tables of results: on and after ``day`` they are first made absurd, then erased.
    ``of_day`` are the tables that a row of the day may read by identity (schedule, slate, other tables of the
    day): only scores of games are attacked there. Inputs are not modified; the function must return rows in a
    fixed order.
    """
    clean = compute([day], **history, **of_day)
    attacked_day = {name: _with_absurd_scores(frame) for name, frame in of_day.items()}
    leaks: set[str] = set()
    for attack in (made_absurd, _erased):
        attacked = {name: attack(frame, day) for name, frame in history.items()}
        leaks |= _differences(clean, compute([day], **attacked, **attacked_day))
    return tuple(c for c in (MISSING_ROWS, *clean.columns) if c in leaks)


def made_absurd(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """The frame with every value of a result on or after ``day`` replaced by one that no game produces."""
    late = _from(frame, day)
    changed: dict[str, Any] = {}
    for position, name in enumerate(c for c in frame.columns if c not in KEPT):
        values = frame[name]
        if pd.api.types.is_bool_dtype(values.dtype):
            changed[name] = values.where(~late, ~values.fillna(False).astype(bool))
        elif pd.api.types.is_numeric_dtype(values.dtype):
            changed[name] = values.where(~late, ABSURD + position).astype(values.dtype)
    return frame.assign(**changed)


def _erased(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    return frame[~_from(frame, day)]


def _from(frame: pd.DataFrame, day: date) -> np.ndarray:
    return (frame["game_date"] >= pd.Timestamp(day)).to_numpy(dtype=bool)


def _with_absurd_scores(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        **{name: pd.array([ABSURD] * len(frame), dtype="Int64") for name in _SCORES if name in frame}
    )


def _differences(clean: pd.DataFrame, attacked: pd.DataFrame) -> set[str]:
    if len(clean) != len(attacked):
        return {MISSING_ROWS}
    return {str(name) for name in clean.columns if not clean[name].equals(attacked[name])}
