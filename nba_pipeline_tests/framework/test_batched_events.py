"""`record_events`: every executor, every storage, and bodies that raise."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from nba_pipeline.orchestration.instance import events
from nba_pipeline.orchestration.instance.events import record_events
from nba_pipeline_tests.framework.events_job import DAYS, KEY, day_events, games, job

ALL_DAYS = list(DAYS.get_partition_keys())
RANGE = {
    "dagster/asset_partition_range_start": ALL_DAYS[0],
    "dagster/asset_partition_range_end": ALL_DAYS[-1],
}
PIPELINE_INSTANCE = {
    "instance_class": {
        "module": "nba_pipeline.orchestration.instance.pipeline_instance",
        "class": "PipelineInstance",
    }
}


def assert_recorded(instance: dg.DagsterInstance, days: list[str]) -> None:
    assert instance.event_log_storage.get_materialized_partitions(KEY) == set(days)
    infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(KEY, "contract")])
    assert {info.partition_key for info in infos if info.latest_execution_status.value == "SUCCEEDED"} == set(
        days
    )


@pytest.mark.parametrize("overrides", [PIPELINE_INSTANCE, {}], ids=["our storage", "default storage"])
def test_in_process(overrides: dict[str, Any]) -> None:
    with dg.instance_for_test(overrides=overrides) as instance:
        assert dg.materialize([games], instance=instance, tags=RANGE).success
        assert_recorded(instance, ALL_DAYS)
        assert len(instance.fetch_materializations(KEY, limit=1000).records) == len(
            ALL_DAYS
        )  # each stored once


def test_in_a_child_process_of_the_multiprocess_executor() -> None:
    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        with dg.execute_job(dg.reconstructable(job), instance=instance, tags=RANGE) as result:
            assert result.success
        assert_recorded(instance, ALL_DAYS)


def test_in_memory() -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert dg.materialize([games], instance=instance, tags=RANGE).success
    assert_recorded(instance, ALL_DAYS)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_what_came_before_an_error_is_stored(batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BATCH_SIZE", batch_size)

    def breaking() -> Iterator[Any]:
        yield from day_events(ALL_DAYS[:20])
        raise OSError("the source is gone")

    @dg.multi_asset(
        specs=[dg.AssetSpec(KEY, skippable=True)],
        check_specs=[dg.AssetCheckSpec("contract", asset=KEY, partitions_def=DAYS)],
        partitions_def=DAYS,
        can_subset=True,
    )
    def broken(context: dg.AssetExecutionContext) -> Iterator[Any]:
        record_events(context, breaking())
        yield from ()

    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        result = dg.materialize([broken], instance=instance, tags=RANGE, raise_on_error=False)
        assert "the source is gone" in str(result.failure_data_for_node("broken"))
        assert_recorded(instance, ALL_DAYS[:20])


def test_other_events_are_refused() -> None:
    @dg.asset
    def table(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from record_events(context, [dg.Output(1)])  # type: ignore[list-item]

    with pytest.raises(TypeError, match="not Output"):
        dg.materialize([table])


def test_the_entry_is_the_one_that_a_plain_yield_logs() -> None:
    """Same bytes but for the time and what an entry says twice: the stand-in for the step (`_Recorder`) has
    to follow Dagster's constructors. Of three evaluations that passed, the last is in the log."""

    def body(batched: bool) -> dg.AssetsDefinition:
        @dg.multi_asset(
            name="games",
            specs=[dg.AssetSpec(KEY, skippable=True)],
            check_specs=[dg.AssetCheckSpec("contract", asset=KEY, partitions_def=DAYS)],
            partitions_def=DAYS,
            can_subset=True,
        )
        def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
            given = [
                *day_events(ALL_DAYS[:3]),
                dg.AssetObservation(KEY, partition=ALL_DAYS[0], description="late"),
            ]
            if batched:
                record_events(context, given)
            else:
                yield from given

        return asset

    entries = []
    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        for batched in (True, False):
            result = dg.materialize([body(batched)], instance=instance, tags=RANGE)
            kinds = {"ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION"}
            logged = [
                e
                for e in instance.all_logs(result.run_id)
                if e.dagster_event and e.dagster_event.event_type_value in kinds
            ]
            entries.append([dg.serialize_value(_slim(e)).replace(result.run_id, "") for e in logged])
    ours, dagsters = entries
    assert len(dagsters) == 7
    assert [e for e in dagsters if e in ours] == ours
    assert all('"success": true' in e for e in dagsters if e not in ours)
    assert len(ours) == 7 - 2


def _slim(entry: Any) -> Any:
    empty = {
        "step_handle": None,
        "node_handle": None,
        "step_kind_value": None,
        "logging_tags": {},
        "pid": None,
    }
    return entry._replace(timestamp=0.0, user_message="", dagster_event=entry.dagster_event._replace(**empty))
