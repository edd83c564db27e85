"""A bad day in the history on real games: red where it is bad, grey where its history is needed, green
elsewhere, then healed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg
import pytest

from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE, Runs, blocked, failed
from nba_pipeline_tests.support.poison import PoisonedSource

pytestmark = [
    pytest.mark.slow,
    pytest.mark.bulk,
    pytest.mark.timeout(300),
]  # end_to_end/test_ui_season.py has the same bad day

START, BAD_DAY, LAST = date(2022, 12, 27), date(2023, 1, 15), date(2023, 1, 25)
DAYS, BEFORE, LATER = span(START, LAST), span(START, date(2023, 1, 14)), span(date(2023, 1, 16), LAST)
MADE_FROM_PLAYER_HISTORY = {
    SLATE,
    *(
        f"nba_precompute.{name}"
        for name in (
            "player_shot_zone_analysis",
            "player_composite_factors",
            "player_daily_cache",
            "ml_feature_store",
        )
    ),
}


@dataclass
class Story:
    """The backfill with one shot given to a team-mate on the bad day, and the retry after the source was
    healed."""

    first: dict[str, TableResult]
    repaired: dict[str, TableResult]
    again: dict[str, TableResult]
    store: MemoryStore
    sound: MemoryStore


@pytest.fixture(scope="module")
def story(bulk_source: BulkSource) -> Iterator[Story]:
    settings = Settings(warehouse="memory", start_date=START)
    source = PoisonedSource(bulk_source, {BAD_DAY: "misattributed_shot"})
    store, sound = MemoryStore(), MemoryStore()
    with dg.DagsterInstance.ephemeral() as instance, dg.DagsterInstance.ephemeral() as other:
        Runs(settings, sound, other, bulk_source).backfill(DAYS)
        runs = Runs(settings, store, instance, source)
        first = runs.backfill(DAYS)
        source.heal()
        yield Story(first, runs.retry(DAYS), runs.retry(DAYS), store, sound)


def test_the_day_is_red_in_the_table_that_noticed_and_nowhere_else(story: Story) -> None:
    assert failed(story.first) == {PLAYERS: {BAD_DAY: "incomplete_input"}}


def test_days_whose_history_needs_it_are_blocked_and_everything_else_is_green(story: Story) -> None:
    grey = blocked(story.first)
    assert {name: days for name, days in grey.items() if days - {BAD_DAY}} == {
        name: set(LATER) | (grey[name] & {BAD_DAY}) for name in MADE_FROM_PLAYER_HISTORY
    }
    for name, result in story.first.items():
        assert result.good == set(DAYS) - grey.get(name, set()) - set(result.failed), name
        assert result.good >= set(BEFORE), name


def test_retry_fills_exactly_what_was_red_or_grey(story: Story) -> None:
    assert failed(story.repaired) == {}
    assert blocked(story.repaired) == {}
    for name, result in story.repaired.items():
        if name.startswith("nba_raw."):
            continue  # fetched again, because the failure blames the input
        assert result.good == set(story.first[name].failed) | set(story.first[name].blocked), name
    assert not any(result.requested for result in story.again.values())


def test_the_repaired_warehouse_equals_one_that_never_saw_the_defect(story: Story) -> None:
    for table in TABLES.values():
        repaired = {day: entry.content_hash for day, entry in story.store.manifest(table).items()}
        assert repaired == {day: entry.content_hash for day, entry in story.sound.manifest(table).items()}, (
            table.full_name
        )
