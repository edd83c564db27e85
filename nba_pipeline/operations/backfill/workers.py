"""Ranges in worker processes: pandas keeps one core busy, and machines have more.

Belongs here: the pool and what a worker opens. Does not belong here: scheduling (``execute.py``).

A worker is a fresh process that builds its own definitions and opens its own instance and store from the
settings, so only settings that name things (not objects that a test hands over) can be used here.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nba_pipeline.operations.backfill.execute import InProcessRunner, Ranges, Runner, run_ranges
from nba_pipeline.operations.backfill.interrupt import Stop, signals_ignored
from nba_pipeline.operations.backfill.tasks import Backfill, TaskResult
from nba_pipeline.operations.workspace import Workspace, open_with
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TableRegistry

if TYPE_CHECKING:
    import dagster as dg

# Not fork: a command has threads (Arrow) and open databases, which a forked child must not share.
_SPAWN = multiprocessing.get_context("spawn")
_worker: dict[str, Any] = {}  # what this process has opened; empty in the process of the command


class ProcessRunner:
    """Runs tasks in ``slots`` worker processes."""

    def __init__(self, pool: ProcessPoolExecutor, slots: int, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.slots = slots
        self._pool = pool

    def submit(self, table: str, ranges: Ranges, on_invalid_rows: str) -> Future[TaskResult]:
        return self._pool.submit(_work, table, list(ranges), on_invalid_rows)


_FEW_TABLE_DAYS = 1500
"""Below this a backfill is over before worker processes, which start in some three seconds, would have
helped."""


def slots_for(workspace: Workspace, backfill: Backfill, workers: int | None = None) -> int:
    """How many runs at once: ``workers``, by default two where there are two cores and enough to do."""
    few = sum(len(days) for days in backfill.days.values()) < _FEW_TABLE_DAYS
    if workspace.store.name == "memory" or (few and workers is None):
        return 1
    cores = os.cpu_count() or 1
    return min(workers, max(cores, 2)) if workers else min(2, cores)  # each keeps a core busy


@contextmanager
def runner_for(
    workspace: Workspace, backfill: Backfill, workers: int | None = None
) -> Iterator[tuple[Runner, Stop]]:
    """Where this backfill should run: here, or in as many processes as it has slots; and what stops it."""
    slots = slots_for(workspace, backfill, workers)
    if slots == 1:
        here = threading.Event()
        yield InProcessRunner(workspace.defs, workspace.instance, here), here
        return
    stop = _SPAWN.Event()
    with process_runner(workspace, slots, stop) as runner:
        yield runner, stop


@contextmanager
def process_runner(workspace: Workspace, slots: int, stop: Stop | None = None) -> Iterator[ProcessRunner]:
    """A pool for the time of a backfill. Leaving early gives up what has not started and waits for what
    runs."""
    pool = ProcessPoolExecutor(
        slots,
        mp_context=_SPAWN,
        initializer=_open,
        initargs=(workspace.settings, workspace.tables, os.getpid(), stop),
    )
    with signals_ignored():
        for _ in range(
            slots
        ):  # a pool starts a worker when it is needed; so they are there for the first run
            pool.submit(int)
    try:
        yield ProcessRunner(pool, slots, workspace.instance)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _open(settings: Settings, tables: TableRegistry, parent: int, stop: Stop | None) -> None:
    _worker["stop"] = stop
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _worker["open"] = open_with(settings, tables)  # kept, because dropping it would close the instance
    _worker["workspace"] = _worker["open"].__enter__()
    # While modules still exist: left to the garbage collector, closing the instance fails loudly on half a
    # Python.
    multiprocessing.util.Finalize(None, _close, exitpriority=10)


def _close() -> None:
    _worker["open"].__exit__(None, None, None)


def _end_with(parent: int) -> None:
    """A worker whose command was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _work(table: str, ranges: Ranges, on_invalid_rows: str) -> TaskResult:
    workspace: Workspace = _worker["workspace"]
    return run_ranges(workspace.defs, workspace.instance, table, ranges, on_invalid_rows, _worker["stop"])
