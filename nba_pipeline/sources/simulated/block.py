"""The frames of a month: the unit in which games are dealt to players.

Belongs here: ``games_of`` and ``played_in`` (cached) and the construction of the three raw frames from
numbers. Does not belong here: how any number is drawn, and which days somebody asked for (``source.py``).

A month of a season is always generated as a whole from its own random stream, so that a day's rows are the
same whichever days are asked for, in whatever order and process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from nba_pipeline.sources.simulated import lineups as lu
from nba_pipeline.sources.simulated.boxscores import player_counts
from nba_pipeline.sources.simulated.exhibitions import odd_minutes_texts, seconds_of
from nba_pipeline.sources.simulated.league import IS_THREE, TEAM_IDS, TEAMS, ZONES, nba_game_id, stream
from nba_pipeline.sources.simulated.lineups import Lineups, Sides, draw_lineups
from nba_pipeline.sources.simulated.locations import distance_ft
from nba_pipeline.sources.simulated.names import player_lookup
from nba_pipeline.sources.simulated.rosters import ROSTER_SPOTS, Rosters
from nba_pipeline.sources.simulated.season import GameSet, SeasonSkeleton, skeleton_of
from nba_pipeline.sources.simulated.shots import Shots, appetite, draw_shots
from nba_pipeline.tables.calendar import season_year_of

MONTHS_KEPT = 2  # a day-by-day reader needs one; months are cheap to make again
TYPES_WITHOUT_SHOTS = frozenset({"preseason", "all_star"})
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

_OFFICIAL = np.array([None, "official"], dtype=object)

Ints = npt.NDArray[np.int64]
Strings = npt.NDArray[np.object_]


@dataclass(frozen=True)
class PlayedMonth:
    """Rows of the games that were played in a month; within a game, home before away."""

    player_boxscores: pd.DataFrame
    shot_attempts: pd.DataFrame


def _as_dates(day: Ints) -> npt.NDArray[np.datetime64]:
    return (day - _EPOCH_ORDINAL).astype("datetime64[D]").astype("datetime64[s]")


def _codes(games: GameSet, index: Ints) -> tuple[Strings, Ints]:
    """Team codes and ids, (games, side)."""
    if games.all_star:
        chosen = [games.all_star[i] for i in index]
        return np.array([g.codes for g in chosen], dtype=object), np.array([g.team_ids for g in chosen])
    teams = np.stack([games.fixtures.home, games.fixtures.away], axis=1)[index]
    return np.array(TEAMS, dtype=object)[teams], TEAM_IDS[teams]


def _games_frame(games: GameSet, index: Ints, season_year: int) -> pd.DataFrame:
    """Rows of ``nba_raw.games`` for the games at ``index``; scores are NULL unless the game is final."""
    f = games.fixtures
    codes, ids = _codes(games, index)
    not_final = f.status[index] != "final"
    points = games.lines.points[index]
    stamp = [date.fromordinal(d).strftime("%Y%m%d") for d in f.day[index].tolist()]
    return pd.DataFrame(
        {
            "game_id": np.array(
                [f"{d}_{away}_{home}" for d, (home, away) in zip(stamp, codes, strict=True)], dtype=object
            ),
            "nba_game_id": np.array(
                [nba_game_id(games.game_type, season_year, n) for n in f.number[index].tolist()], dtype=object
            ),
            "game_date": _as_dates(f.day[index]),
            "season_year": np.full(len(stamp), season_year),
            "game_type": np.full(len(stamp), games.game_type, dtype=object),
            "home_team_abbr": codes[:, 0],
            "away_team_abbr": codes[:, 1],
            "home_team_id": ids[:, 0],
            "away_team_id": ids[:, 1],
            "home_score": pd.arrays.IntegerArray(points[:, 0].copy(), not_final),
            "away_score": pd.arrays.IntegerArray(points[:, 1].copy(), not_final.copy()),
            "status": f.status[index],
            "is_neutral": f.is_neutral[index],
            "source": np.full(len(stamp), "simulated", dtype=object),
        }
    )


def _sides(games: GameSet, index: Ints, rosters: Rosters) -> Sides:
    f, lines = games.fixtures, games.lines
    teams = np.stack([f.home, f.away], axis=1)[index].ravel()
    day = np.repeat(f.day[index], 2)
    in_all_star = [games.all_star[i].players for i in index] if games.all_star else []
    player = np.array(in_all_star).reshape(-1, ROSTER_SPOTS) if in_all_star else rosters.on(teams, day)
    exhibition = games.game_type in TYPES_WITHOUT_SHOTS
    points = lines.points[index]
    return Sides(
        player=player,
        is_fit=np.ones(player.shape, dtype=bool) if exhibition else rosters.is_available(player, day),
        margin=(points - points[:, ::-1]).ravel(),
        seconds=np.repeat(lines.seconds[index], 2),
        everyone_plays=np.full(len(player), exhibition),
    )


def _minutes_texts(seconds: Ints) -> Strings:
    return np.array([f"{s // 60}:{s % 60:02d}" for s in seconds.tolist()], dtype=object)


def _boxscore_frame(
    games: pd.DataFrame, lineups: Lineups, counts: dict[str, Ints], rosters: Rosters
) -> pd.DataFrame:
    side, spot = np.nonzero(lineups.status != lu.NOT_LISTED)
    player = lineups.player[side, spot]
    game, is_home = games.iloc[side // 2].reset_index(drop=True), side % 2 == 0
    status = lineups.status[side, spot]
    played = status == lu.PLAYED
    seconds = lineups.seconds[side, spot]
    names = rosters.players.name
    lookups = {p: player_lookup(names[p]) for p in np.unique(player).tolist()}
    frame = pd.DataFrame(
        {
            "game_id": game["game_id"],
            "nba_game_id": game["nba_game_id"],
            "game_date": game["game_date"],
            "team_id": np.where(is_home, game["home_team_id"], game["away_team_id"]),
            "team_abbr": np.where(is_home, game["home_team_abbr"], game["away_team_abbr"]),
            "opponent_team_abbr": np.where(is_home, game["away_team_abbr"], game["home_team_abbr"]),
            "is_home": is_home,
            "player_id": rosters.players.player_id[player],
            "player_name": names[player],
            "player_lookup": np.array([lookups[p] for p in player.tolist()], dtype=object),
            "is_starter": lineups.is_starter[side, spot],
            "status": lu.STATUS[status],
            "comment": lineups.comment[side, spot],
            "minutes_text": np.where(played, _minutes_texts(seconds), ""),
            "seconds_played": _where_played(seconds, played),
            "seconds_source": _OFFICIAL[played.astype(np.int64)],
        }
    )
    for name in BOXSCORE_COUNTS:
        frame[name] = _where_played(counts[name][side, spot], played)
    return frame


BOXSCORE_COUNTS = (
    *("fg_makes", "fg_attempts", "three_pt_makes", "three_pt_attempts", "ft_makes", "ft_attempts"),
    *(
        "offensive_rebounds",
        "defensive_rebounds",
        "assists",
        "steals",
        "blocks",
        "turnovers",
        "personal_fouls",
        "points",
        "plus_minus",
    ),
)


def _where_played(values: Ints, played: npt.NDArray[np.bool_]) -> pd.api.extensions.ExtensionArray:
    """Nullable integers: NULL, not 0, for everybody who did not play."""
    return pd.arrays.IntegerArray(values.astype(np.int64), ~played)


def _shots_frame(games: pd.DataFrame, lineups: Lineups, shots: Shots, rosters: Rosters) -> pd.DataFrame:
    game = games.iloc[shots.side // 2].reset_index(drop=True)
    ids = rosters.players.player_id

    def person(side: Ints, spot: Ints) -> pd.api.extensions.ExtensionArray:
        return pd.arrays.IntegerArray(ids[lineups.player[side, np.maximum(spot, 0)]], spot < 0)

    return pd.DataFrame(
        {
            "game_id": game["game_id"],
            "nba_game_id": game["nba_game_id"],
            "game_date": game["game_date"],
            "event_id": shots.event_id,
            "period": shots.period,
            "seconds_remaining": shots.seconds_remaining,
            "team_abbr": np.where(shots.side % 2 == 0, game["home_team_abbr"], game["away_team_abbr"]),
            "player_id": ids[lineups.player[shots.side, shots.spot]],
            "is_made": shots.is_made,
            "is_three": IS_THREE[shots.zone],
            "distance_ft": distance_ft(shots.loc_x, shots.loc_y),
            "loc_x": shots.loc_x,
            "loc_y": shots.loc_y,
            "zone_basic": np.array(ZONES, dtype=object)[shots.zone],
            "assist_player_id": person(shots.side, shots.assist_spot),
            "block_player_id": person(shots.side ^ 1, shots.block_spot),
        }
    )


def _with_odd_minutes(rng: np.random.Generator, box: pd.DataFrame) -> pd.DataFrame:
    """Rising Stars as published: the texts are kept, and seconds are NULL where the text cannot be a
    duration."""
    played = (box["status"] == "played").to_numpy()
    texts = box["minutes_text"].to_numpy(dtype=object).copy()
    texts[played] = odd_minutes_texts(rng, int(played.sum()))
    seconds = pd.array(
        [seconds_of(t) if p else None for t, p in zip(texts, played, strict=True)], dtype="Int64"
    )
    return box.assign(
        minutes_text=texts,
        seconds_played=seconds,
        seconds_source=_OFFICIAL[(~seconds.isna()).astype(np.int64)],
    )


def _played_frames(
    rng: np.random.Generator, games: GameSet, index: Ints, frame: pd.DataFrame, rosters: Rosters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Box scores and shots of the games at ``index``; ``frame`` has their rows of ``nba_raw.games``."""
    lines, players = games.lines.take(index), rosters.players
    lineups = draw_lineups(rng, players, _sides(games, index, rosters))
    wishes = appetite(rng, players, lineups)
    shots = draw_shots(rng, players, lineups, lines, wishes)
    box = _boxscore_frame(frame, lineups, player_counts(rng, players, lineups, lines, shots, wishes), rosters)
    if games.all_star and games.all_star[0].odd_minutes:
        box = _with_odd_minutes(rng, box)
    shot_frame = _shots_frame(frame, lineups, shots, rosters)
    return box, shot_frame.iloc[:0] if games.game_type in TYPES_WITHOUT_SHOTS else shot_frame


def _without_rows(skeleton: SeasonSkeleton) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Box scores and shots with their columns and types but no rows, for a month in which nothing was
    played."""
    games = next(g for g in skeleton.games if g.game_type == "regular")
    first = np.array([0])
    frame = _games_frame(games, first, skeleton.season.season_year)
    box, shots = _played_frames(stream(0), games, first, frame, skeleton.rosters)
    return box.iloc[:0], shots.iloc[:0]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]


def _month_bounds(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    return first, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _games_between(skeleton: SeasonSkeleton, first: date, last: date) -> Iterator[tuple[int, GameSet, Ints]]:
    """Position of every set with games in these days, the set, and where in it those games are, in order of
    id."""
    for position, games in enumerate(skeleton.games):
        f = games.fixtures
        here = np.flatnonzero((f.day >= first.toordinal()) & (f.day <= last.toordinal()))
        if len(here):
            yield position, games, here[np.argsort(f.number[here], kind="stable")]


@lru_cache(maxsize=MONTHS_KEPT)
def games_of(seed: int, year: int, month: int) -> pd.DataFrame:
    """The games of a calendar month, in order of id within each type. Callers must not change the frame."""
    first, last = _month_bounds(year, month)
    skeleton = skeleton_of(seed, season_year_of(first))
    season_year = skeleton.season.season_year
    parts = [
        _games_frame(games, index, season_year) for _, games, index in _games_between(skeleton, first, last)
    ]
    if parts:
        return _joined(parts)
    # Of a game and without it: lists without elements would say nothing of their types.
    return _games_frame(skeleton.games[0], np.array([0], dtype=np.int64), season_year).iloc[:0]


@lru_cache(maxsize=MONTHS_KEPT)
def played_in(seed: int, year: int, month: int) -> PlayedMonth:
    """What the players did in a calendar month. Callers must not change the frames."""
    first, last = _month_bounds(year, month)
    skeleton = skeleton_of(seed, season_year_of(first))
    season_year = skeleton.season.season_year
    boxes, shots = [], []
    for position, games, here in _games_between(skeleton, first, last):
        index = here[games.fixtures.status[here] == "final"]
        if len(index):
            rng = stream(seed, season_year, "players", month, position)
            frame = _games_frame(games, index, season_year)
            box, shot = _played_frames(rng, games, index, frame, skeleton.rosters)
            boxes.append(box)
            shots.append(shot)
    return PlayedMonth(_joined(boxes), _joined(shots)) if boxes else PlayedMonth(*_without_rows(skeleton))
