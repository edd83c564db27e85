"""One simulated season from preseason to Finals: its games with their team totals, in one cached skeleton.

Belongs here: ``SeasonSkeleton`` and ``skeleton_of``: strengths, results, standings, the Cup final, play-in
and playoff bracket, All-Star weekend. Does not belong here: players' lines and shots (made per month from the
skeleton: ``block.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from nba_pipeline.sources.simulated import schedule, team_lines
from nba_pipeline.sources.simulated.exhibitions import AllStarGame, all_star_weekend, with_finalists
from nba_pipeline.sources.simulated.league import CONFERENCES, TEAMS, stream
from nba_pipeline.sources.simulated.rosters import Rosters, rosters_of
from nba_pipeline.sources.simulated.schedule import Fixtures
from nba_pipeline.sources.simulated.team_lines import STYLES, Strengths, TeamLines
from nba_pipeline.tables.calendar import Season, season

NET_RATING_SD: Final = 5.3  # points per game between teams
ROTATION_WEIGHTS: Final = np.array(
    [1.0, 0.9, 0.75, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25]
)  # what each rank adds to a team
FIRST_ROUND: Final = ((0, 7), (3, 4), (2, 5), (1, 6))  # seeds, in bracket order

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class GameSet:
    """Games of one type with their totals, aligned; ``lines`` of games that were not played mean nothing.

    ``all_star`` holds what replaces teams in All-Star weekend, by position.
    """

    game_type: str
    fixtures: Fixtures
    lines: TeamLines
    all_star: tuple[AllStarGame, ...] = ()


@dataclass(frozen=True)
class SeasonSkeleton:
    season: Season
    rosters: Rosters
    games: tuple[GameSet, ...]


def _strengths(rng: np.random.Generator, rosters: Rosters) -> Strengths:
    """From the best players of the opening rosters and chance; standardized so that every season is as
    uneven."""
    level = -np.sort(-rosters.players.level[rosters.opening], axis=1)[:, : len(ROTATION_WEIGHTS)]
    talent = level @ ROTATION_WEIGHTS
    net = talent / talent.std() + 0.8 * rng.standard_normal(len(TEAMS))
    net = (net - net.mean()) / net.std() * NET_RATING_SD
    lean = 1.2 * rng.standard_normal(len(TEAMS))
    return Strengths(
        net / 2 + lean, net / 2 - lean, rng.normal(0, 0.9, len(TEAMS)), rng.normal(0, 0.085, len(TEAMS))
    )


def _played(game_type: str, rng: np.random.Generator, fixtures: Fixtures, strengths: Strengths) -> GameSet:
    lines = team_lines.draw(
        rng, fixtures.home, fixtures.away, strengths, STYLES[game_type], fixtures.is_neutral
    )
    return GameSet(game_type, fixtures, lines)


def _wins(games: GameSet, until: int) -> npt.NDArray[np.float64]:
    """Share of wins per team in games before day ``until``."""
    f, points = games.fixtures, games.lines.points
    counted = (f.status == "final") & (f.day < until)
    home_won = points[:, 0] > points[:, 1]
    winner = np.where(home_won, f.home, f.away)[counted]
    played = np.bincount(np.concatenate([f.home[counted], f.away[counted]]), minlength=len(TEAMS))
    return np.bincount(winner, minlength=len(TEAMS)) / np.maximum(played, 1)


def _ranking(wins: npt.NDArray[np.float64], strengths: Strengths) -> npt.NDArray[np.float64]:
    """A strict order: share of wins, ties broken by strength."""
    return wins + 1e-4 * strengths.net()


def _ordered(teams: Iterable[int], rank: npt.NDArray[np.float64]) -> list[int]:
    return sorted(teams, key=lambda t: -rank[t])


def _cup_final(seed: int, facts: Season, regular: GameSet, strengths: Strengths) -> list[GameSet]:
    day = schedule.cup_final_day(facts)
    if day is None:
        return []
    rank = _ranking(_wins(regular, day.toordinal()), strengths)
    finalists = [np.array([_ordered(conference, rank)[0]]) for conference in CONFERENCES]
    fixtures = schedule.fixtures(
        finalists[1], finalists[0], np.array([day.toordinal()]), np.array([1]), neutral=True
    )
    return [_played("cup_final", stream(seed, facts.season_year, "cup_final"), fixtures, strengths)]


def _winners(games: GameSet) -> Ints:
    points = games.lines.points
    return np.where(points[:, 0] > points[:, 1], games.fixtures.home, games.fixtures.away)


def _play_in(
    seed: int, facts: Season, seeds: list[list[int]], strengths: Strengths
) -> tuple[GameSet, list[list[int]]]:
    """Seeds 7-10 of both conferences play for the last two places; returns the final eight seeds as well."""
    rng = stream(seed, facts.season_year, "play_in")
    first, second, third = (schedule.regular_season_end(facts).toordinal() + d for d in schedule.PLAY_IN_DAYS)
    home = np.array([s[i] for s in seeds for i in (6, 8)])
    away = np.array([s[i] for s in seeds for i in (7, 9)])
    opening = schedule.fixtures(
        home, away, np.array([first, second, second, first]), np.array([101, 111, 201, 211])
    )
    a = _played("play_in", rng, opening, strengths)
    won = _winners(a).reshape(2, 2)
    lost = (home + away).reshape(2, 2) - won
    decider = schedule.fixtures(lost[:, 0], won[:, 1], np.full(2, third), np.array([121, 221]))
    b = _played("play_in", rng, decider, strengths)
    eight = [[*s[:6], int(won[c, 0]), int(_winners(b)[c])] for c, s in enumerate(seeds)]
    both = Fixtures(**{k: np.concatenate([v, vars(decider)[k]]) for k, v in vars(opening).items()})
    return GameSet("play_in", both, team_lines.concatenate([a.lines, b.lines])), eight


def _series_round(
    rng: np.random.Generator, facts: Season, number: int, pairs: list[tuple[int, int]], strengths: Strengths
) -> tuple[GameSet, list[int]]:
    """All seven games of each series are drawn; those after the fourth win are the ones that were not
    needed."""
    start = schedule.regular_season_end(facts).toordinal() + schedule.PLAYOFFS_AFTER
    hosts = np.tile(schedule.HOSTED_BY_BETTER_SEED, len(pairs))
    better, other = (np.repeat([p[i] for p in pairs], 7) for i in (0, 1))
    serial = np.repeat(np.arange(len(pairs)), 7)
    game = np.tile(np.arange(7), len(pairs))
    # Every second series is a day later, except the Finals.
    day = start + np.array(schedule.ROUND_DAYS[number])[game] + (serial % 2)
    f = schedule.fixtures(
        np.where(hosts, better, other),
        np.where(hosts, other, better),
        day,
        100 * (number + 1) + 10 * serial + game + 1,
    )
    played = _played("playoffs", rng, f, strengths)
    for_better = (_winners(played) == better).reshape(-1, 7)
    before = np.cumsum(for_better, axis=1) - for_better
    lost_before = np.cumsum(~for_better, axis=1) - ~for_better
    needed = ((before < 4) & (lost_before < 4)).ravel()
    f.status[~needed] = "not_needed"
    return played, [p[0] if w >= 4 else p[1] for p, w in zip(pairs, for_better.sum(axis=1), strict=True)]


def _playoffs(
    seed: int, facts: Season, eight: list[list[int]], rank: npt.NDArray[np.float64], strengths: Strengths
) -> list[GameSet]:
    rng = stream(seed, facts.season_year, "playoffs")
    pairs = [(s[a], s[b]) for s in eight for a, b in FIRST_ROUND]
    rounds = []
    for number in range(4):
        games, winners = _series_round(rng, facts, number, pairs, strengths)
        rounds.append(games)
        seeding = {t: i for s in eight for i, t in enumerate(s)}
        halves = [winners[i : i + 2] for i in range(0, len(winners), 2)]
        # Within a conference the seed decides who hosts, in the Finals the record.
        key = (lambda t: -rank[t]) if number == 2 else seeding.__getitem__
        pairs = [(pair[0], pair[1]) for pair in (sorted(h, key=key) for h in halves) if len(pair) == 2]
    return rounds


@lru_cache(maxsize=4)
def skeleton_of(seed: int, season_year: int) -> SeasonSkeleton:
    """The season as it was, from beginning to end. Takes a fraction of a second; the last four are kept."""
    facts = season(season_year)
    rosters = rosters_of(seed, season_year)
    strengths = _strengths(stream(seed, season_year, "strengths"), rosters)
    preseason = _played(
        "preseason",
        stream(seed, season_year, "preseason_lines"),
        schedule.preseason(stream(seed, season_year, "preseason"), facts),
        strengths,
    )
    fixtures = schedule.regular_season(stream(seed, season_year, "schedule"), facts)
    regular = _played("regular", stream(seed, season_year, "regular_lines"), fixtures, strengths)
    rank = _ranking(_wins(regular, facts.last_finals_day.toordinal()), strengths)
    play_in, eight = _play_in(seed, facts, [_ordered(c, rank) for c in CONFERENCES], strengths)
    games = [preseason, regular, *_cup_final(seed, facts, regular, strengths), play_in]
    games += _playoffs(seed, facts, eight, rank, strengths)
    for style, all_star in all_star_weekend(stream(seed, season_year, "all_star"), facts, rosters):
        games.append(_all_star_set(seed, facts, style, all_star))
    return SeasonSkeleton(facts, rosters, tuple(games))


def _all_star_set(seed: int, facts: Season, style: str, games: tuple[AllStarGame, ...]) -> GameSet:
    """All-Star teams are nobody's: index 0 stands in for them, with no strengths."""
    nobody = np.zeros(len(games), dtype=np.int64)
    day = np.array([g.day for g in games])
    fixtures = schedule.fixtures(nobody, nobody, day, np.array([g.number for g in games]), neutral=True)
    even = Strengths(*(np.zeros(1) for _ in range(4)))
    rng = stream(seed, facts.season_year, style)
    lines = team_lines.draw(rng, nobody, nobody, even, STYLES[style], fixtures.is_neutral)
    return GameSet(
        "all_star", fixtures, lines, with_finalists(games, lines.points[:, 0] > lines.points[:, 1])
    )
