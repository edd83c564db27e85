"""Team totals of games: attempts and makes by zone, free throws, rebounds, turnovers, fouls, overtimes.

Belongs here: ``TeamLines`` and how they are drawn for many games at once from the strengths of the teams. The
score of a game is decided here; everything about players is divided up from these totals, so it adds up
exactly. Does not belong here: players (``lineups.py``, ``shots.py``, ``boxscores.py``), schedules and
pairings.

Axes: game, side (0 = home, 1 = away), then zone where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import IS_THREE, OVERTIME_SECONDS, REGULATION_SECONDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Shares of attempts and percentages per zone of the regular seasons 2022-23 and 2023-24.
ZONE_SHARES: Final = np.array([0.297, 0.197, 0.114, 0.052, 0.048, 0.290, 0.002])
ZONE_PCT: Final = np.array([0.665, 0.442, 0.420, 0.386, 0.390, 0.357, 0.021])

POINTS_PER_PCT: Final = 213.0  # points that one unit of shooting percentage is worth over a whole game
SHOOTING_SPREAD: Final = 0.66  # makes vary less than independent shots would: teams answer each other
HOME_ADVANTAGE: Final = 2.4  # points
OVERTIME_CHANCES: Final = (0.0515, 0.0062, 0.0006)  # one, two and three overtimes
FREE_THROWS_PER_FOUL: Final = 1.9  # at most; the most of three real seasons is 1.92
OVERTIME_MARGINS: Final = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12])


@dataclass(frozen=True)
class Style:
    """What a kind of game is like: possessions per 48 minutes and what they yield."""

    possessions: float = 100.4
    possessions_sd: float = 4.5
    shooting: float = 0.0  # added to every percentage
    three_tilt: float = 0.0  # added to the log share of every three
    seconds: int = REGULATION_SECONDS
    overtime: bool = True


STYLES: Final = {
    "preseason": Style(shooting=-0.012),
    "regular": Style(),
    "cup_final": Style(),
    "play_in": Style(possessions=98.6, shooting=-0.015),
    "playoffs": Style(possessions=96.7, shooting=-0.008),
    "all_star": Style(possessions=150.0, shooting=0.06, three_tilt=0.5, overtime=False),
    "rising_stars": Style(possessions=100.0, possessions_sd=6.0, seconds=960, overtime=False),
}


@dataclass(frozen=True)
class Strengths:
    """Per team: points scored and conceded above average, pace (possessions), and taste for threes (log
    share)."""

    offense: Floats
    defense: Floats
    pace: Floats
    three_taste: Floats

    def net(self) -> Floats:
        return self.offense + self.defense


@dataclass(frozen=True)
class TeamLines:
    """Totals per game and side; ``zone_*`` have a third axis. ``seconds`` is the length of the game with
    overtimes."""

    overtimes: Ints
    seconds: Ints
    zone_attempts: Ints
    zone_makes: Ints
    ft_attempts: Ints
    ft_makes: Ints
    offensive_rebounds: Ints
    defensive_rebounds: Ints
    turnovers: Ints
    steals: Ints
    fouls: Ints

    @property
    def points(self) -> Ints:
        return _points(self.zone_makes, self.ft_makes)

    def take(self, index: Ints) -> TeamLines:
        return TeamLines(**{name: values[index] for name, values in vars(self).items()})


def concatenate(parts: list[TeamLines]) -> TeamLines:
    return TeamLines(**{name: np.concatenate([vars(p)[name] for p in parts]) for name in vars(parts[0])})


def _points(zone_makes: Ints, ft_makes: Ints) -> Ints:
    return (zone_makes * np.where(IS_THREE, 3, 2)).sum(axis=-1) + ft_makes


def _overtimes(rng: np.random.Generator, count: int, style: Style) -> Ints:
    if not style.overtime:
        return np.zeros(count, dtype=np.int64)
    one, two, three = OVERTIME_CHANCES
    u = rng.random(count)
    return (u < one + two + three).astype(np.int64) + (u < two + three) + (u < three)


def _whole(values: Floats, low: float, high: float | Ints) -> Ints:
    return np.clip(np.rint(values), low, high).astype(np.int64)


def draw(
    rng: np.random.Generator,
    home: Ints,
    away: Ints,
    strengths: Strengths,
    style: Style,
    neutral: npt.NDArray[np.bool_],
) -> TeamLines:
    """Totals of one game per entry of ``home`` and ``away`` (team indexes)."""
    count, normal = len(home), rng.standard_normal
    teams, opponents = np.stack([home, away], axis=1), np.stack([away, home], axis=1)
    overtimes = _overtimes(rng, count, style)
    length = style.seconds + OVERTIME_SECONDS * overtimes
    scale = (length / REGULATION_SECONDS)[:, None]
    pace = style.possessions + strengths.pace[teams].sum(axis=1) + style.possessions_sd * normal(count)
    possessions = pace[:, None] * scale
    turnovers = _whole(0.130 * possessions + 3.35 * np.sqrt(scale) * normal((count, 2)), 1, 40)
    referees = 2.4 * normal((count, 1))
    ft_attempts = _whole(22.3 * scale + np.sqrt(scale) * (referees + 6.3 * normal((count, 2))), 0, 70)
    oreb_wanted = 10.4 * scale + 3.75 * np.sqrt(scale) * normal((count, 2))
    plays = possessions - turnovers - 0.44 * ft_attempts + 0.75 * oreb_wanted + 2.6 * scale
    attempts = _whole(plays + 1.5 * normal((count, 2)), 12, 140)
    zone_attempts = _zone_attempts(rng, attempts, strengths.three_taste[teams], style)
    edge = strengths.offense[teams] - strengths.defense[opponents]
    edge += np.where(neutral, 0.0, HOME_ADVANTAGE / 2)[:, None] * np.array([1.0, -1.0])
    zone_makes = _zone_makes(rng, zone_attempts, edge, style)
    ft_makes = rng.binomial(ft_attempts, 0.781)
    _settle(rng, overtimes, zone_attempts, zone_makes, ft_attempts, ft_makes)
    rebounds = _rebounds(rng, zone_attempts, zone_makes, ft_attempts - ft_makes, oreb_wanted)
    called = 12.3 * scale + 0.325 * ft_attempts[:, ::-1] + 3.2 * np.sqrt(scale) * normal((count, 2))
    fouls = np.maximum(
        _whole(called, 2, 36), np.ceil(ft_attempts[:, ::-1] / FREE_THROWS_PER_FOUL).astype(int)
    )
    steals = rng.binomial(turnovers[:, ::-1], 0.568)
    shots = (zone_attempts, zone_makes, ft_attempts, ft_makes)
    return TeamLines(overtimes, length, *shots, *rebounds, turnovers, steals, fouls)


def _zone_makes(rng: np.random.Generator, zone_attempts: Ints, edge: Floats, style: Style) -> Ints:
    """``edge``: points by which a team should shoot better than usual."""
    edge = edge + 4.6 * rng.standard_normal((len(edge), 1))  # some nights both teams hit everything
    pct = np.clip(ZONE_PCT + style.shooting + edge[..., None] / POINTS_PER_PCT, 0.005, 0.9)
    noise = rng.standard_normal(zone_attempts.shape)
    spread = SHOOTING_SPREAD * np.sqrt(zone_attempts * pct * (1 - pct)) * noise
    return _whole(zone_attempts * pct + spread, 0, zone_attempts)


def _zone_attempts(rng: np.random.Generator, attempts: Ints, three_taste: Floats, style: Style) -> Ints:
    tilt = three_taste + style.three_tilt + 0.17 * rng.standard_normal(attempts.shape)
    weight = ZONE_SHARES * np.exp(
        np.where(IS_THREE, tilt[..., None], 0.0) + 0.10 * rng.standard_normal((*attempts.shape, 7))
    )
    return rng.multinomial(attempts, weight / weight.sum(axis=-1, keepdims=True))


def _settle(
    rng: np.random.Generator,
    overtimes: Ints,
    zone_attempts: Ints,
    zone_makes: Ints,
    ft_attempts: Ints,
    ft_makes: Ints,
) -> None:
    """No ties, and close margins after overtime: move a few makes of both teams (in place)."""
    points = _points(zone_makes, ft_makes)
    margin = points[:, 0] - points[:, 1]
    count = len(margin)
    close = rng.choice(OVERTIME_MARGINS, count) * np.where(rng.random(count) < 0.53, 1, -1)
    wanted = np.where(
        overtimes > 0, close, np.where(margin == 0, np.sign(close) * rng.integers(1, 5, count), margin)
    )
    change = wanted - margin
    for side, points_to_add in ((0, change // 2), (1, -(change - change // 2))):
        two, one = points_to_add // 2, points_to_add % 2
        zone_makes[:, side, 0] = np.clip(zone_makes[:, side, 0] + two, 0, zone_attempts[:, side, 0])
        ft_makes[:, side] += one
        ft_attempts[:, side] = np.maximum(ft_attempts[:, side], ft_makes[:, side])
    points = _points(zone_makes, ft_makes)
    # Where the clipping above made a tie again, the home team gets a free throw.
    ft_makes[:, 0] += points[:, 0] == points[:, 1]
    ft_attempts[:, 0] = np.maximum(ft_attempts[:, 0], ft_makes[:, 0])


def _rebounds(
    rng: np.random.Generator, zone_attempts: Ints, zone_makes: Ints, ft_misses: Ints, oreb_wanted: Floats
) -> tuple[Ints, Ints]:
    """Offensive rebounds of a side and defensive rebounds of the other share that side's misses; the rest go
    to nobody."""
    misses = (zone_attempts - zone_makes).sum(axis=-1)
    available = misses + ft_misses // 2
    offensive = _whole(oreb_wanted, 0, available // 2)
    defensive = rng.binomial(available - offensive, 0.862)
    return offensive, defensive[:, ::-1]
