"""Examining answers about many games: schedules, the season's log, today's scoreboard.

Belongs here: their shape. Does not belong here: raw rows, plans of what to ask.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from nba_pipeline.sources.nba.shapes import Found, Kind, KnownGame, Verdict, at, count, disagrees, empty

LOG_COLUMNS = (
    *("SEASON_ID", "TEAM_ID", "GAME_ID", "GAME_DATE", "FGM", "FGA", "FG3M", "FG3A", "FTM", "FTA", "OREB"),
    *("DREB", "AST", "STL", "BLK", "TOV", "PF", "PTS"),
)
_GAME = re.compile(r"\d{10}")


def examine_schedule(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """scheduleleaguev2 and the cdn's staticData schedule, which have the same shape."""
    schedule = at(value, "leagueSchedule", "", dict)
    season = at(schedule, "seasonYear", "leagueSchedule", str)
    if season != key:
        return Verdict(Kind.WRONG_GAME, "leagueSchedule.seasonYear", f"{season} instead of {key}")
    seen: set[str] = set()
    for place, day in enumerate(at(schedule, "gameDates", "leagueSchedule", list)):
        path = f"leagueSchedule.gameDates[{place}]"
        for number, row in enumerate(at(day, "games", path, list)):
            here = f"{path}.games[{number}]"
            game_id = _examine_game(row, here)
            _moment(at(row, "gameDateEst", here, str), f"{here}.gameDateEst")
            if game_id in seen:
                raise disagrees(f"{here}: the game {game_id} is there twice")
            seen.add(game_id)
    return Verdict(Kind.OK, detail=f"{len(seen)} games") if seen else empty(game, "no games")


def examine_scoreboard(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """todaysScoreboard; a day without games is ``ok``."""
    board = at(value, "scoreboard", "", dict)
    _moment(at(board, "gameDate", "scoreboard", str), "scoreboard.gameDate")
    games = at(board, "games", "scoreboard", list)
    for place, row in enumerate(games):
        _examine_game(row, f"scoreboard.games[{place}]")
    return Verdict(Kind.OK, detail=f"{len(games)} games")


def examine_log(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """leaguegamelog of players or teams; headers without rows are ``not_played``."""
    sets = at(value, "resultSets", "", list)
    if not sets:
        return empty(game, "no result sets")
    path = "resultSets[0]"
    headers = at(sets[0], "headers", path, list)
    for name in LOG_COLUMNS:
        if name not in headers:
            raise Found(Verdict(Kind.DRIFT, f"{path}.headers.{name}", "missing"))
    rows = at(sets[0], "rowSet", path, list)
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(headers):
            raise Found(Verdict(Kind.DRIFT, f"{path}.rowSet[{place}]", "not as long as the headers"))
    return Verdict(Kind.OK, detail=f"{len(rows)} rows") if rows else empty(game, "headers without rows")


def _examine_game(row: Any, path: str) -> str:
    game_id: str = at(row, "gameId", path, str)
    if not _GAME.fullmatch(game_id):
        raise Found(Verdict(Kind.DRIFT, f"{path}.gameId", repr(game_id)))
    status = at(row, "gameStatus", path, int)
    if status not in (1, 2, 3):
        raise Found(Verdict(Kind.DRIFT, f"{path}.gameStatus", str(status)))
    at(row, "gameStatusText", path, str)
    for side in ("homeTeam", "awayTeam"):
        team = at(row, side, path, dict)
        count(team, "teamId", f"{path}.{side}")
        count(team, "score", f"{path}.{side}")
    return game_id


def _moment(text: str, path: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise Found(Verdict(Kind.DRIFT, path, repr(text))) from error
