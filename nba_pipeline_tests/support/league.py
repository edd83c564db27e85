"""A league of a few days made by hand: every kind of day, box scores that add up to the shots and to the
score.

Belongs here: the league and ``FrameSource``, which serves any frames as a source. No randomness, no files.
Does not belong here: defects (``poison.py``) and realism (the simulated source).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.sources import parsing
from nba_pipeline.sources.base import SourceFrame, no_unusable
from nba_pipeline.tables.vocabulary import TEAM_IDS

FIRST_DAY = date(2023, 10, 23)
"""The Monday before opening night of 2023-24: still off-season."""
_NAMES = ("games", "player_boxscores", "shot_attempts")


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


OFF_SEASON, OPENING, SECOND, THIRD, OFF_DAY, POSTPONED, EXHIBITION, NO_SHOTS, OVERTIME, LAST = (
    day(n) for n in range(10)
)
DAYS = tuple(day(n) for n in range(10))
GAME_DAYS = (OPENING, SECOND, THIRD, NO_SHOTS, OVERTIME, LAST)
"""Days with final competitive games."""

_SCHEDULE: tuple[tuple[date, str, str, str, str, int], ...] = (
    # day, away, home, third digit of the id, status, overtimes
    (OPENING, "LAL", "DEN", "2", "final", 0),
    (OPENING, "PHX", "GSW", "2", "final", 0),
    (SECOND, "BOS", "NYK", "2", "final", 0),
    (THIRD, "DEN", "LAL", "2", "final", 0),
    (THIRD, "CHI", "TOR", "2", "postponed", 0),
    (POSTPONED, "CHI", "TOR", "2", "postponed", 0),
    (EXHIBITION, "EST", "WST", "3", "final", 0),
    (NO_SHOTS, "GSW", "LAL", "5", "final", 0),
    (OVERTIME, "NYK", "BOS", "2", "final", 2),
    (LAST, "LAL", "GSW", "6", "final", 0),
)
_SECONDS = (2160, 2160, 2160, 2160, 2160, 1400, 1400, 800)
"""Playing time of eight players, 14,400 in all; an overtime is 300 s more for the first five."""


class ThreeTables:
    """A source whose three tables are answered in one place, ``_of``."""

    def games(self, days: Sequence[date]) -> SourceFrame:
        return self._of("games", days)

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
        return self._of("player_boxscores", days)

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame:
        return self._of("shot_attempts", days)

    def _of(self, name: str, days: Sequence[date]) -> SourceFrame:
        raise NotImplementedError


@dataclass(frozen=True)
class FrameSource(ThreeTables):
    """Frames as a source: ``games``, ``player_boxscores`` and ``shot_attempts`` of all days."""

    frames: dict[str, pd.DataFrame]
    unusable: pd.DataFrame = field(default_factory=no_unusable)
    name: str = "hand_made"

    def _of(self, name: str, days: Sequence[date]) -> SourceFrame:
        wanted = pd.to_datetime(list(days))
        frame = self.frames[name]
        notes = (
            self.unusable[self.unusable["game_date"].isin(wanted)]
            if name == "player_boxscores"
            else no_unusable()
        )
        return SourceFrame(frame[frame["game_date"].isin(wanted)].reset_index(drop=True), notes)

    def changed(self, **frames: pd.DataFrame) -> FrameSource:
        return replace(self, frames={**self.frames, **frames})


def hand_made_league() -> FrameSource:
    """Ten days from FIRST_DAY: two opening games, single games, and one empty day for every reason."""
    games, lines, shots = [], [], []
    for number, (when, away, home, digit, status, overtimes) in enumerate(_SCHEDULE):
        game = {
            "game_date": pd.Timestamp(when),
            "nba_game_id": f"00{digit}23{number:05d}",
            "game_id": f"{when:%Y%m%d}_{away}_{home}",
        }
        final = status == "final"
        scores: dict[str, Any] = {away: None, home: None}
        for team in (away, home) if final else ():
            own, taken = _side(
                game,
                team,
                home if team == away else away,
                team == home,
                overtimes,
                start=100 if team == home else 0,
            )
            lines += own
            shots += taken if digit == "2" else []
            scores[team] = sum(line["points"] for line in own if line["points"] is not None)
        games.append(game | _schedule_row(when, away, home, digit, status, scores))
    frames = dict(zip(_NAMES, (_typed(games), _typed(lines), _typed(shots)), strict=True))
    return FrameSource(frames)


def _schedule_row(
    when: date, away: str, home: str, digit: str, status: str, scores: dict[str, Any]
) -> dict[str, Any]:
    kinds = {"2": "regular", "3": "all_star", "5": "play_in", "6": "cup_final"}
    return {
        "season_year": 2023,
        "game_type": kinds[digit],
        "home_team_abbr": home,
        "away_team_abbr": away,
        "home_team_id": TEAM_IDS.get(home, 9001),
        "away_team_id": TEAM_IDS.get(away, 9002),
        "home_score": scores[home],
        "away_score": scores[away],
        "status": status,
        "is_neutral": digit == "6",
        "source": "hand_made",
    }


def _side(
    game: dict[str, Any], team: str, rival: str, is_home: bool, overtimes: int, start: int
) -> tuple[list[Any], list[Any]]:
    """A team's nine lines (the last did not play) and its shots."""
    lines, shots = [], []
    team_id = TEAM_IDS.get(team, 9001 if is_home else 9002)
    for n, seconds in enumerate(_SECONDS):
        player = _player(team_id, n)
        # Six shots of each starter, three of the others; the home team makes the first, third, ... of players
        # A, C, E, ...
        zones = ("paint", "mid_range", "three") * (2 if n < 5 else 1)
        made = [(n + k + (1 if is_home else 0)) % 2 == 0 for k in range(len(zones))]
        for k, (zone, is_made) in enumerate(zip(zones, made, strict=True)):
            shots.append(game | _shot(start + 10 * n + k, team, team_id, rival, n, player, zone, is_made))
        fg, threes = sum(made), sum(made[2::3])
        free = 2 if is_home or n == 0 else 1
        lines.append(
            game
            | _line(team, team_id, rival, is_home, n)
            | {
                "status": "played",
                "minutes_text": f"{seconds // 60}:{seconds % 60:02d}",
                "seconds_played": seconds + (300 * overtimes if n < 5 else 0),
                "seconds_source": "official",
                "fg_makes": fg,
                "fg_attempts": len(zones),
                "three_pt_makes": threes,
                "three_pt_attempts": len(zones) // 3,
                "ft_makes": free,
                "ft_attempts": 2,
                "offensive_rebounds": n % 2,
                "defensive_rebounds": 2 - n % 2,  # both teams together fewer than they miss
                "assists": 0,  # counted below, when all shots are there
                "steals": n % 3,
                "blocks": 0,
                "turnovers": 12 // (n + 2),
                "personal_fouls": 2,
                "points": 2 * fg + threes + free,
                "plus_minus": n - 4,
            }
        )
    for line in lines:
        line["assists"] = sum(shot["assist_player_id"] == line["player_id"] for shot in shots)
    counts = [c for c in lines[0] if c not in game and c not in _line(team, team_id, rival, is_home, 8)]
    nothing = dict.fromkeys(counts) | {
        "status": "dnp",
        "comment": "DNP - Coach's Decision",
        "minutes_text": "",
    }
    lines.append(game | _line(team, team_id, rival, is_home, 8) | nothing)
    return lines, shots


def _player(team_id: int, n: int) -> int:
    return (team_id % 1000) * 100 + n + 1


def _line(team: str, team_id: int, rival: str, is_home: bool, n: int) -> dict[str, Any]:
    name = f"{team.title()} Player {'ABCDEFGHI'[n]}"
    return {
        "team_id": team_id,
        "team_abbr": team,
        "opponent_team_abbr": rival,
        "is_home": is_home,
        "player_id": _player(team_id, n),
        "player_name": name,
        "player_lookup": parsing.player_lookup(name),
        "is_starter": n < 5,
        "comment": None,
    }


def _shot(
    event: int, team: str, team_id: int, rival: str, n: int, player: int, zone: str, is_made: bool
) -> dict[str, Any]:
    labels = {"paint": "Restricted Area", "mid_range": "Mid-Range", "three": "Above the Break 3"}
    return {
        "event_id": event,
        "period": 1 + n % 4,
        "seconds_remaining": 700 - event,
        "team_abbr": team,
        "player_id": player,
        "is_made": is_made,
        "is_three": zone == "three",
        "distance_ft": {"paint": 2, "mid_range": 16, "three": 25}[zone],
        "loc_x": 10 * n,
        "loc_y": 50,
        "zone_basic": labels[zone],
        "assist_player_id": _player(team_id, (n + 1) % 8) if is_made and zone != "mid_range" else None,
        "block_player_id": None,
    }


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a source delivers them: Int64 where numbers can be missing, plain objects for text."""
    frame = pd.DataFrame(rows)
    frame["game_date"] = frame["game_date"].astype("datetime64[s]")
    for name in frame:
        values = [
            v for v in frame[name].tolist() if v is not None and not (isinstance(v, float) and np.isnan(v))
        ]
        if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
            frame[name] = frame[name].astype("Int64")
        elif values and all(isinstance(v, bool) for v in values):
            frame[name] = frame[name].astype("boolean")
    return frame
