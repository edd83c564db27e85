"""The calendar of a simulated season: who meets whom, when and where, before any game is played.

Belongs here: preseason and regular-season schedules with rescheduled games, and the dates of everything after
them. Does not belong here: results, or pairings that depend on results (``season.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import CONFERENCES, DIVISIONS, TEAMS
from nba_pipeline.tables.calendar import Season

# Games per weekday (Monday first) relative to each other, as the league spreads them.
WEEKDAY_WEIGHTS: Final = np.array([8.4, 5.6, 10.4, 3.6, 10.2, 7.6, 6.8])
MOST_GAMES_PER_DAY: Final = 15
LAYOUT_ATTEMPTS: Final = 50
RESCHEDULED: Final = 11  # regular-season games played on another day than first announced
CALLED_OFF: Final = 2  # of those, how many leave a never-played row and are replaced under a new id
NEUTRAL_SITE: Final = 3
PRESEASON_ROUNDS: Final = 5
FIRST_CUP_SEASON: Final = 2023
_KNOWN_CUP_FINALS: Final = {2023: date(2023, 12, 9), 2024: date(2024, 12, 17), 2025: date(2025, 12, 16)}

PLAY_IN_DAYS: Final = (2, 3, 5)  # after the last day of the regular season
PLAYOFFS_AFTER: Final = 6
# Days of the seven games after the start of the playoffs, per round; the last game is on the last possible
# Finals day.
ROUND_DAYS: Final = (
    (0, 2, 5, 7, 9, 12, 14),
    (16, 18, 20, 22, 24, 26, 28),
    (31, 33, 35, 37, 39, 41, 43),
    (47, 50, 53, 55, 58, 61, 64),
)
HOSTED_BY_BETTER_SEED: Final = (True, True, False, False, True, False, True)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fixtures:
    """Games to be played (or not): team indexes, day numbers, the serial number of their id, and how they end
    up."""

    home: Ints
    away: Ints
    day: Ints
    number: Ints
    is_neutral: npt.NDArray[np.bool_]
    status: npt.NDArray[np.object_]


def regular_season_end(season: Season) -> date:
    return season.last_finals_day - timedelta(days=70)


def all_star_sunday(season: Season) -> date:
    """The third Sunday of February."""
    first = date(season.season_year + 1, 2, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 14)


def cup_final_day(season: Season) -> date | None:
    """The day of the Cup final; None before there was one. Later years: the Tuesday on or after December
    14."""
    if season.season_year < FIRST_CUP_SEASON:
        return None
    first = date(season.season_year, 12, 14)
    return _KNOWN_CUP_FINALS.get(season.season_year, first + timedelta(days=(1 - first.weekday()) % 7))


def _days_without_games(season: Season) -> set[date]:
    sunday = all_star_sunday(season)
    november = date(season.season_year, 11, 1)
    thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
    off = {thanksgiving, date(season.season_year, 12, 24)} | {
        sunday + timedelta(days=d) for d in range(-2, 4)
    }
    cup = cup_final_day(season)
    return off | ({cup} if cup else set())


def matchups(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The 1,230 (home, away) pairs: 4 games against each of the division, 3 or 4 against the rest of the
    conference, 2 against the other one; 41 at home for everyone."""
    pairs: list[tuple[int, int]] = []
    shift = int(rng.integers(5))
    for c, conference in enumerate(CONFERENCES):
        pairs += [(a, b) for a in conference for b in CONFERENCES[1 - c]]
        pairs += [(a, b) for d in DIVISIONS[3 * c : 3 * c + 3] for a in d for b in d if a != b] * 2
        for i in range(3):
            for j in range(i + 1, 3):
                for m, a in enumerate(DIVISIONS[3 * c + i]):
                    for n, b in enumerate(DIVISIONS[3 * c + j]):
                        turn = (n - m - shift) % 5
                        pairs += [(a, b)] * (1 if turn == 1 else 2) + [(b, a)] * (1 if turn == 0 else 2)
    return np.array(pairs)[rng.permutation(len(pairs))]


def _busy(played: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Per day (axis 1, padded by two on both sides): would a game make three in three days; is there one next
    to it."""
    p = played
    before, after = p[:, 1:-3], p[:, 3:-1]
    third = (before & p[:, :-4]) | (before & after) | (after & p[:, 4:])
    return np.asarray(third.any(axis=0)), (before | after).sum(axis=0)


def assign_days(
    rng: np.random.Generator, pairs: npt.NDArray[np.int64], is_open: npt.NDArray[np.bool_], first_weekday: int
) -> Ints | None:
    """A day index for every pair: never two games of a team on a day, no three in three days, few
    back-to-backs, the league's spread over the week. Games are placed one by one on the best day left; None
    when a game finds none."""
    days = len(is_open)
    target = WEEKDAY_WEIGHTS[(first_weekday + np.arange(days)) % 7] * is_open * rng.uniform(0.2, 1.8, days)
    target *= len(pairs) / target.sum()
    played = np.zeros((len(TEAMS), days + 4), dtype=bool)
    count = np.zeros(days)
    last_met = np.full((len(TEAMS), len(TEAMS)), -1000)
    chosen = np.empty(len(pairs), dtype=np.int64)
    noise = rng.random((len(pairs), days))
    spread = np.maximum(target, 1.0)
    for k, (home, away) in enumerate(pairs):
        both = played[[home, away]]
        third, adjacent = _busy(both)
        free = is_open & ~both[:, 2:-2].any(axis=0) & (count < MOST_GAMES_PER_DAY)
        score = (target - count) / spread * 2.4 + noise[k] - 0.8 * adjacent
        near = np.abs(np.arange(days) - last_met[home, away]) < 4
        score = np.where(free, score - 20.0 * third - 2.0 * near, -np.inf)
        day = int(np.argmax(score))
        if not free[day] or third[day]:
            return None
        chosen[k] = day
        played[[home, away], day + 2] = True
        count[day] += 1
        last_met[home, away] = last_met[away, home] = day
    return chosen


def _reschedule(
    rng: np.random.Generator, pairs: npt.NDArray[np.int64], days: Ints, is_open: npt.NDArray[np.bool_]
) -> dict[int, int]:
    """New days for some games: both teams free, no three in three days, at least ten days later."""
    played = np.zeros((len(TEAMS), len(is_open) + 4), dtype=bool)
    for side in (0, 1):
        played[pairs[:, side], days + 2] = True
    moved: dict[int, int] = {}
    for k in rng.permutation(np.flatnonzero((days > 0) & (days < len(is_open) - 40))):
        if len(moved) == RESCHEDULED:
            break
        both = played[pairs[k]]
        third, _ = _busy(both)
        free = is_open & ~both[:, 2:-2].any(axis=0) & ~third & (np.arange(len(is_open)) > days[k] + 10)
        if free.any():
            moved[int(k)] = new = int(rng.choice(np.flatnonzero(free)))
            played[pairs[k], days[k] + 2] = False
            played[pairs[k], new + 2] = True
    return moved


def regular_season(rng: np.random.Generator, season: Season) -> Fixtures:
    """The regular season in the order of its ids, which is the order first announced: rescheduled games keep
    theirs."""
    start = season.opening_day
    length = (regular_season_end(season) - start).days + 1
    off = _days_without_games(season)
    is_open = np.array([start + timedelta(days=d) not in off for d in range(length)])
    is_open[0] = False  # opening night is two games between teams that are free the next day
    pairs = matchups(rng)
    # Rarely the last games find no day: then the season is laid out anew.
    layouts = (assign_days(rng, pairs, is_open, start.weekday()) for _ in range(LAYOUT_ATTEMPTS))
    days = next(layout for layout in layouts if layout is not None)
    order = np.argsort(days, kind="stable")
    pairs, days = pairs[order], days[order]
    _move_to_opening_night(pairs, days)
    order = np.argsort(days, kind="stable")
    pairs, days = pairs[order], days[order]
    moved = _reschedule(rng, pairs, days, is_open)
    final_days = days.copy()
    final_days[list(moved)] = list(moved.values())
    number = np.arange(1, len(pairs) + 1)
    called_off = np.array(sorted(moved)[:CALLED_OFF], dtype=np.int64)
    number[called_off] = len(pairs) + 1 + np.arange(len(called_off))
    neutral = np.zeros(len(pairs), dtype=bool)
    neutral[rng.choice(np.flatnonzero(days < 100), NEUTRAL_SITE, replace=False)] = True
    return Fixtures(
        home=np.concatenate([pairs[:, 0], pairs[called_off, 0]]),
        away=np.concatenate([pairs[:, 1], pairs[called_off, 1]]),
        day=np.concatenate([final_days, days[called_off]]) + start.toordinal(),
        number=np.concatenate([number, called_off + 1]),
        is_neutral=np.concatenate([neutral, neutral[called_off]]),
        status=np.array(
            ["final"] * len(pairs) + [("postponed", "cancelled")[i % 2] for i in range(len(called_off))],
            dtype=object,
        ),
    )


def _move_to_opening_night(pairs: npt.NDArray[np.int64], days: Ints) -> None:
    """Bring two games of the first days forward to opening night (in place); their teams do not play the next
    day."""
    taken: set[int] = set()
    next_day = set(pairs[days == 1].ravel().tolist())
    for k in np.argsort(days, kind="stable"):
        teams = {int(pairs[k, 0]), int(pairs[k, 1])}
        if days[k] >= 1 and not teams & taken and (days[k] == 1 or not teams & next_day):
            days[k] = 0
            taken |= teams
        if len(taken) == 4:
            return


def preseason(rng: np.random.Generator, season: Season) -> Fixtures:
    """Exhibitions in the two weeks before opening night; ``PRESEASON_ROUNDS`` per team."""
    last = season.opening_day.toordinal() - 4
    home, away, day = [], [], []
    for r in range(PRESEASON_ROUNDS):
        teams = rng.permutation(len(TEAMS))
        home.append(teams[:15])
        away.append(teams[15:])
        # A round takes two of three days, so that no team plays twice on one.
        day.append(last - 3 * (PRESEASON_ROUNDS - 1 - r) - rng.integers(0, 2, 15))
    days = np.concatenate(day)
    order = np.argsort(days, kind="stable")
    return fixtures(
        np.concatenate(home)[order], np.concatenate(away)[order], days[order], np.arange(1, len(days) + 1)
    )


def fixtures(home: Ints, away: Ints, day: Ints, number: Ints, *, neutral: bool = False) -> Fixtures:
    """Fixtures that are all played, all at home or all on neutral ground."""
    count = len(home)
    return Fixtures(home, away, day, number, np.full(count, neutral), np.full(count, "final", dtype=object))
