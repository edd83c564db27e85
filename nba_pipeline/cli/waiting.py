"""Waiting for locks: a backfill that another one stands in the way of says so, waits, and then plans again
what is left.

Belongs here: the loop and its words. Does not belong here: who stands in whose way
(``operations/backfill/locks.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nba_pipeline.cli.show import err
from nba_pipeline.operations.backfill.locks import Busy, Lock, hold, living
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.ranges import described, span

T = TypeVar("T")
_LOOK_EVERY_SECONDS = 1.0
_TABLES_SHOWN = 3


@contextmanager
def wait_for_locks(w: Workspace, make: Callable[[], T], request_of: Callable[[T], Backfill]) -> Iterator[T]:
    """What ``make`` plans, once no other backfill is in the way of it. It is planned again after each wait:
    the other one has materialized some of its days, and those are then left alone."""
    home = w.settings.dagster_home or Path.cwd()
    while True:
        made = make()
        try:
            with hold(home, request_of(made), w.recipes):
                yield made
                return
        except Busy as busy:
            _tell(busy.others)
            waited_for = {c.identity for c in busy.others}
        while waited_for & {c.identity for c in living(home)}:
            time.sleep(_LOOK_EVERY_SECONDS)
        err.print("The other backfill has ended. Looking again at what is left to do.")


def _tell(others: tuple[Lock, ...]) -> None:
    for other in others:
        tables = [name for name, ranges in other.days.items() if ranges]
        days = {day for ranges in other.days.values() for a, b in ranges for day in span(a, b)}
        shown = ", ".join(tables[:_TABLES_SHOWN]) + (
            f" and {len(tables) - _TABLES_SHOWN} more tables" if len(tables) > _TABLES_SHOWN else ""
        )
        err.print(
            f"Another backfill (process {other.process}, since {other.since:%H:%M:%S} UTC) is materializing"
            f" {described(days)} of {shown}: the same days, or days that these depend on. Waiting for it"
            " to end; what it has materialized is then left alone. Ctrl-C gives up: nothing has been started."
        )
