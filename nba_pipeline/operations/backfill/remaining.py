"""The time left of a backfill that this process executes: told of every task that is settled, asked at any
moment.

Belongs here: what of one request is done, runs and waits. Does not belong here: the estimate (``eta.py``),
printing it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nba_pipeline.operations.backfill.estimate import Costs, seconds_left
from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.operations.backfill.tasks import Backfill, Task, tasks_of


class _State(NamedTuple):
    """Replaced as a whole, because the display reads it from a thread of its own."""

    done: Sequence[Task]
    unfinished: Sequence[Task]
    newest: float | None
    """When a task ended for the last time."""


class Remaining:
    """What is left of ``backfill``, executed ``slots`` tasks at once."""

    def __init__(
        self, backfill: Backfill, costs: Costs, slots: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._costs, self._slots, self._clock = costs, slots, clock
        self._made = clock()
        self._began: float | None = None
        self._state = _State([], tasks_of(backfill), None)

    def settle(self, result: TableResult) -> None:
        """Take note of a table's result so far."""
        now, old = self._clock(), self._state
        if self._began is None and result.run_ids:
            self._began = now - result.seconds  # not before: worker processes take seconds to start
        tried = {*result.good, *result.failed}
        ended = [
            t
            for t in old.unfinished
            if t.recipe.table == result.table and (t.last in tried or t.last in result.blocked)
        ]
        done = [*old.done, *(t for t in ended if not result.blocked.keys() >= set(t.days))]
        self._state = _State(done, [t for t in old.unfinished if t not in ended], now)

    def seconds(self) -> float | None:
        """Seconds until all is done; None while nothing says how fast this machine is."""
        now, state = self._clock(), self._state
        if state.newest is None or self._began is None:
            return seconds_left(self._costs, [], state.unfinished, self._slots, 0.0, now - self._made)
        elapsed, since = state.newest - self._began, now - state.newest
        return seconds_left(self._costs, state.done, state.unfinished, self._slots, elapsed, since)
