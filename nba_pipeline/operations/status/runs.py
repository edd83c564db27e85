"""Runs as the instance has recorded them, whoever started them: which days of which tables, from when to
when.

Belongs here: reading runs and the daemon's backfills, and questions about their times. Does not belong here:
what became of days (``state.py``), the time left (``watch.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG

from nba_pipeline.orchestration.launch import RANGE_END, RANGE_START
from nba_pipeline.orchestration.table_asset import asset_key
from nba_pipeline.ranges import span

_NEWEST = 500  # runs that are read: more than tell the speed
PAUSE_SECONDS = 180.0
"""Runs with no longer pause between them are one stretch of work; the daemon's pauses are half a minute."""


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


def asked_of_the_daemon(
    instance: dg.DagsterInstance, defs: dg.Definitions, tables: Iterable[str]
) -> dict[str, set[date]]:
    """The days of each table that backfills of the UI and of sensors which have not ended are to make."""
    found: dict[str, set[date]] = {name: set() for name in tables}
    graph = defs.get_repository_def().asset_graph
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        if backfill.is_asset_backfill:
            target = backfill.get_asset_backfill_data(graph).target_subset
            for name, days in found.items():
                if asset_key(name) in target.asset_keys:
                    days.update(
                        date.fromisoformat(k)
                        for k in target.get_partitions_subset(asset_key(name)).get_partition_keys()
                    )
    return found


def stretch(runs: Iterable[Ran], now: float) -> list[Ran]:
    """The runs of the work that goes on now, oldest first: back to the first longer pause."""
    found: list[Ran] = []
    began = now
    for run in sorted(runs, key=lambda r: r.ended or now, reverse=True):
        if began - (run.ended or now) > PAUSE_SECONDS:
            break
        found.append(run)
        began = min(began, run.began)
    return sorted(found, key=lambda r: r.began)


def at_once(runs: Sequence[Ran]) -> int:
    """The most runs that ran at the same time; 1 of none."""
    return max(
        (
            sum(r.began <= run.began and (r.ended is None or r.ended > run.began) for r in runs)
            for run in runs
        ),
        default=1,
    )


def idle_seconds(runs: Sequence[Ran], now: float) -> float:
    """How long none of the runs ran, since the first of them began."""
    idle, until = 0.0, None
    for run in sorted(runs, key=lambda r: r.began):
        idle += 0.0 if until is None else max(0.0, run.began - until)
        until = max(until or 0.0, run.ended or now)
    return idle + (0.0 if until is None else max(0.0, now - until))
