"""Runs as the instance has recorded them, whoever started them: which days of which tables, from when to
when.

Belongs here: questions about the times of runs. Does not belong here:
what became of days (``state.py``), the time left (``watch.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nba_pipeline.orchestration.history import Ran

PAUSE_SECONDS = 180.0
"""Runs with no longer pause between them are one stretch of work; the daemon's pauses are half a minute."""


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
