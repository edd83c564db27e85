"""Declared gaps: games whose box score or shots will never come, by the word of a person.

Belongs here: ``Gap`` and ``Gaps`` (which are declared, which were used), leaving a gap's game out of
frames, and which games lack a box score. Does not belong here: keeping gaps
(``orchestration/instance/gaps.py``), declaring them (``orchestration/declared_gaps.py``), counting them in
rows (``transforms/gaps.py``).

A declaration changes nothing by itself: a day is made as if there were none, and only where that fails
without the gap's games. So a game that the source has repaired is whole again, and its gap no longer used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pandas as pd

from nba_pipeline.tables.names import BOXSCORES, DEFENSE, GAMES, OFFENSE, PLAYERS, SHOTS
from nba_pipeline.transforms.games import competitive_finals

GAP_TABLES = (BOXSCORES, SHOTS)
"""What can be missing of a game."""
_LEAVES_OUT: dict[str, dict[str, tuple[str, ...]]] = {
    BOXSCORES: {BOXSCORES: (GAMES, BOXSCORES)},
    OFFENSE: {BOXSCORES: (GAMES, BOXSCORES, SHOTS), SHOTS: (SHOTS,)},
    DEFENSE: {BOXSCORES: (OFFENSE, SHOTS), SHOTS: (SHOTS,)},
    PLAYERS: {BOXSCORES: (OFFENSE, BOXSCORES, SHOTS), SHOTS: (SHOTS,)},
}
"""Table -> what is missing -> the frames from which the game is left out to make the table without it."""
MADE_WITHOUT = tuple(_LEAVES_OUT)
"""The tables of which a day can be made without a game."""


@dataclass(frozen=True)
class Gap:
    """A game of which ``tables`` (raw ones) have nothing and need not.

    ``until``: the last day on which the declaration holds, None for good. ``revoked_at``: it holds no more.
    Times are ISO 8601, UTC.
    """

    game_id: str
    nba_game_id: str
    day: date
    home_team_abbr: str
    away_team_abbr: str
    tables: tuple[str, ...]
    reason: str
    accepted_at: str
    until: date | None = None
    revoked_at: str | None = None

    def holds(self, today: date) -> bool:
        return self.revoked_at is None and (self.until is None or today <= self.until)

    @property
    def words(self) -> str:
        missing = " or ".join(name.split(".")[1] for name in self.tables)
        return f"{self.game_id} has no {missing}, declared a gap: {self.reason}"


Used = Mapping[str, Mapping[date, tuple[str, ...]]]
"""Table -> stored day -> the ids of the games that it was made without."""


@dataclass(frozen=True)
class Gaps:
    """All that is declared and what came of it. ``after_days``: a competitive game without a box score is a
    gap by itself once it is so many days old; None: never."""

    declared: tuple[Gap, ...] = ()
    used: Used = field(default_factory=dict)
    today: date = date.max
    after_days: int | None = None

    def of_day(self, table: str, day: date, missing: Collection[str] = GAP_TABLES) -> tuple[Gap, ...]:
        """The gaps that hold, with which a day of the table could be made, as far as they are about these raw
        tables."""
        held = [g for g in self.declared if g.day == day and g.holds(self.today)]
        kinds = _LEAVES_OUT.get(table, {}).keys() & set(missing)
        parts = [replace(g, tables=tuple(name for name in g.tables if name in kinds)) for g in held]
        return tuple(gap for gap in parts if gap.tables)

    def behind(self, tables: Iterable[str], day: date) -> tuple[Gap, ...]:
        """The gaps whose games were left out of these tables' day."""
        used = {game for table in tables for game in self.used.get(table, {}).get(day, ())}
        return tuple(g for g in self.declared if g.game_id in used)

    def days(self, table: str) -> set[date]:
        """The days of the table that have gaps of ``of_day``."""
        return {g.day for g in self.declared if self.of_day(table, g.day)}

    def withdrawn(self, table: str) -> dict[date, str]:
        """Stored days of the table that were made without a game whose gap holds no more -> the game."""
        holding = {g.game_id for g in self.declared if g.holds(self.today)}
        return {
            day: sorted(set(games) - holding)[0]
            for day, games in self.used.get(table, {}).items()
            if set(games) - holding
        }

    def plus(self, gaps: Iterable[Gap]) -> Gaps:
        """With more that are declared."""
        return replace(self, declared=(*self.declared, *gaps))

    def old_enough(self, day: date) -> bool:
        """Whether a game of the day without a box score is a gap by itself."""
        return self.after_days is not None and (self.today - day).days >= self.after_days

    def left_out(self) -> pd.DataFrame:
        """The games that any stored table was made without: game_id, game_date and both teams."""
        used = {game for days in self.used.values() for games in days.values() for game in games}
        rows = {g.game_id: g for g in self.declared if g.game_id in used}.values()
        frame = pd.DataFrame(
            [(g.game_id, g.day, g.home_team_abbr, g.away_team_abbr) for g in rows],
            columns=["game_id", "game_date", "home_team_abbr", "away_team_abbr"],
        )
        return frame.astype({"game_date": "datetime64[s]"})


def without(table: str, frames: Mapping[str, pd.DataFrame], gaps: Collection[Gap]) -> dict[str, pd.DataFrame]:
    """The frames from which ``table`` is made, without what the gaps say is not to be counted on."""
    left = dict(frames)
    for kind, names in _LEAVES_OUT[table].items():
        games = [g for g in gaps if kind in g.tables]
        for name in names if games else ():
            if name in left:
                left[name] = without_games(left[name], games)
    return left


def without_games(frame: pd.DataFrame, games: Iterable[Gap]) -> pd.DataFrame:
    """The rows that are of no gap's game."""
    column = "nba_game_id" if "nba_game_id" in frame else "game_id"
    ids = {getattr(g, column) for g in games}
    days = {pd.Timestamp(g.day) for g in games}
    return frame[~(frame[column].isin(ids) & frame["game_date"].isin(days)).to_numpy(dtype=bool)]


def noted(unusable: pd.DataFrame, published: pd.DataFrame, gaps: Collection[Gap]) -> pd.DataFrame:
    """What could not be used, and with it the lines that were published of a gap's game: half a box score."""
    held = published[published["nba_game_id"].isin({g.nba_game_id for g in gaps})] if gaps else published[:0]
    if held.empty or "player_id" not in held:
        return unusable
    by_game = held.groupby(["game_date", "nba_game_id"], as_index=False).size()
    notes = by_game.rename(columns={"size": "count", "nba_game_id": "sample"}).assign(reason="declared_gap")
    notes = notes[list(unusable.columns)]
    return notes if unusable.empty else pd.concat([unusable, notes], ignore_index=True)


def without_lines(games: pd.DataFrame, lines: pd.DataFrame, days: Collection[date]) -> pd.DataFrame:
    """The final competitive games of ``days`` (rows of nba_raw.games) without any line of a player."""
    wanted = competitive_finals(games)
    wanted = wanted[wanted["game_date"].isin(pd.to_datetime(list(days)))]
    return wanted[~wanted["nba_game_id"].isin(lines["nba_game_id"])]


def declare(
    games: pd.DataFrame, tables: Collection[str], reason: str, at: datetime, until: date | None = None
) -> list[Gap]:
    """A gap of each of these games (rows of nba_raw.games)."""
    return [
        Gap(
            game_id=str(game.game_id),
            nba_game_id=str(game.nba_game_id),
            day=game.game_date.date(),
            home_team_abbr=str(game.home_team_abbr),
            away_team_abbr=str(game.away_team_abbr),
            tables=tuple(name for name in GAP_TABLES if name in tables),
            reason=reason,
            accepted_at=at.isoformat(timespec="seconds"),
            until=until,
        )
        for game in games.itertuples()
    ]
