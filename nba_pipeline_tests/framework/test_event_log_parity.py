"""`PooledSqliteEventLogStorage` stores what its parent stores: the same events through both, then every table
compared. Two differences are meant: rows of planned checks do not repeat their event, and an evaluation gets
a new row instead of its planned one's."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.definitions.asset_checks.asset_check_spec import AssetCheckKey
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    DagsterEvent,
    StepMaterializationData,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from nba_pipeline.orchestration.instance.event_log import PooledSqliteEventLogStorage

DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-13")
KEYS = [dg.AssetKey(["nba_raw", "games"]), dg.AssetKey(["nba_analytics", "player_game_summary"])]
CHECKS = ["contract", "conservation"]
TABLES = ["event_logs", "asset_keys", "asset_event_tags", "asset_check_executions"]
NOW_COLUMNS = {"create_timestamp"}  # set by the database's clock


def entry(run_id: str, time: float, kind: dg.DagsterEventType, data: Any, message: str = "") -> EventLogEntry:
    event = DagsterEvent(
        kind.value,
        "a_job",
        event_specific_data=data,
        message=message,
        step_key="a_step",
        logging_tags={"run_id": run_id},
    )
    return EventLogEntry(None, 10, message, run_id, time, "a_step", "a_job", event)


def planned_events(run_id: str) -> Iterator[EventLogEntry]:
    subset = (
        DAYS.empty_subset()
        .with_partition_key_range(DAYS, dg.PartitionKeyRange("2024-01-01", "2024-01-12"))
        .to_serializable_subset()
    )
    for key in KEYS:
        for day in DAYS.get_partition_keys():
            yield entry(
                run_id,
                1.5,
                dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
                AssetMaterializationPlannedData(key, day),
            )
    for name in CHECKS:  # only for the first asset: the second one's evaluations have no planned row
        yield entry(
            run_id,
            1.5,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
            AssetCheckEvaluationPlanned(asset_key=KEYS[0], check_name=name, partitions_subset=subset),
        )


def day_events(run_id: str, days: list[str]) -> Iterator[EventLogEntry]:
    for number, day in enumerate(days):
        for key in KEYS:
            for name in CHECKS:
                evaluation = dg.AssetCheckEvaluation(
                    asset_key=key,
                    check_name=name,
                    passed=number % 3 > 0,
                    partition=day,
                    metadata={"rows": number},
                    description='a "quoted" name: Jokić',
                )
                yield entry(
                    run_id,
                    10.25 + number,
                    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
                    evaluation,
                    f"{name} of {day}",
                )
            materialization = dg.AssetMaterialization(
                key, partition=day, metadata={"rows": 1.5}, tags={"dagster/data_version": f"v{day}"}
            )
            yield entry(
                run_id,
                10.5 + number,
                dg.DagsterEventType.ASSET_MATERIALIZATION,
                StepMaterializationData(materialization),
                f"{key} {day}",
            )
        observation = dg.AssetObservation(KEYS[0], partition=day, tags={"dagster/data_version": f"o{day}"})
        yield entry(
            run_id, 10.75 + number, dg.DagsterEventType.ASSET_OBSERVATION, AssetObservationData(observation)
        )
        yield EventLogEntry(
            None, 20, f"a plain log line of {day}", run_id, 10.8 + number, "a_step", "a_job", None
        )


def batches() -> list[list[EventLogEntry]]:
    days = list(DAYS.get_partition_keys())
    first, second = list(day_events("run-1", days)), list(day_events("run-2", days[:7]))
    mixed = [
        event for pair in zip(first[:40], second[:40], strict=False) for event in pair
    ]  # two runs in one batch
    success = entry("run-1", 90.0, dg.DagsterEventType.RUN_SUCCESS, None, "run status events are mirrored")
    return [
        list(planned_events("run-1")),
        mixed,
        [*first[40:], success],
        second[40:],
        list(planned_events("run-3")),
    ]


def dump(folder: Path) -> dict[str, list[tuple]]:
    rows = {}
    for path in sorted(folder.glob("*.db")):
        with sqlite3.connect(path) as connection:
            for table in TABLES:
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                columns = [column for column in columns if column not in NOW_COLUMNS]
                order = "id"
                if table == "asset_check_executions":
                    columns.remove("id")
                    event = "CASE execution_status WHEN 'PLANNED' THEN NULL ELSE evaluation_event END"
                    columns[columns.index("evaluation_event")] = event
                    order = "asset_key, check_name, run_id, partition"
                rows[f"{path.name}.{table}"] = connection.execute(
                    f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"
                ).fetchall()
    return rows


@pytest.fixture(scope="module")
def storages(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EventLogStorage, EventLogStorage, Path]]:
    folder = tmp_path_factory.mktemp("parity")
    parent = SqliteEventLogStorage(str(folder / "parent"))
    pooled = PooledSqliteEventLogStorage(str(folder), subfolder="pooled")
    instance = dg.DagsterInstance.ephemeral()
    parent.register_instance(instance)
    pooled.register_instance(instance)
    for batch in batches():
        for event in batch:
            parent.store_event(event)
        pooled.store_event_batch(batch)
    yield parent, pooled, folder
    pooled.dispose()


def test_every_row_of_every_table_is_the_parents(
    storages: tuple[EventLogStorage, EventLogStorage, Path],
) -> None:
    _, _, folder = storages
    parent, pooled = dump(folder / "parent"), dump(folder / "pooled")
    assert parent.keys() == pooled.keys()
    assert len(parent["index.db.asset_check_executions"]) > 50
    for table in parent:
        assert pooled[table] == parent[table], table


def test_queries_answer_the_same(storages: tuple[EventLogStorage, EventLogStorage, Path]) -> None:
    parent, pooled, _ = storages
    days = list(DAYS.get_partition_keys())

    def answers(storage: EventLogStorage) -> list[object]:
        check = AssetCheckKey(KEYS[0], "contract")
        return [
            storage.get_records_for_run("run-1"),
            storage.get_records_for_run("run-2", of_type=dg.DagsterEventType.ASSET_MATERIALIZATION),
            [storage.get_materialized_partitions(key) for key in KEYS],
            storage.fetch_materializations(
                dg.AssetRecordsFilter(KEYS[1], asset_partitions=days[3:5]), limit=10
            ),
            storage.get_latest_tags_by_partition(
                KEYS[1], dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
            ),
            storage.get_latest_storage_id_by_partition(KEYS[1], dg.DagsterEventType.ASSET_MATERIALIZATION),
            storage.get_latest_asset_partition_materialization_attempts_without_materializations(KEYS[0]),
            sorted(
                (_plain(record) for record in storage.get_asset_check_execution_history(check, limit=100)),
                key=lambda record: (record.run_id, record.partition),
            ),
            [
                _plain(record)
                for record in storage.get_asset_check_execution_history(
                    check, 9, partition_filter=PartitionKeyFilter(key=days[2])
                )
            ],
            storage.get_asset_check_partition_info([check]),
            [record.asset_entry for record in storage.get_asset_records(KEYS)],
            storage.get_stats_for_run("run-1"),
        ]

    for ours, theirs in zip(answers(pooled), answers(parent), strict=True):
        assert ours == theirs
        assert ours


def _plain(record: Any) -> Any:
    planned = record.status.value == "PLANNED"
    return record._replace(id=0, create_timestamp=0, event=None if planned else record.event)


def test_day_events_keep_one_copy_of_what_passed(tmp_path: Path) -> None:
    """The status of every day, every failed evaluation and every other event are there; of the evaluations
    that passed, the log has each check's last one, so that a run still says which checks it evaluated."""
    pooled = PooledSqliteEventLogStorage(str(tmp_path))
    pooled.register_instance(dg.DagsterInstance.ephemeral())
    days = list(DAYS.get_partition_keys())
    pooled.store_event_batch(list(planned_events("run-1")))
    pooled.store_day_events(list(day_events("run-1", days)))
    pooled.store_event(entry("run-1", 99.0, dg.DagsterEventType.RUN_SUCCESS, None))

    history = pooled.get_asset_check_execution_history(AssetCheckKey(KEYS[0], "contract"), limit=100)
    assert {r.partition: r.status.value for r in history} == {
        day: "SUCCEEDED" if number % 3 else "FAILED" for number, day in enumerate(days)
    }
    assert all(r.evaluation and r.evaluation.metadata["rows"].value in range(12) for r in history)
    logged = [e.dagster_event for e in pooled.get_logs_for_run("run-1") if e.dagster_event]
    evaluations = [e.event_specific_data for e in logged if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert sum(not e.passed for e in evaluations) == 4 * 4
    assert [e.partition for e in evaluations if e.passed] == [days[-1]] * 4
    assert sum(e.event_type_value == "ASSET_MATERIALIZATION" for e in logged) == 2 * len(days)
    ids = [i.latest_check_event_storage_id for i in pooled.get_asset_check_partition_info([history[0].key])]
    assert len(set(ids)) == len(days)
    assert max(ids) < pooled.get_maximum_record_id()  # no id is given twice
    pooled.dispose()
