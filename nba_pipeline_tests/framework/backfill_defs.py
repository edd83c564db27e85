"""A small graph in the project's protocol, loaded as a code location by the backfill tests.

`raw -> same_run` have equal policies, `raw -> own_run` different ones; `windowed` looks back three days and
has an identity dependency too, `window_only` has none.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.instance.events import record_events

DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-03-01")
BAD_DAY = "2024-02-10"


def key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["framework", name])


def table(
    name: str, days_per_run: int, deps: list[Any], bad: frozenset[str] = frozenset()
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name,
        specs=[dg.AssetSpec(key(name), deps=deps, skippable=True)],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.multi_run(days_per_run),
        can_subset=True,
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        days = set(context.partition_keys)
        if not days & bad:
            yield dg.Output(
                None, output_name=key(name).to_python_identifier()
            )  # F4: else `same_run` would be skipped
        else:
            record_events(
                context, [dg.AssetMaterialization(key(name), partition=day) for day in sorted(days - bad)]
            )
            yield from ()
            raise dg.Failure(f"bad days: {sorted(days & bad)}", allow_retries=False)

    return asset


LOOK_BACK = dg.TimeWindowPartitionMapping(
    start_offset=-3, end_offset=-1, allow_nonexistent_upstream_partitions=True
)

raw = table("raw", 31, [], bad=frozenset({BAD_DAY}))
same_run = table("same_run", 31, [key("raw")])
own_run = table("own_run", 20, [key("raw")])
slate = table("slate", 60, [])
windowed = table("windowed", 25, [dg.AssetDep(key("own_run"), partition_mapping=LOOK_BACK), key("slate")])
window_only = table("window_only", 26, [dg.AssetDep(key("own_run"), partition_mapping=LOOK_BACK)])

defs = dg.Definitions(
    assets=[raw, same_run, own_run, slate, windowed, window_only], executor=dg.in_process_executor
)
