"""Two writers at once, and hands that are not ours: one result, and what is gone is noticed."""

from __future__ import annotations

import threading

import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import PipelineError
from nba_pipeline.warehouse.base import CorruptPartition
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, store_over
from nba_pipeline_tests.warehouse.bigquery.writes import DAYS, NEW, OLD, assert_whole, staging
from nba_pipeline_tests.warehouse.support import TABLE, many, rows


def test_two_writers_of_the_same_days_leave_one_result(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    contents = {shift: many(DAYS, 6, shift=shift) for shift in (1, 2)}
    for _ in range(3):
        barrier, errors = threading.Barrier(2), []

        def write(
            shift: int, barrier: threading.Barrier = barrier, errors: list[BaseException] = errors
        ) -> None:
            own = store_over(fake)
            own.manifest(TABLE)
            barrier.wait()
            try:
                own.replace_range(TABLE, contents[shift], DAYS)
            except PipelineError as error:
                errors.append(error)

        threads = [threading.Thread(target=write, args=(shift,)) for shift in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        found = store_over(fake).read(TABLE, DAYS)
        shift = int(found["points"].iloc[0])
        assert_frame_equal(found, contents[shift])
        store.replace_range(TABLE, OLD, DAYS)
    assert staging(fake) == []


def test_two_writers_of_the_same_content_do_it_once(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    stores = [store_over(fake), store_over(fake)]
    stores[1].manifest(TABLE)
    fake.jobs.hold(lambda job: job.kind == "query")
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: stores[n].replace_range(TABLE, NEW, DAYS)}))
        for n in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.5)
    fake.jobs.release()
    for thread in threads:
        thread.join()
    assert assert_whole(fake)
    assert results[0].entries == results[1].entries == store.manifest(TABLE)
    writes = [job.id[:8] for job in fake.jobs if job.id.startswith(("nba_load", "nba_swap"))]
    assert sorted(writes) == ["nba_load"] * 2 + ["nba_swap"] * 2  # OLD once, NEW once
    assert staging(fake) == []


def by_hand(fake: FakeBigQuery, sql: str) -> None:
    fake.client(PROJECT).query(sql).result()


def test_rows_that_other_hands_removed_are_noticed_and_written_again(fake, store: BigQueryStore):
    store.replace_range(TABLE, OLD, DAYS)
    by_hand(
        fake, f"DELETE FROM `{PROJECT}.analytics.box_scores` WHERE game_date = '{DAYS[1]}' AND player_id = 2"
    )
    with pytest.raises(
        CorruptPartition, match=r"2024-01-02.*the number of rows is not what the manifest says"
    ) as caught:
        store_over(fake).read(TABLE, DAYS)
    assert list(caught.value.paths) == [DAYS[1]]
    assert store_over(fake).replace_range(TABLE, OLD, DAYS).written == {DAYS[1]}
    assert not assert_whole(fake)


def test_a_table_that_was_dropped_is_made_again(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.client(PROJECT).delete_table(f"{PROJECT}.analytics.box_scores")
    with pytest.raises(CorruptPartition, match="the table does not exist, although its manifest does"):
        store_over(fake).read(TABLE, DAYS)
    assert store.replace_range(TABLE, OLD, DAYS).written == frozenset(DAYS)
    assert not assert_whole(fake)


def test_another_process_sees_what_was_written_at_once(fake, store):
    other = store_over(fake)
    store.replace_range(TABLE, OLD, DAYS)
    assert_frame_equal(other.read(TABLE, DAYS), OLD)
    store.replace(TABLE, {DAYS[1]: rows(DAYS[1], 2, shift=7)})
    assert_frame_equal(other.read(TABLE, [DAYS[1]]), rows(DAYS[1], 2, shift=7))
    assert_frame_equal(store.read(TABLE, [DAYS[0], DAYS[2]]), many([DAYS[0], DAYS[2]], 4))
