"""A source with one thing wrong on chosen days, until it is healed: for rehearsing what the pipeline does
about it.

Belongs here: putting faults into any source's frames and taking them away again. Does not belong here: the
faults themselves (``demo/incident.py`` has those of the incident, the tests have many more).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.failures import SourceUnavailable
from nba_pipeline.sources.base import Source, SourceFrame
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS

_COMPETITIVE_DIGITS = ("2", "4", "5", "6")
Mutation = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Fault:
    """One thing wrong: the raw table that it is put into, and what it does to it. Without ``mutate`` the
    source is down.

    ``mutate(frame, game)`` gets the whole frame and the rows of the game to spoil (a slice of it, same
    labels), and returns the spoiled frame.
    """

    name: str
    into: str
    mutate: Mutation | None


class FaultySource:
    """``source`` with a fault on each of some days, put into the day's first competitive game.

    It keeps the source's name: to the pipeline it is the same source having a bad day. ``heal`` takes faults
    away again, as a repaired source would. ``asked`` counts the requests per raw table and day.
    """

    def __init__(self, source: Source, faults: Mapping[date, Fault]) -> None:
        self.name = source.name
        self.source = source
        self.faults = dict(faults)
        self.asked: dict[tuple[str, date], int] = {}

    def heal(self, *days: date) -> None:
        """The given days (all of them without arguments) are sound from now on."""
        for day in days or tuple(self.faults):
            del self.faults[day]

    def games(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(GAMES, days, self.source.games)

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(BOXSCORES, days, self.source.player_boxscores)

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(SHOTS, days, self.source.shot_attempts)

    def _spoiled(
        self, table: str, days: Sequence[date], fetch: Callable[[Sequence[date]], SourceFrame]
    ) -> SourceFrame:
        for day in days:
            self.asked[table, day] = self.asked.get((table, day), 0) + 1
        wrong = {day: f for day, f in self.faults.items() if f.into == table and day in set(days)}
        down = [day for day, f in wrong.items() if f.mutate is None]
        if down:
            raise SourceUnavailable(
                f"the source does not answer for {', '.join(map(str, sorted(down)))}", days=down
            )
        fetched = fetch(days)
        frame = fetched.frame.reset_index(drop=True)
        for day, fault in wrong.items():
            assert fault.mutate is not None
            frame = fault.mutate(frame, _first_competitive_game(frame, day)).reset_index(drop=True)
        return SourceFrame(frame, fetched.unusable)


def _first_competitive_game(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    rows = frame[
        (frame["game_date"] == pd.Timestamp(day)) & frame["nba_game_id"].str[2].isin(_COMPETITIVE_DIGITS)
    ]
    if "status" in rows and "home_score" in rows:
        rows = rows[rows["status"] == "final"]
    if rows.empty:
        raise ValueError(f"{day} has no competitive game to spoil")
    return rows[rows["nba_game_id"] == rows["nba_game_id"].min()]
