"""Rows of games: each team's side of a game, and each player's line beside his team's row.

Belongs here: which rows the tables of games have. Does not belong here: what their columns come to
(``formulas/``), selecting history (``formulas/windows.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES

COUNTS = (
    "points fg_makes fg_attempts three_pt_makes three_pt_attempts ft_makes ft_attempts offensive_rebounds"
    " defensive_rebounds assists steals blocks turnovers personal_fouls"
).split()
"""The counting columns of a published line (``rebounds`` is their sum, not a column of the source)."""

GAME_COLUMNS = "game_id nba_game_id game_date season_year game_type".split()
_SIDE_COLUMNS = [*GAME_COLUMNS, "team_abbr", "opponent_team_abbr", "is_home"]


def competitive_finals(games: pd.DataFrame) -> pd.DataFrame:
    """The competitive games of ``nba_raw.games`` that have been played."""
    return games[games["game_type"].isin(COMPETITIVE_GAME_TYPES) & (games["status"] == "final")]


def team_sides(games: pd.DataFrame) -> pd.DataFrame:
    """Two rows per game, away and home: the game's columns, team_abbr, opponent_team_abbr, is_home,
    scheduled_score."""
    sides = []
    for own, other, is_home in (("away", "home", False), ("home", "away", True)):
        side = games[GAME_COLUMNS].copy()
        side["team_abbr"] = games[f"{own}_team_abbr"]
        side["opponent_team_abbr"] = games[f"{other}_team_abbr"]
        side["is_home"] = is_home
        side["scheduled_score"] = games[f"{own}_score"]
        sides.append(side)
    return pd.concat(sides, ignore_index=True).sort_values(
        ["game_date", "game_id", "is_home"], ignore_index=True
    )


def played_sides(games: pd.DataFrame) -> pd.DataFrame:
    """Two rows per competitive game of ``nba_raw.games`` that has been played.

    The schedule decides which rows exist and who is home: a team without lines has NULL counts, which the
    completeness check refuses.
    """
    return team_sides(competitive_finals(games))


def defending_sides(team_offense: pd.DataFrame) -> pd.DataFrame:
    """One row per row of team_offense_game_summary, seen from the defending team."""
    return team_offense[_SIDE_COLUMNS].reset_index(drop=True)


def player_lines(player_boxscores: pd.DataFrame, team_offense: pd.DataFrame) -> pd.DataFrame:
    """The box-score line of each player who played or left a mark, with the game and sides of his team's row.

    Teams come first: a line whose team has no row in ``team_offense`` is left out here and named by the
    completeness check.
    """
    lines = player_boxscores[participants(player_boxscores)].rename(
        columns={"player_name": "player_full_name"}
    )
    own = lines[[c for c in lines.columns if c not in _SIDE_COLUMNS or c in ("nba_game_id", "team_abbr")]]
    return own.merge(team_offense[_SIDE_COLUMNS], on=["nba_game_id", "team_abbr"], how="inner")


def as_float(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Those columns as float64 with NaN for NULL, for arithmetic that must not meet masked integers."""
    return pd.DataFrame(
        {c: frame[c].to_numpy(dtype="float64", na_value=float("nan")) for c in columns}, index=frame.index
    )


def participants(lines: pd.DataFrame) -> pd.Series:
    """True for lines of players who played, or left a mark without playing time (two free throws in 0
    seconds)."""
    marks = as_float(lines, COUNTS).fillna(0).ne(0).any(axis=1)
    seconds = lines["seconds_played"].to_numpy(dtype="float64", na_value=0)
    return (seconds > 0) | marks
