"""Counting statistics per player and game: what the shots say, and the rest of the team's totals dealt to its
players.

Belongs here: ``player_counts``.
Does not belong here: shots themselves (``shots.py``), identifiers and texts (``block.py``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import IS_THREE
from nba_pipeline.sources.simulated.lineups import PLAYED, Lineups, whole_shares
from nba_pipeline.sources.simulated.rosters import Players
from nba_pipeline.sources.simulated.shots import Shots, best_of_group
from nba_pipeline.sources.simulated.team_lines import TeamLines

FOUL_LIMIT = 6
PLUS_MINUS_SPREAD = 0.25  # points per square root of a second on court

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def player_counts(
    rng: np.random.Generator,
    players: Players,
    lineups: Lineups,
    lines: TeamLines,
    shots: Shots,
    wishes: Floats,
) -> dict[str, Ints]:
    """Counts by column name, each (sides, spots). They add up to the totals of ``lines`` exactly."""
    counts = _from_shots(lineups, shots)
    counts |= _free_throws(rng, players, lineups, lines, wishes)
    who = lineups.player
    handling = wishes * players.turnover[who] * players.assist[who] ** 0.35
    on_court = lineups.seconds * np.exp(0.25 * rng.standard_normal(who.shape))
    for name, total, weight in (
        ("offensive_rebounds", lines.offensive_rebounds, on_court * players.offensive_rebound[who]),
        (
            "defensive_rebounds",
            lines.defensive_rebounds,
            on_court * players.defensive_rebound[who] * np.exp(0.1 * players.level[who]),
        ),
        ("steals", lines.steals, lineups.seconds * players.steal[who]),
        ("turnovers", lines.turnovers, handling),
    ):
        counts[name] = _deal(rng, total.ravel(), weight)
    counts["personal_fouls"] = _fouls(rng, lineups, lines.fouls.ravel(), players.foul[who])
    counts["points"] = 2 * counts["fg_makes"] + counts["three_pt_makes"] + counts["ft_makes"]
    counts["plus_minus"] = _plus_minus(rng, lineups, lines)
    return counts


def _from_shots(lineups: Lineups, shots: Shots) -> dict[str, Ints]:
    sides, spots = lineups.player.shape

    def count(side: Ints, spot: Ints, where: npt.NDArray[np.bool_]) -> Ints:
        return np.bincount((side * spots + spot)[where], minlength=sides * spots).reshape(sides, spots)

    three = IS_THREE[shots.zone]
    return {
        "fg_makes": count(shots.side, shots.spot, shots.is_made),
        "fg_attempts": count(shots.side, shots.spot, np.ones_like(three)),
        "three_pt_makes": count(shots.side, shots.spot, three & shots.is_made),
        "three_pt_attempts": count(shots.side, shots.spot, three),
        "assists": count(shots.side, shots.assist_spot, shots.assist_spot >= 0),
        "blocks": count(shots.side ^ 1, shots.block_spot, shots.block_spot >= 0),
    }


def _deal(rng: np.random.Generator, total: Ints, weight: Floats) -> Ints:
    """Deal each side's total to its players at random, in proportion to the weights."""
    return rng.multinomial(total, weight / weight.sum(axis=1, keepdims=True))


def _free_throws(
    rng: np.random.Generator, players: Players, lineups: Lineups, lines: TeamLines, wishes: Floats
) -> dict[str, Ints]:
    """Free throws come in pairs, and sometimes one alone; who makes them depends on skill."""
    total = lines.ft_attempts.ravel()
    who = lineups.player
    weight = wishes * players.foul_drawing[who] * np.exp(0.15 * players.level[who])
    attempts = 2 * _deal(rng, total // 2, weight) + _deal(rng, total % 2, weight)
    spots = attempts.shape[1]
    shooter = np.repeat(np.arange(attempts.size), attempts.ravel())
    side = shooter // spots
    made = best_of_group(rng, players.ft_skill[who.ravel()[shooter]], side, lines.ft_makes.ravel())
    return {
        "ft_makes": np.bincount(shooter[made], minlength=attempts.size).reshape(attempts.shape),
        "ft_attempts": attempts,
    }


def _fouls(rng: np.random.Generator, lineups: Lineups, total: Ints, tendency: Floats) -> Ints:
    """Six possible fouls per player; the side's fouls are the luckiest of them, so that nobody has more than
    six."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(lineups.seconds * tendency)
    sides, spots = log_odds.shape
    # Being on court a long time helps less than in proportion: whoever has five fouls sits down.
    key = 0.8 * log_odds[..., None] + rng.gumbel(size=(sides, spots, FOUL_LIMIT))
    rank = np.argsort(np.argsort(-key.reshape(sides, -1), axis=1, kind="stable"), axis=1, kind="stable")
    fouls = (rank < total[:, None]).reshape(sides, spots, FOUL_LIMIT).sum(axis=2)
    # Whoever is listed as having played 0 seconds fouled while he was on the floor for none of them.
    for side, spot in np.argwhere((lineups.status == PLAYED) & (lineups.seconds == 0)):
        fouls[side, np.argmax(fouls[side])] -= 1
        fouls[side, spot] += 1
    return fouls


def _plus_minus(rng: np.random.Generator, lineups: Lineups, lines: TeamLines) -> Ints:
    """Points won while on court; a side's add up to five times its margin."""
    points = lines.points
    margin = (points - points[:, ::-1]).ravel()[:, None]
    length = np.repeat(lines.seconds, 2)[:, None]
    share = lineups.seconds / length
    noise = (
        PLUS_MINUS_SPREAD * np.sqrt(lineups.seconds * (1 - 0.6 * share)) * rng.standard_normal(share.shape)
    )
    noise -= share / share.sum(axis=1, keepdims=True) * noise.sum(axis=1, keepdims=True)
    return whole_shares(margin * share + noise)
