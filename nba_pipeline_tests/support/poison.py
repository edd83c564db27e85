"""A source with one thing wrong on chosen days: the named defects that the pipeline must catch, each on its
own day.

Belongs here: the defects and what each must be called; ``demo/faulty.py`` puts them into any source.
Does not belong here: a league to poison (``league.py``, the simulated and bulk sources) and assertions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.demo.faulty import Fault, FaultySource
from nba_pipeline.failures import FailureClass
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS

__all__ = ["BOXSCORES", "GAMES", "POISONS", "SHOTS", "Poison", "PoisonedSource"]

OFFENSE, PLAYERS = "nba_analytics.team_offense_game_summary", "nba_analytics.player_game_summary"


@dataclass(frozen=True)
class Poison(Fault):
    """One defect: with the tables at one of which the day must fail first, and the class."""

    fails_at: tuple[str, ...]
    failure_class: FailureClass


def _home_team(game: pd.DataFrame) -> pd.DataFrame:
    return game[game["is_home"].astype(bool)]


def _regular(game: pd.DataFrame) -> pd.Index:
    """The label of the line with most playing time: a row that no check can overlook."""
    return game.index[[int(game["seconds_played"].astype("float64").fillna(0).to_numpy().argmax())]]


def _halve_team(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    played = _home_team(game)
    played = played[played["seconds_played"].astype("float64").fillna(0) > 0]
    return frame.drop(index=played.index[: (len(played) + 1) // 2])


def _drop_player(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(index=_regular(game))


def _duplicate_row(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[_regular(game)]])


def _swap_home_away(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    """The box score of one game gives the home team's lines as the visitors' and the other way round."""
    sides = frame["is_home"].astype(bool)
    return frame.assign(is_home=sides.where(~frame.index.isin(game.index), ~sides))


def _negative_count(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return _with_value(frame, _regular(game), "assists", -3)


def _impossible_minutes(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return _with_value(frame, _regular(game), "seconds_played", 14_400)


def _wrong_type(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return _with_value(frame.astype({"points": object}), _regular(game), "points", "twelve")


def _missing_column(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="turnovers")


def _unknown_team(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    label = game.index[[0]]
    renamed = _with_value(frame, label, "home_team_abbr", "XXX")
    return _with_value(renamed, label, "game_id", str(game["game_id"].iloc[0])[:13] + "XXX")


def _misattributed_shot(frame: pd.DataFrame, game: pd.DataFrame) -> pd.DataFrame:
    """The play-by-play gives one attempt to a team-mate: the team's zones still add up, two players' do
    not."""
    first = game.iloc[0]
    others = game[(game["team_abbr"] == first["team_abbr"]) & (game["player_id"] != first["player_id"])]
    return _with_value(frame, game.index[[0]], "player_id", others["player_id"].iloc[0])


def _with_value(frame: pd.DataFrame, label: pd.Index, column: str, value: object) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[label, column] = value
    return changed


_F = FailureClass
POISONS: dict[str, Poison] = {
    poison.name: poison
    for poison in (
        Poison("halve_team", BOXSCORES, _halve_team, (BOXSCORES, OFFENSE), _F.INCOMPLETE_INPUT),
        Poison("drop_player", BOXSCORES, _drop_player, (BOXSCORES, OFFENSE), _F.INCOMPLETE_INPUT),
        Poison("duplicate_row", BOXSCORES, _duplicate_row, (BOXSCORES,), _F.DUPLICATE_KEY),
        Poison("swap_home_away", BOXSCORES, _swap_home_away, (BOXSCORES,), _F.IMPOSSIBLE_VALUE),
        Poison("negative_count", BOXSCORES, _negative_count, (BOXSCORES,), _F.IMPOSSIBLE_VALUE),
        Poison("impossible_minutes", BOXSCORES, _impossible_minutes, (BOXSCORES,), _F.IMPOSSIBLE_VALUE),
        Poison("wrong_type", BOXSCORES, _wrong_type, (BOXSCORES,), _F.SCHEMA_DRIFT),
        Poison("missing_column", BOXSCORES, _missing_column, (BOXSCORES,), _F.SCHEMA_DRIFT),
        Poison("misattributed_shot", SHOTS, _misattributed_shot, (PLAYERS,), _F.INCOMPLETE_INPUT),
        Poison("unknown_team", GAMES, _unknown_team, (GAMES,), _F.IMPOSSIBLE_VALUE),
        Poison("outage", BOXSCORES, None, (BOXSCORES,), _F.SOURCE_UNAVAILABLE),
    )
}
"""Every defect by name. Which table notices `halve_team` and `drop_player` first depends on how many players
are left."""


class PoisonedSource(FaultySource):
    """``source`` with the named defect on each day of ``poisons``, put into the day's first competitive
    game."""

    def __init__(self, source: Source, poisons: Mapping[date, str]) -> None:
        super().__init__(source, {day: POISONS[name] for day, name in poisons.items()})
