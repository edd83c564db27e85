"""How a table is made: its rows, its inputs, and why a day of it may be empty.

Belongs here: ``Recipe`` and ``Input``, the declarative half of every asset. Does not belong here: what the
columns come to (``formulas/``), executing a recipe (``rangerun/range_run.py``), Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from nba_pipeline.formulas.dependencies import Reads, reads_of
from nba_pipeline.sources.base import Source, SourceFrame
from nba_pipeline.tables.calendar import first_days, season, season_years
from nba_pipeline.tables.formula import Window
from nba_pipeline.tables.names import DEFENSE, OFFENSE, PLAYERS
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.gaps import HISTORY_GAPS, history_gaps
from nba_pipeline.transforms.shaping import computed, with_computed

OPENER_WINDOW = 21
"""Days after a season's first one by which every team has played, so that no slate needs the rosters of the
season before (the latest first game of a team in 2021-24: two days after; a test asks)."""
LOOKBACK_DAYS = 365
"""How far back the history of a day can reach. The longest windows are the head-to-head window and the
rosters of a season's openers, which come from the season before: both are at most 365 days."""

Frames = Mapping[str, pd.DataFrame]
Rows = Callable[[Frames, Sequence[date]], pd.DataFrame]
Read = Callable[[Source, Sequence[date]], SourceFrame]


@dataclass(frozen=True)
class Input:
    """A table that another is made from.

    ``history`` inputs give the look-back before each day, strictly; the others give the same day.
    ``columns``: only these are read. ``windows``: how far back the look-back of a day reaches; without any,
    LOOKBACK_DAYS. ``openers``: so far it reaches in the first days of a season, whatever the windows.
    """

    table: str
    history: bool = False
    columns: tuple[str, ...] | None = None
    windows: frozenset[Window] = frozenset()
    openers: bool = False

    def first_needed(self, days: Sequence[date]) -> np.ndarray:
        """The first day (datetime64[D]) of the table that each of the days is made from."""
        asked = np.asarray(days, dtype="datetime64[D]")
        if not self.history:
            return asked
        furthest = asked - LOOKBACK_DAYS
        if not self.windows:
            return furthest
        years = season_years(asked)
        reach = np.minimum.reduce([_reach(window, asked, years) for window in self.windows])
        if self.openers:
            opening = {year: season(int(year)).opening_day for year in np.unique(years)}
            settled = np.array([opening[year] for year in years], dtype="datetime64[D]") + OPENER_WINDOW
            reach = np.where(asked < settled, furthest, reach)
        return np.maximum(reach, furthest)

    def newest_read(self, days: Sequence[date], some: Collection[date]) -> dict[date, date]:
        """Each of the days that is made from one of ``some`` days of the table, with the newest of these."""
        asked = np.asarray(days, dtype="datetime64[D]")
        theirs = np.array(sorted(some), dtype="datetime64[D]")
        first = np.searchsorted(theirs, self.first_needed(days))
        last = np.searchsorted(theirs, asked, side="left" if self.history else "right")
        return {day: theirs[b - 1].item() for day, a, b in zip(days, first, last, strict=True) if b > a}


def _reach(window: Window, days: np.ndarray, years: np.ndarray) -> np.ndarray:
    """The first day that the window can hold; a number of games can reach as far back as its season."""
    furthest = days - (window.days or LOOKBACK_DAYS)
    return np.maximum(furthest, first_days(years)) if window.this_season else furthest


_HISTORY_KEYS = {
    PLAYERS: (
        "game_date game_id season_year player_id player_lookup player_full_name team_abbr opponent_team_abbr"
        " seconds_played"
    ),
    OFFENSE: "game_date game_id season_year team_abbr",
    DEFENSE: "game_date team_abbr",
}
"""What is read of each history besides the columns that formulas name: who played, when, for whom and how
long."""


def history(table: str, windows: Iterable[Window] = (), openers: bool = False) -> Input:
    """The look-back into a table, with one set of columns for all who look back into it, although each needs
    only some: a store that keeps what it read recently then opens each day once and not once per table."""
    named = set(_HISTORY_KEYS[table].split())
    for reader in TABLES:
        named |= reads_of(reader).history.get(table, set())
    columns = _in_storage_order(table, named)
    return Input(table, history=True, columns=columns, windows=frozenset(windows), openers=openers)


def _in_storage_order(table: str, named: Iterable[str]) -> tuple[str, ...]:
    wanted = set(named)
    return tuple(c for c in TABLES[table].column_names if c in wanted)


@dataclass(frozen=True, eq=False)
class Recipe:
    """One table. A raw table is what ``read`` gets from the source; of any other, ``rows`` makes the rows,
    and the formulas of its columns the values.

    Args:
        rows: (input frames by table name, days) -> one row per row of the table.
        rows_from: the tables that ``rows`` looks at, with the columns that it needs (None: all); ``<table``
        is its
            history. What the formulas look at is added by itself.
        rows_reach: how far back ``rows`` looks, but for the first days of a season, whose rows come from the
            season before.
        carries: the table whose columns the rows carry already.
        constants: column -> the one text that all its rows have.
        beside: name in the formula of a column -> that column: values given beside the table's own.
        empty_with_games: the reason under which a day may be empty although competitive games were played on
        it;
            without one such a day fails.
        level: the table's depth in the graph; ``leveled`` sets it.
    """

    table: str
    rows: Rows | None = None
    read: Read | None = None
    rows_from: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    rows_reach: tuple[Window, ...] = ()
    carries: str | None = None
    constants: Callable[[], Mapping[str, str]] | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    empty_with_games: EmptyReason | None = None
    summary_columns: tuple[str, ...] = ()
    level: int = 0

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The tables that it is made from: those of the same day, then histories, each in pipeline order."""
        reads = reads_of(self.table)
        same_day = {n for n in self.rows_from if not n.startswith("<")} | set(reads.same_day)
        past = {n[1:] for n in self.rows_from if n.startswith("<")} | set(reads.history)
        return (
            *(Input(name, columns=self._columns(name, reads)) for name in TABLES if name in same_day),
            *(
                history(
                    name, reads.windows.get(name, set()) | set(self.rows_reach), openers=bool(self.rows_reach)
                )
                for name in TABLES
                if name in past
            ),
        )

    def _columns(self, table: str, reads: Reads) -> tuple[str, ...] | None:
        """Of the tables of single lines and shots only what is needed; the others are small."""
        wanted = self.rows_from.get(table)
        if wanted is None:
            return None
        return _in_storage_order(table, {*wanted, *reads.same_day.get(table, ())})

    def compute(self, source: Source, frames: Frames, days: Sequence[date]) -> SourceFrame:
        """All rows of the table for a set of days, NUMERIC unrounded.

        ``frames``: the inputs by table name: of same-day inputs the rows of ``days``, of histories whatever
        has been read; for each day only what is before it is seen; under ``LEFT_OUT`` the games that
        histories lack by declaration. None is modified.
        """
        table = TABLES[self.table]
        if self.rows is None:
            assert self.read is not None
            published = self.read(source, days)
            return SourceFrame(with_computed(table, published.frame), published.unusable)
        rows = self.rows(frames, days)
        carried = {self.carries: rows.columns} if self.carries else None
        if table.has(HISTORY_GAPS):
            rows = rows.assign(**{HISTORY_GAPS: history_gaps(self.table, rows, frames)})
        constants = self.constants() if self.constants else None
        return SourceFrame(
            computed(table, rows, frames, carried=carried, constants=constants, beside=self.beside)
        )

    @property
    def shows_results(self) -> bool:
        """Whether its rows are of games played on the day; the others are about what is known before it."""
        return self.empty_with_games is not EmptyReason.NO_HISTORY

    @property
    def same_day(self) -> tuple[Input, ...]:
        """The inputs of the same day."""
        return tuple(i for i in self.inputs if not i.history)

    @property
    def history(self) -> tuple[Input, ...]:
        """The inputs of which the days before are read."""
        return tuple(i for i in self.inputs if i.history)

    def first_needed(self, days: Sequence[date]) -> np.ndarray:
        """The first day (datetime64[D]) of any history that each of the days is made from; of a table without
        history the day itself."""
        asked = np.asarray(days, dtype="datetime64[D]")
        return np.minimum.reduce([asked, *(given.first_needed(days) for given in self.history)])

    def made_from(self, table: str, days: Sequence[date], some: Collection[date]) -> dict[date, date]:
        """Which of the days are made from one of ``some`` days of an input, the same day or one in its
        look-back; each with the newest such day."""
        found: dict[date, date] = {}
        for given in self.inputs:
            if given.table == table and some:
                for day, theirs in given.newest_read(days, some).items():
                    found[day] = max(theirs, found.get(day, theirs))
        return found


def leveled(recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
    """The recipes, in dependency order, each with its depth in the graph: one more than the deepest of its
    inputs."""
    done: dict[str, Recipe] = {}
    for recipe in recipes:
        level = max((done[i.table].level + 1 for i in recipe.inputs), default=0)
        done[recipe.table] = replace(recipe, level=level)
    return tuple(done.values())
