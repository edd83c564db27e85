"""A source with one thing wrong on chosen days: the named defects that the pipeline must catch, each on its own day.

Belongs here: the defects, what each must be called, and ``PoisonedSource`` that applies them to any source.
Does not belong here: a league to poison (``league.py``, the simulated and bulk sources) and assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.failures import FailureClass, SourceUnavailable
from nba_pipeline.sources.base import Source, SourceFrame

GAMES, BOXSCORES, SHOTS = "nba_raw.games", "nba_raw.player_boxscores", "nba_raw.shot_attempts"
OFFENSE, PLAYERS = "nba_analytics.team_offense_game_summary", "nba_analytics.player_game_summary"
_COMPETITIVE_DIGITS = ("2", "4", "5", "6")
Mutation = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Poison:
    """One defect: the raw table that it is put into, the tables at one of which the day must fail first, and the class.

    ``mutate(frame, game)`` gets the whole frame and the rows of the game to spoil (a slice of it, same labels), and
    returns the spoiled frame.
    """

    name: str
    into: str
    fails_at: tuple[str, ...]
    failure_class: FailureClass
    mutate: Mutation | None


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
    """The play-by-play gives one attempt to a team-mate: the team's zones still add up, two players' do not."""
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
        Poison("halve_team", BOXSCORES, (BOXSCORES, OFFENSE), _F.INCOMPLETE_INPUT, _halve_team),
        Poison("drop_player", BOXSCORES, (BOXSCORES, OFFENSE), _F.INCOMPLETE_INPUT, _drop_player),
        Poison("duplicate_row", BOXSCORES, (BOXSCORES,), _F.DUPLICATE_KEY, _duplicate_row),
        Poison("swap_home_away", BOXSCORES, (BOXSCORES,), _F.IMPOSSIBLE_VALUE, _swap_home_away),
        Poison("negative_count", BOXSCORES, (BOXSCORES,), _F.IMPOSSIBLE_VALUE, _negative_count),
        Poison("impossible_minutes", BOXSCORES, (BOXSCORES,), _F.IMPOSSIBLE_VALUE, _impossible_minutes),
        Poison("wrong_type", BOXSCORES, (BOXSCORES,), _F.SCHEMA_DRIFT, _wrong_type),
        Poison("missing_column", BOXSCORES, (BOXSCORES,), _F.SCHEMA_DRIFT, _missing_column),
        Poison("misattributed_shot", SHOTS, (PLAYERS,), _F.INCOMPLETE_INPUT, _misattributed_shot),
        Poison("unknown_team", GAMES, (GAMES,), _F.IMPOSSIBLE_VALUE, _unknown_team),
        Poison("outage", BOXSCORES, (BOXSCORES,), _F.SOURCE_UNAVAILABLE, None),
    )
}
"""Every defect by name. Which table notices `halve_team` and `drop_player` first depends on how many players are left."""


class PoisonedSource:
    """``source`` with the named defect on each day of ``poisons``, put into the day's first competitive game.

    ``heal`` takes defects away again, as a repaired source would. ``asked`` counts the requests per raw table and day.
    """

    def __init__(self, source: Source, poisons: Mapping[date, str]) -> None:
        self.name = source.name
        self.source = source
        self.poisons = {day: POISONS[name] for day, name in poisons.items()}
        self.asked: dict[tuple[str, date], int] = {}

    def heal(self, *days: date) -> None:
        """The given days (all of them without arguments) are sound from now on."""
        for day in days or tuple(self.poisons):
            del self.poisons[day]

    def games(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(GAMES, days, self.source.games)

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(BOXSCORES, days, self.source.player_boxscores)

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame:
        return self._spoiled(SHOTS, days, self.source.shot_attempts)

    def _spoiled(self, table: str, days: Sequence[date], fetch: Callable[[Sequence[date]], SourceFrame]) -> SourceFrame:
        for day in days:
            self.asked[table, day] = self.asked.get((table, day), 0) + 1
        wrong = {day: p for day, p in self.poisons.items() if p.into == table and day in set(days)}
        down = [day for day, p in wrong.items() if p.mutate is None]
        if down:
            raise SourceUnavailable(f"the source does not answer for {', '.join(map(str, sorted(down)))}", days=down)
        fetched = fetch(days)
        frame = fetched.frame.reset_index(drop=True)
        for day, poison in wrong.items():
            assert poison.mutate is not None
            frame = poison.mutate(frame, _first_competitive_game(frame, day)).reset_index(drop=True)
        return SourceFrame(frame, fetched.unusable)


def _first_competitive_game(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    rows = frame[(frame["game_date"] == pd.Timestamp(day)) & frame["nba_game_id"].str[2].isin(_COMPETITIVE_DIGITS)]
    if "status" in rows and "home_score" in rows:
        rows = rows[rows["status"] == "final"]
    if rows.empty:
        raise ValueError(f"{day} has no competitive game to poison")
    return rows[rows["nba_game_id"] == rows["nba_game_id"].min()]
