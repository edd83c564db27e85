"""Who plays for whom: the players of each season, their ratings, and the changes during it.

Belongs here: ``Players``, ``Rosters``, ``rosters_of`` (careers from season to season, trades, call-ups,
injuries) and ``is_available``. Does not belong here: who plays in a particular game and for how long
(``lineups.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated.league import TEAMS, ZONES, stream
from nba_pipeline.sources.simulated.names import draw_names
from nba_pipeline.tables.calendar import season

FIRST_SEASON: Final = 2021  # careers are told from here on
ROSTER_SPOTS: Final = 17  # 15 standard and two two-way contracts
NEVER: Final = 10_000_000  # a day number after every day
FIRST_PLAYER_ID: Final = 7_100_001  # above every id that the league has given to a person
TRADES: Final = 14
CALL_UPS_PER_TEAM: Final = 2
MAX_SPELLS: Final = 8  # injuries per player and season
DAYS_BETWEEN_SPELLS: Final = 62.0
SPELL_DAYS: Final = 9.0  # median

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Players:
    """One entry per player on every axis 0. Ratings are relative weights or logits; only their differences
    matter.

    ``level``: overall standing in this season's league, a standard normal quantile. ``size``: 0 = guard, 1 =
    centre.
    """

    player_id: Ints
    name: npt.NDArray[np.object_]
    age: Ints
    talent: Floats
    size: Floats
    level: Floats
    usage: Floats
    zone_preference: Floats  # (players, zones): how much more than an average player he shoots from there
    two_skill: Floats
    three_skill: Floats
    ft_skill: Floats
    creation: Floats  # logit: how much less than average his makes are assisted
    assist: Floats
    turnover: Floats
    offensive_rebound: Floats
    defensive_rebound: Floats
    steal: Floats
    block: Floats
    foul: Floats
    foul_drawing: Floats

    def take(self, index: Ints) -> dict[str, npt.NDArray]:
        return {f.name: getattr(self, f.name)[index] for f in fields(self)}


@dataclass(frozen=True)
class Rosters:
    """A season's players, and per (team, roster spot) who holds it: ``opening`` before ``switch_day``,
    ``later`` from that day on (day numbers as ``date.toordinal``)."""

    season_year: int
    players: Players
    opening: Ints
    later: Ints
    switch_day: Ints
    out_from: Ints  # (players, MAX_SPELLS): first day of each absence
    out_until: Ints  # the day of return

    def on(self, team: Ints, day: Ints) -> Ints:
        """Player indexes (len(team), ROSTER_SPOTS) of these teams on these days."""
        return np.where(day[:, None] >= self.switch_day[team], self.later[team], self.opening[team])

    def is_available(self, player: Ints, day: Ints) -> npt.NDArray[np.bool_]:
        """Whether each player (games, spots) is fit on the day (games)."""
        when = day[:, None, None]
        return np.asarray(~((self.out_from[player] <= when) & (when < self.out_until[player])).any(axis=-1))


def _draw_ratings(rng: np.random.Generator, count: int) -> dict[str, npt.NDArray]:
    """The traits that stay with a player through his career."""
    size = rng.random(count)
    noise = rng.standard_normal
    zone = np.empty((count, len(ZONES)))
    big = np.clip(size - 0.6, 0, None) * 2.5
    corner_side = noise(count) * 0.25
    shooter = noise(count) * 0.55
    zone[:, 0] = 0.9 * size + 0.4 * noise(count)
    zone[:, 1] = 0.35 * size + 0.3 * noise(count)
    zone[:, 2] = 0.6 * noise(count)
    corner = 0.1 - 1.6 * big + 0.5 * noise(count) + shooter
    zone[:, 3], zone[:, 4] = corner + corner_side, corner - corner_side
    zone[:, 5] = 0.4 - 1.7 * big + 0.25 * noise(count) + shooter
    zone[:, 6] = -size
    return {
        "size": size,
        "usage_trait": noise(count),
        "zone_preference": np.exp(zone),
        "two_skill": 0.14 * noise(count) + 0.25 * (size - 0.5),
        "three_skill": 0.15 * noise(count) - 0.15 * (size - 0.5),
        "ft_skill": 0.45 * noise(count) - 0.8 * (size - 0.5),
        "creation": 0.75 * noise(count) - 1.5 * (size - 0.5),
        "assist": np.exp(0.5 * noise(count) - 1.5 * (size - 0.5)),
        "turnover": np.exp(0.25 * noise(count)),
        "offensive_rebound": np.exp(0.4 * noise(count) + 2.6 * (size - 0.5)),
        "defensive_rebound": np.exp(0.25 * noise(count) + 1.2 * (size - 0.5)),
        "steal": np.exp(0.35 * noise(count) - 0.3 * (size - 0.5)),
        "block": np.exp(0.5 * noise(count) + 2.4 * (size - 0.5)),
        "foul": np.exp(0.25 * noise(count) + 0.6 * (size - 0.5)),
        "foul_drawing": np.exp(0.4 * noise(count) + 0.3 * (size - 0.5)),
    }


def _levels(talent: Floats) -> Floats:
    """Standard normal quantiles of the talents' ranks: every season has the same spread of stars and
    reserves."""
    rank = np.empty(len(talent), dtype=np.int64)
    rank[np.argsort(talent, kind="stable")] = np.arange(len(talent))
    quantile = NormalDist().inv_cdf
    return np.array([quantile((r + 0.5) / len(talent)) for r in rank])


def _players(traits: dict[str, npt.NDArray]) -> Players:
    """Players of a season from career traits: the level of this season shapes usage and playmaking."""
    level = _levels(traits["talent"])
    usage = 17.4 * np.exp(0.36 * level - 0.29 * np.clip(level - 1.5, 0, None) + 0.11 * traits["usage_trait"])
    kept = {f.name: traits[f.name] for f in fields(Players) if f.name not in ("level", "usage")}
    return Players(level=level, usage=usage, **kept)


def _rookies(
    rng: np.random.Generator, count: int, first_id: int, taken: frozenset[str]
) -> dict[str, npt.NDArray]:
    return _draw_ratings(rng, count) | {
        "player_id": first_id + np.arange(count),
        "name": np.array(draw_names(rng, count, taken), dtype=object),
        "age": rng.integers(19, 24, count),
        "talent": rng.normal(-0.75, 0.75, count),
    }


@dataclass(frozen=True)
class _Careers:
    """What a season hands to the next: career traits of all players and who holds each roster spot at its
    end."""

    traits: dict[str, npt.NDArray]
    final: Ints
    next_id: int


def _founding(rng: np.random.Generator) -> tuple[dict[str, npt.NDArray], Ints, int]:
    count = len(TEAMS) * ROSTER_SPOTS
    traits = _rookies(rng, count, FIRST_PLAYER_ID, frozenset())
    traits["age"] = np.clip(rng.normal(26.2, 4.2, count), 19, 40).astype(np.int64)
    traits["talent"] = rng.standard_normal(count)
    return traits, np.arange(count).reshape(len(TEAMS), ROSTER_SPOTS), FIRST_PLAYER_ID + count


def _summer(rng: np.random.Generator, before: _Careers) -> tuple[dict[str, npt.NDArray], Ints, int]:
    """Ageing, retirements with a draft in their place, and free agents who exchange teams."""
    spots = before.final.ravel()
    traits = {name: values[spots] for name, values in before.traits.items()}
    count = len(spots)
    age = traits["age"] + 1
    traits["age"] = age
    traits["talent"] = (
        traits["talent"] + np.clip(0.055 * (27.5 - age), -0.5, 0.3) + rng.normal(0, 0.22, count)
    )
    leaving = rng.random(count) < 1 / (
        1 + np.exp(2.3 + 1.5 * traits["talent"] - 0.28 * np.clip(age - 31, 0, None))
    )
    rookies = _rookies(rng, int(leaving.sum()), before.next_id, frozenset(before.traits["name"]))
    for name, values in rookies.items():
        traits[name][leaving] = values
    holder = np.arange(count)
    moving = np.flatnonzero(rng.random(count) < 0.16)
    holder[moving] = rng.permutation(moving)
    return traits, holder.reshape(before.final.shape), before.next_id + int(leaving.sum())


def _trades(rng: np.random.Generator, roster: Ints, opening_day: int) -> tuple[Ints, Ints]:
    """Two-for-two trades between the middle of December and the deadline; nobody is traded twice."""
    later, switch_day = roster.copy(), np.full(roster.shape, NEVER)
    for _ in range(TRADES):
        a, b = rng.choice(len(TEAMS), 2, replace=False)
        day = opening_day + int(rng.integers(55, 112))
        spots = rng.choice(ROSTER_SPOTS - CALL_UPS_PER_TEAM, 2, replace=False)
        if (switch_day[[a, b]][:, spots] != NEVER).any():
            continue
        later[a, spots], later[b, spots] = roster[b, spots], roster[a, spots]
        switch_day[a, spots] = switch_day[b, spots] = day
    return later, switch_day


def _absences(rng: np.random.Generator, count: int, opening_day: int) -> tuple[Ints, Ints]:
    gaps = rng.exponential(DAYS_BETWEEN_SPELLS, (count, MAX_SPELLS)) * np.exp(rng.normal(0, 0.5, (count, 1)))
    lengths = np.maximum(1, SPELL_DAYS * np.exp(1.0 * rng.standard_normal((count, MAX_SPELLS))))
    gaps[:, 0] -= 15  # some are still injured on opening night
    out_until = np.cumsum(gaps + lengths, axis=1)
    start = opening_day + np.floor(out_until - lengths).astype(np.int64)
    return start, opening_day + np.ceil(out_until).astype(np.int64)


@lru_cache(maxsize=8)
def _season_state(seed: int, season_year: int) -> tuple[Rosters, _Careers]:
    rng = stream(seed, season_year, "rosters")
    if season_year <= FIRST_SEASON:
        traits, roster, next_id = _founding(rng)
    else:
        traits, roster, next_id = _summer(rng, _season_state(seed, season_year - 1)[1])
    opening = season(season_year).opening_day.toordinal()
    order = np.argsort(-traits["talent"][roster], axis=1, kind="stable")
    roster = np.take_along_axis(roster, order, axis=1)
    later, switch_day = _trades(rng, roster, opening)
    # Call-ups take the last spots of each roster during the season.
    extra = len(TEAMS) * CALL_UPS_PER_TEAM
    called_up = _rookies(rng, extra, next_id, frozenset(traits["name"]))
    called_up["talent"] -= 0.5
    last_spots = slice(ROSTER_SPOTS - CALL_UPS_PER_TEAM, None)
    later[:, last_spots] = roster.size + np.arange(extra).reshape(len(TEAMS), -1)
    switch_day[:, last_spots] = opening + rng.integers(35, 155, (len(TEAMS), CALL_UPS_PER_TEAM))
    traits = {name: np.concatenate([values, called_up[name]]) for name, values in traits.items()}
    players = _players(traits)
    out_from, out_until = _absences(rng, len(players.player_id), opening)
    rosters = Rosters(season_year, players, roster, later, switch_day, out_from, out_until)
    return rosters, _Careers(traits, later, next_id + extra)


def rosters_of(seed: int, season_year: int) -> Rosters:
    """The rosters of a season. They follow from the seasons before, each of which takes a few
    milliseconds."""
    for year in range(FIRST_SEASON, season_year):
        _season_state(seed, year)  # in order, so that the recursion stays one level deep
    return _season_state(seed, season_year)[0]
