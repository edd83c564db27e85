"""Every field-goal attempt of a set of games: who takes it, from where, when, with whose help or against
whose hand.

Belongs here: ``Shots`` and how team totals per zone are dealt to players.
Does not belong here: the totals (``team_lines.py``), the sums per player (``boxscores.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import (
    IS_THREE,
    OVERTIME_SECONDS,
    PERIOD_SECONDS,
    REGULATION_SECONDS,
    ZONES,
)
from nba_pipeline.sources.simulated.lineups import Lineups
from nba_pipeline.sources.simulated.locations import locate
from nba_pipeline.sources.simulated.rosters import Players
from nba_pipeline.sources.simulated.team_lines import ZONE_SHARES, TeamLines

# Per zone, regular seasons 2022-23 and 2023-24.
ASSISTED: Final = np.array([0.570, 0.466, 0.441, 0.963, 0.966, 0.790, 0.556])
BLOCKED_MISSES: Final = np.array([0.284, 0.192, 0.039, 0.016, 0.017, 0.012, 0.017])
GAME_FORM_SD: Final = 0.17  # of the log of a player's appetite from game to game
SHORT_STINT: Final = 14  # seconds: whoever comes in for less is usually there to do something

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shots:
    """One entry per attempt, in order of game and time. ``spot`` indexes the lineup of ``side``;
    ``assist_spot`` the same lineup and ``block_spot`` the opponent's, -1 for nobody. Times in seconds, places
    in tenths of a foot.
    """

    side: Ints
    spot: Ints
    zone: Ints
    is_made: Bools
    assist_spot: Ints
    block_spot: Ints
    period: Ints
    seconds_remaining: Ints
    event_id: Ints
    loc_x: Ints
    loc_y: Ints


def appetite(rng: np.random.Generator, players: Players, lineups: Lineups) -> Floats:
    """How many of the team's plays each player of a lineup is likely to use, (sides, spots), in no particular
    unit."""
    seconds = np.where(lineups.seconds > 0, np.maximum(lineups.seconds, SHORT_STINT), 0)
    form = np.exp(GAME_FORM_SD * rng.standard_normal(lineups.seconds.shape))
    return seconds * players.usage[lineups.player] * form


def pick(rng: np.random.Generator, weights: Floats) -> Ints:
    """One column per row, with chances proportional to the row's weights (at least one of which is
    positive)."""
    cumulative = np.cumsum(weights, axis=1)
    return (cumulative <= rng.random(len(weights))[:, None] * cumulative[:, -1:]).sum(axis=1)


def best_of_group(rng: np.random.Generator, log_odds: Floats, group: Ints, chosen: Ints) -> Bools:
    """Choose ``chosen[g]`` entries of every group without replacement, the likelier the higher their log
    odds.

    ``group`` is sorted. Adding Gumbel noise and taking the largest is sampling in proportion to the odds.
    """
    key = log_odds + rng.gumbel(size=len(log_odds))
    order = np.lexsort((-key, group))
    start = np.searchsorted(group, np.arange(len(chosen)))
    is_chosen = np.empty(len(group), dtype=bool)
    is_chosen[order] = np.arange(len(group)) - start[group] < chosen[group]
    return is_chosen


def _in_rotation(values: Floats, lineups: Lineups) -> Floats:
    return values[lineups.player] * lineups.seconds


def draw_shots(
    rng: np.random.Generator, players: Players, lineups: Lineups, lines: TeamLines, wishes: Floats
) -> Shots:
    """The shots of all games; ``wishes`` is the result of ``appetite`` for these lineups."""
    sides, zones = len(lineups.player), len(ZONES)
    attempts = lines.zone_attempts.reshape(sides * zones)
    group = np.repeat(np.arange(sides * zones), attempts)
    side, zone = group // zones, group % zones
    taste = players.zone_preference * ZONE_SHARES
    taste = taste / taste.sum(axis=1, keepdims=True)
    spot = pick(rng, (wishes[:, None, :] * taste[lineups.player].transpose(0, 2, 1))[side, zone])
    shooter = lineups.player[side, spot]
    skill = np.where(IS_THREE[zone], players.three_skill[shooter], players.two_skill[shooter])
    is_made = best_of_group(
        rng, skill + 0.05 * players.level[shooter], group, lines.zone_makes.reshape(sides * zones)
    )
    assist_spot = _assists(rng, players, lineups, side, spot, zone, is_made)
    block_spot = _blocks(rng, players, lineups, side, zone, is_made)
    order, period, remaining, event_id = _clock(rng, side // 2, lines.seconds)
    loc_x, loc_y = locate(rng, zone)
    return Shots(
        side=side[order],
        spot=spot[order],
        zone=zone[order],
        is_made=is_made[order],
        assist_spot=assist_spot[order],
        block_spot=block_spot[order],
        period=period,
        seconds_remaining=remaining,
        event_id=event_id,
        loc_x=loc_x[order],
        loc_y=loc_y[order],
    )


def _assists(
    rng: np.random.Generator,
    players: Players,
    lineups: Lineups,
    side: Ints,
    spot: Ints,
    zone: Ints,
    made: Bools,
) -> Ints:
    """The assisting spot, -1 for none: never of a miss, never the shooter himself."""
    creation = players.creation[lineups.player[side, spot]]
    odds = np.log(ASSISTED / (1 - ASSISTED))[zone] - creation + 0.10
    assisted = made & (rng.random(len(side)) < 1 / (1 + np.exp(-odds)))
    weights = _in_rotation(players.assist * np.exp(0.3 * players.level), lineups)[side[assisted]]
    weights[np.arange(len(weights)), spot[assisted]] = 0.0
    result = np.full(len(side), -1)
    result[assisted] = pick(rng, weights)
    return result


def _blocks(
    rng: np.random.Generator, players: Players, lineups: Lineups, side: Ints, zone: Ints, made: Bools
) -> Ints:
    """The blocking spot of the opponent, -1 for none: never of a make."""
    blocked = ~made & (rng.random(len(side)) < BLOCKED_MISSES[zone])
    result = np.full(len(side), -1)
    result[blocked] = pick(rng, _in_rotation(players.block, lineups)[side[blocked] ^ 1])
    return result


def _clock(rng: np.random.Generator, game: Ints, length: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Order of the shots by game and time, and in that order period, seconds left in it and number of the
    event."""
    u = rng.random(len(game))
    elapsed = (u - 0.06 * u * (1 - u)) * length[game]  # a little more in the first quarter than in the last
    order = np.lexsort((elapsed, game))
    game, elapsed = game[order], elapsed[order]
    overtime = np.floor((elapsed - REGULATION_SECONDS) / OVERTIME_SECONDS)
    quarter = np.floor(elapsed / PERIOD_SECONDS)
    in_overtime = elapsed >= REGULATION_SECONDS
    period = np.where(in_overtime, 5 + overtime, 1 + quarter).astype(np.int64)
    end = np.where(
        in_overtime, REGULATION_SECONDS + OVERTIME_SECONDS * (overtime + 1), PERIOD_SECONDS * (quarter + 1)
    )
    gaps = rng.integers(1, 7, len(game))  # other events lie between the shots
    total = np.cumsum(gaps)
    start = np.searchsorted(game, game)
    return order, period, np.floor(end - elapsed).astype(np.int64), total - total[start] + gaps[start] + 3
