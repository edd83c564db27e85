"""Executing a backfill in this process: table by table in dependency order, range by range, in the Dagster instance.

Belongs here: running ranges and keeping count of what became of each day.
Does not belong here: deciding what to run (``plan.py``), printing (``cli/``), what a run does (``assets/``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.assets.partitioned import FAILURE_CLASS, FAILURE_MESSAGE, asset_key, op_name
from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.graph import blocked_days
from nba_pipeline.operations.launch import execute_range
from nba_pipeline.operations.ranges import contiguous, span
from nba_pipeline.operations.state import Failed
from nba_pipeline.partitions import MAX_DAYS_PER_RUN


@dataclass
class TableResult:
    """What a backfill did to one table. Every requested day is in exactly one of good, failed and blocked."""

    table: str
    requested: int
    rows: int = 0
    seconds: float = 0.0
    good: set[date] = field(default_factory=set)
    empty: dict[str, int] = field(default_factory=dict)
    failed: dict[date, Failed] = field(default_factory=dict)
    blocked: dict[date, str] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Backfill:
    """A request: days per table, in dependency order."""

    plans: Sequence[TablePlan]
    days: Mapping[str, Collection[date]]
    on_invalid_rows: str = "fail"


Listener = Callable[[TableResult, int], None]
"""Called after each range with the table's result so far and the number of days that range settled."""


def execute(
    defs: dg.Definitions, instance: dg.DagsterInstance, backfill: Backfill, listener: Listener | None = None
) -> dict[str, TableResult]:
    """Run the request; a day that a failed or blocked day stands before is not tried."""
    results: dict[str, TableResult] = {}
    bad: dict[str, set[date]] = {}
    for plan in backfill.plans:
        days = sorted(backfill.days.get(plan.table, ()))
        result = results[plan.table] = TableResult(plan.table, len(days))
        start = time.perf_counter()
        result.blocked = blocked_days(plan, days, bad)
        if result.blocked and listener:
            listener(result, len(result.blocked))
        for first, last in contiguous((d for d in days if d not in result.blocked), MAX_DAYS_PER_RUN):
            _run(defs, instance, plan, first, last, backfill.on_invalid_rows, result)
            result.seconds = time.perf_counter() - start
            if listener:
                listener(result, (last - first).days + 1)
        bad[plan.table] = {*result.failed, *result.blocked}
    return results


def _run(
    defs: dg.Definitions, instance: dg.DagsterInstance, plan: TablePlan, first: date, last: date, on_invalid_rows: str, result: TableResult
) -> None:
    run_config = {"ops": {op_name(plan.table): {"config": {"on_invalid_rows": on_invalid_rows}}}}
    run = execute_range(defs, instance, asset_key(plan.table), first, last, run_config)
    result.run_ids.append(run.run_id)
    for event in run.events:
        _note(event, result)
    unsettled = {d for d in span(first, last) if d not in result.good and d not in result.failed}
    for day in unsettled:
        result.failed[day] = Failed(day, FailureClass.CODE_ERROR.value, f"run {run.run_id} ended before it came to this day; see its log")


def _note(event: dg.DagsterEvent, result: TableResult) -> None:
    if event.is_step_materialization:
        data: Any = event.step_materialization_data.materialization
        if data.partition is None or date.fromisoformat(data.partition) in result.good:
            return
        result.good.add(date.fromisoformat(data.partition))
        rows = int(data.metadata["row_count"].value) if "row_count" in data.metadata else 0
        result.rows += rows
        if "reason" in data.metadata:
            reason = str(data.metadata["reason"].value)
            result.empty[reason] = result.empty.get(reason, 0) + 1
    elif event.is_asset_observation:
        seen = event.asset_observation_data.asset_observation
        if seen.partition is not None and FAILURE_CLASS in seen.metadata:
            day = date.fromisoformat(seen.partition)
            result.failed[day] = Failed(day, str(seen.metadata[FAILURE_CLASS].value), str(seen.metadata[FAILURE_MESSAGE].value))


def results_json(results: Mapping[str, TableResult]) -> dict[str, Any]:
    """The documented, stable JSON of `nba-pipeline backfill --json` and `retry --json`."""
    return {
        "tables": {
            name: {
                "requested": r.requested,
                "materialized": len(r.good),
                "empty": dict(sorted(r.empty.items())),
                "failed": [
                    {"date": f.day.isoformat(), "class": f.failure_class, "message": f.message} for _, f in sorted(r.failed.items())
                ],
                "blocked": [d.isoformat() for d in sorted(r.blocked)],
                "rows": r.rows,
                "seconds": round(r.seconds, 3),
                "run_ids": r.run_ids,
            }
            for name, r in results.items()
        }
    }
