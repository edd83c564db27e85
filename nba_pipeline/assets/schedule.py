"""What the schedule says of each day: why it is empty, and which days of history must exist.

Belongs here: questions to ``nba_raw.games`` that the protocol asks for every table. Pure functions over frames.
Does not belong here: reading (``range_run.py``) and per-table rules (``checks/``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.tables.calendar import season_of
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES, EmptyReason

SCHEDULE_COLUMNS = ("game_date", "game_type", "status")


def competitive_days(games: pd.DataFrame, statuses: Sequence[str] = ("final",)) -> set[date]:
    """Days with a competitive game in one of these states."""
    played = games[games["game_type"].isin(COMPETITIVE_GAME_TYPES) & games["status"].isin(statuses)]
    return set(played["game_date"].dt.date)


def empty_reasons(games: pd.DataFrame, days: Iterable[date]) -> dict[date, EmptyReason | None]:
    """Why each day has no competitive rows according to its games; None where games were played or are to be played."""
    by_day = dict(tuple(games[list(SCHEDULE_COLUMNS)].groupby(games["game_date"].dt.date)))
    return {day: _reason(day, by_day.get(day)) for day in days}


def _reason(day: date, games: pd.DataFrame | None) -> EmptyReason | None:
    quiet = EmptyReason.OFF_DAY if season_of(day).is_in_play(day) else EmptyReason.OFF_SEASON
    if games is None:
        return quiet
    competitive = games["game_type"].isin(COMPETITIVE_GAME_TYPES).to_numpy(dtype=bool)
    status = games["status"].to_numpy(dtype=object)
    if (competitive & np.isin(status, ["final", "scheduled"])).any():
        return None
    if (~competitive & np.isin(status, ["final", "scheduled"])).any():
        return EmptyReason.EXHIBITION_ONLY
    return EmptyReason.POSTPONED if np.isin(status, ["postponed", "cancelled"]).any() else quiet


def history_holes(
    days: Sequence[date], needed: Iterable[date], present: Mapping[date, object], lookback_days: int
) -> dict[date, list[date]]:
    """For each day, the days in the look-back before it that are ``needed`` and not ``present`` (days without holes are left out)."""
    holes = np.array(sorted(d for d in needed if d not in present), dtype="datetime64[D]")
    if not len(holes):
        return {}
    asked = np.array(days, dtype="datetime64[D]")
    first = np.searchsorted(holes, asked - lookback_days)
    last = np.searchsorted(holes, asked)
    return {day: list(holes[a:b].astype(object)) for day, a, b in zip(days, first, last, strict=True) if b > a}
