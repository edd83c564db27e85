"""Ctrl-C during a backfill: the first stops it after the runs that go on, the second at once.

Belongs here: turning signals into a wish to stop. Does not belong here: what a backfill then does
(``execute.py``).

Why not an exception where the program happens to be, as Dagster does it: the exception may arrive inside a
library's callback, days that were made are not recorded, and stored days turn red. A range run ends by itself
in seconds; waiting for it loses nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

INTERRUPTED = 130
"""The exit code of a command that was interrupted: 128 and the number of SIGINT, as shells count."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(Protocol):
    """Whether somebody wants the backfill to stop: an event of ``threading`` or ``multiprocessing``."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...


@contextmanager
def stopped_by_signals(stop: Stop, tell: Callable[[], None]) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM set ``stop`` and ``tell`` is called; another one ends the process.

    Outside of the main thread signals cannot be handled, and nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)  # runs that are open are closed by the next command
        stop.set()
        tell()

    before: dict[int, Any] = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Processes that are started inside ignore SIGINT and SIGTERM: Ctrl-C reaches all processes of a
    terminal, and their command decides."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
