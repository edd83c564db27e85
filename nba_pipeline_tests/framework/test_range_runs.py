"""Facts F1 and F4 to F7, and what our status command relies on: what one run over many days records.

Each test is named after the fact it pins, so that a Dagster release that changes one fails here by name.
"""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_spec import AssetCheckKey
from dagster._core.definitions.data_version import extract_data_version_from_entry
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from nba_pipeline.orchestration.instance.events import record_events

DAYS = dg.DailyPartitionsDefinition(start_date="2021-10-19", end_date="2026-01-04")
ALL_DAYS = list(DAYS.get_partition_keys())  # 1,538: the real number
FEW_DAYS = ALL_DAYS[:20]
BAD_DAYS = {"2022-02-18", "2023-11-05", "2024-03-07"}
KEY = dg.AssetKey(["nba_analytics", "player_game_summary"])
PIPELINE_INSTANCE = {
    "instance_class": {
        "module": "nba_pipeline.orchestration.instance.pipeline_instance",
        "class": "PipelineInstance",
    }
}
Body = Callable[[dg.AssetExecutionContext], Iterator[Any]]


def asset(
    body: Body, key: dg.AssetKey = KEY, checks_by_day: bool = True, deps: list[Any] | None = None
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=key.path[-1],
        specs=[dg.AssetSpec(key, deps=deps, skippable=True)],
        check_specs=[
            dg.AssetCheckSpec("contract", asset=key, partitions_def=DAYS if checks_by_day else None)
        ],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def definition(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from body(context)

    return definition


def good_days_then_failure(bad: set[str]) -> Body:
    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        record_events(context, day_events(list(context.partition_keys), bad))
        yield from ()
        if set(context.partition_keys) & bad:
            raise dg.Failure(f"{len(bad)} days failed", allow_retries=False)

    return body


def day_events(days: list[str], bad: set[str]) -> Iterator[Any]:
    for day in days:
        yield dg.AssetCheckEvaluation(
            asset_key=KEY, check_name="contract", passed=day not in bad, partition=day, metadata={"rows": 88}
        )
        if day in bad:
            yield dg.AssetObservation(KEY, partition=day, metadata={"failure_class": "impossible_value"})
        else:
            yield dg.AssetMaterialization(KEY, partition=day, tags={"dagster/data_version": f"hash-{day}"})


def run_range(
    instance: dg.DagsterInstance, assets: list[Any], days: list[str], **options: Any
) -> dg.ExecuteInProcessResult:
    tags = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
    return dg.materialize(assets, instance=instance, tags=tags, raise_on_error=False, **options)


def cells(instance: dg.DagsterInstance) -> tuple[set[str], set[str]]:
    cache = get_and_update_asset_status_cache_value(instance, KEY, DAYS)
    assert cache is not None
    green = cache.deserialize_materialized_partition_subsets(DAYS).get_partition_keys()
    return set(green), set(cache.deserialize_failed_partition_subsets(DAYS).get_partition_keys())


@pytest.fixture(scope="module")
def whole_history(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dg.DagsterInstance, dg.ExecuteInProcessResult]]:
    with dg.instance_for_test(
        temp_dir=str(tmp_path_factory.mktemp("home")), overrides=PIPELINE_INSTANCE
    ) as instance:
        yield instance, run_range(instance, [asset(good_days_then_failure(BAD_DAYS))], ALL_DAYS)


def test_f1_a_failed_range_run_leaves_exactly_the_bad_days_red(whole_history: Any) -> None:
    instance, result = whole_history
    assert not result.success
    green, red = cells(instance)
    assert red == BAD_DAYS
    assert green == set(ALL_DAYS) - BAD_DAYS


def test_f1_a_day_that_was_green_before_is_failed_after_a_later_failed_run() -> None:
    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        run_range(instance, [asset(good_days_then_failure(set()))], FEW_DAYS)
        assert cells(instance) == (set(FEW_DAYS), set())
        run_range(instance, [asset(good_days_then_failure({FEW_DAYS[3]}))], FEW_DAYS[2:5])
        green, red = cells(instance)
        assert red == {FEW_DAYS[3]}
        assert (
            FEW_DAYS[3] in green
        )  # both: Dagster keeps the older materialization, so `status` looks at failed days first
        run_range(instance, [asset(good_days_then_failure(set()))], FEW_DAYS[3:4])
        assert cells(instance) == (set(FEW_DAYS), set())


def test_an_observation_of_a_failed_day_is_found_by_its_partition(whole_history: Any) -> None:
    instance, _ = whole_history
    for day in BAD_DAYS:
        records = instance.fetch_observations(
            dg.AssetRecordsFilter(KEY, asset_partitions=[day]), limit=5
        ).records
        assert [record.partition_key for record in records] == [day]
        assert records[0].asset_observation.metadata["failure_class"].value == "impossible_value"
    assert len(instance.fetch_observations(KEY, limit=10).records) == len(BAD_DAYS)


@pytest.mark.parametrize("good_output", [False, True])
def test_f4_a_step_without_an_output_skips_its_downstream_in_the_same_run(good_output: bool) -> None:
    child_key = dg.AssetKey("child")
    ran = []

    def parent(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if good_output:
            yield dg.Output(None, output_name=KEY.to_python_identifier())
        else:
            record_events(context, day_events(list(context.partition_keys), set()))
            yield from ()

    def child(context: dg.AssetExecutionContext) -> Iterator[Any]:
        ran.append(list(context.partition_keys))
        yield dg.AssetMaterialization(child_key, partition=context.partition_keys[0])

    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        result = run_range(instance, [asset(parent), asset(child, child_key, deps=[KEY])], FEW_DAYS)
        skipped = [event.step_key for event in result.get_step_skipped_events()]
    assert (ran, skipped) == (([FEW_DAYS], []) if good_output else ([], ["child"]))


class RaisingIOManager(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: Any) -> Any:
        yield dg.AssetMaterialization(KEY, partition=FEW_DAYS[0])
        raise dg.Failure("one day could not be written")

    def load_input(self, context: dg.InputContext) -> None:
        raise NotImplementedError


def test_f5_materializations_yielded_by_an_io_manager_that_raises_are_lost() -> None:
    @dg.asset(
        key=KEY, partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run(), io_manager_key="raising"
    )
    def table() -> int:
        return 1

    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        result = run_range(instance, [table], FEW_DAYS, resources={"raising": RaisingIOManager()})
        assert not result.success
        assert instance.fetch_materializations(KEY, limit=10).records == []


def test_f6_a_tag_on_the_event_is_the_days_data_version(whole_history: Any) -> None:
    instance, _ = whole_history
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    tags = instance.event_log_storage.get_latest_tags_by_partition(KEY, kind, ["dagster/data_version"])
    assert {day: tag["dagster/data_version"] for day, tag in tags.items()} == {
        day: f"hash-{day}" for day in set(ALL_DAYS) - BAD_DAYS
    }
    event = instance.get_latest_data_version_record(KEY, partition_key=ALL_DAYS[7])
    assert event is not None
    assert extract_data_version_from_entry(event.event_log_entry) == dg.DataVersion(f"hash-{ALL_DAYS[7]}")


def test_f7_check_evaluations_of_a_range_run_are_recorded_per_day(whole_history: Any) -> None:
    instance, _ = whole_history
    check = AssetCheckKey(KEY, "contract")
    infos = instance.event_log_storage.get_asset_check_partition_info([check])
    failed = {
        info.partition_key
        for info in infos
        if info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
    }
    assert {info.partition_key for info in infos} == set(ALL_DAYS)
    assert failed == BAD_DAYS
    history = instance.event_log_storage.get_asset_check_execution_history(
        check, limit=5, partition_filter=PartitionKeyFilter(key=sorted(BAD_DAYS)[0])
    )
    assert [record.status for record in history] == [AssetCheckExecutionRecordStatus.FAILED]


def test_f7_a_check_without_partitions_def_is_recorded_without_a_day() -> None:
    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.AssetCheckResult(asset_key=KEY, check_name="contract", passed=True)

    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        dg.materialize([asset(body, checks_by_day=False)], instance=instance, partition_key=FEW_DAYS[0])
        history = instance.event_log_storage.get_asset_check_execution_history(
            AssetCheckKey(KEY, "contract"), limit=5
        )
        done = [record for record in history if record.status == AssetCheckExecutionRecordStatus.SUCCEEDED]
        assert [record.partition for record in done] == [None]
