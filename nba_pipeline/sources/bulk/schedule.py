"""The schedule of the ``bulk`` source: each game's day, season and state, as far as the file gives evidence.

Belongs here: pure functions from the rows of ``games.parquet``. Does not belong here: rows of raw tables
(``frames.py``), reading files (``source.py``).

Absent, unknown and never are three things: ``played`` false without a score is no evidence that a game was
called off, because that is how sources write "not yet".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from nba_pipeline.failures import FailureClass, PipelineError, UnparseableSource
from nba_pipeline.sources import parsing
from nba_pipeline.sources.bulk.layout import UNREADABLE_DATE
from nba_pipeline.tables.calendar import season_year_of, season_years

_POSTPONED = ("Y", "P", "PPD", "POSTPONED")
_CANCELLED = ("C", "CANCELLED", "CANCELED")
WINS_OF_A_SERIES = 4


def season_label(year: int) -> str:
    """``2023-24`` for the season that starts in 2023."""
    return f"{year}-{(year + 1) % 100:02d}"


def read_schedule(games: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The rows with ``game_date`` as datetime64 (one that cannot be read is taken from ``game_code``), and
    what the whole schedule says of each: ``status``, ``season_year``, ``is_own_day``, false where the game
    stands on another day as well and belongs to that one, and ``code_date``, the date of ``game_code`` where
    it is another."""
    from_code = pd.to_datetime(games["game_code"].astype(str).str[:8], format="%Y%m%d", errors="coerce")
    dates = games["game_date"].fillna(from_code.astype("datetime64[s]"))
    if dates.isna().any():
        row = int(np.flatnonzero(dates.isna())[0])
        game, said = games["game_id"].iloc[row], games[UNREADABLE_DATE].iloc[row]
        raise UnparseableSource(
            f"{path}, row {row}: game {game} has no readable date ({said or 'none given'})"
        )
    games = games.assign(game_date=dates.astype("datetime64[s]"))
    games[UNREADABLE_DATE] = None  # its game's code has the date
    final = _final(games)
    own = _own_days(games, final)
    return games.assign(
        status=np.where(own, _statuses(games, final), "postponed"),
        season_year=parsing.season_years_of_ids(games["game_id"]).fillna(
            pd.Series(season_years(games["game_date"]), index=games.index, dtype="Int64")
        ),
        is_own_day=own,
        code_date=from_code.astype("datetime64[s]").where(own & _on_one_day(games) & (from_code != dates)),
    )


def _on_one_day(games: pd.DataFrame) -> pd.Series:
    return games["game_date"].groupby(games["game_id"]).transform("nunique").fillna(1) == 1


def _final(games: pd.DataFrame) -> pd.Series:
    played = games["played"].fillna(False).astype(bool)
    return played & games["home_score"].notna() & games["away_score"].notna()


def _own_days(games: pd.DataFrame, final: pd.Series) -> np.ndarray:
    """Whether each row is on the day that its game belongs to: the day on which it was played, else the last
    one. Of a game that was played twice each row is; that is refused when the day is read."""
    dates = games["game_date"]
    several = ~_on_one_day(games)
    if not several.any():
        return np.ones(len(games), dtype=bool)
    played_somewhere = final.groupby(games["game_id"]).transform("any").fillna(False).astype(bool)
    last = dates == dates.groupby(games["game_id"]).transform("max")
    return np.asarray(~several | np.where(played_somewhere, final, last), dtype=bool)


def _statuses(games: pd.DataFrame, final: pd.Series) -> np.ndarray:
    said = games["postponed_status"].fillna("").astype(str).str.strip().str.upper()
    never = games["played"].notna() & ~games["played"].fillna(False).astype(bool)
    conditions = [final, said.isin(_POSTPONED), said.isin(_CANCELLED), never & _series_decided(games, final)]
    return np.select(conditions, ["final", "postponed", "cancelled", "not_needed"], default="scheduled")


def _series_decided(games: pd.DataFrame, final: pd.Series) -> np.ndarray:
    """Whether a team has won the playoff series of each game: the first nine digits of its id."""
    playoffs = parsing.game_types(games["game_id"]) == "playoffs"
    series = games["game_id"].astype(str).str[:9]
    won = games[playoffs & final]
    winners = won["home_team"].where(won["home_score"] > won["away_score"], won["away_team"])
    wins = winners.groupby([series[won.index], winners]).size()
    decided = wins[wins >= WINS_OF_A_SERIES].index.get_level_values(0)
    return np.asarray(playoffs & series.isin(decided), dtype=bool)


def of_days(schedule: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The schedule's rows on some days."""
    return schedule[schedule["game_date"].isin(stamps(days))]


def own_games(schedule: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The games that belong to some days; a game of theirs that was played on two days is refused on both."""
    rows = of_days(schedule, days)
    rows = rows[rows["is_own_day"].to_numpy(dtype=bool)]
    everywhere = schedule[schedule["game_id"].isin(rows["game_id"]) & schedule["is_own_day"].astype(bool)]
    twice = everywhere.groupby("game_id")["game_date"].nunique()
    twice = twice[twice > 1]
    if len(twice):
        hit = everywhere[everywhere["game_id"].isin(twice.index)]
        game = hit[hit["game_id"] == twice.index[0]]
        said = ", ".join(str(d.date()) for d in sorted(game["game_date"].unique()))
        raise PipelineError(
            f"games.parquet: game {twice.index[0]} ({game['away_team'].iloc[0]} at"
            f" {game['home_team'].iloc[0]}) was played on {said}; a game is played once",
            failure_class=FailureClass.DUPLICATE_KEY,
            days=sorted({d.date() for d in hit["game_date"]} & set(days)),
        )
    return rows


def stamps(days: Iterable[date]) -> pd.DatetimeIndex:
    """Days as values of a ``game_date`` column."""
    return pd.DatetimeIndex(pd.to_datetime(list(days))).as_unit("s")


def seasons_of(schedule: pd.DataFrame, days: Sequence[date]) -> dict[date, str]:
    """The season that each day belongs to: the one whose games are around it, as the schedule has them,
    else the calendar's. The Finals of October 2020 are of 2019-20."""
    held = schedule[schedule["season"].notna()]
    spans = held.groupby("season")["game_date"].agg(["min", "max"])
    around = [
        (str(span[0]), span[1].date(), span[2].date()) for span in spans.rename_axis("season").itertuples()
    ]
    found = {}
    for day in days:
        label = season_label(season_year_of(day))
        of_games = [season for season, first, last in around if first <= day <= last]
        found[day] = label if label in of_games or not of_games else of_games[0]
    return found
