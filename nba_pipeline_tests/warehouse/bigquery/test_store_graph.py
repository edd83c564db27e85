"""The whole graph into BigQuery, and what it costs in jobs."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.failures import FailureClass
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.support.pipeline import Pipeline
from nba_pipeline_tests.warehouse.bigquery.support import store_over
from nba_pipeline_tests.warehouse.support import day, frame_of, make_table

NAMES = [recipe.table for recipe in RECIPES]


def started(fake: FakeBigQuery) -> list[str]:
    """The jobs that were started, without the statements of scripts, which BigQuery lists as children."""
    return [job.id for job in fake.jobs if job.parent is None]


@pytest.mark.bulk
@pytest.mark.parametrize(
    "length",
    [
        pytest.param(35, id="month", marks=pytest.mark.slow),
        pytest.param(5, id="days", marks=pytest.mark.slow),
        pytest.param(251, id="season", marks=pytest.mark.slow),
    ],
)
def test_a_real_season_is_stored_as_in_parquet(
    fake: FakeBigQuery, bulk_source: BulkSource, tmp_path: Path, length: int
) -> None:
    first = date(2021, 10, 19)
    days = [first + timedelta(days=n) for n in range(length)]
    cloud = store_over(fake)
    cloud.schema.create_datasets(TABLES.values())
    local, remote = (Pipeline(bulk_source, first, store) for store in (ParquetStore(tmp_path), cloud))
    failed = [
        {name: sorted(o.failed) for name, o in pipeline.run(days, NAMES).items() if o.failed}
        for pipeline in (local, remote)
    ]
    assert failed[0] == failed[1]
    for table in TABLES.values():
        here, there = local.store.manifest(table), cloud.manifest(table)
        assert {d: (e.content_hash, e.row_count, e.reason) for d, e in there.items()} == {
            d: (e.content_hash, e.row_count, e.reason) for d, e in here.items()
        }, table.full_name
        assert here or table.name == "shot_attempts"
    # What is stored, read back over HTTP by a store that has cached nothing, hashes to what was computed
    # here.
    for name in ("nba_analytics.player_game_summary", "nba_raw.games"):
        again = store_over(fake)
        frame, stored = again.read(TABLES[name], days), again.manifest(TABLES[name])
        reasons = {d: e.reason for d, e in stored.items() if e.reason}
        assert (
            again.replace_range(TABLES[name], frame, sorted(stored), reasons=reasons).written == frozenset()
        )
    assert len(started(fake)) <= 50, [j[:30] for j in started(fake)]


@pytest.mark.bulk
def test_the_incident_sends_nothing(fake: FakeBigQuery, bulk_source: BulkSource) -> None:
    """usage_rate as NUMERIC(5,2): 2024-03-07 fails with its row named, before any job, and the day stays as
    it was."""
    incident, table = date(2024, 3, 7), "nba_analytics.player_game_summary"
    store = store_over(fake)
    store.schema.create_datasets(TABLES.values())
    before = Pipeline(bulk_source, incident, store)
    before.run([incident])
    kept, jobs = store.manifest(TABLES[table]), len(fake.jobs)
    assert kept[incident].row_count > 0
    narrow = Pipeline(
        bulk_source, incident, store, TABLES.with_column(table, "usage_rate", type=numeric(5, 2))
    )
    failure = narrow.run([incident], [table])[table].failed[incident]
    assert failure.failure_class is FailureClass.TYPE_OVERFLOW
    assert failure.count == 1
    assert "usage_rate" in failure.message
    assert len(fake.jobs) == jobs
    assert store_over(fake).manifest(TABLES[table]) == kept


@pytest.mark.slow  # the cost of a write is tested by itself
def test_four_seasons_of_twelve_tables_are_within_fifty_jobs(fake: FakeBigQuery) -> None:
    tables = [make_table(f"table_{n}") for n in range(12)]
    days = [day(n) for n in range(1538)]
    store = store_over(fake)
    store.schema.create_datasets(tables)
    frame = _frame(days)
    for table in tables:
        assert len(store.replace_range(table, frame, days).written) == 1538
    assert len(started(fake)) == 24
    fresh = store_over(fake)
    for table in tables:
        assert len(fresh.read(table, days)) == len(frame)
        fresh.read(table, days, ["points"])  # held: no job
    assert len(started(fake)) == 36
    for table in tables:
        assert fresh.replace_range(table, frame, days).written == frozenset()  # nothing changed: no job
    assert len(started(fake)) == 36 <= 50
    targets = [f"test-project:analytics.table_{n}" for n in range(12)]
    assert {fake.counters.load_jobs[t] for t in targets} == {0}  # loads go to staging tables, one each
    assert {fake.counters.dml[t] for t in targets} == {2}
    assert max(fake.counters.load_jobs.values()) == 1


def test_more_days_than_one_job_may_change_are_split(fake: FakeBigQuery) -> None:
    table, days = make_table(), [day(n) for n in range(4_100)]
    store = store_over(fake)
    store.schema.create_datasets([table])
    assert len(store.replace_range(table, _frame(days), days).written) == 4_100
    assert len(started(fake)) == 4
    assert len(store_over(fake).read(table, days)) == 8_200


def _frame(days: list[date]) -> pd.DataFrame:
    return frame_of(
        make_table(),
        {
            "game_date": np.repeat(np.array(days, dtype="datetime64[s]"), 2),
            "game_id": ["g"] * (2 * len(days)),
            "player_id": [1, 2] * len(days),
            "points": list(range(2 * len(days))),
            "is_home": [True, False] * len(days),
        },
    )
