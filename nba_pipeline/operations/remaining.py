"""The time left of a backfill that this process executes: told of every task that is settled, asked at any moment.

Belongs here: what of one request is done, runs and waits. Does not belong here: the estimate (``eta.py``), printing it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nba_pipeline.operations.eta import Costs, Measured, seconds_left
from nba_pipeline.operations.execute import TableResult
from nba_pipeline.operations.tasks import Backfill, Task, ready, tasks_of


class _State(NamedTuple):
    """Replaced as a whole, because the display reads it from a thread of its own."""

    done: Mapping[str, Measured]
    waiting: Sequence[Task]
    began: Mapping[Task, float]


class Remaining:
    """What is left of ``backfill``, executed ``slots`` tasks at once."""

    def __init__(self, backfill: Backfill, costs: Costs, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._costs, self._slots, self._clock = costs, slots, clock
        self._state = self._begin(_State({}, tasks_of(backfill), {}))

    def settle(self, result: TableResult) -> None:
        """Take note of a table's result so far."""
        tried = {*result.good, *result.failed}
        old = self._state

        def is_open(task: Task) -> bool:
            return task.plan.table != result.table or not (task.last in tried or task.last in result.blocked)

        done = {**old.done, result.table: Measured.of(len(result.run_ids), tried, result.seconds)}
        waiting, began = [t for t in old.waiting if is_open(t)], {t: at for t, at in old.began.items() if is_open(t)}
        self._state = self._begin(_State(done, waiting, began))

    def _begin(self, state: _State) -> _State:
        """``execute`` begins whatever can: so do these tasks."""
        begun = ready(state.waiting, list(state.began), self._slots)
        waiting = [t for t in state.waiting if t not in begun]
        return _State(state.done, waiting, {**state.began, **dict.fromkeys(begun, self._clock())})

    def seconds(self) -> float | None:
        """Seconds until all is done; None while nothing says how fast this machine is."""
        now, state = self._clock(), self._state
        return seconds_left(self._costs, state.done, state.waiting, {t: now - at for t, at in state.began.items()}, self._slots)
