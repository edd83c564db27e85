"""A job that a child process of the multiprocess executor can load, for test_batched_events.py."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.instance.events import record_events

DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-02-01")
KEY = dg.AssetKey("games")


@dg.multi_asset(
    specs=[dg.AssetSpec(KEY, skippable=True)],
    check_specs=[dg.AssetCheckSpec("contract", asset=KEY, partitions_def=DAYS)],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
)
def games(context: dg.AssetExecutionContext) -> Iterator[Any]:
    record_events(context, day_events(list(context.partition_keys)))
    yield from ()


def day_events(days: list[str]) -> Iterator[Any]:
    for day in days:
        yield dg.AssetCheckEvaluation(asset_key=KEY, check_name="contract", passed=True, partition=day)
        yield dg.AssetMaterialization(KEY, partition=day, tags={"dagster/data_version": day})


def job() -> dg.JobDefinition:
    return dg.Definitions(
        assets=[games], jobs=[dg.define_asset_job("all_games", selection=[games])]
    ).resolve_job_def("all_games")
