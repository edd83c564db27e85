"""Which rows phase 4 has on the real seasons, which history stands behind them, and that both never depend on
the run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.failures import FailureClass
from nba_pipeline.ranges import span
from nba_pipeline_tests.precompute.overlay import LOOKING_BACK, run_on
from nba_pipeline_tests.precompute.raw_history import RawHistory, season
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = pytest.mark.bulk

SLATE, DEFENSE, *PLAYER_TABLES = LOOKING_BACK
ZONES, FACTORS, CACHE, FEATURES = PLAYER_TABLES
PLAYERS = "nba_analytics.player_game_summary"
FIRST_DAY = date(2021, 10, 19)
HOLE = date(2023, 1, 15)
BLOCKED_UNTIL = {
    SLATE: date(2023, 11, 13),
    ZONES: date(2023, 9, 30),
    FACTORS: date(2023, 9, 30),
    CACHE: date(2024, 1, 15),
    FEATURES: date(2024, 1, 15),
}
"""The last day that a hole in HOLE blocks: the season's, that of the next season's last opener (and some days
more), or 365 days for the last appearance and for meetings."""
QUIET = {"off_day", "off_season", "exhibition_only", "postponed"}
KINDS_OF_DAYS = {
    "the first day of all": FIRST_DAY,
    "an opening night": date(2022, 10, 18),
    "an all-star game": date(2023, 2, 19),
    "the cup final": date(2023, 12, 9),
    "the off-season": date(2023, 8, 1),
    "the last finals game": date(2024, 6, 17),
}


@pytest.fixture(scope="module")
def game_days(raw: RawHistory) -> list[date]:
    """Days with competitive games, from the published files."""
    return sorted({game.day for games in raw.teams.values() for game in games})


# ---------------------------------------------------------------------------------------------------------
# population


def test_every_day_of_every_table_is_stored_and_every_check_passed(
    phase4: Pipeline, all_days: Sequence[date]
) -> None:
    for table in LOOKING_BACK:
        outcome = phase4.outcomes[table]
        assert outcome.failed == {}
        assert set(outcome.stored) == set(all_days)
        assert all(check.passed for check in outcome.checks)


def test_every_competitive_date_has_rows_and_every_other_day_a_reason(
    phase4: Pipeline, game_days: list[date]
) -> None:
    for table in LOOKING_BACK:
        entries = phase4.store.manifest(phase4.tables[table])
        with_rows = {day for day, entry in entries.items() if entry.row_count}
        reasons = {day: entry.reason for day, entry in entries.items() if not entry.row_count}
        assert with_rows <= set(game_days)
        unseen = [] if table == DEFENSE else sorted(set(game_days) - with_rows)
        assert {reasons[day] for day in unseen} <= {"no_history"}
        assert unseen == ([] if table == DEFENSE else [FIRST_DAY, FIRST_DAY + timedelta(days=1)])
        assert {reason for day, reason in reasons.items() if day not in game_days} <= QUIET


def test_rows_are_exactly_the_slate(phase4: Pipeline) -> None:
    key = ["game_date", "player_id"]
    slate = phase4.read(SLATE)[key]
    assert not slate.duplicated().any()
    for table in PLAYER_TABLES:
        pd.testing.assert_frame_equal(phase4.read(table)[key], slate)


def test_the_defense_of_all_thirty_teams_is_there_on_every_competitive_date(
    phase4: Pipeline, game_days: list[date]
) -> None:
    per_day = phase4.read(DEFENSE).groupby("game_date")["team_abbr"].nunique()
    assert list(per_day.index.date) == game_days
    assert set(per_day) == {30}


def expected_slate(raw: RawHistory, day: date) -> set[tuple[int, str]]:
    """(player, team): latest appearance within 30 days was for a team that plays; within 365 for a team yet
    to open its season."""
    playing = {team for team, games in raw.teams.items() if any(g.day == day for g in games)}
    found = set()
    for player, games in raw.players.items():
        past = [g for g in games if g.day < day]
        if past and past[-1].side.team in playing:
            team, age = past[-1].side.team, (day - past[-1].day).days
            if age <= (30 if raw.of_team(team, day) else 365):
                found.add((player, team))
    return found


def test_the_slate_is_who_appeared_lately_for_the_teams_that_play(
    phase4: Pipeline, raw: RawHistory, game_days: list[date]
) -> None:
    drawn = np.random.default_rng(7).choice(len(game_days), 12, replace=False)
    for day in sorted(
        {*(game_days[i] for i in drawn), date(2021, 10, 22), date(2022, 10, 18), date(2023, 10, 25)}
    ):
        rows = phase4.read(SLATE, [day])
        stored = {
            (int(player), str(team))
            for player, team in zip(rows["player_id"], rows["team_abbr"], strict=True)
        }
        assert stored == expected_slate(raw, day), day


# ------------------------------------------------------------------------------------------------------------
# unknown


def test_what_is_unknown_at_the_start_of_a_season_is_null_and_not_zero(phase4: Pipeline) -> None:
    cache, features, zones = (phase4.read(table) for table in (CACHE, FEATURES, ZONES))
    fresh = (cache["games_played_season"] == 0).to_numpy()
    assert {season(day) for day in cache.loc[fresh, "game_date"].dt.date} == {2022, 2023}
    own = [
        c
        for c in cache
        if c.startswith(
            ("points_", "minutes_avg", "minutes_std", "minutes_ewma", "usage_", "ts_pct", "start_rate")
        )
    ]
    assert len(own) >= 18
    assert cache.loc[fresh, own].isna().all(axis=None)
    assert cache.loc[fresh, "is_early_season"].all()
    assert (
        zones.loc[
            fresh,
            ["paint_rate_last_10", "paint_pct_last_10", "shot_attempts_last_10", "primary_scoring_zone"],
        ]
        .isna()
        .all(axis=None)
    )
    assert set(zones.loc[fresh, "sample_quality"]) == {"insufficient"}
    unknown = [
        "points_avg_last_10",
        "minutes_change",
        "recent_trend",
        "usage_spike_score",
        "days_rest",
        "rest_advantage",
    ]
    assert features.loc[fresh, unknown].isna().all(axis=None)
    assert all(set(unknown) <= set(said.split(",")) for said in features.loc[fresh, "missing_features"])
    assert not features.loc[fresh, "is_training_ready"].any()
    assert (features.loc[fresh, "games_played_season"] == 0).all()


def test_a_spread_needs_two_games_and_a_slope_four(phase4: Pipeline) -> None:
    cache = phase4.read(CACHE)
    games = cache["games_in_window_10"]
    assert (cache["points_std_last_10"].isna() == (games < 2)).all()
    assert (cache["points_slope_last_10"].isna() == (games < 4)).all()
    assert (cache["is_early_season"] == (cache["games_played_season"] < 10)).all()


def test_a_team_below_five_games_has_no_rates_and_says_so(phase4: Pipeline) -> None:
    defense = phase4.read(DEFENSE)
    thin = defense["games_in_window_15"] < 5
    assert thin.sum() > 300
    rates = [
        c
        for c in defense
        if "_allowed" in c or "_vs_league" in c or "_per_game" in c or c.endswith("_last_15")
    ]
    assert defense.loc[thin, rates].isna().all(axis=None)
    assert (
        defense.loc[
            ~thin, ["paint_pct_allowed_last_15", "paint_defense_vs_league", "defensive_rating_last_15"]
        ]
        .notna()
        .all(axis=None)
    )
    assert set(defense.loc[thin, "sample_quality"]) == {"insufficient"}


# ------------------------------------------------------------------------------------------------------------
# history


def test_history_ends_with_the_last_games_before_the_day(
    phase4: Pipeline, game_days: list[date], all_days: Sequence[date]
) -> None:
    for table in LOOKING_BACK:
        said = phase4.outcomes[table].statistics
        for day in all_days:
            earlier = game_days[: np.searchsorted(np.array(game_days), day)]
            expected = earlier[-1].isoformat() if earlier else None
            assert said.get(day, {}).get("history_through") == expected, (table, day)


def test_a_hole_in_history_fails_exactly_the_days_that_look_back_over_it(phase4: Pipeline) -> None:
    days = span(HOLE - timedelta(days=20), HOLE + timedelta(days=373))
    for table in LOOKING_BACK:
        outcome = run_on(phase4, table, days, out=[(PLAYERS, HOLE)])
        last = BLOCKED_UNTIL.get(table, HOLE)  # the zones of teams are not made of players' games
        assert set(outcome.failed) == {d for d in days if HOLE < d <= last}
        assert all(f.failure_class is FailureClass.INCOMPLETE_INPUT for f in outcome.failed.values())
        assert all(
            f"{PLAYERS} lacks 1 day(s)" in f.message and f": {HOLE};" in f.message
            for f in outcome.failed.values()
        )
        broken = {
            check.day for check in outcome.checks if check.check == "history_complete" and not check.passed
        }
        assert broken == set(outcome.failed)
        whole = phase4.store.manifest(phase4.tables[table])
        assert {d: s.entry.content_hash for d, s in outcome.stored.items()} == {
            d: whole[d].content_hash for d in days if d not in broken
        }


# --------------------------------------------------------------------------------------------------------
# determinism


def hashes(phase4: Pipeline, table: str, days: Sequence[date]) -> dict[date, tuple[str, str | None, int]]:
    entries = phase4.store.manifest(phase4.tables[table])
    return {d: (entries[d].content_hash, entries[d].reason, entries[d].row_count) for d in days}


@pytest.mark.parametrize("table", LOOKING_BACK)
def test_a_second_run_over_another_range_is_byte_identical(table: str, phase4: Pipeline) -> None:
    days = span(date(2022, 10, 12), date(2022, 11, 10))
    again = run_on(phase4, table, days)
    assert {
        d: (s.entry.content_hash, s.entry.reason, s.entry.row_count) for d, s in again.stored.items()
    } == hashes(phase4, table, days)


@pytest.mark.parametrize("day", KINDS_OF_DAYS.values(), ids=list(KINDS_OF_DAYS))
def test_a_day_alone_is_the_day_in_the_range(day: date, phase4: Pipeline) -> None:
    for table in LOOKING_BACK:
        alone = run_on(phase4, table, [day]).stored[day].entry
        assert {day: (alone.content_hash, alone.reason, alone.row_count)} == hashes(phase4, table, [day]), (
            table
        )
