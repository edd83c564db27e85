"""Values of phase 4 on the real seasons equal a second computation straight from the published files.

The expected values are exact fractions from ``raw_history.py``, which knows nothing of the pipeline, rounded
half-even at the scale that tables.md gives. A stored value may differ by one unit in its last place only
where the exact value is a tie, because a double cannot always tell on which side of a tie it is; how many do
is part of the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from nba_pipeline_tests.precompute.raw_history import (
    ZONES,
    RawHistory,
    TeamGame,
    season,
    share,
    usage,
    zone_totals,
)
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = pytest.mark.bulk

CACHE, ZONE_TABLE = "nba_precompute.player_daily_cache", "nba_precompute.player_shot_zone_analysis"
FEATURES, FACTORS = "nba_precompute.ml_feature_store", "nba_precompute.player_composite_factors"
DEFENSE = "nba_precompute.team_defense_zone_analysis"
SEED = 20240307
PAIRS_PER_SEASON, EARLY_PAIRS_PER_SEASON = 80, 15
MOST_TIES = 0.02
"""Of the compared values, at most this share may be off by the last digit of a tie."""

Values = dict[str, Fraction | int | None]


def table(pipeline: Pipeline, name: str) -> pd.DataFrame:
    return (
        pipeline.read(name)
        .set_index(["game_date", "team_abbr" if name == DEFENSE else "player_id"])
        .sort_index()
    )


@pytest.fixture(scope="module")
def tables(phase4: Pipeline) -> Mapping[str, pd.DataFrame]:
    return {name: table(phase4, name) for name in (CACHE, ZONE_TABLE, FEATURES, FACTORS, DEFENSE)}


@pytest.fixture(scope="module")
def pairs(tables: Mapping[str, pd.DataFrame]) -> list[tuple[date, int]]:
    """(day, player) pairs of the slates: of each season some of any day, and some of its first two weeks."""
    rng = np.random.default_rng(SEED)
    index = tables[CACHE].index
    days, seasons = index.get_level_values(0), np.array([season(d.date()) for d in index.get_level_values(0)])
    chosen: set[int] = set()
    for year in (2021, 2022, 2023):
        here = np.flatnonzero(seasons == year)
        early = here[days[here] < days[here].min() + pd.Timedelta(days=14)]
        chosen |= set(rng.choice(here, PAIRS_PER_SEASON, replace=False)) | set(
            rng.choice(early, EARLY_PAIRS_PER_SEASON, replace=False)
        )
    return [(index[i][0].date(), int(index[i][1])) for i in sorted(chosen)]


class Comparison:
    """Collects stored against exact values: NULL for NULL, equal after rounding, or one unit apart on a
    tie."""

    def __init__(self) -> None:
        self.compared, self.ties, self.wrong = 0, 0, list[str]()

    def number(self, what: str, stored: object, exact: Fraction | int | None, scale: int) -> None:
        self.compared += 1
        if exact is None or pd.isna(stored):
            if not (exact is None and pd.isna(stored)):
                self.wrong.append(f"{what}: stored {stored}, exactly {exact}")
            return
        units = Fraction(exact) * 10**scale
        got = round(Fraction(float(stored)) * 10**scale)  # type: ignore[arg-type]
        assert float(stored) == got / 10**scale, f"{what}: {stored} has more than {scale} decimals"  # type: ignore[arg-type]
        if got == round(units):
            return
        if abs(got - units) == Fraction(1, 2):
            self.ties += 1
        else:
            self.wrong.append(f"{what}: stored {stored}, exactly {float(exact)}")

    def row(self, what: str, stored: pd.Series, expected: Values, scales: Mapping[str, int]) -> None:
        for column, exact in expected.items():
            self.number(f"{what} {column}", stored[column], exact, scales[column])

    def settle(self, at_least: int) -> None:
        assert self.wrong == []
        assert self.compared >= at_least
        assert self.ties <= MOST_TIES * self.compared, (
            f"{self.ties} of {self.compared} values are on the other side of a tie"
        )


CACHE_SCALES = dict.fromkeys(
    [
        "points_avg_last_10",
        "points_avg_season",
        "minutes_avg_last_10",
        "minutes_avg_season",
        "usage_rate_last_10",
        "usage_rate_season",
    ],
    2,
) | {f"{zone}_rate_last_10": 2 for zone in ZONES}
ZONE_SCALES = {f"{zone}_rate_last_10": 2 for zone in ZONES} | {f"{zone}_pct_last_10": 4 for zone in ZONES}
COUNT_SCALES = {"games_played_season": 0, "games_in_window_10": 0}


def expected_cache(raw: RawHistory, day: date, player: int) -> Values:
    whole, ten = raw.of_player(player, day), raw.of_player(player, day, last=10)
    values: Values = {"games_played_season": len(whole), "games_in_window_10": len(ten)}
    for name, games in (("last_10", ten), ("season", whole)):
        values[f"points_avg_{name}"] = share(sum(g.points for g in games), len(games))
        values[f"minutes_avg_{name}"] = share(Fraction(sum(g.seconds for g in games), 60), len(games))
        values[f"usage_rate_{name}"] = usage(games)
    rates = expected_zones(raw, day, player)
    return values | {name: rates[name] for name in rates if "_rate_" in name}


def expected_zones(raw: RawHistory, day: date, player: int) -> Values:
    totals = zone_totals(raw.of_player(player, day, last=10))
    attempts = sum(tried for _, tried in totals.values())
    values: Values = {}
    for zone, (makes, tried) in totals.items():
        values[f"{zone}_rate_last_10"] = share(100 * tried, attempts)
        values[f"{zone}_pct_last_10"] = share(makes, tried)
    return values


def test_the_sample_holds_every_kind_of_row(pairs: list[tuple[date, int]], raw: RawHistory) -> None:
    assert len(pairs) >= 200
    games = [raw.of_player(player, day) for day, player in pairs]
    assert {season(day) for day, _ in pairs} == {2021, 2022, 2023}
    assert any(not g for g in games), "players before their first game of a season"
    assert any(0 < len(g) < 10 for g in games)
    assert any(len(g) > 60 for g in games)
    assert any(len({x.side.team for x in g}) > 1 for g in games), "players who changed teams"
    assert any(x.zones is None for g in games for x in g[-10:]), "windows with a game without shot data"


def test_player_daily_cache(
    tables: Mapping[str, pd.DataFrame], pairs: list[tuple[date, int]], raw: RawHistory
) -> None:
    found = Comparison()
    for day, player in pairs:
        stored = tables[CACHE].loc[(pd.Timestamp(day), player)]
        found.row(f"{day} {player}", stored, expected_cache(raw, day, player), CACHE_SCALES | COUNT_SCALES)
    found.settle(at_least=200 * 11)


def test_player_shot_zone_analysis(
    tables: Mapping[str, pd.DataFrame], pairs: list[tuple[date, int]], raw: RawHistory
) -> None:
    found = Comparison()
    for day, player in pairs:
        found.row(
            f"{day} {player}",
            tables[ZONE_TABLE].loc[(pd.Timestamp(day), player)],
            expected_zones(raw, day, player),
            ZONE_SCALES,
        )
    found.settle(at_least=200 * 6)


def test_ml_feature_store(
    tables: Mapping[str, pd.DataFrame], pairs: list[tuple[date, int]], raw: RawHistory
) -> None:
    """Features that repeat a column have that column's digits; those of its own are exact to the last bits of
    a double."""
    found, same = (
        Comparison(),
        [
            "points_avg_last_10",
            "points_avg_season",
            "minutes_avg_last_10",
            "usage_rate_last_10",
        ],
    )
    for day, player in pairs:
        stored = tables[FEATURES].loc[(pd.Timestamp(day), player)]
        cache = expected_cache(raw, day, player)
        expected = {name: cache[name] for name in same} | {
            f"{zone}_rate": cache[f"{zone}_rate_last_10"] for zone in ZONES
        }
        found.row(f"{day} {player}", stored, expected, dict.fromkeys(expected, 2))
        usual, recent = cache["minutes_avg_season"], cache["minutes_avg_last_10"]
        if usual is None or recent is None:
            assert pd.isna(stored["minutes_change"])
        else:
            assert stored["minutes_change"] == pytest.approx(
                float((recent - usual) / usual), rel=1e-12, abs=1e-12
            )
    found.settle(at_least=200 * 7)


# -----------------------------------------------------------------------------------------------------------
# defense


def allowed(raw: RawHistory, team: str, day: date) -> list[TeamGame]:
    """What the team's opponents did in its last 15 games."""
    return [raw.opponent_of(game) for game in raw.of_team(team, day, last=15)]


def test_team_defense_zone_analysis(tables: Mapping[str, pd.DataFrame], raw: RawHistory) -> None:
    """The percentage allowed and its distance to the league's, for teams on days of all seasons, first weeks
    included."""
    stored, found, thin = tables[DEFENSE], Comparison(), 0
    for at in np.random.default_rng(SEED).choice(len(stored), 36, replace=False):
        stamp, team = stored.index[at]
        row, day = stored.iloc[at], stamp.date()
        mine = allowed(raw, team, day)
        league = zone_totals(game for other in list(raw.teams) for game in allowed(raw, other, day))
        found.number(f"{day} {team} games", row["games_in_window_15"], len(mine), 0)
        for zone, (makes, tried) in zone_totals(mine).items():
            pct = share(makes, tried) if len(mine) >= 5 else None
            whole = share(*league[zone])
            above = None if pct is None or whole is None else 100 * (pct - whole)
            found.number(f"{day} {team} {zone} pct", row[f"{zone}_pct_allowed_last_15"], pct, 4)
            found.number(f"{day} {team} {zone} vs league", row[f"{zone}_defense_vs_league"], above, 3)
        thin += len(mine) < 15
    found.settle(at_least=30 * 7)
    assert thin, "no team in its first weeks was drawn"


# -----------------------------------------------------------------------------------------------------------
# fatigue


def expected_fatigue(raw: RawHistory, day: date, player: int) -> int:
    """From the text of tables.md; everything in whole seconds and days."""
    this_season = raw.of_player(player, day)
    ages = {(day - g.day).days: g for g in raw.players[player] if g.day < day}
    rest = (day - this_season[-1].day).days if this_season else None
    score = 100
    if rest == 1:
        score -= 15
    elif rest is not None and rest >= 3:
        score += 5
    week = [g.seconds for age, g in ages.items() if age <= 7]
    score -= 10 if len(week) >= 4 else 0
    score -= 10 if sum(week) > 140 * 60 else 0
    score -= 8 if week and Fraction(sum(week), len(week)) > 35 * 60 else 0
    back_to_backs = sum(1 for age in ages if age <= 14 and age + 1 in ages)
    score -= 12 if back_to_backs >= 2 else 5 if back_to_backs == 1 else 0
    return max(0, min(100, score))


def on_the_edge(raw: RawHistory, tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[date, int]]:
    """Slate rows whose week averages less than half a hundredth of a minute above 35: they print as 35.00."""
    for player, games in raw.players.items():
        for game in games:
            day = game.day + timedelta(days=1)
            week = [g.seconds for g in games if 1 <= (day - g.day).days <= 7]
            over = Fraction(sum(week), len(week)) - 35 * 60
            if 0 < over < Fraction(3, 10) and (pd.Timestamp(day), player) in tables[FACTORS].index:
                yield day, player


def test_fatigue_score(
    tables: Mapping[str, pd.DataFrame], pairs: list[tuple[date, int]], raw: RawHistory
) -> None:
    scores, stored = set(), tables[FACTORS]["fatigue_score"]
    for day, player in pairs:
        score = expected_fatigue(raw, day, player)
        assert stored.loc[(pd.Timestamp(day), player)] == score, (day, player)
        scores.add(score)
    assert len(scores) >= 8


def test_an_average_just_over_35_minutes_is_over_35(
    tables: Mapping[str, pd.DataFrame], raw: RawHistory
) -> None:
    edge = list(on_the_edge(raw, tables))
    assert edge, "no such row in the real seasons"
    for day, player in edge:
        assert tables[FACTORS]["fatigue_score"].loc[(pd.Timestamp(day), player)] == expected_fatigue(
            raw, day, player
        ), (day, player)
