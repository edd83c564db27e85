"""Where formulas find other rows: the past games of an entity, rows of the same day, lines of the same game.

Belongs here: joins, and what counts as a game of a player. Does not belong here: which games belong to a
window (``formulas/windows.py``), which rows a table has (``slate.py``, ``games.py``), arithmetic
(``formulas/``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nba_pipeline.formulas.windows import History
from nba_pipeline.tables.formula import Lines, Past, Relation
from nba_pipeline.tables.names import BOXSCORES, OFFENSE, PLAYERS
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.transforms.games import participants

_ENTITY = {
    Relation.PLAYER: ("player_id",),
    Relation.PAIR: ("player_id", "opponent_team_abbr"),
    Relation.TEAM: ("team_abbr",),
    Relation.OPPONENT: ("team_abbr",),
}
_KEYS = {
    Relation.PLAYER: ("player_id", "player_id"),
    Relation.TEAM: ("team_abbr", "team_abbr"),
    Relation.OPPONENT: ("opponent_team_abbr", "team_abbr"),
    Relation.BLOCKER: ("player_id", "block_player_id"),
}
"""Relation -> (its column of the row, its column of the other table)."""
_SIDE = ["game_id", "team_abbr"]
_USAGE = {"plays_used": "usage_plays", "seconds_played": "usage_seconds"}
_TEAM_TOTALS = {"plays_used": "team_plays_used", "team_minutes": "team_minutes"}


class TableInputs:
    """The input frames of one table, by table name; each history is put in order once."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = dict(frames)
        if BOXSCORES in self._frames:
            lines = self._frames[BOXSCORES]
            self._frames[BOXSCORES] = lines[participants(lines)]
        self._histories: dict[tuple[str, tuple[str, ...], bool], History] = {}

    def rows(self, table: str) -> pd.DataFrame:
        """The rows of a table of the same days or games; of box scores, those of players who took part."""
        return self._frames[table]

    def history(self, past: Past) -> History:
        """The facts of a kind of history: a team's games, or a player's games with playing time."""
        key = (past.table, _ENTITY[past.relation], past.with_team)
        if key not in self._histories:
            facts = self._frames[past.table]
            if past.table == PLAYERS:
                facts = facts[appeared(facts)]
            if past.with_team:
                facts = with_team_totals(facts, self._frames[OFFENSE])
            self._histories[key] = History(facts, key[1], decimals_of(past))
        return self._histories[key]

    def positions(self, rows: pd.DataFrame, table: str, relation: Relation) -> np.ndarray:
        """For each of ``rows``, the position of its player's, team's or opponent's row in the table; -1:
        none.

        MergeError (a ValueError) if a match is not unique.
        """
        other = self._frames.get(table, rows)
        mine, theirs = _KEYS[relation]
        shared = "nba_game_id" if "nba_game_id" in rows and "nba_game_id" in other else "game_date"
        wanted = pd.DataFrame({"shared": rows[shared].array, "key": rows[mine].array})
        found = pd.DataFrame(
            {"shared": other[shared].array, "key": other[theirs].array, "at": range(len(other))}
        )
        merged = wanted.merge(found, on=["shared", "key"], how="left", validate="many_to_one")
        return merged["at"].fillna(-1).to_numpy(dtype="int64")

    def groups(self, rows: pd.DataFrame, lines: Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(group of each of ``rows``, group of each line, whether each row's game has any line); -1: no
        group."""
        found = self._frames[lines.table]
        mine, theirs = _KEYS[lines.relation]
        keys = [
            pd.DataFrame({"game": frame["nba_game_id"].array, "key": frame[name].array})
            for frame, name in ((rows, mine), (found, theirs))
        ]
        joined = pd.concat(keys, ignore_index=True)
        groups = joined.groupby(["game", "key"], sort=False, observed=True).ngroup()
        groups = groups.fillna(-1).to_numpy(dtype="int64")  # a line without a key is in no group
        published = rows["nba_game_id"].isin(found["nba_game_id"].unique()).to_numpy(dtype=bool)
        return groups[: len(rows)], groups[len(rows) :], published


def appeared(player_games: pd.DataFrame) -> np.ndarray:
    """Rows that count as a game of the player: two free throws in 0 seconds are in the table but are no
    appearance."""
    return player_games["seconds_played"].to_numpy(dtype="float64", na_value=0.0) > 0


def with_team_totals(player_games: pd.DataFrame, team_games: pd.DataFrame) -> pd.DataFrame:
    """Players' games with the totals of the player's team in the same game, the inputs of usage.

    A game whose team row is missing has NULL in all four inputs, so it takes part in neither side of the
    ratio.
    """
    totals = team_games[[*_SIDE, *_TEAM_TOTALS]].rename(columns=_TEAM_TOTALS)
    games = player_games.merge(totals, on=_SIDE, how="left", validate="many_to_one")
    known = games["team_plays_used"].notna() & games["team_minutes"].notna()
    return games.assign(**{new: games[old].astype("float64").where(known) for old, new in _USAGE.items()})


def decimals_of(past: Past) -> dict[str, int]:
    """The declared scale of each NUMERIC column of the history."""
    decimals = {c.name: c.type.scale or 0 for c in TABLES[past.table].columns}
    if past.with_team:
        decimals |= {new: decimals[old] for old, new in _USAGE.items()}
        decimals |= {new: TABLES[OFFENSE].column(old).type.scale or 0 for old, new in _TEAM_TOTALS.items()}
    return decimals
