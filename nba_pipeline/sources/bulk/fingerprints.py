"""What the bulk files hold for each day, as a digest per day: schedule, lines and shots of each game.

Belongs here: pure functions from frames of the bulk files to digests. Does not belong here: reading files
(``bulk_files.py``), deciding what to fetch (``automation/``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

NOTHING = "00000000"
"""The fingerprint of a covered day without games."""


def of_games(frame: pd.DataFrame, game_id: str) -> pd.Series:
    """uint64 digest of each game's rows, indexed by the game's id. The order of rows does not count, repeated
    rows do."""
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype="uint64")
    codes, games = pd.factorize(frame[game_id])
    totals = np.zeros(len(games), dtype="uint64")
    np.add.at(totals, codes[codes >= 0], rows[codes >= 0])  # wraps at 2**64
    return pd.Series(totals, index=pd.Index(games, name="game_id"))


def of_days(
    schedule: pd.DataFrame, per_game: Sequence[Mapping[str, int] | pd.Series], days: Iterable[date]
) -> dict[date, str]:
    """Eight hex digits per day. ``schedule``: game_id and game_date; ``per_game``: what ``of_games`` says of
    each file."""
    games = schedule[["game_id", "game_date"]].sort_values(["game_date", "game_id"], ignore_index=True)
    # Not by `map`: one game without rows would make the digests of all others floats, which cannot hold them.
    columns = [
        pd.Series(digests, dtype="uint64").reindex(games["game_id"], fill_value=0).set_axis(games.index)
        for digests in per_game
    ]
    found = {}
    for stamp, rows in games.groupby("game_date").groups.items():
        parts = [",".join(games["game_id"].loc[rows])] + [
            column.loc[rows].to_numpy().tobytes().hex() for column in columns
        ]
        found[pd.Timestamp(stamp).date()] = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:8]
    return {day: found.get(day, NOTHING) for day in days}
