"""What the schedule says of each day: why it is empty, and which days of history must exist.

Belongs here: questions to ``nba_raw.games`` that the protocol asks for every table. Pure functions over
frames. Does not belong here: reading (``range_run.py``) and per-table rules (``checks/``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.tables.calendar import season_of
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES, EmptyReason

SCHEDULE_COLUMNS = ("game_date", "game_type", "status")
NAMED_SCHEDULE = (*SCHEDULE_COLUMNS, "game_id")
_PLAYED_OR_TO_BE = ("final", "scheduled")


def competitive_days(games: pd.DataFrame, statuses: Sequence[str] = ("final",)) -> set[date]:
    """Days with a competitive game in one of these states."""
    return _days_of(games, games["game_type"].isin(COMPETITIVE_GAME_TYPES) & games["status"].isin(statuses))


def days_without_results(games: pd.DataFrame) -> set[date]:
    """Days with a game of any type that is still scheduled."""
    return _days_of(games, games["status"].eq("scheduled"))


def overdue_games(games: pd.DataFrame, results_due: date) -> dict[date, str]:
    """Days until ``results_due`` -> their competitive games that are still scheduled, in words."""
    open_ = games[games["game_type"].isin(COMPETITIVE_GAME_TYPES) & games["status"].eq("scheduled")]
    open_ = open_[open_["game_date"] <= pd.Timestamp(results_due)] if results_due < date.max else open_
    named = open_.groupby("game_date")["game_id"].agg(lambda ids: ", ".join(sorted(map(str, ids))))
    return {stamp.date(): text for stamp, text in named.items()}


def empty_reasons(
    games: pd.DataFrame, days: Iterable[date], not_due: Iterable[date] = ()
) -> dict[date, EmptyReason | None]:
    """Why each day has no competitive rows according to its games; None where there should be some.

    ``not_due``: days whose results are not expected yet; without a final game they are NOT_PLAYED_YET.
    """
    to_come = set(not_due) - competitive_days(games)
    played = games["status"].isin(_PLAYED_OR_TO_BE)
    competitive = competitive_days(games, _PLAYED_OR_TO_BE)
    exhibitions = _days_of(games, played & ~games["game_type"].isin(COMPETITIVE_GAME_TYPES))
    called_off = _days_of(games, games["status"].isin(("postponed", "cancelled")))

    def reason(day: date) -> EmptyReason | None:
        if day in competitive:
            return EmptyReason.NOT_PLAYED_YET if day in to_come else None
        if day in exhibitions:
            return EmptyReason.EXHIBITION_ONLY
        if day in called_off:
            return EmptyReason.POSTPONED
        return EmptyReason.OFF_DAY if season_of(day).is_in_play(day) else EmptyReason.OFF_SEASON

    return {day: reason(day) for day in days}


def _days_of(games: pd.DataFrame, chosen: pd.Series) -> set[date]:
    return set(games.loc[chosen, "game_date"].dt.date)


def history_holes(
    days: Sequence[date], needed: Iterable[date], present: Container[date], first_needed: np.ndarray
) -> dict[date, list[date]]:
    """For each day, the days before it, from its ``first_needed`` on, that are ``needed`` and not ``present``
    (days without holes are left out)."""
    holes = np.array(sorted(d for d in needed if d not in present), dtype="datetime64[D]")
    if not len(holes):
        return {}
    first = np.searchsorted(holes, first_needed)
    last = np.searchsorted(holes, np.array(days, dtype="datetime64[D]"))
    return {
        day: list(holes[a:b].astype(object)) for day, a, b in zip(days, first, last, strict=True) if b > a
    }
