"""How many games that are declared gaps the windows of each row would hold.

Belongs here: ``history_gaps``. Does not belong here: which games are gaps (``rangerun/gaps.py``), which
windows a table has (``formulas/dependencies.py``), how far a window reaches (``formulas/windows.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.dependencies import windows_behind
from nba_pipeline.formulas.windows import History
from nba_pipeline.tables.calendar import season_years
from nba_pipeline.tables.formula import Relation
from nba_pipeline.tables.names import OFFENSE, PLAYERS
from nba_pipeline.transforms.inputs import appeared

HISTORY_GAPS = "history_gaps"
LEFT_OUT = "games left out"
"""The name under which the gaps are among the input frames: game_date, home_team_abbr, away_team_abbr."""


def history_gaps(table: str, rows: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """For each row the number (int64) of games left out that its windows reach back to: the player's (of the
    team that he last played for before the game, in its season), the team's, the opponent's, and of meetings
    those between the player's team and the opponent. Windows of rows that the table takes values from count;
    averages of the whole league do not.
    """
    count = np.zeros(len(rows), dtype="int64")
    games = frames.get(LEFT_OUT)
    if games is None or games.empty or rows.empty:
        return count
    facts, windows = _Facts(frames), windows_behind(table)
    for game in games.itertuples():
        held, day = np.zeros(len(rows), dtype=bool), game.game_date.date()
        for relation in {relation for relation, _ in windows}:
            concerned = _concerned(relation, game, rows, facts)
            for window in (window for of, window in windows if of is relation):
                held |= concerned & facts.of(relation).would_hold(rows, window, day, facts.renamed(relation))
        count += held
    return count


class _Facts:
    """The games of players and teams among the frames, as histories."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        team = frames.get(OFFENSE)
        players = frames.get(PLAYERS)
        self.lines = None if players is None else players[appeared(players)]
        if team is None:
            assert players is not None
            team = players
        games = team[["game_date", "game_id", "team_abbr"]].drop_duplicates()
        self._team = History(games, ["team_abbr"])
        self._player = None if self.lines is None else History(self.lines, ["player_id"])

    def of(self, relation: Relation) -> History:
        if relation in (Relation.PLAYER, Relation.PAIR):
            assert self._player is not None
            return self._player
        return self._team

    @staticmethod
    def renamed(relation: Relation) -> dict[str, str]:
        return {"team_abbr": "opponent_team_abbr"} if relation is Relation.OPPONENT else {}

    def teams_before(self, rows: pd.DataFrame, day: date) -> np.ndarray:
        """For whom the player of each row last played before the day in its season; the row's team if for
        nobody."""
        assert self.lines is not None
        dates = self.lines["game_date"]
        same = season_years(dates) == season_years([day])[0]
        past = self.lines[(dates < pd.Timestamp(day)).to_numpy(dtype=bool) & same]
        latest = past.sort_values("game_date", kind="stable").drop_duplicates("player_id", keep="last")
        known = latest.set_index("player_id")["team_abbr"]
        teams = rows["player_id"].map(known)
        return teams.where(teams.notna(), rows["team_abbr"]).to_numpy(dtype=object)


def _concerned(relation: Relation, game: Any, rows: pd.DataFrame, facts: _Facts) -> np.ndarray:
    """Whether the game is one of the row's player, team or opponent."""
    sides = [game.home_team_abbr, game.away_team_abbr]
    if relation is Relation.TEAM:
        return rows["team_abbr"].isin(sides).to_numpy(dtype=bool)
    if relation is Relation.OPPONENT:
        return rows["opponent_team_abbr"].isin(sides).to_numpy(dtype=bool)
    teams = facts.teams_before(rows, game.game_date.date())
    playing = np.isin(teams, sides)
    if relation is Relation.PLAYER:
        return playing
    opponents = rows["opponent_team_abbr"].to_numpy(dtype=object)
    return playing & np.isin(opponents, sides) & (teams != opponents)
