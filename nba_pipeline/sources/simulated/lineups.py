"""Who plays in each game and for how many seconds.

Belongs here: ``Lineups`` and how they are drawn from rosters, fitness and the margin of the game.
Does not belong here: what the players do on court (``shots.py``, ``boxscores.py``).

Axes: side of a game (2 * game + 0 for home, + 1 for away), then roster spot in order of standing on that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import PLAYERS_ON_COURT
from nba_pipeline.sources.simulated.rosters import Players

DRESSED: Final = 13
FEWEST_DRESSED: Final = 9  # a team with more injured than that fields players who should rest
LISTED_INACTIVE: Final = 3

# Minutes by standing before chance and availability; only their proportions matter.
MINUTES_BY_STANDING: Final = np.array(
    [34.8, 34.0, 32.8, 30.6, 27.6, 23.2, 20.2, 16.9, 12.2, 7.4, 4.4, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0]
)
ROTATION_SIZES: Final = np.array([8, 9, 10, 11])
ROTATION_SHARES: Final = np.array([0.12, 0.32, 0.36, 0.20])
TIRING_SHARE: Final = 0.79  # of a game's length; from here on a coach thinks twice
LONGEST_SHARE: Final = 0.96  # of a game's length that anyone stays on court
BLOWOUT: Final = 16  # points; from here on the end of the bench plays
CAMEO_CHANCE: Final = 0.38
ZERO_SECONDS_CHANCE: Final = 0.0012
SHORTEST_CAMEO: Final = 2  # seconds: one shot in two seconds is a usage rate of about 1300

NOT_LISTED, PLAYED, DNP, INACTIVE = 0, 1, 2, 3
STATUS: Final = np.array(["", "played", "dnp", "inactive"], dtype=object)
COACH: Final = "DNP - Coach's Decision"
ABSENT: Final = np.array(
    [
        "DND - Injury/Illness",
        "DNP - Injury/Illness",
        "NWT - Injury/Illness",
        "NWT - Not With Team",
        "DND - Rest",
        "NWT - League Suspension",
    ],
    dtype=object,
)
ABSENT_SHARES: Final = np.array([0.62, 0.21, 0.06, 0.04, 0.05, 0.02])

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """What is known of each side before the game is dealt to players; ``player`` is -1 where a spot is
    empty."""

    player: Ints  # (sides, spots)
    is_fit: Bools
    margin: Ints  # final margin from this side's view
    seconds: Ints  # length of the game
    everyone_plays: Bools  # exhibitions


@dataclass(frozen=True)
class Lineups:
    player: Ints
    status: Ints
    is_starter: Bools
    seconds: Ints
    comment: npt.NDArray[np.object_]


def draw_lineups(rng: np.random.Generator, players: Players, sides: Sides) -> Lineups:
    """Lineups of all sides: exactly five starters, seconds that add up to five times the length of the
    game."""
    order, standing = _order(rng, players, sides)
    player = np.take_along_axis(sides.player, order, axis=1)
    fit = np.take_along_axis(sides.is_fit, order, axis=1)
    exists, spot = player >= 0, np.arange(player.shape[1])
    everyone = sides.everyone_plays[:, None]
    dressed = exists & (spot < DRESSED) & (fit | (spot < FEWEST_DRESSED) | everyone)
    count = len(player)
    size = rng.choice(ROTATION_SIZES, count, p=ROTATION_SHARES)[:, None]
    rotation = dressed & ((spot < size) | everyone)
    extra = _extra_seconds(rng, sides, dressed & ~rotation)
    seconds = extra + _rotation_seconds(rng, sides, players.level[player], rotation, extra.sum(axis=1))
    zero = dressed & (seconds == 0) & (rng.random(player.shape) < ZERO_SECONDS_CHANCE)
    absent = exists & ~dressed & ~fit
    inactive = absent & (np.cumsum(absent, axis=1) <= LISTED_INACTIVE)
    status = np.select([(seconds > 0) | zero, dressed, inactive], [PLAYED, DNP, INACTIVE], NOT_LISTED)
    comment = np.full(player.shape, "", dtype=object)
    comment[status == DNP] = COACH
    comment[status == INACTIVE] = rng.choice(ABSENT, int((status == INACTIVE).sum()), p=ABSENT_SHARES)
    return Lineups(player, status, _starters(players, player, standing, rotation), seconds, comment)


def _order(rng: np.random.Generator, players: Players, sides: Sides) -> tuple[Ints, Floats]:
    """Roster spots in order of standing on the day (the unfit and the empty last), and that standing."""
    form = 0.15 * rng.standard_normal(sides.player.shape)
    standing = players.level[sides.player] + form - 100.0 * ~sides.is_fit - 1000.0 * (sides.player < 0)
    order = np.argsort(-standing, axis=1, kind="stable")
    return order, np.take_along_axis(standing, order, axis=1)


def _starters(players: Players, player: Ints, standing: Floats, rotation: Bools) -> Bools:
    """The five of highest standing, except that some good players are sixth men all season long."""
    sixth_man = players.player_id[player] % 6 == 0
    wish = np.where(rotation & (np.arange(player.shape[1]) < 8), standing - 0.7 * sixth_man, -np.inf)
    rank = np.argsort(np.argsort(-wish, axis=1, kind="stable"), axis=1, kind="stable")
    return (rank < PLAYERS_ON_COURT) & (player >= 0)


def _extra_seconds(rng: np.random.Generator, sides: Sides, bench: Bools) -> Ints:
    """Seconds of players outside the rotation: the end of a decided game, and cameos of a few seconds."""
    shape = bench.shape
    nth = np.cumsum(bench, axis=1)
    decided = np.clip((np.abs(sides.margin) - BLOWOUT + rng.integers(-4, 5, len(sides.margin))) / 14.0, 0, 1)[
        :, None
    ]
    length = sides.seconds[:, None] / 2880.0
    garbage = bench & (decided > 0) & (nth <= rng.integers(1, 6, (shape[0], 1)))
    garbage_seconds = np.rint((100 + 380 * decided) * length * np.exp(0.35 * rng.standard_normal(shape)))
    cameo = bench & (nth == 1) & ~garbage & (rng.random((shape[0], 1)) < CAMEO_CHANCE)
    cameo_seconds = SHORTEST_CAMEO + np.floor(420 * length * rng.random(shape) ** 1.5)
    return (np.where(garbage, garbage_seconds, 0) + np.where(cameo, cameo_seconds, 0)).astype(np.int64)


def _rotation_seconds(
    rng: np.random.Generator, sides: Sides, level: Floats, rotation: Bools, already: Ints
) -> Ints:
    """The rest of the team's seconds, shared by standing, form, early exits and the margin."""
    shape = rotation.shape
    normal = rng.standard_normal(shape)
    spot = np.arange(shape[1])
    weight = MINUTES_BY_STANDING * np.exp(
        0.045 * np.maximum(level, -2.0) + np.where(spot < PLAYERS_ON_COURT, 0.145, 0.29) * normal
    )
    hurt = rng.random(shape) < 0.016
    weight = np.where(hurt, weight * rng.uniform(0.08, 0.7, shape), weight)
    rested = 1 - 0.009 * np.clip(np.abs(sides.margin) - 10, 0, 28)
    weight = np.where(spot < PLAYERS_ON_COURT, weight * rested[:, None], weight)
    weight = np.where(sides.everyone_plays[:, None], 20 + 0.25 * weight, weight) * rotation
    total = (PLAYERS_ON_COURT * sides.seconds - already)[:, None].astype(np.float64)
    longest = LONGEST_SHARE * sides.seconds[:, None]
    wanted = weight / weight.sum(axis=1, keepdims=True) * total
    tired = TIRING_SHARE * sides.seconds[:, None]
    wanted = np.where(wanted > tired, tired + 0.5 * (wanted - tired), wanted)
    for _ in range(6):
        capped = np.minimum(wanted, longest)
        room = (longest - capped) * rotation
        wanted = capped + room * (total - capped.sum(axis=1, keepdims=True)) / np.maximum(
            room.sum(axis=1, keepdims=True), 1e-9
        )
    return whole_shares(wanted)


def whole_shares(values: Floats) -> Ints:
    """Whole numbers close to ``values`` whose rows add up to the (whole) sums of the rows."""
    return np.diff(np.rint(np.cumsum(values, axis=1) + 1e-6), axis=1, prepend=0.0).astype(np.int64)
