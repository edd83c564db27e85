"""The only place that selects history: which earlier games a row of day D rests on.

Belongs here: ``History`` (facts in order of entity and day) and ``Slice`` (the facts of each as-of row, and
exact sums over them). Does not belong here: how far back a window reaches (``tables/formula.py``), which
columns a table has, formulas, output tables.

Strictly before is not an option of this module: ``History.before`` takes no flag, and every window of every
kind ends where ``_end_of_history`` says. That function is the single comparison with the as-of day; the
look-ahead tests plant an off-by-one in it and require that it is caught.

The facts of an entity are adjacent and in order of day, so the facts behind a row are the positions ``[start,
stop)``, and a sum over them is a difference of two running sums. Running sums are held in whole numbers
(hundredths where the column is NUMERIC(p,2)), so no rounding error depends on which other days, rows or older
seasons were present: the result for a day is the same bytes whatever range it was computed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.tables.calendar import first_days, season_years
from nba_pipeline.tables.formula import Window

DAY = "game_date"
_DAY_BITS = 20  # days since 1970 stay below 2**20 until the year 4840; the entity's code sits above them
_OFF_GRID = 1e-4  # in units of the last digit; a value further off is not of the column's declared scale


def _end_of_history(fact_keys: np.ndarray, as_of_keys: np.ndarray) -> np.ndarray:
    """How many facts lie strictly before each as-of key: THE comparison that keeps day D out of D's own
    history."""
    return np.searchsorted(fact_keys, as_of_keys, side="left")


def _first_at_or_after(fact_keys: np.ndarray, lower_keys: np.ndarray) -> np.ndarray:
    """Position of the first fact at or after a lower limit; it only ever bounds a window from below."""
    return np.searchsorted(fact_keys, lower_keys, side="left")


def ratio(numerator: Any, denominator: Any) -> Any:
    """``numerator / denominator`` (arrays or numbers), NaN where the denominator is 0: undefined is NULL,
    never 0."""
    denominator = np.asarray(denominator, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(numerator, dtype="float64") / np.where(denominator == 0, np.nan, denominator)


def day_numbers(days: Any) -> np.ndarray:
    """Days since 1970-01-01 (int64) of a column or sequence of dates."""
    return np.asarray(days, dtype="datetime64[D]").astype("int64")


def _lowest(window: Window, days: np.ndarray) -> np.ndarray:
    """The first day (number) that the window of each day reaches back to; its number of games may reach less
    far."""
    lowest = np.zeros(len(days), dtype="int64")
    if window.this_season:
        lowest = np.maximum(lowest, day_numbers(first_days(season_years(days))))
    if window.days is not None:
        lowest = np.maximum(lowest, day_numbers(days) - window.days)
    return lowest


def _plain(values: pd.Series) -> np.ndarray:
    """Key values as a NumPy array whose equality does not depend on the pandas dtype."""
    return (
        values.to_numpy(dtype="int64")
        if pd.api.types.is_integer_dtype(values.dtype)
        else values.astype(object).to_numpy()
    )


class History:
    """Facts of one kind (a player's games, a team's games), ready to be asked what was known before a day.

    ``facts`` has the columns of ``entity`` and ``game_date``, in any row order; it is not modified. An entity
    has at most one fact per day: a second one raises ValueError, because no result could then be independent
    of row order. ``many_per_day`` lifts that for an entity such as a team's squad; windows that count games
    are then refused.
    """

    def __init__(
        self,
        facts: pd.DataFrame,
        entity: Sequence[str],
        decimals: Mapping[str, int] | None = None,
        *,
        many_per_day: bool = False,
    ) -> None:
        self.entity = tuple(entity)
        self._decimals = dict(decimals or {})
        self.many_per_day = many_per_day
        self._uniques: list[pd.Index] = []
        codes = np.zeros(len(facts), dtype="int64")
        for name in self.entity:
            code, uniques = pd.factorize(_plain(facts[name]))
            self._uniques.append(pd.Index(uniques))
            codes = codes * (len(uniques) + 1) + code
        keys = (codes << _DAY_BITS) + day_numbers(facts[DAY])
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._facts = facts.take(order).reset_index(drop=True)
        self._columns: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._running: dict[tuple[str, str], np.ndarray] = {}
        if not many_per_day:
            self._refuse_ties()

    def by(self, *entity: str) -> History:
        """The same facts seen from another entity, which may have several of them on a day."""
        return History(self._facts, entity, self._decimals, many_per_day=True)

    def _refuse_ties(self) -> None:
        tied = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if len(tied):
            example = self._facts.loc[tied[0], [*self.entity, DAY]].to_dict()
            raise ValueError(f"{len(tied)} facts share entity and day with another one, first {example}")

    def __len__(self) -> int:
        return len(self._keys)

    @cached_property
    def _days(self) -> np.ndarray:
        return self._keys & ((1 << _DAY_BITS) - 1)

    def _code_of(self, as_of: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
        """Entity code of each as-of row, -1 where the entity has no facts at all."""
        codes = np.zeros(len(as_of), dtype="int64")
        unknown = np.zeros(len(as_of), dtype=bool)
        for name, uniques in zip(names, self._uniques, strict=True):
            code = uniques.get_indexer(pd.Index(_plain(as_of[name])))
            unknown |= code < 0
            codes = codes * (len(uniques) + 1) + code
        codes[unknown] = -1
        return codes

    def before(self, as_of: pd.DataFrame, window: Window, renamed: Mapping[str, str] | None = None) -> Slice:
        """The facts of ``window`` strictly before ``game_date`` of each row of ``as_of``.

        ``renamed`` says under which name ``as_of`` has an entity column, e.g. the opponent's games of a slate
        row: ``{"team_abbr": "opponent_team_abbr"}``. The result is aligned with the rows of ``as_of``.
        """
        if window.games is not None and self.many_per_day:
            raise ValueError(
                f"{self.entity} can have several facts on a day, so its last {window.games} games are not"
                " defined"
            )
        days = np.asarray(as_of[DAY], dtype="datetime64[D]")
        numbers = days.astype("int64")
        codes = self._code_of(as_of, [(renamed or {}).get(name, name) for name in self.entity])
        base = codes << _DAY_BITS
        stop = _end_of_history(self._keys, base + numbers)
        start = _first_at_or_after(self._keys, base + _lowest(window, days))
        if window.games is not None:
            start = np.maximum(start, stop - window.games)
        known = codes >= 0
        start = np.where(known, np.minimum(start, stop), 0)
        return Slice(self, start, np.where(known, stop, 0), numbers)

    def would_hold(
        self, as_of: pd.DataFrame, window: Window, day: date, renamed: Mapping[str, str] | None = None
    ) -> np.ndarray:
        """Whether a fact of ``day`` that is not among the facts would be in the window of each row (bool)."""
        seen, number = self.before(as_of, window, renamed), day_numbers([day])[0]
        lowest = _lowest(window, np.asarray(as_of[DAY], dtype="datetime64[D]"))
        inside = (number < seen.as_of_days) & (number >= lowest)
        if window.games is None or not len(self):
            return inside
        oldest = self._days[np.minimum(seen.start, len(self) - 1)]
        return inside & ((seen.games < window.games) | (oldest < number))

    def decimals(self, column: str) -> int:
        """The declared scale of a column: 0 for whole numbers and flags."""
        return self._decimals.get(column, 0)

    def exact(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """(value · 10^decimals as int64 with 0 for NULL, is-known) of a column, in fact order."""
        if column not in self._columns:
            values = self._facts[column].to_numpy(dtype="float64", na_value=np.nan)
            known = ~np.isnan(values)
            decimals = self.decimals(column)
            scaled = np.where(known, values, 0.0) * 10.0**decimals
            whole = np.rint(scaled)
            if np.any(np.abs(scaled - whole) > _OFF_GRID):
                raise ValueError(
                    f"{column} has values with more than {decimals} decimals; their sums would not be exact"
                )
            self._columns[column] = whole.astype("int64"), known
        return self._columns[column]

    def running(self, column: str, what: str) -> np.ndarray:
        """Running sum (length facts + 1, int64) of ``known``, ``value``, ``square`` or ``placed`` (value ·
        position)."""
        if (column, what) not in self._running:
            values, known = self.exact(column)
            if what == "known":
                terms = known.astype("int64")
            elif what == "square":
                terms = values * values
            else:
                terms = values * np.arange(len(values), dtype="int64") if what == "placed" else values
            self._running[column, what] = np.concatenate([[0], np.cumsum(terms)])
        return self._running[column, what]

    def numbers(self, column: str) -> np.ndarray:
        """The column's value of each fact (float64); dates as days since 1970."""
        if column == DAY:
            return self._days.astype("float64")
        return self._facts[column].to_numpy(dtype="float64", na_value=np.nan)

    def gap_days(self) -> np.ndarray:
        """Days (float) from the entity's previous fact to each fact; NaN for its first."""
        same = np.concatenate([[False], (self._keys[1:] >> _DAY_BITS) == (self._keys[:-1] >> _DAY_BITS)])[
            : len(self)
        ]
        return np.where(same, np.diff(self._days, prepend=0)[: len(self)], np.nan)

    def run_lengths(self, column: str) -> np.ndarray:
        """For each fact, how many facts of the entity and season in a row up to it had its value of
        ``column``."""
        codes, _ = pd.factorize(_plain(self._facts[column]))
        fresh = self._starts_season() | np.concatenate([[True], codes[1:] != codes[:-1]])[: len(self)]
        positions = np.arange(len(self))
        return positions - np.maximum.accumulate(np.where(fresh, positions, 0)) + 1

    def season_ewma(self, column: str, half_life: float) -> np.ndarray:
        """For each fact, the mean over its season so far, weights halving every ``half_life`` games, itself
        included.

        Computed game by game for all entities at once and restarted each season, so older seasons cannot
        leave a trace.
        """
        values = self.exact(column)[0] / 10.0 ** self.decimals(column)
        decay = 0.5 ** (1.0 / half_life)
        fresh = self._starts_season()
        positions = np.arange(len(self))
        game = positions - np.maximum.accumulate(np.where(fresh, positions, 0))
        total, weight = values.copy(), np.ones(len(self))
        by_game = np.argsort(game, kind="stable")
        edges = np.searchsorted(game[by_game], np.arange(1, game.max(initial=0) + 2))
        for low, high in pairwise(edges):  # one step per game number (at most some 110)
            at = by_game[low:high]
            total[at] += decay * total[at - 1]
            weight[at] += decay * weight[at - 1]
        return total / weight

    def _starts_season(self) -> np.ndarray:
        entity_season = (self._keys >> _DAY_BITS) * 4096 + season_years(self._days.astype("datetime64[D]"))
        return np.concatenate([[True], entity_season[1:] != entity_season[:-1]])[: len(self)]


@dataclass(frozen=True)
class Slice:
    """The facts ``[start, stop)`` of a history behind each as-of row; every method returns one value per row.

    Sums skip NULL facts; ``known`` counts the facts that are not NULL. ``decimals`` is the scale of the
    column (0 for whole numbers, 2 for NUMERIC(p,2)).
    """

    history: History
    start: np.ndarray
    stop: np.ndarray
    as_of_days: np.ndarray

    @property
    def games(self) -> np.ndarray:
        """Number of facts (int64)."""
        return self.stop - self.start

    def _difference(self, column: str, what: str) -> np.ndarray:
        running = self.history.running(column, what)
        return running[self.stop] - running[self.start]

    def known(self, column: str) -> np.ndarray:
        """Number of facts whose value is not NULL (int64)."""
        return self._difference(column, "known")

    def total(self, column: str) -> np.ndarray:
        """Sum (float64, exact); 0 without facts."""
        return self._difference(column, "value") / 10.0 ** self.history.decimals(column)

    def mean(self, column: str) -> np.ndarray:
        """Mean of the known values; NaN without any."""
        return ratio(self.total(column), self.known(column))

    def std(self, column: str) -> np.ndarray:
        """Sample standard deviation of a column without NULLs; NaN below two facts."""
        n, total, squares = self.games, self._difference(column, "value"), self._difference(column, "square")
        return np.sqrt(ratio(n * squares - total * total, n * (n - 1))) / 10.0 ** self.history.decimals(
            column
        )

    def slope(self, column: str) -> np.ndarray:
        """Least-squares slope per game of a column without NULLs; NaN below two facts."""
        n, total = self.games, self._difference(column, "value")
        placed = self._difference(column, "placed") - self.start * total  # Σ i·x with i = 0 .. n−1
        indices, squares = n * (n - 1) // 2, (n - 1) * n * (2 * n - 1) // 6
        slope = ratio(n * placed - indices * total, n * squares - indices * indices)
        return slope / 10.0 ** self.history.decimals(column)

    def at_latest(self, per_fact: np.ndarray) -> np.ndarray:
        """Of an array with one number per fact, the one of the latest fact (float64); NaN without facts."""
        if not len(per_fact):
            return np.full(len(self.start), np.nan)
        return np.where(self.games > 0, per_fact.astype("float64")[np.maximum(self.stop - 1, 0)], np.nan)

    def days_since(self) -> np.ndarray:
        """Days from the latest fact to D (float64); NaN without facts."""
        return self.as_of_days - self.at_latest(self.history._days)

    def back_to_backs(self) -> np.ndarray:
        """Facts on the day after another fact of the slice (int64)."""
        running = np.concatenate([[0], np.cumsum(self.history.gap_days() == 1)])
        return running[self.stop] - running[np.minimum(self.start + 1, self.stop)]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Every (as-of row, fact position) of the slice: which facts a row could see, one entry each."""
        sizes = self.games
        rows = np.repeat(np.arange(len(sizes)), sizes)
        offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return rows, np.repeat(self.start, sizes) + offsets

    def facts_at(self, positions: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
        """The named columns of the facts at those positions (all ≥ 0)."""
        return self.history._facts.loc[:, list(columns)].take(positions).reset_index(drop=True)
