"""Examining box scores of both providers.

Belongs here: their shape and their sums. Does not belong here: raw rows.
"""

from __future__ import annotations

from typing import Any

from nba_pipeline.sources.nba.shapes import (
    Found,
    Kind,
    KnownGame,
    Verdict,
    at,
    count,
    disagrees,
    empty,
    require_game,
)
from nba_pipeline.sources.parsing import parse_seconds

SUMMED = (
    *("fieldGoalsMade", "fieldGoalsAttempted", "threePointersMade", "threePointersAttempted"),
    *("freeThrowsMade", "freeThrowsAttempted", "reboundsOffensive", "reboundsDefensive", "assists"),
    *("steals", "blocks", "points"),
)
"""Counts of players that add up to their team's."""
OTHER_COUNTS = ("turnovers", "foulsPersonal")
TOTALS = (
    "fieldGoalsMade",
    "fieldGoalsAttempted",
    "threePointersMade",
    "threePointersAttempted",
    "assists",
    "blocks",
)
"""What ``Verdict.totals`` has of each player: what the plays show again."""
_PAIRS = (
    ("fieldGoalsMade", "fieldGoalsAttempted"),
    ("threePointersMade", "threePointersAttempted"),
    ("freeThrowsMade", "freeThrowsAttempted"),
    ("threePointersMade", "fieldGoalsMade"),
    ("threePointersAttempted", "fieldGoalsAttempted"),
)
Totals = dict[int, tuple[int, ...]]


def examine_stats(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """boxscoretraditionalv3."""
    path = "boxScoreTraditional"
    box = at(value, path, "", dict)
    require_game(box, key, path)
    teams = {side: at(box, side, path, dict) for side in ("homeTeam", "awayTeam")}
    if not any(at(team, "players", f"{path}.{side}", list) for side, team in teams.items()):
        return empty(game, "no players")
    if game is not None and not game.final:
        return Verdict(Kind.IN_PROGRESS, detail="the schedule does not call the game final")
    totals: Totals = {}
    for side, team in teams.items():
        here = f"{path}.{side}"
        statistics = at(team, "statistics", here, dict)
        _examine_team(team, statistics, here, "position", totals, game)
        _require_points(game, side, statistics["points"])
    return Verdict(Kind.OK, totals=totals)


def examine_cdn(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """liveData boxscore. Final means gameStatus 3: status 2 with the text ``Final`` exists for minutes."""
    box = at(value, "game", "", dict)
    require_game(box, key, "game")
    status = at(box, "gameStatus", "game", int)
    if status not in (1, 2, 3):
        raise Found(Verdict(Kind.DRIFT, "game.gameStatus", f"{status}"))
    final = status == 3
    if not final:
        text = at(box, "gameStatusText", "game", str).strip()
        detail = f"status {status} {text!r}"
        if game is not None and game.final:
            return Verdict(Kind.EMPTY_FOR_FINAL if status == 1 else Kind.TRUNCATED, detail=detail)
        return Verdict(Kind.NOT_PLAYED if status == 1 else Kind.IN_PROGRESS, detail=detail)
    totals: Totals = {}
    teams = {side: at(box, side, "game", dict) for side in ("homeTeam", "awayTeam")}
    if not any(at(team, "players", f"game.{side}", list) for side, team in teams.items()):
        return Verdict(Kind.EMPTY_FOR_FINAL, detail="no players")
    for side, team in teams.items():
        here = f"game.{side}"
        statistics = at(team, "statistics", here, dict)
        score = count(team, "score", here)
        _examine_team(team, statistics, here, "starter", totals, game)
        if score != statistics["points"]:
            raise disagrees(f"{here}: score {score}, its players' points {statistics['points']}")
        _require_points(game, side, score)
    return Verdict(Kind.OK, totals=totals)


def _require_points(game: KnownGame | None, side: str, points: int) -> None:
    known = None if game is None else game.home_points if side == "homeTeam" else game.away_points
    if known is not None and known != points:
        raise disagrees(f"{side}: {points} points, by the schedule {known}")


def _examine_team(
    team: Any, statistics: Any, path: str, starter: str, totals: Totals, game: KnownGame | None
) -> None:
    """Shape of the lines and their sums; adds the players to ``totals``."""
    if count(team, "teamId", path) == 0:
        raise Found(Verdict(Kind.DRIFT, f"{path}.teamId", "0 with players"))
    at(team, "teamTricode", path, str)
    sums = dict.fromkeys(SUMMED, 0)
    starters = 0
    for place, player in enumerate(at(team, "players", path, list)):
        here = f"{path}.players[{place}]"
        line = _examine_line(player, here, starter)
        person = player["personId"]
        if person in totals:
            raise disagrees(f"{here}: player {person} has two lines")
        totals[person] = tuple(line[name] for name in TOTALS)
        starters += player[starter] == "1" if starter == "starter" else player[starter] != ""
        sums = {name: held + line[name] for name, held in sums.items()}
    if starters != 5:
        raise disagrees(f"{path}: {starters} starters")
    for name, held in sums.items():
        if held != count(statistics, name, f"{path}.statistics"):
            raise disagrees(f"{path}: players' {name} {held}, the team's {statistics[name]}")


def _examine_line(player: Any, path: str, starter: str) -> dict[str, int]:
    """One player's counts."""
    if count(player, "personId", path) == 0:
        raise Found(Verdict(Kind.DRIFT, f"{path}.personId", "0"))
    for name in (starter, "firstName", "familyName"):
        if starter != "starter" or name in player or name == starter:  # cdn may have the name in one piece
            at(player, name, path, str)
    line = at(player, "statistics", path, dict)
    here = f"{path}.statistics"
    minutes = at(line, "minutes", here, str)
    seconds = 0.0 if not minutes else parse_seconds(minutes)
    if not 0 <= seconds < 7200:
        raise Found(Verdict(Kind.DRIFT, f"{here}.minutes", repr(minutes)))
    counts = {name: count(line, name, here) for name in (*SUMMED, *OTHER_COUNTS)}
    for fewer, more in _PAIRS:
        if counts[fewer] > counts[more]:
            raise disagrees(f"{path}: {fewer} {counts[fewer]} of {more} {counts[more]}")
    points = 2 * counts["fieldGoalsMade"] + counts["threePointersMade"] + counts["freeThrowsMade"]
    if points != counts["points"]:
        raise disagrees(f"{path}: points {counts['points']}, by his shots {points}")
    if counts["reboundsOffensive"] + counts["reboundsDefensive"] != count(line, "reboundsTotal", here):
        raise disagrees(f"{path}: rebounds do not add up to {line['reboundsTotal']}")
    return counts
