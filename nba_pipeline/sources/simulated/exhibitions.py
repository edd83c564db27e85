"""All-Star weekend: teams that are not NBA teams, and minutes that are not minutes.

Belongs here: who plays in Rising Stars and the All-Star Game, and the texts that are published as their
minutes. Does not belong here: preseason games (they are between NBA teams: ``schedule.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.rosters import ROSTER_SPOTS, Rosters
from nba_pipeline.sources.simulated.schedule import all_star_sunday
from nba_pipeline.tables.calendar import Season

ALL_STARS: Final = 12  # per team
RISING_STARS: Final = 7
OLDEST_RISING_STAR: Final = 22
FIRST_ALL_STAR_ID: Final = 1610616833

# The ids belong to a place in the weekend; the teams behind them change every year.
_ALL_STAR_CODES: Final = (("DRT", "LBN"), ("GNS", "LBN"), ("WST", "EST"))
_RISING_CODES: Final = (
    ("BAR", "PAY", "IAH", "WOR"),
    ("PAU", "JKM", "DRN", "JAS"),
    ("PAU", "DLF", "JAL", "TAM"),
)
_DURATION: Final = re.compile(r"(\d{1,3}):([0-5]\d)|(\d{1,3})")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AllStarGame:
    """One game of the weekend: day number, serial number of its id; codes, ids and players as (home,
    away)."""

    day: int
    number: int
    codes: tuple[str, str]
    team_ids: tuple[int, int]
    players: tuple[Ints, Ints]
    odd_minutes: bool


def _padded(players: Ints) -> Ints:
    return np.concatenate([players, np.full(ROSTER_SPOTS - len(players), -1)])


def all_star_weekend(
    rng: np.random.Generator, facts: Season, rosters: Rosters
) -> list[tuple[str, tuple[AllStarGame, ...]]]:
    """(style, games) of Friday's Rising Stars tournament and of Sunday's All-Star Game."""
    sunday = all_star_sunday(facts).toordinal()
    level, age = rosters.players.level, rosters.players.age
    on_rosters = np.unique(rosters.opening)
    ranked = on_rosters[np.argsort(-level[on_rosters], kind="stable")]
    stars = rng.permutation(ranked[: 2 * ALL_STARS]).reshape(2, ALL_STARS)
    young = ranked[age[ranked] <= OLDEST_RISING_STAR][: 4 * RISING_STARS]
    teams = [_padded(t) for t in np.array_split(rng.permutation(young), 4)]
    year = facts.season_year % 3
    codes = _RISING_CODES[year]
    ids = [FIRST_ALL_STAR_ID + 14 + i for i in range(4)]
    rising = tuple(
        AllStarGame(sunday - 2, 4 + i, (codes[a], codes[b]), (ids[a], ids[b]), (teams[a], teams[b]), True)
        for i, (a, b) in enumerate([(0, 1), (2, 3), (0, 2)])
    )
    main_codes = _ALL_STAR_CODES[year]
    main = AllStarGame(
        sunday,
        1,
        main_codes,
        (FIRST_ALL_STAR_ID, FIRST_ALL_STAR_ID + 1),
        (_padded(stars[0]), _padded(stars[1])),
        False,
    )
    return [("rising_stars", rising), ("all_star", (main,))]


def with_finalists(
    games: tuple[AllStarGame, ...], home_won: npt.NDArray[np.bool_]
) -> tuple[AllStarGame, ...]:
    """Rising Stars' third game is between the winners of the first two; the All-Star Game stays as it is."""
    if len(games) < 3:
        return games
    (a, i), (b, j) = ((game, 0 if won else 1) for game, won in zip(games[:2], home_won[:2], strict=True))
    final = replace(
        games[2],
        codes=(a.codes[i], b.codes[j]),
        team_ids=(a.team_ids[i], b.team_ids[j]),
        players=(a.players[i], b.players[j]),
    )
    return (*games[:2], final)


def odd_minutes_texts(rng: np.random.Generator, count: int) -> list[str]:
    """Minutes as the league has published them for Rising Stars: bare "0" and "1", and times that cancel
    out."""
    kinds = rng.random(count)
    seconds = rng.integers(0, 60, count)
    minutes = rng.integers(60, 99, count)
    texts = []
    for kind, s, m in zip(kinds, seconds, minutes, strict=True):
        if kind < 0.7:
            texts.append("0" if kind < 0.35 else "1")
        else:
            texts.append(f"-{m}:0-{s % 10}" if kind < 0.85 else f"{m}:{s:02d}")
    return texts


def seconds_of(text: str) -> int | None:
    """The duration a minutes text states, in seconds; None where it cannot be one. A bare number is
    minutes."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    minutes, seconds, bare = match.groups()
    return 60 * int(bare) if bare is not None else 60 * int(minutes) + int(seconds)
