"""The ``simulated`` source: a league of the NBA's shape, with no network and no files.

Belongs here: ``SimulatedSource``: coverage, and choosing the rows of the days asked for.
Does not belong here: how the league is made (the other modules of this package).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.failures import SourceUnavailable
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.sources.simulated.block import games_of, played_in

DEFAULT_SEED = 2021
DEFAULT_FIRST_DAY = date(2021, 10, 19)


class SimulatedSource:
    """A deterministic league: the same seed and day always give the same rows.

    ``first_day`` and ``last_day`` bound what is covered (``last_day`` None: no bound); a day outside raises
    ``SourceUnavailable``. They do not change the rows of the days within. Every game of a covered day has
    been played, apart from the few that never were (``postponed``, ``cancelled``, ``not_needed``), and from
    those after the day that ``results_until`` gives each time it is asked: they are ``scheduled``, with
    neither lines nor shots.
    """

    name = "simulated"

    def __init__(
        self,
        seed: int = DEFAULT_SEED,
        first_day: date = DEFAULT_FIRST_DAY,
        last_day: date | None = None,
        results_until: Callable[[], date] = lambda: date.max,
    ) -> None:
        if seed < 0:
            raise ValueError(f"the seed of the simulated source is a whole number from 0 on, not {seed}")
        if last_day is not None and last_day < first_day:
            raise ValueError(
                f"the simulated source cannot end on {last_day}, before its first day {first_day}"
            )
        self.seed = seed
        self.first_day = first_day
        self.last_day = last_day
        self.results_until = results_until

    def games(self, days: Sequence[date]) -> SourceFrame:
        """The rows of ``nba_raw.games`` for these days."""
        return self._rows("games", days)

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
        """The rows of ``nba_raw.player_boxscores`` for these days."""
        return self._rows("player_boxscores", days)

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame:
        """The rows of ``nba_raw.shot_attempts`` for these days; preseason and All-Star weekend have none."""
        return self._rows("shot_attempts", days)

    def revision(self) -> str:
        """A simulated league never corrects itself, it only goes on; see ``Polled``."""
        return f"{self.seed} {self.first_day} {self.last_day} {self.results_until()}"

    def fingerprints(self, days: Sequence[date]) -> dict[date, str]:
        """The same for every covered day that is over, and another for the others; see ``Polled``."""
        played, until = self.seed % 2**32, self.results_until()
        covered = [d for d in days if self.first_day <= d and (self.last_day is None or d <= self.last_day)]
        return {d: f"{played if d <= until else played ^ 1:08x}" for d in covered}

    def _rows(self, table: str, days: Sequence[date]) -> SourceFrame:
        wanted = sorted(set(days))
        self._require_coverage(wanted)
        by_month: dict[tuple[int, int], list[date]] = {}
        for day in wanted:
            by_month.setdefault((day.year, day.month), []).append(day)
        parts = []
        for (year, month), asked in by_month.items():
            frame = self._month(table, year, month)
            parts.append(
                frame[np.isin(frame["game_date"].to_numpy(), np.array(asked, dtype="datetime64[s]"))]
            )
        if not parts:  # no days asked for: the columns alone
            parts.append(self._month(table, self.first_day.year, self.first_day.month).iloc[:0])
        filled = [p for p in parts if len(p)] or parts[:1]
        rows = pd.concat(filled, ignore_index=True)
        rows = rows.sort_values("game_date", kind="stable", ignore_index=True)
        return SourceFrame(_as_known(rows, self.results_until()))

    def _month(self, table: str, year: int, month: int) -> pd.DataFrame:
        if table == "games":
            return games_of(self.seed, year, month)
        return getattr(played_in(self.seed, year, month), table)

    def _require_coverage(self, days: Sequence[date]) -> None:
        outside = [d for d in days if d < self.first_day or (self.last_day is not None and d > self.last_day)]
        if outside:
            until = f"to {self.last_day}" if self.last_day else "on"
            raise SourceUnavailable(
                f"the simulated source covers days from {self.first_day} {until}, not {outside[0]}"
                + (f" and {len(outside) - 1} others" if len(outside) > 1 else ""),
                days=outside,
            )


def _as_known(rows: pd.DataFrame, until: date) -> pd.DataFrame:
    """Rows as they are published when results are known up to ``until``: the schedule goes on, lines and
    shots do not."""
    to_come = (rows["game_date"].dt.date > until).to_numpy(dtype=bool)
    if not to_come.any():
        return rows
    if "home_score" not in rows:  # a table of what happened in games
        return rows[~to_come].reset_index(drop=True)
    final = to_come & rows["status"].eq("final").to_numpy(dtype=bool)
    scores = {score: rows[score].mask(final) for score in ("home_score", "away_score")}
    return rows.assign(status=rows["status"].mask(final, "scheduled"), **scores)
