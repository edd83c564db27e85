"""Looking at a pipeline again and again while something runs.

Belongs here: ``Looks``: reading state, requests and runs, look after look. Does not belong here: what two
snapshots say of the speed (``watch.py``), printing (``cli/watch.py``).
"""

from __future__ import annotations

import time

from nba_pipeline.operations.backfill.estimate import costs
from nba_pipeline.operations.backfill.requests import load_requests
from nba_pipeline.operations.backfill.timings import load_timings
from nba_pipeline.operations.status.runs import stretch
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.status.watch import Progress, Snapshot, progress, take, time_left, unsettled
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.orchestration.history import active_runs, asked_of_the_daemon, recent_runs


class Looks:
    """Looks at the same days, one after the other."""

    def __init__(self, w: Workspace, start: str | None = None, end: str | None = None) -> None:
        names = [p.table for p in w.recipes]
        self._w, self._range, self._snapshots = w, (start, end), list[Snapshot]()
        self._costs = costs(names, load_timings(w.instance, names))

    def look(self) -> tuple[Progress, dict[str, TableState], bool]:
        """(progress so far, the state of every table, whether anything runs or is about to)."""
        w = self._w
        states = w.states(w.days(*self._range))
        active = active_runs(w.instance)
        launched = asked_of_the_daemon(w.instance, w.defs, states)
        asked = {name: (load_requests(w.instance, name) or set()) | days for name, days in launched.items()}
        self._snapshots.append(take(states, asked, active, time.monotonic()))
        runs = stretch(recent_runs(w.instance, states), now := time.time())
        left = time_left(w.recipes, unsettled(states, asked), runs, self._costs, w.settings.days_per_run, now)
        return progress(self._snapshots, left), states, active > 0 or any(launched.values())
