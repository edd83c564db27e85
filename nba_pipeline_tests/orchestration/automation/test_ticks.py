"""What runs by itself, and what does not: real ticks over a real (simulated) league, from raw days to
ml_feature_store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.loader import LoadingContextForTest

from nba_pipeline import clock
from nba_pipeline.build import RECIPES
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.open_instance import open_instance
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import OPENER_WINDOW
from nba_pipeline.tables.calendar import season_of
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.orchestration.automation.driver import (
    CACHE,
    DEFENSE,
    FEATURES,
    LOOKING_BACK,
    MADE_FROM_OTHERS,
    OFFENSE,
    PLAYERS,
    RAW,
    SLATE,
    START,
    ZONES,
    Clockwork,
    CorrectedSource,
    copy_of,
    one_more_point,
    one_more_rebound,
    one_row_twice,
    total,
)

LAST = START + timedelta(days=5)
ON_THE_SCHEDULE = [p.table for p in RECIPES if p.history and "nba_raw.games" in {i.table for i in p.same_day}]
"""These are asked again when games become final; what comes out is the same, so that nothing follows."""
DAY = START + timedelta(days=2)
"""A day in the middle, with games."""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryStore]:
    """The instance's folder and the warehouse of six days in which every table was made by ticks alone."""
    home = tmp_path_factory.mktemp("made_once")
    with open_instance(home) as instance:
        clockwork = Clockwork(LAST, instance=instance)
        clockwork.fetch(clockwork.days)
        asked = total(clockwork.settle())
        assert asked == {table: clockwork.days for table in MADE_FROM_OTHERS if table not in RAW}, (
            "every day once"
        )
        assert all(clockwork.stored(table) == clockwork.days for table in MADE_FROM_OTHERS)
        assert isinstance(clockwork.store, MemoryStore)
        return home, clockwork.store


@pytest.fixture
def caught_up(made_once: tuple[Path, MemoryStore], tmp_path: Path) -> Iterator[Clockwork]:
    """Its own copy of ``made_once``, and the sensor's first tick behind it."""
    home, store = made_once
    shutil.copytree(home, tmp_path / "home")
    with open_instance(tmp_path / "home") as instance:
        clockwork = Clockwork(LAST, store=copy_of(store), instance=instance)
        assert clockwork.tick() == {}, "switched on over a full warehouse: nothing to do"
        yield clockwork


def test_nothing_starts_on_an_empty_warehouse() -> None:
    assert Clockwork(LAST).tick() == {}


def test_a_new_day_reaches_the_features_of_that_day_and_of_no_other(caught_up: Clockwork) -> None:
    caught_up.now += timedelta(days=1)
    assert caught_up.tick() == {}, "nothing before the raw day is there"
    caught_up.fetch([caught_up.now])
    asked = total(caught_up.settle())
    assert {table: set(days) for table, days in asked.items()} == {
        t: {caught_up.now} for t in MADE_FROM_OTHERS if t not in RAW
    }
    assert caught_up.stored(FEATURES)[-1] == caught_up.now


def at(
    monkeypatch: pytest.MonkeyPatch, clockwork: Clockwork, day: date, hour: int, results_until: date
) -> None:
    """It is ``hour`` o'clock of ``day`` in New York, and the source knows results up to ``results_until``."""
    clockwork.now = day
    clockwork.source.league.results_until = lambda: results_until
    monkeypatch.setattr(
        clock, "now", lambda: datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(clock.TIMEZONE))
    )


@pytest.mark.slow  # many ticks
def test_todays_features_wait_for_the_last_games_of_the_night_before(
    caught_up: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, next_day = LAST + timedelta(days=1), LAST + timedelta(days=2)
    at(monkeypatch, caught_up, day, 12, results_until=LAST)
    caught_up.fetch([day])
    caught_up.settle()
    assert caught_up.stored(FEATURES)[-1] == day, "tonight's features, before the games"
    assert caught_up.store.manifest(TABLES[PLAYERS])[day].reason == "not_played_yet"

    at(
        monkeypatch, caught_up, next_day, 0, results_until=LAST
    )  # midnight: the partition opens, and the games of the night are still on
    caught_up.fetch([next_day])
    asked = total(caught_up.settle())
    assert set(asked) == {OFFENSE, DEFENSE, PLAYERS}
    assert [caught_up.stored(table)[-1] for table in LOOKING_BACK] == [day] * len(LOOKING_BACK)

    at(
        monkeypatch, caught_up, next_day, 2, results_until=day
    )  # the last game is over; results are not due before six
    caught_up.fetch([day])
    asked = total(caught_up.settle())
    assert asked == {t: [day] for t in (OFFENSE, DEFENSE, PLAYERS)} | {
        table: [day, next_day] if table in ON_THE_SCHEDULE else [next_day] for table in LOOKING_BACK
    }
    assert caught_up.settle() == []


@pytest.mark.slow
def test_todays_features_wait_for_results_that_are_overdue(
    caught_up: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, next_day = LAST + timedelta(days=1), LAST + timedelta(days=2)
    at(monkeypatch, caught_up, day, 12, results_until=LAST)
    caught_up.fetch([day])
    caught_up.settle()
    at(monkeypatch, caught_up, next_day, 7, results_until=LAST)
    caught_up.fetch([day, next_day])  # the morning schedule
    assert len(caught_up.errors) == 1
    assert "although their results are due" in caught_up.errors[0]
    caught_up.settle()
    assert caught_up.stored(FEATURES)[-1] == day


@pytest.mark.slow  # many ticks
def test_thirty_missed_days_are_caught_up_in_one_pass_of_ranges(caught_up: Clockwork) -> None:
    missed = span(LAST + timedelta(days=1), LAST + timedelta(days=30))
    caught_up.now = missed[-1]
    caught_up.fetch(missed)
    ticks = caught_up.settle()
    assert total(ticks) == {table: missed for table in MADE_FROM_OTHERS if table not in RAW}, "every day once"
    # The first missed day has its history already; the others wait for the games of the days between.
    assert {table: [len(t[table]) for t in ticks if table in t] for table in total(ticks)} == {
        table: [1, 29] if table in LOOKING_BACK else [30] for table in total(ticks)
    }
    assert len(ticks) <= 7


@pytest.mark.slow  # many ticks
def test_the_same_content_fetched_again_starts_nothing(caught_up: Clockwork) -> None:
    caught_up.fetch(caught_up.days)
    assert caught_up.tick() == {}
    caught_up.run(OFFENSE, caught_up.days)
    assert caught_up.tick() == {}


def unsynced(clockwork: Clockwork, table: str) -> list[date]:
    """The days that the UI calls unsynced."""
    resolver = CachingStaleStatusResolver(
        clockwork.instance, clockwork.defs.resolve_asset_graph(), LoadingContextForTest(clockwork.instance)
    )
    status = {day: resolver.get_status(asset_key(table), str(day)) for day in clockwork.days}
    assert StaleStatus.MISSING not in status.values()
    return [day for day, found in status.items() if found is StaleStatus.STALE]


@pytest.mark.slow  # many ticks
def test_the_ui_calls_days_unsynced_whose_inputs_have_other_contents_and_not_those_fetched_again(
    caught_up: Clockwork,
) -> None:
    caught_up.fetch(caught_up.days)
    assert {table: unsynced(caught_up, table) for table in MADE_FROM_OTHERS} == {
        table: [] for table in MADE_FROM_OTHERS
    }
    caught_up.source.correct("player_boxscores", DAY, one_more_rebound)
    caught_up.fetch([DAY])
    assert unsynced(caught_up, PLAYERS) == [DAY]
    caught_up.run(OFFENSE, [DAY])
    caught_up.run(PLAYERS, [DAY])
    assert caught_up.errors == []
    assert unsynced(caught_up, PLAYERS) == []
    assert unsynced(caught_up, SLATE) == [day for day in caught_up.days if day > DAY], "by look-back"


@pytest.mark.slow  # many ticks
def test_a_late_correction_restates_its_day_and_exactly_the_later_days_that_look_back_on_it(
    caught_up: Clockwork,
) -> None:
    before = {table: caught_up.hashes(table) for table in MADE_FROM_OTHERS}
    caught_up.source.correct("player_boxscores", DAY, one_more_rebound)
    caught_up.fetch([DAY])
    asked = total(caught_up.settle())
    assert asked.pop(OFFENSE) == asked.pop(DEFENSE) == asked.pop(PLAYERS) == [DAY]
    later = span(DAY + timedelta(days=1), LAST)
    assert asked == dict.fromkeys(LOOKING_BACK, later)
    for table in (OFFENSE, PLAYERS):
        changed = {day for day, content in caught_up.hashes(table).items() if content != before[table][day]}
        assert changed == {DAY}
    cache = "nba_precompute.player_daily_cache"
    changed = {day for day, content in caught_up.hashes(cache).items() if content != before[cache][day]}
    assert changed, "the corrected rebounds are in the averages of the days after"
    assert changed <= set(later)


@pytest.mark.slow  # many ticks
def test_a_correction_stops_where_contents_stop_changing(caught_up: Clockwork) -> None:
    """The offense table is restated, comes out the same, and nothing behind it moves."""
    caught_up.source.correct("player_boxscores", DAY, lambda lines: lines.assign(comment="NWT - Rest"))
    caught_up.fetch([DAY])
    assert total(caught_up.settle()) == {OFFENSE: [DAY], PLAYERS: [DAY]}


@pytest.mark.slow  # many ticks
def test_a_failed_check_stops_the_later_phases_until_the_source_is_corrected(caught_up: Clockwork) -> None:
    caught_up.now += timedelta(days=1)
    caught_up.source.correct("player_boxscores", caught_up.now, one_more_point)
    caught_up.fetch([caught_up.now])
    asked = total(caught_up.settle())
    assert asked[OFFENSE] == [caught_up.now], "tried once, and not in every tick"
    assert SLATE in asked, "the slate of the day does not need its results"
    assert PLAYERS not in asked
    assert DEFENSE not in asked
    caught_up.source.restore()
    caught_up.fetch([caught_up.now])
    asked = total(caught_up.settle())
    assert asked[OFFENSE] == asked[PLAYERS] == [caught_up.now]
    assert caught_up.stored(PLAYERS)[-1] == caught_up.now


@pytest.mark.slow  # many ticks
def test_later_days_wait_behind_a_restated_day_that_failed(caught_up: Clockwork) -> None:
    """The old content is still stored, but it is known to be wrong: tomorrow's features must not be made from
    it."""
    caught_up.source.correct("player_boxscores", DAY, one_more_point)
    caught_up.fetch([DAY])
    assert total(caught_up.settle()) == {OFFENSE: [DAY]}
    caught_up.now += timedelta(days=1)
    caught_up.fetch([caught_up.now])
    asked = total(caught_up.settle())
    assert asked[PLAYERS] == [caught_up.now]
    assert not set(asked) & set(LOOKING_BACK)
    caught_up.source.restore()
    caught_up.fetch([DAY])
    asked = total(caught_up.settle())
    assert set(asked) >= set(LOOKING_BACK)
    assert caught_up.stored(FEATURES)[-1] == caught_up.now


@pytest.mark.slow  # many ticks
def test_a_red_day_holds_up_only_the_days_whose_own_windows_reach_it() -> None:
    """One box score of June that nobody will ever mend: the next season's zones, slate and composite factors
    come by themselves, as with ``backfill``; 365 days wait only where a window has 365 days."""
    june, november = date(2023, 6, 9), date(2023, 11, 16)
    season, settled = date(2023, 10, 1), season_of(november).opening_day + timedelta(days=OPENER_WINDOW)
    clockwork = Clockwork(november, start=june, source=CorrectedSource(june), limit=4000)
    clockwork.source.correct("player_boxscores", june, one_row_twice)
    clockwork.fetch(clockwork.days)
    clockwork.settle()
    assert june not in clockwork.stored(PLAYERS)
    made = {table: clockwork.stored(table) for table in LOOKING_BACK}
    assert made.pop(ZONES) == [june, *span(season, november)]
    assert made.pop(CACHE) == made.pop(FEATURES) == [june], "they look back 365 days"
    assert set(map(tuple, made.values())) == {(june, *span(settled, november))}, made


@pytest.mark.slow  # many ticks
def test_days_that_somebody_elses_backfill_left_red_are_not_tried_again() -> None:
    clockwork = Clockwork(DAY)
    clockwork.source.correct("player_boxscores", DAY, one_more_point)
    clockwork.fetch(clockwork.days)
    clockwork.run(OFFENSE, clockwork.days)
    assert DAY not in clockwork.stored(OFFENSE)
    assert DAY not in total(clockwork.settle()).get(OFFENSE, [])


def test_a_run_that_dies_is_not_started_again_in_every_tick(caught_up: Clockwork) -> None:
    caught_up.now += timedelta(days=1)
    caught_up.fetch([caught_up.now])
    assert OFFENSE in caught_up.tick()
    assert OFFENSE not in caught_up.tick(), "requested, never run, not requested again"


@pytest.mark.slow  # many ticks
def test_an_input_that_changes_while_a_day_is_made_is_not_forgotten(caught_up: Clockwork) -> None:
    """The second correction arrives after the run has read its inputs and before the next tick sees the run's
    end."""
    caught_up.source.correct("player_boxscores", DAY, one_more_rebound)
    caught_up.fetch([DAY])
    assert caught_up.tick() == {OFFENSE: [DAY]}
    caught_up.run(OFFENSE, [DAY])
    caught_up.source.correct("player_boxscores", DAY, lambda lines: one_more_rebound(one_more_rebound(lines)))
    caught_up.fetch([DAY])
    assert caught_up.tick() == {OFFENSE: [DAY]}


@pytest.mark.slow  # many ticks
def test_a_tick_requests_no_more_than_the_limit_oldest_first(tmp_path: Path) -> None:
    with open_instance(tmp_path / "home") as instance:
        clockwork = Clockwork(START + timedelta(days=3), instance=instance, limit=3)
        clockwork.fetch(clockwork.days)
        ticks = clockwork.settle()
    assert max(sum(map(len, requested.values())) for requested in ticks) == 3
    assert ticks[0] == {OFFENSE: clockwork.days[:3]}
    assert clockwork.errors == []
    assert clockwork.stored(FEATURES) == clockwork.days
    assert total(ticks) == {table: clockwork.days for table in MADE_FROM_OTHERS if table not in RAW}, (
        "none twice"
    )


@pytest.mark.slow  # many ticks
def test_switching_on_again_launches_what_is_due_and_no_more(caught_up: Clockwork) -> None:
    """Off for two days, with a correction in between; the cursor is gone."""
    caught_up.now += timedelta(days=2)
    caught_up.source.correct("player_boxscores", LAST, one_more_rebound)
    caught_up.fetch([LAST, *span(LAST + timedelta(days=1), caught_up.now)])
    caught_up.cursor = None
    asked = total(caught_up.settle())
    assert asked[OFFENSE] == [LAST, LAST + timedelta(days=1), caught_up.now]
    assert asked[FEATURES] == [LAST + timedelta(days=1), caught_up.now]


def test_a_history_that_nobody_recorded_is_left_alone(caught_up: Clockwork) -> None:
    """A warehouse from before inputs were recorded, or with a new DAGSTER_HOME: no restatement on a guess."""
    newcomer = Clockwork(LAST, source=caught_up.source, store=caught_up.store)
    assert newcomer.tick() == {}


@pytest.mark.parametrize("busy", ["nba_raw.player_boxscores", OFFENSE])
def test_nothing_is_requested_while_a_run_makes_the_day_or_its_input(caught_up: Clockwork, busy: str) -> None:
    caught_up.now += timedelta(days=1)
    caught_up.fetch([caught_up.now])
    run = begin_run(caught_up, busy, caught_up.now)
    assert OFFENSE not in caught_up.tick()
    caught_up.instance.report_run_canceled(run)
    assert OFFENSE in caught_up.tick()


def begin_run(clockwork: Clockwork, table: str, day: date) -> dg.DagsterRun:
    """A run of the day that has begun and does not end."""
    base = clockwork.defs.get_repository_def().get_implicit_global_asset_job_def()
    tags = {"dagster/partition": day.isoformat()}
    job = base.get_subset(asset_selection={asset_key(table)})
    run = clockwork.instance.create_run_for_job(job, asset_selection=frozenset({asset_key(table)}), tags=tags)
    clockwork.instance.report_dagster_event(
        DagsterEvent(DagsterEventType.RUN_START.value, job.name), run.run_id
    )
    return run
