"""The IO manager in real runs: outputs and inputs of ordinary assets, single days and ranges."""

from datetime import date

import dagster as dg
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import PipelineError
from nba_pipeline.orchestration.io_manager import Stored, WarehouseIOManager
from nba_pipeline.tables.render.frames import empty_frame
from nba_pipeline.warehouse.base import CorruptPartition
from nba_pipeline_tests.warehouse.support import TABLE, day, make_table, many, rows

DAILY = dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-11")
COPY = make_table("copies")
WINDOW = dg.TimeWindowPartitionMapping(start_offset=-2, end_offset=0)
RANGE = dg.BackfillPolicy.single_run()


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    return [date.fromisoformat(key) for key in context.partition_keys]


@dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY, backfill_policy=RANGE)
def box_scores(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return many(days_of(context))


@dg.asset(
    key_prefix="analytics",
    name="copies",
    partitions_def=DAILY,
    backfill_policy=RANGE,
    ins={"box_scores": dg.AssetIn(key=["analytics", "box_scores"])},
)
def copies(box_scores: pd.DataFrame) -> pd.DataFrame:
    return box_scores


@pytest.fixture
def run(store):
    instance = dg.DagsterInstance.ephemeral()
    resources = {"io_manager": WarehouseIOManager(store, [TABLE, COPY, TABLE.rejected()])}

    def materialize(
        assets, first: date | None = None, last: date | None = None, **options
    ) -> dg.ExecuteInProcessResult:
        if last is not None:
            options["tags"] = {
                "dagster/asset_partition_range_start": str(first),
                "dagster/asset_partition_range_end": str(last),
            }
        elif first is not None:
            options["partition_key"] = str(first)
        return dg.materialize(assets, instance=instance, resources=resources, **options)

    return materialize


def metadata_of(result: dg.ExecuteInProcessResult, name: str) -> dict[str, object]:
    event = next(iter(result.asset_materializations_for_node(f"analytics__{name}")))
    return {key: value.value for key, value in event.metadata.items()}


def test_one_day(run, store):
    result = run([box_scores], day(0))
    entry = store.manifest(TABLE)[day(0)]
    metadata = metadata_of(result, "box_scores")
    assert metadata["dagster/row_count"] == 3
    assert metadata["content_hash"] == entry.content_hash
    assert metadata["table"] == "analytics.box_scores"
    assert metadata["location"] == store.location(TABLE)
    assert_frame_equal(store.read(TABLE, [day(0)]), rows(day(0)))


def test_a_range_and_a_downstream_asset(run, store):
    result = run([box_scores, copies], day(0), day(4))
    days = [day(i) for i in range(5)]
    assert list(store.manifest(TABLE)) == days
    assert_frame_equal(store.read(COPY, days), many(days))
    metadata = metadata_of(result, "copies")
    assert (metadata["dagster/row_count"], metadata["days"], metadata["first_day"], metadata["last_day"]) == (
        15,
        5,
        "2024-01-01",
        "2024-01-05",
    )


def test_a_look_back_loads_the_mapped_days(run, store):
    seen = {}

    @dg.asset(
        key_prefix="analytics",
        name="copies",
        partitions_def=DAILY,
        ins={"history": dg.AssetIn(key=["analytics", "box_scores"], partition_mapping=WINDOW)},
        backfill_policy=RANGE,
    )
    def window(context: dg.AssetExecutionContext, history: pd.DataFrame) -> pd.DataFrame:
        seen[context.partition_keys[0]] = history
        return empty_frame(COPY)

    run([box_scores], day(0), day(9))
    for first, last, expected in [
        (day(5), None, range(3, 6)),
        (day(0), None, range(1)),
        (day(3), day(6), range(1, 7)),
    ]:
        run([box_scores, window], first, last, selection=[window])
        assert_frame_equal(seen[str(first)], many([day(i) for i in expected]))


def test_an_unpartitioned_asset_reads_all_days(store):
    seen = []
    options = {"columns": ["points", "game_date"], "allow_missing_partitions": True}

    @dg.asset(
        ins={"everything": dg.AssetIn(key=["analytics", "box_scores"], metadata=options)},
        io_manager_key="other",
    )
    def total(everything: pd.DataFrame) -> None:
        seen.append(everything)

    store.replace_range(TABLE, many([day(1), day(2)]), [day(1), day(2)])
    resources = {"io_manager": WarehouseIOManager(store, [TABLE]), "other": dg.mem_io_manager}
    dg.materialize(
        [box_scores, total], selection=[total], resources=resources, instance=dg.DagsterInstance.ephemeral()
    )
    assert_frame_equal(seen[0], many([day(1), day(2)])[["points", "game_date"]])


def test_missing_days_of_an_input_are_named(run, store):
    store.replace_range(TABLE, many([day(0)]), [day(0)])
    with pytest.raises(PipelineError, match=r"box_scores lacks 2 of the 3 days.*2024-01-02, 2024-01-03"):
        run([box_scores, copies], day(0), day(2), selection=[copies])


def test_a_mapping_of_days(run, store):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY, backfill_policy=RANGE)
    def by_day(context: dg.AssetExecutionContext) -> dict:
        return {d: rows(d) if d != day(1) else empty_frame(TABLE) for d in days_of(context)}

    run([by_day], day(0), day(2))
    assert [e.row_count for e in store.manifest(TABLE).values()] == [3, 0, 3]

    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY, backfill_policy=RANGE)
    def too_few() -> dict:
        return {str(day(3)): rows(day(3)), "2024-01-09": rows(day(8))}

    with pytest.raises(dg.DagsterInvariantViolationError, match="wrong: 2024-01-05, 2024-01-09"):
        run([too_few], day(3), day(4))
    assert len(store.manifest(TABLE)) == 3


def test_what_is_stored_already_is_described_and_not_written(run, store, monkeypatch):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY, backfill_policy=RANGE)
    def protocol(context: dg.AssetExecutionContext):
        result = store.replace_range(TABLE, empty_frame(TABLE), days_of(context), reasons={day(0): "off_day"})
        monkeypatch.setattr(store, "replace_range", lambda *_: pytest.fail("written twice"))
        yield dg.Output(Stored(TABLE, result.entries))

    metadata = metadata_of(run([protocol], day(0)), "box_scores")
    assert (metadata["dagster/row_count"], metadata["empty_because"]) == (0, "off_day")


def test_stored_entries_of_another_table_are_refused(run, store):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY)
    def confused():
        yield dg.Output(Stored(COPY, {}))

    with pytest.raises(dg.DagsterInvariantViolationError, match=r"handed over entries of analytics.copies"):
        run([confused], day(0))


def test_an_asset_without_a_table(run):
    @dg.asset(key_prefix="analytics", partitions_def=DAILY)
    def undeclared() -> pd.DataFrame:
        return rows(day(0))

    with pytest.raises(
        dg.DagsterInvariantViolationError, match="asset analytics/undeclared has no declared table"
    ):
        run([undeclared], day(0))


def test_an_asset_without_partitions(run):
    @dg.asset(key_prefix="analytics", name="box_scores")
    def unpartitioned() -> pd.DataFrame:
        return rows(day(0))

    with pytest.raises(dg.DagsterInvariantViolationError, match="box_scores has no partitions"):
        run([unpartitioned])


def test_an_asset_with_other_partitions(run):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def static() -> pd.DataFrame:
        return rows(day(0))

    with pytest.raises(dg.DagsterInvariantViolationError, match=r"'a' of analytics.box_scores is not a day"):
        run([static], partition_key="a")


def test_an_asset_that_returns_something_else(run, store):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY)
    def other() -> list:
        return [1]

    with pytest.raises(dg.DagsterInvariantViolationError, match="box_scores returned list"):
        run([other], day(0))
    assert store.manifest(TABLE) == {}


def test_rows_of_another_day_fail_the_run_and_store_nothing(run, store):
    @dg.asset(key_prefix="analytics", name="box_scores", partitions_def=DAILY)
    def stray() -> pd.DataFrame:
        return many([day(0), day(1)])

    with pytest.raises(PipelineError, match="rows of 2024-01-02"):
        run([stray], day(0))
    assert store.manifest(TABLE) == {}


def test_a_damaged_day_stops_only_those_who_read_it(parquet):
    parquet.replace_range(TABLE, many([day(1), day(2)]), [day(1), day(2)])
    parquet.path(TABLE, day(1)).write_bytes(b"")
    run = {
        "resources": {"io_manager": WarehouseIOManager(parquet, [TABLE, COPY])},
        "instance": dg.DagsterInstance.ephemeral(),
    }
    dg.materialize([box_scores, copies], selection=[copies], partition_key=str(day(2)), **run)
    with pytest.raises(CorruptPartition, match="2024-01-02"):
        dg.materialize([box_scores, copies], selection=[copies], partition_key=str(day(1)), **run)
