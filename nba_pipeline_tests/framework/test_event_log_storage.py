"""What `PooledSqliteEventLogStorage` adds to its parent: open connections, atomic batches, survival of wipes
and forks."""

import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from nba_pipeline.orchestration.instance import event_log, event_rows
from nba_pipeline.orchestration.instance.event_log import PooledSqliteEventLogStorage

KEY = dg.AssetKey("games")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[PooledSqliteEventLogStorage]:
    storage = PooledSqliteEventLogStorage(str(tmp_path))
    instance = dg.DagsterInstance.ephemeral()
    storage.register_instance(instance)
    yield storage
    storage.dispose()


def materialized(run_id: str, day: str) -> EventLogEntry:
    data = StepMaterializationData(dg.AssetMaterialization(KEY, partition=day))
    event = DagsterEvent("ASSET_MATERIALIZATION", "a_job", event_specific_data=data, step_key="a_step")
    return EventLogEntry(None, 10, "", run_id, 1.0, "a_step", "a_job", event)


def days(count: int) -> list[str]:
    return [f"day-{number}" for number in range(count)]


def test_a_batch_that_fails_leaves_nothing(
    storage: PooledSqliteEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(event_rows, "upsert_checks", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        storage.store_event_batch([materialized("run-1", day) for day in days(5)])
    assert storage.get_records_for_run("run-1").records == []
    assert storage.get_materialized_partitions(KEY) == set()


def test_runless_events_take_the_parents_way(storage: PooledSqliteEventLogStorage) -> None:
    storage.store_event_batch([materialized("", "day-0"), materialized("run-1", "day-1")])
    assert storage.get_materialized_partitions(KEY) == {"day-0", "day-1"}


def test_many_runs_keep_few_databases_open(
    storage: PooledSqliteEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "MAX_OPEN_SHARDS", 3)
    runs = [f"run-{number}" for number in range(event_log.MAX_OPEN_SHARDS + 4)]
    storage.store_event_batch([materialized(run, "day-0") for run in runs])
    assert [len(storage.get_records_for_run(run).records) for run in runs] == [1] * len(runs)
    assert len(storage._engines) <= event_log.MAX_OPEN_SHARDS + 2  # and the index, and the one just opened


def layout(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        return [
            *tables,
            *database.execute("SELECT * FROM alembic_version"),
            *database.execute("PRAGMA journal_mode"),
        ]


def test_later_runs_get_a_copy_of_an_empty_database_that_is_the_parents(
    storage: PooledSqliteEventLogStorage, tmp_path: Path
) -> None:
    runs = ["run-1", "run-2", "run-3"]
    storage.store_event_batch([materialized(run, "day-0") for run in runs])
    assert storage._empty is not None
    SqliteEventLogStorage(str(tmp_path / "parent")).store_event(materialized("run-1", "day-0"))
    expected = layout(tmp_path / "parent" / "run-1.db")
    assert len(expected) > 10
    assert [layout(tmp_path / f"{run}.db") for run in runs] == [expected] * 3
    assert not list(tmp_path.glob(".*"))


def test_a_database_that_another_process_makes_at_the_same_time_is_kept(
    storage: PooledSqliteEventLogStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.store_event(materialized("run-1", "day-0"))
    path, other = tmp_path / "run-2.db", SqliteEventLogStorage(str(tmp_path))
    link = os.link

    def too_late(source: Path, target: Path) -> None:
        with other.run_connection("run-2"), closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE made_by_the_other (mark INTEGER)")
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    assert not path.exists()
    storage.store_event(materialized("run-2", "day-2"))
    assert len(other.get_records_for_run("run-2").records) == 1
    assert "made_by_the_other" in {name for _, name, *_ in layout(path)[:-2]}


def test_deleting_a_run_and_wiping(storage: PooledSqliteEventLogStorage, tmp_path: Path) -> None:
    storage.store_event_batch([materialized(run, day) for run in ("run-1", "run-2") for day in days(3)])
    storage.delete_events("run-1")
    assert storage.get_records_for_run("run-1").records == []
    assert len(storage.get_records_for_run("run-2").records) == 3
    storage.wipe()
    assert storage.get_materialized_partitions(KEY) == set()
    storage.store_event_batch([materialized("run-2", day) for day in days(2)])
    assert len(storage.get_records_for_run("run-2").records) == 2


def test_a_wipe_by_another_process_is_noticed(storage: PooledSqliteEventLogStorage, tmp_path: Path) -> None:
    storage.store_event_batch([materialized("run-1", day) for day in days(3)])
    SqliteEventLogStorage(str(tmp_path)).wipe()
    storage.store_event_batch([materialized("run-1", day) for day in days(2)])
    assert len(storage.get_records_for_run("run-1").records) == 2
    assert SqliteEventLogStorage(str(tmp_path)).get_materialized_partitions(KEY) == set(days(2))


def test_the_parent_reads_while_the_connection_is_open(
    storage: PooledSqliteEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event_batch([materialized("run-1", day) for day in days(3)])
    assert len(SqliteEventLogStorage(str(tmp_path)).get_records_for_run("run-1").records) == 3


def _store_in_child(storage: PooledSqliteEventLogStorage) -> None:
    storage.store_event_batch([materialized("run-1", f"child-{number}") for number in range(3)])


def test_a_forked_process_opens_its_own_connections(storage: PooledSqliteEventLogStorage) -> None:
    storage.store_event_batch([materialized("run-1", day) for day in days(3)])
    child = multiprocessing.get_context("fork").Process(target=_store_in_child, args=(storage,))
    child.start()
    storage.store_event_batch([materialized("run-1", f"parent-{number}") for number in range(3)])
    child.join(30)
    assert child.exitcode == 0
    assert len(storage.get_materialized_partitions(KEY)) == 9


def test_threads_and_another_storage_write_at_the_same_time(
    storage: PooledSqliteEventLogStorage, tmp_path: Path
) -> None:
    other = PooledSqliteEventLogStorage(str(tmp_path))

    def write(target: PooledSqliteEventLogStorage, name: str) -> None:
        for number in range(20):
            target.store_event_batch([materialized("run-1", f"{name}-{number}-{day}") for day in days(5)])

    threads = [
        threading.Thread(target=write, args=(target, str(n)))
        for n, target in enumerate([storage, storage, other])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    other.dispose()
    assert len(storage.get_materialized_partitions(KEY)) == 300


def test_the_live_view_hears_of_a_write_by_another_process(
    storage: PooledSqliteEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event(materialized("run-1", "day-0"))
    heard, seen = threading.Event(), []

    def callback(entry: EventLogEntry, cursor: str) -> None:
        seen.append(entry)
        heard.set()

    storage.watch("run-1", None, callback)
    writer = PooledSqliteEventLogStorage(str(tmp_path))
    writer.store_event_batch([materialized("run-1", day) for day in days(4)])
    assert heard.wait(10)  # while the writer's connection is open
    storage.end_watch("run-1", callback)
    writer.dispose()
