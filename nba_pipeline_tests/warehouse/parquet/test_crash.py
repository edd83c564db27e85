"""Writers that are killed, and readers and writers in other processes: every day is the old one or the new
one, whole."""

from __future__ import annotations

import random
import time

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.warehouse.support import TABLE, day, many, rows, write_forever

OFFSETS = list(range(6))
DAYS = [day(o) for o in OFFSETS]
COUNT = 30
CONTENTS = {shift: {d: rows(d, COUNT, shift) for d in DAYS} for shift in (0, 1, 2)}


def check_whole(found: pd.DataFrame) -> set[int]:
    """Each day of the frame is exactly one of the contents; returns which."""
    seen = set()
    for when, part in found.groupby("game_date"):
        shift = int(part["points"].iloc[0])
        assert_frame_equal(part.reset_index(drop=True), CONTENTS[shift][when.date()])
        seen.add(shift)
    return seen


@pytest.mark.parametrize("together", [False, True], ids=["day by day", "together"])
def test_a_killed_writer_leaves_each_day_old_or_new(parquet, processes, together):
    parquet.replace_range(TABLE, many(DAYS, COUNT, 0), DAYS)
    chance = random.Random(7)
    seen: set[int] = set()
    for attempt in range(10):
        ready = processes.Event()
        writer = processes.Process(
            target=write_forever, args=(str(parquet.root), OFFSETS, COUNT, ready, None, together)
        )
        writer.start()
        if attempt:  # the first is killed while it is still at its first write, or before
            assert ready.wait(60)
        time.sleep(chance.uniform(0, 0.04))
        writer.kill()
        writer.join()
        found = parquet.read(TABLE, DAYS)
        assert len(found) == COUNT * len(DAYS)
        seen |= check_whole(found)
        manifest = parquet.manifest(TABLE)
        fresh = ParquetStore(parquet.root)
        (fresh.folder(TABLE) / "_manifest.json").unlink(missing_ok=True)
        assert fresh.manifest(TABLE) == manifest
    assert seen & {1, 2}  # the writers did get to write
    assert parquet.replace_range(TABLE, many(DAYS, COUNT, 0), DAYS).written == set(DAYS)
    assert check_whole(parquet.read(TABLE, DAYS)) == {0}


def test_readers_in_another_process_see_whole_days(parquet, processes):
    parquet.replace_range(TABLE, many(DAYS, COUNT, 0), DAYS)
    ready, stop = processes.Event(), processes.Event()
    writer = processes.Process(target=write_forever, args=(str(parquet.root), OFFSETS, COUNT, ready, stop))
    writer.start()
    try:
        assert ready.wait(60)
        seen: set[int] = set()
        for _ in range(25):
            seen |= check_whole(parquet.read(TABLE, DAYS))
            assert {e.row_count for e in parquet.manifest(TABLE).values()} == {COUNT}
        assert seen
    finally:
        stop.set()
        writer.join(30)
    assert writer.exitcode == 0


def test_writers_in_two_processes_on_the_same_and_on_different_days(parquet, processes):
    stop = processes.Event()
    starts = [processes.Event() for _ in range(2)]
    shared, halves = OFFSETS[:2], (OFFSETS[:4], [*OFFSETS[:2], *OFFSETS[4:]])
    writers = [
        processes.Process(target=write_forever, args=(str(parquet.root), half, COUNT, e, stop))
        for half, e in zip(halves, starts, strict=True)
    ]
    for writer in writers:
        writer.start()
    try:
        assert all(e.wait(60) for e in starts)
        for _ in range(10):
            check_whole(parquet.read(TABLE, DAYS))
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
    assert [w.exitcode for w in writers] == [0, 0]
    found = parquet.read(TABLE, DAYS)
    check_whole(found)
    assert len(found) == COUNT * len(DAYS)
    assert {e.row_count for e in parquet.manifest(TABLE).values()} == {COUNT}
    assert all(len(list(parquet.path(TABLE, day(o)).parent.iterdir())) == 1 for o in shared)
