"""`nba-pipeline status --watch`: looking again and again until nothing runs. What is seen is
``operations/status/watch.py``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

from nba_pipeline.cli.show import out
from nba_pipeline.operations.backfill.estimate import costs
from nba_pipeline.operations.backfill.requests import recall
from nba_pipeline.operations.backfill.timings import load_timings
from nba_pipeline.operations.status.runs import stretch
from nba_pipeline.operations.status.state import TableState, read_state
from nba_pipeline.operations.status.watch import (
    Progress,
    Snapshot,
    as_json,
    failed_lines,
    progress,
    take,
    time_left,
    unsettled,
    waiting_lines,
)
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.orchestration.history import active_runs, asked_of_the_daemon, recent_runs

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


class Looks:
    """Looks at the same days, one after the other."""

    def __init__(self, w: Workspace, start: str | None = None, end: str | None = None) -> None:
        names = [p.table for p in w.recipes]
        self._w, self._range, self._snapshots = w, (start, end), list[Snapshot]()
        self._costs = costs(names, load_timings(w.instance, names))

    def look(self) -> tuple[Progress, dict[str, TableState], bool]:
        """(progress so far, the state of every table, whether anything runs or is about to)."""
        w = self._w
        states = read_state(w.instance, w.store, w.tables, w.recipes, w.days(*self._range), w.partitions)
        active = active_runs(w.instance)
        launched = asked_of_the_daemon(w.instance, w.defs, states)
        asked = {name: (recall(w.instance, name) or set()) | days for name, days in launched.items()}
        self._snapshots.append(take(states, asked, active, time.monotonic()))
        runs = stretch(recent_runs(w.instance, states), now := time.time())
        left = time_left(w.recipes, unsettled(states, asked), runs, self._costs, w.settings.days_per_run, now)
        return progress(self._snapshots, left), states, active > 0 or any(launched.values())


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
