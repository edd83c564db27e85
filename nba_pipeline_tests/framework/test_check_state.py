"""The states of partitioned checks that our storage keeps are those that Dagster works out anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionResolvedStatus as Status
from dagster._core.storage.asset_check_state import AssetCheckState, bulk_update_asset_check_state
from dagster._core.storage.event_log.base import EventLogStorage
from dagster_shared.record import replace

from nba_pipeline.orchestration.instance import check_state
from nba_pipeline.orchestration.instance.pipeline_instance import PipelineInstance

from .test_event_log_parity import CHECKS, DAYS, KEYS, day_events, planned_events

KEYS_AND_DAYS = [(dg.AssetCheckKey(key, name), DAYS) for key in KEYS for name in CHECKS]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    overrides = {
        "instance_class": {"module": PipelineInstance.__module__, "class": PipelineInstance.__name__}
    }
    with dg.instance_for_test(overrides=overrides, temp_dir=str(tmp_path)) as made:
        yield made


def plain(states: dict[dg.AssetCheckKey, AssetCheckState]) -> dict[tuple[str, str, str], list[str]]:
    found = {}
    for check, state in states.items():
        named = {status.value: subset for status, subset in state.subsets.items()} | dict(
            state.in_progress_runs
        )
        for name, subset in named.items():
            days = sorted(subset.subset_value.get_partition_keys())
            if days:
                found[(check.asset_key.to_user_string(), check.name, name)] = days
    return found


def both(instance: dg.DagsterInstance) -> tuple[dict, dict]:
    empty = {check: AssetCheckState.empty() for check, _ in KEYS_AND_DAYS}
    storage = instance.event_log_storage
    return (
        plain(storage.get_asset_check_state(KEYS_AND_DAYS)),
        plain(bulk_update_asset_check_state(instance, KEYS_AND_DAYS, empty)),
    )


def evaluations(storage: EventLogStorage, run_id: str, days: list[str]) -> list[EventLogEntry]:
    """Evaluations of the newest materializations of these days."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    newest = {key: storage.get_latest_storage_id_by_partition(key, kind) for key in KEYS}
    entries = []
    for entry in day_events(run_id, days):
        event = entry.dagster_event
        if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
            data: Any = event.event_specific_data
            target = Target(storage_id=newest[data.asset_key][data.partition], run_id=run_id, timestamp=1.0)
            named = replace(data, target_materialization_data=target)
            entries.append(entry._replace(dagster_event=event._replace(event_specific_data=named)))
    return entries


def test_states_are_dagsters_own_after_every_step(instance: dg.DagsterInstance) -> None:
    days = list(DAYS.get_partition_keys())
    storage = instance.event_log_storage
    ours, dagsters = both(instance)
    assert ours == dagsters == {}
    seen = []
    for run, status in (("run-1", dg.DagsterRunStatus.STARTED), ("run-2", dg.DagsterRunStatus.STARTED)):
        instance.add_run(dg.DagsterRun("a_job", run_id=run, status=status))
    steps = [
        list(planned_events("run-1")),
        list(day_events("run-1", days[:5])),
        list(planned_events("run-2")),
        list(day_events("run-2", days[2:8])),
    ]
    for events in steps:
        storage.store_event_batch(events)
        ours, dagsters = both(instance)
        assert ours == dagsters
        seen.append(ours)
    for part in (days[:3], days[3:7]):
        storage.store_day_events(evaluations(storage, "run-2", part))
        ours, dagsters = both(instance)
        assert ours == dagsters
        seen.append(ours)
    assert len({str(state) for state in seen}) == len(seen)  # each step changed something
    for run, event in (
        ("run-1", dg.DagsterEventType.RUN_FAILURE),
        ("run-2", dg.DagsterEventType.RUN_SUCCESS),
    ):
        instance.report_dagster_event(dg.DagsterEvent(event.value, "a_job", message="ended"), run_id=run)
        ours, dagsters = both(instance)
        assert ours == dagsters
    kinds = {name for _, _, name in ours}
    assert {Status.SUCCEEDED.value, Status.FAILED.value, Status.SKIPPED.value} <= kinds
    instance.delete_run("run-2")
    ours, dagsters = both(instance)
    assert ours == dagsters


def test_only_checks_of_tables_with_new_events_are_read_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[dg.AssetCheckKey] = []
    original = check_state._state
    monkeypatch.setattr(
        check_state, "_state", lambda check, *rest: built.append(check) or original(check, *rest)
    )
    days = list(DAYS.get_partition_keys())
    instance.add_run(dg.DagsterRun("a_job", run_id="run-1"))
    storage = instance.event_log_storage
    storage.store_day_events(list(day_events("run-1", days)))
    storage.get_asset_check_state(KEYS_AND_DAYS)
    assert len(built) == len(KEYS_AND_DAYS)
    built.clear()
    storage.get_asset_check_state(KEYS_AND_DAYS)
    assert built == []
    of_one = evaluations(storage, "run-1", days[:3])
    storage.store_day_events([e for e in of_one if e.dagster_event.event_specific_data.asset_key == KEYS[1]])
    storage.get_asset_check_state(KEYS_AND_DAYS)
    assert {check.asset_key for check in built} == {KEYS[1]}
