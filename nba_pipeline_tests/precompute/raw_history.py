"""The real seasons read straight from their files: plain Python, exact fractions, nothing of the pipeline.

Belongs here: a second, slow and separate reading of the published files, written from the definitions of the
tables. Does not belong here: any import of nba_pipeline: whatever it got wrong would be wrong on both sides
of a comparison.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

ZONES = ("paint", "mid_range", "three")
PAINT_LABELS = {"Restricted Area", "In The Paint (Non-RA)"}
PAINT_FEET = 13
"""Unlabelled two-pointers up to this distance are paint, as the description of `zone` says; no distance is at
the rim."""
COMPETITIVE_DIGITS = {"2", "4", "5", "6"}
EXACT_MINUTES, ROUNDED_MINUTES = "mm:ss", "int"
ROUNDING_SECONDS = 31

Zones = dict[str, tuple[int, int]]
"""Zone -> (makes, attempts)."""


@dataclass
class TeamGame:
    """One team in one game. ``plays`` in hundredths; zones are None without shot data."""

    day: date
    team: str
    opponent: str
    seconds: int = 0
    points: int = 0
    plays: int = 0
    zones: Zones | None = None

    @property
    def minutes(self) -> int:
        return 240 + 25 * max(0, round(Fraction(self.seconds - 14_400, 1_500)))


@dataclass
class PlayerGame:
    """One player with playing time in one game."""

    day: date
    player: int
    seconds: int
    points: int
    plays: int
    side: TeamGame
    zones: Zones | None = None


@dataclass
class RawHistory:
    """Competitive games of the folder by player and by team, in order of day."""

    folder: Path
    players: dict[int, list[PlayerGame]] = field(default_factory=lambda: defaultdict(list))
    teams: dict[str, list[TeamGame]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        days = _days_of_games(self.folder)
        lines = pd.read_parquet(self.folder / "player_box.parquet")
        lines = lines[lines["game_id"].isin(days)].to_dict("records")
        shots = _shots(self.folder)
        sides: dict[tuple[str, str], TeamGame] = {}
        by_side: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for line in lines:
            by_side[line["game_id"], line["team_tricode"]].append(line)
        rivals: dict[str, set[str]] = defaultdict(set)
        for game, team in by_side:
            rivals[game].add(team)
        for (game, team), members in by_side.items():
            (opponent,) = rivals[game] - {team}
            side = sides[game, team] = TeamGame(days[game], team, opponent)
            self.teams[team].append(side)
            for line, seconds in zip(members, _seconds(members), strict=True):
                self._add(line, seconds, side, shots)
        for games in (*self.players.values(), *self.teams.values()):
            games.sort(key=lambda g: g.day)

    def _add(
        self, line: dict[str, Any], seconds: int, side: TeamGame, shots: dict[str, dict[int, Zones]]
    ) -> None:
        plays = (
            100 * line["field_goals_attempted"] + 44 * line["free_throws_attempted"] + 100 * line["turnovers"]
        )
        side.seconds += seconds
        side.points += line["points"]
        side.plays += plays
        zones = None
        if line["game_id"] in shots:
            zones = shots[line["game_id"]].get(line["person_id"], _no_shots())
            side.zones = {
                z: (a + zones[z][0], b + zones[z][1]) for z, (a, b) in (side.zones or _no_shots()).items()
            }
        if seconds > 0:
            self.players[line["person_id"]].append(
                PlayerGame(side.day, line["person_id"], seconds, line["points"], plays, side, zones)
            )

    def of_player(self, player: int, day: date, last: int | None = None) -> list[PlayerGame]:
        """The player's games of the season of ``day`` before it, or the last few of them."""
        return _window(self.players[player], day, last)

    def of_team(self, team: str, day: date, last: int | None = None) -> list[TeamGame]:
        return _window(self.teams[team], day, last)

    def opponent_of(self, game: TeamGame) -> TeamGame:
        at = bisect_left([g.day for g in self.teams[game.opponent]], game.day)
        return self.teams[game.opponent][at]


def _window(games: Sequence[Any], day: date, last: int | None) -> list[Any]:
    found = [g for g in games if g.day < day and season(g.day) == season(day)]
    return found[-last:] if last else found


def season(day: date) -> int:
    return day.year if day.month >= 10 else day.year - 1


def _days_of_games(folder: Path) -> dict[str, date]:
    games = pd.read_parquet(folder / "games.parquet", columns=["game_id", "game_date", "played"])
    rows = games[games["played"].fillna(False).astype(bool)].itertuples(index=False)
    return {game: date.fromisoformat(day) for game, day, _ in rows if game[2] in COMPETITIVE_DIGITS}


def _seconds(members: Sequence[dict[str, Any]]) -> list[int]:
    """Playing time of a team's lines: mm:ss as published; where minutes are rounded, the seconds of the
    play-by-play, except for the one line that they contradict: that one has what its team has left over."""
    if all(line["minutes_kind"] != ROUNDED_MINUTES for line in members):
        return [_clock(line["minutes"]) for line in members]
    minutes = [int(line["minutes"]) for line in members]
    seconds = [int(line["seconds_pbp"]) for line in members]
    wrong = [
        i for i, (m, s) in enumerate(zip(minutes, seconds, strict=True)) if abs(s - 60 * m) > ROUNDING_SECONDS
    ]
    assert len(wrong) <= 1, "a second contradiction in a team-game is a new case"
    for i in wrong:
        overtimes = max(0, round(Fraction(sum(minutes) - 240, 25)))
        seconds[i] = 14_400 + 1_500 * overtimes - (sum(seconds) - seconds[i])
        assert abs(seconds[i] - 60 * minutes[i]) <= ROUNDING_SECONDS
    return seconds


def _clock(text: str | None) -> int:
    if not text:
        return 0
    minutes, seconds = text.split(":")
    return 60 * int(minutes) + int(seconds)


def _no_shots() -> Zones:
    return dict.fromkeys(ZONES, (0, 0))


def _shots(folder: Path) -> dict[str, dict[int, Zones]]:
    """Game -> player -> zone -> (makes, attempts)."""
    columns = [
        "GAME_ID",
        "PLAYER_ID",
        "SHOT_MADE_FLAG",
        "IS_THREE",
        "SHOT_ZONE_BASIC",
        "PBP_DISTANCE",
        "SHOT_DISTANCE",
    ]
    found: dict[str, dict[int, Zones]] = defaultdict(lambda: defaultdict(_no_shots))
    for file in sorted(folder.glob("shots_*.parquet")):
        frame = pd.read_parquet(file, columns=columns).astype(
            {"PBP_DISTANCE": "float64", "SHOT_DISTANCE": "float64"}
        )
        counted: dict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0])
        for game, player, made, is_three, label, feet, chart_feet in zip(
            *(frame[c].tolist() for c in columns), strict=True
        ):
            count = counted[game, player, _zone(is_three, label, feet, chart_feet)]
            count[0] += made
            count[1] += 1
        for (game, player, zone), (makes, attempts) in counted.items():
            found[game][player][zone] = (makes, attempts)
    return {game: dict(players) for game, players in found.items()}


def _zone(is_three: bool, label: str | None, feet: float, chart_feet: float) -> str:
    if is_three:
        return "three"
    if label is not None:
        return "paint" if label in PAINT_LABELS else "mid_range"
    known = [d for d in (feet, chart_feet) if d == d]
    return "paint" if (known[0] if known else 0) <= PAINT_FEET else "mid_range"


# ----------------------------------------------------------------------------------------------------------
# values


def share(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """part / whole, unknown when there is nothing to divide by."""
    return Fraction(part) / whole if whole else None


def usage(games: Iterable[PlayerGame]) -> Fraction | None:
    """100 · Σ plays · (Σ team minutes / 5) / (Σ minutes · Σ team plays)."""
    games = list(games)
    plays, minutes = sum(g.plays for g in games), Fraction(sum(g.seconds for g in games), 60)
    team_plays, team_minutes = (
        sum(g.side.plays for g in games),
        Fraction(sum(g.side.minutes for g in games), 5),
    )
    return share(100 * plays * team_minutes, minutes * team_plays)


def zone_totals(games: Iterable[PlayerGame | TeamGame]) -> Zones:
    """Makes and attempts by zone over the games that have shot data."""
    known = [g.zones for g in games if g.zones is not None]
    return {zone: (sum(z[zone][0] for z in known), sum(z[zone][1] for z in known)) for zone in ZONES}
