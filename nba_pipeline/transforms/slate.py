"""Rows of a slate: who may play on D, and the thirty teams, as known before D.

Belongs here: which rows the tables of what is known before the games have. Does not belong here: what their
columns come to (``formulas/``), selecting history (``formulas/windows.py``).

Of the schedule only date, teams, type and whether the game is to be played are used, never scores: the
population of D comes from the schedule of D and past appearances, never from who played on D.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.formulas.windows import History, day_numbers
from nba_pipeline.tables.formula import last_appearance, last_days, season_to_date
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES, TEAM_IDS
from nba_pipeline.transforms.inputs import appeared

ROSTER_DAYS = 30
"""A player who has not appeared for this long is not on the slate."""
OPENER_DAYS = 365
"""Before a team's first game its players are those who last appeared for it within this stretch: the previous
season."""

_NAMES = ["player_id", "player_lookup", "player_full_name"]


def slate_games(days: Sequence[date], games: pd.DataFrame) -> pd.DataFrame:
    """The competitive games of ``days`` that are to be played: scheduled or final, one row per game, in order
    of id.

    A final game of the past was scheduled on its morning; postponed, cancelled and not needed games were
    known not to be played, as far as the schedule says today.
    """
    wanted = games["game_date"].isin(pd.to_datetime(list(days)))
    playable = games["game_type"].isin(COMPETITIVE_GAME_TYPES) & games["status"].isin(["scheduled", "final"])
    return games[(wanted & playable).to_numpy(dtype=bool)].sort_values("game_id", ignore_index=True)


def every_team(days: Sequence[date], games: pd.DataFrame) -> pd.DataFrame:
    """game_date and team_abbr of all thirty teams on each of ``days`` with a competitive game, also before a
    team's first game."""
    dates, teams = np.unique(slate_games(days, games)["game_date"].to_numpy()), list(TEAM_IDS)
    return pd.DataFrame(
        {
            "game_date": np.repeat(dates, len(teams)),
            "team_abbr": np.tile(np.array(teams, dtype=object), len(dates)),
        }
    )


def population(
    days: Sequence[date], games: pd.DataFrame, player_games: pd.DataFrame, team_games: pd.DataFrame
) -> pd.DataFrame:
    """The rows of the slates of ``days``, once per player whose latest appearance before the day was for the
    team.

    ``games``: nba_raw.games of ``days``. ``player_games``, ``team_games``: history rows of
    player_game_summary and team_offense_game_summary; they may reach into ``days`` and beyond: for each day
    only what is before it is seen. Has the columns that say which game, player and teams a row is about.
    ValueError on two games of an entity on one day.
    """
    teams = History(team_games, ["team_abbr"])
    players = History(player_games[appeared(player_games)], ["player_id"])
    slate = _team_slate(slate_games(days, games))
    squads = players.by("team_abbr")
    opener = teams.before(slate, season_to_date()).games == 0
    parts = [
        _latest_for_team(slate[of_these].reset_index(drop=True), squads, players, reach)
        for of_these, reach in ((~opener, ROSTER_DAYS), (opener, OPENER_DAYS))
    ]
    return pd.concat(parts, ignore_index=True)


def _team_slate(games: pd.DataFrame) -> pd.DataFrame:
    """Two rows per game, one of each team."""
    shared = games[["game_id", "game_date", "season_year", "game_type"]]
    home, away = games["home_team_abbr"], games["away_team_abbr"]
    sides = [
        shared.assign(team_abbr=home, opponent_team_abbr=away, is_home=True),
        shared.assign(team_abbr=away, opponent_team_abbr=home, is_home=False),
    ]
    return pd.concat(sides, ignore_index=True)


def _latest_for_team(slate: pd.DataFrame, squads: History, players: History, reach: int) -> pd.DataFrame:
    """Appearances are read twice: as the team's (who played for it within ``reach`` days?) and as the
    player's (was that his latest one, or has he appeared for somebody else since?)."""
    seen = squads.before(slate, last_days(reach))
    row_numbers, facts = seen.pairs()
    rows = slate.take(row_numbers).reset_index(drop=True)
    appearance = seen.facts_at(facts, [*_NAMES, "game_date"]).rename(columns={"game_date": "appeared_on"})
    rows = pd.concat([rows, appearance], axis=1)
    age = day_numbers(rows["game_date"]) - day_numbers(rows["appeared_on"])
    latest = players.before(rows, last_appearance(reach)).days_since() == age
    return rows[latest].drop(columns="appeared_on")


def rows_of(days: Sequence[date], frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``frame`` whose ``game_date`` is one of ``days``, index renewed."""
    return frame[frame["game_date"].isin(pd.to_datetime(list(days))).to_numpy(dtype=bool)].reset_index(
        drop=True
    )
