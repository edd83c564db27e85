"""The games behind a value that looks back: which ones its window holds, chosen by the module that chose them.

Belongs here: reading a row's history and asking ``transforms/windows.py`` which of it a column's window holds. Does not
belong here: how windows are cut. The window of a column is told from its name, which says it: ``_last_10``, ``_season``,
``_last_7_days``, ``vs_opponent``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.assets.lineage import readable_manifest
from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.checks.model import plain
from nba_pipeline.partitions import LOOKBACK_DAYS
from nba_pipeline.ranges import span
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.transforms import windows
from nba_pipeline.transforms.player_history import appearances
from nba_pipeline.transforms.windows import History, Window
from nba_pipeline.warehouse.base import Store

PLAYERS = "nba_analytics.player_game_summary"
_AVERAGED = {"points": ("points", 1.0), "rebounds": ("rebounds", 1.0), "assists": ("assists", 1.0), "minutes": ("seconds_played", 60.0)}
_SHOWN = ("game_date", "game_id", "opponent_team_abbr", "seconds_played", "points", "plays_used", "possessions", "points_allowed")


@dataclass(frozen=True)
class WindowGames:
    """The games of a window, oldest first, and, for averages, the sum written out."""

    of: str
    window: str
    games: list[dict[str, Any]] = field(default_factory=list)
    numbers: str = ""
    worked_out: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {"of": self.of, "window": self.window, "games": self.games, "numbers": self.numbers or None, "worked_out": self.worked_out}


def window_of(column: str) -> tuple[Window, str] | None:
    """The window that a column's name speaks of, and its words; None if it names none."""
    if match := re.search(r"in_last_(\d+)_days|last_(\d+)_days", column):
        n = int(match[1] or match[2])
        return windows.last_days(n), f"games in the {n} days before"
    if match := re.search(r"last_(\d+)$|window_(\d+)$", column):
        n = int(match[1] or match[2])
        return windows.last_games(n), f"up to {n} games of the season before"
    if "vs_opponent" in column:
        return windows.head_to_head(), f"games against the opponent in the {windows.HEAD_TO_HEAD_DAYS} days before"
    if re.search(r"_season$|ewma", column):
        return windows.season_to_date(), "games of the season before"
    return None


def window_games(store: Store, tables: TableRegistry, plan: TablePlan, row: pd.Series, column: str) -> WindowGames | None:
    """The games behind the column of this row; None if its name speaks of no window."""
    chosen = window_of(column)
    if chosen is None:
        return None
    window, words = chosen
    whole_team = "player_id" not in row.index or column.startswith(("team_", "opponent_"))
    table = PLAYERS if not whole_team else next(i.table for i in plan.history if i.table != PLAYERS)
    given = next(i for i in plan.history if i.table == table)
    day: date = row["game_date"].date()
    stored = readable_manifest(store, tables[table])
    past = [d for d in _reach(day, window) if d in stored and stored[d].row_count]
    facts = store.read(tables[table], past, given.columns)
    entity = _entity(row, column, whole_team)
    for name, value in entity.items():
        facts = facts[(facts[name].astype(object) == value).to_numpy(dtype=bool)]
    history = appearances(facts, list(entity)) if not whole_team else History(facts, list(entity))
    asked = pd.DataFrame({"game_date": [row["game_date"]], **{name: [value] for name, value in entity.items()}})
    seen = history.before(asked, window)
    _, positions = seen.pairs()
    games = seen.facts_at(positions, list(facts.columns))
    numbers, result = _average(column, games)
    shown = games[[c for c in _SHOWN if c in games.columns]]
    records = [{str(k): plain(v) for k, v in record.items()} for record in shown.to_dict("records")]
    return WindowGames(", ".join(f"{k}={v}" for k, v in entity.items()), f"{words} {day}", records, numbers, result)


def _reach(day: date, window: Window) -> list[date]:
    """Days that the window can reach: it is asked of no more than these, because every day read costs a file."""
    back = window.days or LOOKBACK_DAYS
    if window.this_season:
        start = date(int(windows.season_years(np.array([day], dtype="datetime64[D]"))[0]), windows.FIRST_MONTH, 1)
        back = min(back, (day - start).days)
    return span(day - timedelta(days=back), day - timedelta(days=1))


def _entity(row: pd.Series, column: str, whole_team: bool) -> dict[str, Any]:
    if whole_team:
        return {"team_abbr": row["opponent_team_abbr"] if column.startswith("opponent_") and "player_id" in row.index else row["team_abbr"]}
    return {"player_id": row["player_id"]} | ({"opponent_team_abbr": row["opponent_team_abbr"]} if "vs_opponent" in column else {})


def _average(column: str, games: pd.DataFrame) -> tuple[str, float | None]:
    """For a column that averages a count: the sum over the games written out, and what it comes to."""
    match = re.match(r"([a-z]+)_avg_", column) or re.match(r"(points)_vs_opponent_avg", column)
    if match is None or match[1] not in _AVERAGED or games.empty:
        return "", None
    fact, unit = _AVERAGED[match[1]]
    values = games[fact].to_numpy(dtype="float64", na_value=np.nan)
    text = f"({' + '.join(f'{v:g}' for v in values)}) / {len(values)}" + (f" / {unit:g}" if unit != 1.0 else "")
    return text, float(np.mean(values) / unit)
