"""What the instance has recorded: the cells of a table, why days failed, runs, and backfills that have not
ended.

Belongs here: reading the instance. Does not belong here: what follows from it for a person
(``operations/status/``), what the pipeline itself keeps beside it (``instance/``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

import dagster as dg

from nba_pipeline.failures import FailureClass
from nba_pipeline.orchestration.dagster_private import (
    NOT_FINISHED_STATUSES,
    PARTITION_NAME_TAG,
    BulkActionsFilter,
    BulkActionStatus,
    get_and_update_asset_status_cache_value,
)
from nba_pipeline.orchestration.day_events import FAILURE_CLASS, FAILURE_MESSAGE, asset_key
from nba_pipeline.orchestration.launch import RANGE_END, RANGE_START
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.ranges import span

_NEWEST = 500  # runs that are read: more than tell the speed


def cells(
    instance: dg.DagsterInstance, table: str, partitions: dg.DailyPartitionsDefinition
) -> tuple[set[date], set[date], set[date]]:
    """(green, red, running) days as the UI shows them."""
    key = asset_key(table)
    cache = get_and_update_asset_status_cache_value(
        instance, key, partitions, dynamic_partitions_loader=instance
    )
    if cache is None:
        return set(), set(), set()
    subsets = (
        cache.deserialize_materialized_partition_subsets(partitions),
        cache.deserialize_failed_partition_subsets(partitions),
        cache.deserialize_in_progress_partition_subsets(partitions),
    )
    green, red, running = ({date.fromisoformat(k) for k in subset.get_partition_keys()} for subset in subsets)
    red = red - running - (green & interrupted_days(instance, table, red & green))
    return green - red - running, red, running


def interrupted_days(instance: dg.DagsterInstance, table: str, days: set[date]) -> set[date]:
    """Those of the days whose newest run was cancelled before it came to them. Dagster's cells call them
    failed."""
    key, storage = asset_key(table), instance.event_log_storage
    runs = {
        day: info.run_id
        for day in days
        if (info := storage.get_latest_planned_materialization_info(key, day.isoformat())) is not None
    }
    if not runs:
        return set()
    cancelled = dg.RunsFilter(run_ids=sorted(set(runs.values())), statuses=[dg.DagsterRunStatus.CANCELED])
    ids = {run.run_id for run in instance.get_runs(filters=cancelled)}
    return {day for day, run in runs.items() if run in ids}


_PAGE = 1000


def failures(instance: dg.DagsterInstance, table: str, red: set[date]) -> dict[date, Failed]:
    """The newest recorded explanation of each red day. A day that was only interrupted did not fail."""
    found: dict[date, Failed] = {}
    if not red:
        return found
    wanted = dg.AssetRecordsFilter(
        asset_key=asset_key(table), asset_partitions=[d.isoformat() for d in sorted(red)]
    )
    cursor = None
    while len(found) < len(red):
        page = instance.fetch_observations(wanted, limit=_PAGE, cursor=cursor)
        for record in page.records:
            observation = record.asset_observation
            if (
                observation is None
                or observation.partition is None
                or FAILURE_CLASS not in observation.metadata
            ):
                continue
            day = date.fromisoformat(observation.partition)
            if day not in found:
                found[day] = Failed(
                    day,
                    str(observation.metadata[FAILURE_CLASS].value),
                    str(observation.metadata[FAILURE_MESSAGE].value),
                )
        cursor = page.cursor
        if not page.has_more:
            break
    for day in red - set(found) - interrupted_days(instance, table, red - set(found)):
        found[day] = Failed(
            day,
            FailureClass.CODE_ERROR.value,
            "its run ended before it came to this day (stopped, killed or out of memory)",
        )
    return found


@dataclass(frozen=True)
class Ran:
    """A run of contiguous days. Times in seconds since the epoch; ``ended`` is None while it runs."""

    tables: tuple[str, ...]
    first: date
    last: date
    began: float
    ended: float | None = None

    @property
    def days(self) -> list[date]:
        return span(self.first, self.last)


def recent_runs(instance: dg.DagsterInstance, tables: Collection[str]) -> list[Ran]:
    """The newest runs of these tables that have begun, without those that were cancelled."""
    wanted = {asset_key(name): name for name in tables}
    found = []
    for record in instance.get_run_records(limit=_NEWEST):
        run = record.dagster_run
        first = run.tags.get(RANGE_START) or run.tags.get(PARTITION_NAME_TAG)
        names = tuple(sorted(wanted[key] for key in run.asset_selection or () if key in wanted))
        if (
            not names
            or first is None
            or record.start_time is None
            or run.status is dg.DagsterRunStatus.CANCELED
        ):
            continue
        last = run.tags.get(RANGE_END, first)
        found.append(
            Ran(
                names, date.fromisoformat(first), date.fromisoformat(last), record.start_time, record.end_time
            )
        )
    return found


_FELL_SHORT = [BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED]
_NEWEST = 100  # of the automation's there may be thousands


def asked_of_the_daemon(
    instance: dg.DagsterInstance, defs: dg.Definitions, tables: Iterable[str], fell_short: bool = False
) -> dict[str, set[date]]:
    """The days of each table that backfills of the UI and of sensors which have not ended are to make; with
    ``fell_short`` those of the newest ones that ended without having made all, and were not cancelled."""
    found: dict[str, set[date]] = {name: set() for name in tables}
    graph = defs.get_repository_def().asset_graph
    wanted = BulkActionsFilter(statuses=_FELL_SHORT if fell_short else [BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(filters=wanted, limit=_NEWEST if fell_short else None):
        if backfill.is_asset_backfill:
            target = backfill.get_asset_backfill_data(graph).target_subset
            for name, days in found.items():
                if asset_key(name) in target.asset_keys:
                    days.update(
                        date.fromisoformat(k)
                        for k in target.get_partitions_subset(asset_key(name)).get_partition_keys()
                    )
    return found


def active_runs(instance: dg.DagsterInstance) -> int:
    """How many runs have not finished."""
    return instance.get_runs_count(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
