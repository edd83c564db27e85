"""Executing a backfill: its tasks in dependency order, recorded in the Dagster instance, every day accounted
for.

Belongs here: scheduling tasks, running ranges in this process, keeping count of what became of each day. Does
not belong here: cutting requests into tasks (``tasks.py``), other processes (``workers.py``), printing
(``cli/``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.backfill.interrupt import Stop
from nba_pipeline.operations.backfill.requests import save_request
from nba_pipeline.operations.backfill.tasks import Backfill, Task, TaskResult, ready, tasks_of
from nba_pipeline.operations.graph import days_depending_on
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.launch import execute_range
from nba_pipeline.orchestration.table_asset import op_name, outcome_listener
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.rangerun.outcome import RangeOutcome
from nba_pipeline.ranges import contiguous, span

if TYPE_CHECKING:
    import dagster as dg

Ranges = Sequence[tuple[date, date]]


@dataclass
class TableResult:
    """What a backfill did to one table. Every requested day is in exactly one of good, failed and blocked; in
    none of them if the backfill was interrupted before it came to the day.

    ``seconds`` is the time spent in the table's runs; tables that ran side by side add up to more than the
    clock's time.
    """

    table: str
    requested: int
    rows: int = 0
    seconds: float = 0.0
    good: set[date] = field(default_factory=set)
    empty: dict[str, int] = field(default_factory=dict)
    failed: dict[date, Failed] = field(default_factory=dict)
    blocked: dict[date, str] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)


Listener = Callable[[TableResult, int], None]
"""Called after each task with the table's result so far and the number of days that the task settled."""


class Runner(Protocol):
    """Where ranges run. ``slots``: how many tasks at once; ``instance``: where they are recorded."""

    slots: int
    instance: dg.DagsterInstance

    def submit(self, table: str, ranges: Ranges, on_invalid_rows: str) -> Future[TaskResult]: ...


class InProcessRunner:
    """Runs ranges in this process, one task at a time. In a thread: in the main thread Dagster answers a
    signal by an exception in the middle of a run."""

    slots = 1

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance, stop: Stop | None = None) -> None:
        self._defs = defs
        self.instance = instance
        self._stop = stop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="range-run")

    def submit(self, table: str, ranges: Ranges, on_invalid_rows: str) -> Future[TaskResult]:
        context = copy_context()  # warnings are filtered and outcomes listened to as in the caller

        def work() -> TaskResult:
            return run_ranges(self._defs, self.instance, table, ranges, on_invalid_rows, self._stop)

        return self._thread.submit(context.run, work)


def execute(
    runner: Runner, backfill: Backfill, listener: Listener | None = None, stop: Stop | None = None
) -> dict[str, TableResult]:
    """Run the request; a day that a failed or blocked day stands before is not tried. When ``stop`` is set,
    the runs that go on are waited for and nothing else is begun."""
    save_request(runner.instance, backfill)
    results = {
        p.table: TableResult(p.table, len(set(backfill.days.get(p.table, ())))) for p in backfill.recipes
    }
    pending, running = tasks_of(backfill), dict[Future[TaskResult], Task]()
    while pending or running:
        if stop is not None and stop.is_set():
            pending.clear()
        for task in ready(pending, list(running.values()), runner.slots):
            pending.remove(task)
            future = _start(runner, task, backfill.on_invalid_rows, results)
            if future is None:
                _tell(listener, results[task.recipe.table], len(task.days))
            else:
                running[future] = task
        if not running:
            continue
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            task = running.pop(future)
            _settle(results[task.recipe.table], future.result())
            _tell(listener, results[task.recipe.table], len(task.days))
    return results


def _start(
    runner: Runner, task: Task, on_invalid_rows: str, results: Mapping[str, TableResult]
) -> Future[TaskResult] | None:
    """Submit the task's days without those that are blocked; None if nothing is left of it."""
    bad = {name: {*r.failed, *r.blocked} for name, r in results.items()}
    blocked = days_depending_on(task.recipe, task.days, bad)
    results[task.recipe.table].blocked.update(blocked)
    ranges = list(contiguous(d for d in task.days if d not in blocked))
    return runner.submit(task.recipe.table, ranges, on_invalid_rows) if ranges else None


def _settle(result: TableResult, settled: TaskResult) -> None:
    result.good.update(settled.rows)
    result.rows += sum(settled.rows.values())
    result.failed.update(settled.failed)
    result.run_ids.extend(settled.run_ids)
    result.seconds += settled.seconds
    for reason in settled.reasons.values():
        result.empty[reason] = result.empty.get(reason, 0) + 1


def _tell(listener: Listener | None, result: TableResult, days: int) -> None:
    if listener:
        listener(result, days)


def run_ranges(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    table: str,
    ranges: Ranges,
    on_invalid_rows: str,
    stop: Stop | None = None,
) -> TaskResult:
    """One run per range; every day of a range that was begun is in the result's ``rows`` or ``failed``."""
    settled = TaskResult()
    start = time.perf_counter()
    token = outcome_listener.set(lambda _, outcome: _note(outcome, settled))
    try:
        for first, last in ranges:
            if stop is not None and stop.is_set():
                break
            run_config = {"ops": {op_name(table): {"config": {"on_invalid_rows": on_invalid_rows}}}}
            run = execute_range(defs, instance, asset_key(table), first, last, run_config)
            settled.run_ids.append(run.run_id)
            for day in span(first, last):
                if day not in settled.rows and day not in settled.failed:
                    message = (
                        f"run {run.run_id} ended before it came to this day; {run.error or 'see its log'}"
                    )
                    settled.failed[day] = Failed(day, FailureClass.CODE_ERROR.value, message)
    finally:
        outcome_listener.reset(token)
    settled.seconds = time.perf_counter() - start
    return settled


def _note(outcome: RangeOutcome, settled: TaskResult) -> None:
    for day, stored in outcome.stored.items():
        settled.rows[day] = stored.entry.row_count
        if stored.entry.reason:
            settled.reasons[day] = stored.entry.reason
    for day, failure in outcome.failed.items():
        settled.failed[day] = Failed(day, failure.failure_class.value, failure.message)


def results_json(
    results: Mapping[str, TableResult], up_to_date: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The documented, stable JSON of `nba-pipeline backfill --json` and `retry --json`.

    ``up_to_date``: days per table that were asked for and needed nothing, for a backfill.
    """
    return {
        "tables": {
            name: {
                "requested": r.requested,
                **({"up_to_date": up_to_date.get(name, 0)} if up_to_date is not None else {}),
                "materialized": len(r.good),
                "empty": dict(sorted(r.empty.items())),
                "failed": [
                    {"date": f.day.isoformat(), "class": f.failure_class, "message": f.message}
                    for _, f in sorted(r.failed.items())
                ],
                "blocked": [d.isoformat() for d in sorted(r.blocked)],
                "rows": r.rows,
                "seconds": round(r.seconds, 3),
                "run_ids": r.run_ids,
            }
            for name, r in results.items()
        }
    }
