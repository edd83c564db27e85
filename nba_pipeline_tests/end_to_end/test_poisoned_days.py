"""Defects of a source, through Dagster runs: each costs its own day, says what it is, and `retry` repairs
exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg
import pytest

from nba_pipeline.checks.suite import checks_of
from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import ANALYTICS_JOB, PLAYERS, SLATE, Runs, failed
from nba_pipeline_tests.support.poison import BOXSCORES, GAMES, POISONS, SHOTS, PoisonedSource

START = date(2023, 10, 24)
DAYS = span(START, date(2023, 11, 13))
NAMES = (
    *("halve_team", "drop_player", "duplicate_row", "swap_home_away", "negative_count"),
    *("unknown_team", "wrong_type", "impossible_minutes", "outage"),
)
NO_CHECK = {"outage"}
"""Nothing was delivered, so there was nothing to check."""


def game_days(count: int) -> list[date]:
    """Days late in the range, each with a final regular game."""
    games = SimulatedSource(first_day=START).games(DAYS).frame
    regular = games[(games["status"] == "final") & games["nba_game_id"].str[2].eq("2")]
    return sorted(set(regular["game_date"].dt.date))[-count - 1 : -1]


@dataclass
class Story:
    """A backfill over a poisoned source, then, after the source was healed, a retry."""

    runs: Runs
    poisons: dict[date, str]
    first: dict[str, TableResult]
    sound: MemoryStore

    @property
    def failures(self) -> dict[date, tuple[str, str, str]]:
        """(table, class, message) of every failed day, at the table where it failed."""
        return {
            d: (name, f.failure_class, f.message)
            for name, r in self.first.items()
            for d, f in r.failed.items()
        }


def runs_over(instance: dg.DagsterInstance, source: object) -> Runs:
    return Runs(Settings(warehouse="memory", start_date=START), MemoryStore(), instance, source)


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    poisons = dict(zip(game_days(len(NAMES)), NAMES, strict=True))
    source = SimulatedSource(first_day=START)
    with dg.DagsterInstance.ephemeral() as other:
        sound = runs_over(other, source)
        sound.backfill(DAYS, ANALYTICS_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_over(instance, PoisonedSource(source, poisons))
        assert isinstance(sound.store, MemoryStore)
        yield Story(runs, poisons, runs.backfill(DAYS, ANALYTICS_JOB), sound.store)


def test_each_defect_fails_its_own_day_at_the_right_table_with_the_right_class(story: Story) -> None:
    seen = {day: (name, failure_class) for day, (name, failure_class, _) in story.failures.items()}
    assert set(seen) == set(story.poisons)
    for day, name in story.poisons.items():
        poison = POISONS[name]
        assert seen[day][1] == poison.failure_class.value, name
        assert seen[day][0] in poison.fails_at, name
    assert sum(len(r.failed) for r in story.first.values()) == len(NAMES)  # nowhere a second time


def test_the_message_names_the_day_or_the_game_and_the_cause(story: Story) -> None:
    for day, (table, _, message) in story.failures.items():
        assert str(day) in message or f"{day:%Y%m%d}_" in message, (table, message)
        assert len(message) > 30, message


def test_days_made_from_a_bad_day_are_blocked_and_no_other(story: Story) -> None:
    first_bad = min(story.poisons)
    for name, result in story.first.items():
        bad = set(result.failed) | set(result.blocked)
        assert result.good == set(DAYS) - bad, name
        if name != SLATE:
            assert bad <= set(story.poisons), name
    assert set(story.first[PLAYERS].blocked) == set(story.poisons)
    waiting = {day for day in DAYS if day > first_bad}
    assert set(story.first[SLATE].blocked) == waiting
    assert set(story.first[SHOTS].failed) | set(story.first[SHOTS].blocked) <= {
        d for d, n in story.poisons.items() if n == "unknown_team"
    }


def test_the_failed_days_checks_are_red_and_show_the_rows(story: Story) -> None:
    evaluations = check_evaluations(story.runs.instance)
    for day, name in story.poisons.items():
        table = story.failures[day][0]
        red = [
            e
            for e in evaluations
            if e.partition == str(day) and not e.passed and e.asset_key == asset_key(table)
        ]
        assert bool(red) is (name not in NO_CHECK), name
        for evaluation in red:
            assert str(evaluation.metadata["offending_rows"].value).startswith("| check | failure_class |")
    assert {e.partition for e in evaluations if not e.passed} <= {str(day) for day in story.poisons}


def check_evaluations(instance: dg.DagsterInstance) -> list[dg.AssetCheckEvaluation]:
    records = instance.get_event_records(
        dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION), limit=20_000
    )
    return [r.event_log_entry.dagster_event.asset_check_evaluation_data for r in records]  # type: ignore


@pytest.mark.slow  # every table again; test_poisoned_seasons.py and test_cli.py retry too
def test_retry_repairs_exactly_the_failed_and_the_blocked(story: Story) -> None:
    runs = story.runs
    assert runs.retry(DAYS)[PLAYERS].good == set()  # the source is still as it was
    runs.source.heal()
    expected = {name: {*r.failed, *r.blocked} for name, r in story.first.items() if r.failed or r.blocked}
    again = runs.retry(DAYS)
    for name, result in again.items():
        more = result.good - expected.get(name, set())
        assert expected.get(name, set()) <= result.good, name
        assert not more or (name.startswith("nba_raw.") and more <= set(story.poisons)), (
            name
        )  # raw days are fetched again
    assert failed(again) == {}
    assert runs.retry(DAYS) == {}
    for name in ANALYTICS_JOB:
        mine, theirs = (store.manifest(TABLES[name]) for store in (runs.store, story.sound))
        assert {d: e.content_hash for d, e in mine.items()} == {
            d: e.content_hash for d, e in theirs.items()
        }, name


@pytest.mark.parametrize(
    "name", ["duplicate_row", "swap_home_away", "negative_count", "impossible_minutes", "wrong_type"]
)
def test_quarantine_loses_no_row(name: str) -> None:
    day = game_days(1)[0]
    source = PoisonedSource(SimulatedSource(first_day=START), {day: name})
    given = len(source.player_boxscores([day]).frame)
    table = TABLES[BOXSCORES]
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_over(instance, source)
        results = runs.backfill([day], ["games", "player_boxscores"], policy="quarantine")
        assert failed(results) == {}
        stored, rejected = (len(runs.store.read(t, [day])) for t in (table, table.rejected()))
        assert rejected > 0
        assert stored + rejected == given
        source.heal()
        runs.backfill([day], ["player_boxscores"])
        assert len(runs.store.read(table.rejected(), [day])) == 0


def test_every_evaluation_is_of_its_days_newest_materialization(story: Story) -> None:
    """Otherwise the UI shows a passed check's day as missing, and automation waits for ever for checks that
    have passed."""
    table = TABLES[PLAYERS]
    keys = [dg.AssetCheckKey(asset_key(table), check.name) for check in checks_of(table)]
    infos = story.runs.instance.event_log_storage.get_asset_check_partition_info(keys)
    assert len(infos) >= len(keys) * (len(DAYS) - len(story.poisons))
    assert [info for info in infos if not info.is_current] == []


def test_a_failed_check_of_a_day_that_is_still_stored_is_current_too() -> None:
    day = game_days(1)[0]
    source = PoisonedSource(SimulatedSource(first_day=START), {})
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_over(instance, source)
        runs.backfill([day], [BOXSCORES, GAMES])
        source.faults = {day: POISONS["duplicate_row"]}
        assert failed(runs.backfill([day], [BOXSCORES])) == {BOXSCORES: {day: "duplicate_key"}}
        key = dg.AssetCheckKey(asset_key(BOXSCORES), "unique_key")
        (info,) = instance.event_log_storage.get_asset_check_partition_info([key])
    assert info.is_current
    assert info.latest_execution_status.value == "FAILED"
