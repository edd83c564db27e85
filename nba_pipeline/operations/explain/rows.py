"""The rows that a formula speaks of: the games of its window, the lines or shots of the day, the team's and
opponent's rows.

Belongs here: reading them from the store, each day of each table at most once. Does not belong here: how
windows are cut (``formulas/windows.py`` is asked), which rows a formula needs (``formulas.py``), what it
comes to (``arithmetic.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import plain
from nba_pipeline.formulas.windows import History
from nba_pipeline.tables.calendar import season_of
from nba_pipeline.tables.formula import HEAD_TO_HEAD_DAYS, Lines, Past, Relation, Window
from nba_pipeline.tables.names import OFFENSE
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.spec import Table
from nba_pipeline.tables.vocabulary import TEAM_IDS
from nba_pipeline.transforms.inputs import appeared, with_team_totals
from nba_pipeline.warehouse.base import Store

Record = dict[str, Any]
EVERY_TEAM = "each of the thirty teams"
_FIRST_LOOK_DAYS = 45
"""The last games of nearly everybody lie within; every day that is read costs a file."""
_TEAM_TOTALS = ("game_date", "game_id", "team_abbr", "plays_used", "team_minutes")


@dataclass(frozen=True)
class Rows:
    """The rows behind functions over rows, oldest first, and in words whose they are. ``records`` None:
    nothing is known."""

    table: str
    words: str
    of: str
    records: list[Record] | None
    columns: tuple[str, ...]
    """What of each row the formula uses."""
    counted: list[Record] | None = None
    """Where the formula only counts rows of a kind: those."""


def as_records(frame: pd.DataFrame) -> list[Record]:
    """Rows as plain values: NULL is None, dates are dates."""
    columns = {
        str(name): [v.date() if isinstance(v, pd.Timestamp) else plain(v) for v in frame[name]]
        for name in frame.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


class Reader:
    """The rows around one row of one day. ``held``: tables whose rows of the day are known (a refused day is
    not stored)."""

    def __init__(
        self, store: Store, tables: TableRegistry, day: date, held: Mapping[str, pd.DataFrame]
    ) -> None:
        self._store, self._tables, self._day = store, tables, day
        self._of_day: dict[str, pd.DataFrame] = dict(held)
        self._read: dict[tuple[str, date, date, tuple[str, ...]], pd.DataFrame] = {}

    def of_day(self, table: str) -> pd.DataFrame:
        """All rows of the day."""
        if table not in self._of_day:
            self._of_day[table] = self._store.read(self._tables[table], [self._day])
        return self._of_day[table]

    def rows_of(self, table: str, whose: Relation | None, row: Record) -> list[Record]:
        """The day's rows that belong to the row; without ``whose`` those of its player, else of its team,
        else of its shot."""
        rows = self.of_day(table)
        wanted: Record = {
            name: row[name] for name in ("nba_game_id",) if name in row and name in rows.columns
        }
        if whose is Relation.BLOCKER:
            wanted["block_player_id"] = row["player_id"]
        elif whose is Relation.OPPONENT:
            wanted["team_abbr"] = row["opponent_team_abbr"]
        else:
            wanted |= {
                n: row[n]
                for n in ("player_id", "team_abbr")
                if n in row and n in rows.columns and not (whose and n != _KEY[whose])
            }
        mask = np.ones(len(rows), dtype=bool)
        for name, value in wanted.items():
            mask &= rows[name].eq(value).fillna(False).to_numpy(dtype=bool)
        if "home_team_abbr" in rows.columns and "team_abbr" in row:
            mask &= (
                rows["home_team_abbr"].eq(row["team_abbr"]) | rows["away_team_abbr"].eq(row["team_abbr"])
            ).to_numpy(dtype=bool)
        return as_records(rows[mask])

    def partner(self, table: str, whose: Relation, row: Record) -> Record | None:
        """The one row of another table that belongs to the row, if there is one."""
        found = self.rows_of(table, whose, row)
        return found[0] if found else None

    def behind(self, given: Past | Lines, row: Record, columns: Sequence[str]) -> Rows:
        """The rows that functions over rows of the formula run over."""
        return self.past(given, row, columns) if isinstance(given, Past) else self.lines(given, row, columns)

    def lines(self, given: Lines, row: Record, columns: Sequence[str]) -> Rows:
        """Rows of the same day. None where nothing of the game is known."""
        game = f"game {row['nba_game_id']}"
        if given.null_without and not self.of_day(given.table)["nba_game_id"].eq(row["nba_game_id"]).any():
            return Rows(given.table, "", game, None, tuple(columns))
        return Rows(
            given.table,
            "",
            f"{given.relation.value}, {game}",
            self.rows_of(given.table, given.relation, row),
            tuple(columns),
        )

    def past(self, given: Past, row: Record, columns: Sequence[str]) -> Rows:
        """The games of a window."""
        entity = _entity(given.relation, row)
        asked = pd.DataFrame(
            {"game_date": pd.to_datetime([self._day]), **{name: [value] for name, value in entity.items()}}
        )
        facts = self._facts(given, asked, list(entity), columns)
        if given.with_team:
            teams = self._store.read(
                self._tables[OFFENSE], [d.date() for d in facts["game_date"]], _TEAM_TOTALS
            )
            facts = with_team_totals(facts, teams)
        of = ", ".join(f"{name}={value}" for name, value in entity.items())
        return Rows(given.table, f"{given.window.words} {self._day}", of, as_records(facts), tuple(columns))

    def league(self, given: Past, columns: Sequence[str]) -> Rows:
        """The games of the same window of all thirty teams."""
        asked = pd.DataFrame(
            {"game_date": pd.to_datetime([self._day] * len(TEAM_IDS)), "team_abbr": list(TEAM_IDS)}
        )
        facts = self._facts(given, asked, ["team_abbr"], columns)
        return Rows(
            given.table, f"{given.window.words} {self._day}", EVERY_TEAM, as_records(facts), tuple(columns)
        )

    def _facts(
        self, given: Past, asked: pd.DataFrame, entity: list[str], columns: Sequence[str]
    ) -> pd.DataFrame:
        """The facts behind the rows asked for, as ``windows.py`` chooses them."""
        table = self._tables[given.table]
        wanted = (
            "game_date",
            "game_id",
            "team_abbr",
            "opponent_team_abbr",
            *(("seconds_played", "plays_used") if given.with_team else ()),
        )
        names = [c.name for c in table.columns if c.name in {*wanted, *entity, *columns, "seconds_played"}]
        parts: list[pd.DataFrame] = []
        facts = pd.DataFrame()
        for days in self._reach(given.window):
            read = self._history(table, days, names)
            parts.insert(0, read[_known_in(read, asked, entity)])
            known = pd.concat(parts, ignore_index=True)
            history = History(known[appeared(known)] if "player_id" in entity else known, entity)
            seen = history.before(asked, given.window)
            facts = seen.facts_at(seen.pairs()[1], names)
            if given.window.games is not None and (seen.games == given.window.games).all():
                break  # more days could only add older games
        return facts

    def _history(self, table: Table, days: list[date], names: list[str]) -> pd.DataFrame:
        asked = (table.full_name, days[0], days[-1], tuple(names))
        if asked not in self._read:
            self._read[asked] = self._store.read(table, days, names)
        return self._read[asked]

    def _reach(self, window: Window) -> Iterator[list[date]]:
        """The days that the window can reach, newest first, in two portions."""
        back = window.days or HEAD_TO_HEAD_DAYS
        if window.this_season:
            back = min(back, (self._day - season_of(self._day).first_day).days)
        days = [self._day - timedelta(days=n) for n in range(1, back + 1)]
        cut = _FIRST_LOOK_DAYS if window.games is not None else len(days)
        yield from (sorted(part) for part in (days[:cut], days[cut:]) if part)


_KEY = {
    Relation.ROW: "",
    Relation.PLAYER: "player_id",
    Relation.PAIR: "player_id",
    Relation.TEAM: "team_abbr",
}


def _entity(whose: Relation, row: Record) -> Record:
    if whose is Relation.PAIR:
        return {"player_id": row["player_id"], "opponent_team_abbr": row["opponent_team_abbr"]}
    if whose is Relation.PLAYER:
        return {"player_id": row["player_id"]}
    return {"team_abbr": row["opponent_team_abbr" if whose is Relation.OPPONENT else "team_abbr"]}


def _known_in(facts: pd.DataFrame, asked: pd.DataFrame, entity: list[str]) -> np.ndarray:
    mask = np.ones(len(facts), dtype=bool)
    for name in entity:
        mask &= facts[name].isin(asked[name].tolist()).to_numpy(dtype=bool)
    return mask
