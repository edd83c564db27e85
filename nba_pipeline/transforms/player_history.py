"""A player's past games as several phase 4 tables read them, and look-ups of a day's rows in another table of
the day.

Belongs here: what more than one look-back transform needs: the players' appearances with their team's totals,
usage over a window, joins by the slate's key. Does not belong here: which games belong to a window
(``windows.py``), output tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.shooting import usage_rate
from nba_pipeline.formulas.windows import History, Slice
from nba_pipeline.transforms.upcoming_player_game_context import appeared

_SIDE = ["game_id", "team_abbr"]
_USAGE = {"plays_used": "usage_plays", "seconds_played": "usage_seconds"}


def rows_of(days: Sequence[date], frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``frame`` whose ``game_date`` is one of ``days``, index renewed."""
    return frame[frame["game_date"].isin(pd.to_datetime(list(days))).to_numpy(dtype=bool)].reset_index(
        drop=True
    )


def appearances(player_games: pd.DataFrame, entity: Sequence[str] = ("player_id",)) -> History:
    """The games with playing time of each player (or player and opponent)."""
    return History(player_games[appeared(player_games)], entity)


def appearances_with_team(player_games: pd.DataFrame, team_games: pd.DataFrame) -> History:
    """Appearances with the totals of the player's team in the same game, the inputs of usage.

    A game whose team row is missing has NULL in all four inputs, so it takes part in neither side of the
    ratio.
    """
    games = player_games[appeared(player_games)]
    totals = team_games[[*_SIDE, "plays_used", "team_minutes"]].rename(
        columns={"plays_used": "team_plays_used"}
    )
    games = games.merge(totals, on=_SIDE, how="left", validate="many_to_one")
    known = games["team_plays_used"].notna() & games["team_minutes"].notna()
    return History(
        games.assign(**{new: games[old].astype("float64").where(known) for old, new in _USAGE.items()}),
        ["player_id"],
    )


def usage_of(games: Slice) -> np.ndarray:
    """Usage rate over the slice's games, its formula applied to totals; NaN without any."""
    return usage_rate(
        games.total("usage_plays", 2),
        games.total("usage_seconds"),
        games.total("team_plays_used", 2),
        games.total("team_minutes", 2),
    )


def looked_up(
    rows: pd.DataFrame, other: pd.DataFrame, on: dict[str, str], columns: Iterable[str]
) -> pd.DataFrame:
    """``columns`` of the row of ``other`` that matches each of ``rows``, NULL where there is none, aligned
    with ``rows``.

    ``on`` maps column names of ``rows`` to those of ``other``. MergeError (a ValueError) if a match is not
    unique.
    """
    wanted = list(columns)
    right = other[[*on.values(), *wanted]].rename(columns={theirs: ours for ours, theirs in on.items()})
    found: Any = rows[list(on)].merge(right, on=list(on), how="left", validate="many_to_one")
    return found[wanted]


SAME_PLAYER = {"game_date": "game_date", "player_id": "player_id"}
OPPONENT_TEAM = {"game_date": "game_date", "opponent_team_abbr": "team_abbr"}
