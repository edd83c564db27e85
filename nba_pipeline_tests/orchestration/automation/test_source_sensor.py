"""The source sensor: what it requests, what it remembers, what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from nba_pipeline.build import build_defs
from nba_pipeline.failures import SourceUnavailable
from nba_pipeline.orchestration.automation.source_sensor import (
    JOB,
    NAME,
    RANGE_END,
    RANGE_START,
    Seen,
    due_days,
)
from nba_pipeline.orchestration.table_asset import SOURCE, STORE
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.base import Polled, SourceFrame
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.orchestration.automation.driver import RAW
from nba_pipeline_tests.support.league import FrameSource, hand_made_league

START = date.today() - timedelta(days=30)
"""Partitions end yesterday, so this sensor's tests live near today."""


@dataclass
class Published:
    """A source of fingerprints: ``held`` is what it says now; every change is a new revision."""

    held: dict[date, str] = field(default_factory=dict)
    name: str = "published"
    number: int = 0
    asked: int = 0

    def publish(self, days: Iterable[date], digest: str) -> None:
        self.held |= dict.fromkeys(days, digest)
        self.number += 1

    def revision(self) -> str:
        return str(self.number)

    def fingerprints(self, days: Sequence[date]) -> dict[date, str]:
        self.asked += 1
        return {day: self.held[day] for day in days if day in self.held}

    def games(self, days: Sequence[date]) -> SourceFrame:
        raise SourceUnavailable("not in these tests", days=days)

    player_boxscores = shot_attempts = games


@dataclass
class Poll:
    """The sensor of a pipeline, evaluated tick by tick with its cursor."""

    source: Any
    store: MemoryStore = field(default_factory=MemoryStore)
    limit: int = 400
    cursor: str | None = None

    def tick(self) -> list[tuple[date, date]]:
        """The ranges requested."""
        defs = build_defs(
            Settings(warehouse="memory", start_date=START, max_days_per_tick=self.limit),
            resources={SOURCE: self.source, STORE: self.store},
        )
        sensor = defs.get_repository_def().get_sensor_def(NAME)
        resources = {SOURCE: self.source, STORE: self.store}
        with dg.build_sensor_context(
            cursor=self.cursor, repository_def=defs.get_repository_def(), resources=resources
        ) as context:
            answer = sensor.evaluate_tick(context)
        self.cursor = answer.cursor
        self.keys = [request.run_key for request in answer.run_requests or ()]
        return [
            (date.fromisoformat(r.tags[RANGE_START]), date.fromisoformat(r.tags[RANGE_END]))
            for r in answer.run_requests or ()
        ]

    def store_days(self, days: Iterable[date]) -> None:
        """All raw tables of these days, empty."""
        from nba_pipeline.tables.render.frames import empty_frame

        for name in RAW:
            self.store.replace(TABLES[name], {day: empty_frame(TABLES[name]) for day in days})


DAYS = span(START, date.today() - timedelta(days=2))


def test_an_empty_warehouse_is_filled_oldest_first_within_the_limit() -> None:
    poll = Poll(Published(), limit=10)
    poll.source.publish(DAYS, "11111111")
    seen = [poll.tick() for _ in range(4)]
    assert seen == [[(DAYS[0], DAYS[9])], [(DAYS[10], DAYS[19])], [(DAYS[20], DAYS[-1])], []]


def test_first_activation_over_a_full_warehouse_launches_nothing_and_remembers_what_there_is() -> None:
    poll = Poll(Published())
    poll.source.publish(DAYS, "11111111")
    poll.store_days(DAYS)
    assert poll.tick() == []
    poll.source.publish([DAYS[3]], "22222222")
    assert poll.tick() == [(DAYS[3], DAYS[3])]


def test_exactly_the_changed_days_are_requested_as_ranges_and_only_once() -> None:
    poll = Poll(Published())
    poll.source.publish(DAYS, "11111111")
    poll.store_days(DAYS)
    poll.tick()
    poll.source.publish([DAYS[2], DAYS[3], DAYS[4], DAYS[9]], "22222222")
    assert poll.tick() == [(DAYS[2], DAYS[4]), (DAYS[9], DAYS[9])]
    assert poll.tick() == []
    poll.source.publish([], "")
    assert poll.tick() == [], "a new revision with the same content"


def test_an_unchanged_revision_costs_no_reading() -> None:
    poll = Poll(Published())
    poll.source.publish(DAYS, "11111111")
    poll.store_days(DAYS)
    poll.tick()
    asked = poll.source.asked
    assert poll.tick() == []
    assert poll.source.asked == asked


def test_a_tick_that_is_repeated_after_a_crash_asks_under_the_same_run_keys() -> None:
    poll = Poll(Published())
    poll.source.publish(DAYS, "11111111")
    before = poll.cursor
    poll.tick()
    first = poll.keys
    poll.cursor = before
    poll.tick()
    assert poll.keys == first
    poll.cursor = before
    poll.source.publish([DAYS[0]], "22222222")
    poll.tick()
    assert poll.keys != first, "other content is another key"


def test_a_source_that_is_down_fails_the_tick_and_is_not_taken_for_no_change() -> None:
    class Down(Published):
        def revision(self) -> str:
            raise SourceUnavailable("the folder is gone")

    with pytest.raises(SourceUnavailable, match="the folder is gone"):
        Poll(Down()).tick()


def test_a_source_without_fingerprints_is_skipped_in_words() -> None:
    assert not isinstance(hand_made_league(), Polled)
    assert Poll(FrameSource(hand_made_league().frames)).tick() == []


def test_the_cursor_is_small_and_loses_nothing() -> None:
    seen = Seen("rev", {date(2021, 10, 19) + timedelta(days=n): f"{n:08x}" for n in range(1900) if n % 7})
    text = seen.to_cursor()
    assert Seen.from_cursor(text) == seen
    assert len(text) < 11_000
    assert Seen.from_cursor(Seen("rev").to_cursor()) == Seen("rev")
    assert json.loads(text)["revision"] == "rev"


def test_without_a_cursor_stored_days_are_the_baseline() -> None:
    held = {DAYS[0]: "a", DAYS[1]: "b"}
    assert due_days(held, None, [DAYS[0]]) == ([DAYS[1]], {DAYS[0]: "a"})
    assert due_days(held, Seen("r", {DAYS[0]: "x", DAYS[1]: "b"}), [])[0] == [DAYS[0]]


def test_what_the_sensor_requests_can_be_run() -> None:
    """The job with a range's tags makes the raw days of that range, in one run."""
    source, store = SimulatedSource(first_day=START), MemoryStore()
    poll = Poll(source, store)
    [(first, last)] = poll.tick()
    defs = build_defs(
        Settings(warehouse="memory", start_date=START), resources={SOURCE: source, STORE: store}
    )
    tags = {RANGE_START: first.isoformat(), RANGE_END: (first + timedelta(days=2)).isoformat()}
    assert (
        defs.resolve_job_def(JOB)
        .execute_in_process(instance=dg.DagsterInstance.ephemeral(), tags=tags)
        .success
    )
    for name in RAW:
        assert sorted(store.manifest(TABLES[name])) == span(first, first + timedelta(days=2))
    assert last == date.fromisoformat(poll_last_partition())


def poll_last_partition() -> str:
    from nba_pipeline.orchestration.partitions import daily_partitions

    return daily_partitions(START).get_partition_keys()[-1]


# ----------------------------------------------------------------------------------------------------
# fingerprints


@pytest.fixture
def folder(bulk_dir: Path, tmp_path: Path) -> Path:
    for path in bulk_dir.glob("*.parquet"):
        if path.name in ("games.parquet", "player_box.parquet", "shots_2023-24.parquet"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.bulk
def test_bulk_fingerprints_change_on_exactly_the_corrected_days(folder: Path) -> None:
    source, days = BulkSource(folder), span(date(2023, 10, 24), date(2024, 6, 30))
    before, revision = source.fingerprints(days), source.revision()
    assert source.revision() == revision
    assert BulkSource(folder).fingerprints(days) == before, "another process says the same"
    lines = pd.read_parquet(folder / "player_box.parquet")
    games = pd.read_parquet(folder / "games.parquet", columns=["game_id", "game_date"])
    game = games.loc[pd.to_datetime(games["game_date"]) == pd.Timestamp(2024, 1, 15), "game_id"].iloc[0]
    lines.loc[lines.index[lines["game_id"] == game][0], "rebounds_defensive"] += 1
    lines.sample(frac=1, random_state=1).to_parquet(folder / "player_box.parquet")
    assert source.revision() != revision
    after = source.fingerprints(days)
    assert {day for day in days if after[day] != before[day]} == {date(2024, 1, 15)}


@pytest.mark.bulk
def test_bulk_days_outside_the_files_are_left_out(folder: Path) -> None:
    assert BulkSource(folder).fingerprints([date(1999, 1, 1), date(2024, 1, 15)]).keys() == {
        date(2024, 1, 15)
    }


def test_the_simulated_league_never_corrects_itself() -> None:
    source = SimulatedSource(first_day=date(2024, 1, 1), last_day=date(2024, 1, 31))
    held = source.fingerprints(span(date(2023, 12, 30), date(2024, 2, 2)))
    assert list(held) == span(date(2024, 1, 1), date(2024, 1, 31))
    assert len(set(held.values())) == 1
