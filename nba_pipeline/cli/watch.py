"""`nba-pipeline status --watch`: looking again and again until nothing runs. What is seen is
``operations/status/watch.py``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

from nba_pipeline.cli.show import out
from nba_pipeline.operations.status.looks import Looks
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.status.watch import Progress, as_json, failed_lines, waiting_lines
from nba_pipeline.operations.workspace import Workspace

_QUIET_LOOKS = 2  # between two runs of a backfill there is a moment without any


def watch(
    w: Workspace,
    start: str | None,
    end: str | None,
    every: float,
    as_lines: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, TableState]:
    """Print progress every ``every`` seconds until no run is active and no backfill of the UI is open;
    returns the last state. Ctrl-C ends it early."""
    looks = Looks(w, start, end)
    told: set[str] = set()
    quiet = 0
    while True:
        found, states, is_open = looks.look()
        if as_lines:
            print(json.dumps(as_json(found)), flush=True)
        else:
            _print(found, states, told)
        quiet = 0 if is_open else quiet + 1
        if quiet >= _QUIET_LOOKS:
            return states
        sleep(every)


def _print(found: Progress, states: dict[str, TableState], told: set[str]) -> None:
    """One line of progress; failures and what waits are told once, when they change."""
    now = found.now
    share = 100.0 * now.settled / now.total if now.total else 100.0
    rate = "" if found.per_minute is None else f", {found.per_minute:,.0f} days/min"
    left = (
        ""
        if found.seconds_left is None or not now.open
        else f", about {timedelta(seconds=round(found.seconds_left))} left"
    )
    out.print(
        f"{now.settled:,}/{now.total:,} table-days ({share:.0f} %), {now.failed} failed, {now.active} run(s)"
        f" active{rate}{left}"
    )
    lines = [f"[bold red]failed[/] {line}" for line in failed_lines(states)] + [
        f"[yellow]waits[/] {line}" for line in waiting_lines(states)
    ]
    for line in lines:
        if line not in told:
            out.print(f"  {line}")
            told.add(line)
    if found.stalled:
        out.print(
            f"  [bold red]stalled[/]: {now.active} run(s) active, but nothing has changed for"
            f" {found.quiet_seconds:.0f} s"
        )
