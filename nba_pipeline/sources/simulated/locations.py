"""Where on the court a shot of a given zone is taken from.

Belongs here: ``locate`` and ``distance_ft``. Units: tenths of a foot, hoop at (0, 0), y towards the other
basket. Does not belong here: which zone a shot is taken from (``shots.py``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LANE_HALF_WIDTH, LANE_TOP = 80.0, 138.0
SIDELINE = 249.0  # as far out as a shooter can stand


def locate(rng: np.random.Generator, zone: Ints) -> tuple[Ints, Ints]:
    """(loc_x, loc_y) per shot, inside its zone (indexes of ``league.ZONES``)."""
    u, v, w = rng.random((3, len(zone)))
    side = np.where(rng.random(len(zone)) < 0.5, -1.0, 1.0)
    places = (
        _restricted(u, v, side),
        _paint(u, v, side),
        _mid_range(u, v, w, side),
        *_corners(u, v),
        _above_break(u, v),
        _backcourt(u, v),
    )
    x = np.choose(zone, [p[0] for p in places])
    y = np.choose(zone, [p[1] for p in places])
    return np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)


def distance_ft(loc_x: Ints, loc_y: Ints) -> Ints:
    """Distance to the hoop in whole feet, rounded down as the league does."""
    return np.floor(np.hypot(loc_x, loc_y) / 10).astype(np.int64)


def _restricted(u: Floats, v: Floats, side: Floats) -> tuple[Floats, Floats]:
    radius = np.where(u < 0.27, 0.0, 38.5 * (np.maximum(u - 0.27, 0.0) / 0.73) ** 0.8)
    angle = v * 0.62 * np.pi
    return radius * np.sin(angle) * side, radius * np.cos(angle)


def _paint(u: Floats, v: Floats, side: Floats) -> tuple[Floats, Floats]:
    radius = 41.5 + 98.0 * u**1.7
    widest = np.arcsin(np.minimum(1.0, 79.0 / radius))
    angle = v * widest
    return radius * np.sin(angle) * side, np.minimum(radius * np.cos(angle), LANE_TOP - 1)


def _mid_range(u: Floats, v: Floats, w: Floats, side: Floats) -> tuple[Floats, Floats]:
    radius = 86.0 + 146.0 * u**0.85
    angle = (v * 2 - 1) * 0.5 * np.pi
    x, y = radius * np.sin(angle), radius * np.cos(angle)
    in_lane = (np.abs(x) <= LANE_HALF_WIDTH + 0.5) & (y <= LANE_TOP + 0.5)  # as seen after rounding
    return np.clip(np.where(in_lane, side * (81.0 + 60.0 * w), x), -219.0, 219.0), y


def _corners(u: Floats, v: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    x, y = 222.0 + 19.0 * u, -25.0 + 112.0 * v
    return (-x, y), (x, y)


def _above_break(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    radius = 239.0 - 14.0 * np.log(1 - 0.999 * u)
    widest = np.minimum(np.arccos(89.0 / radius), np.arcsin(np.minimum(1.0, SIDELINE / radius)))
    angle = (v * 2 - 1) * widest
    return radius * np.sin(angle), radius * np.cos(angle)


def _backcourt(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    return (v * 2 - 1) * 220.0, 425.0 + 360.0 * u**2
