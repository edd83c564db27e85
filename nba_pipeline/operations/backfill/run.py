"""A backfill from a request to its results: what of it fits into today's quotas, where it runs, what it took.

Belongs here: putting these together. Does not belong here: choosing the days (``plan.py``, ``retry.py``),
printing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from nba_pipeline.operations.backfill.estimate import costs
from nba_pipeline.operations.backfill.execute import Listener, TableResult, execute
from nba_pipeline.operations.backfill.interrupt import stopped_by_signals
from nba_pipeline.operations.backfill.quota import Share, share_of_today
from nba_pipeline.operations.backfill.remaining import Remaining
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.backfill.timings import load_timings, save_timings
from nba_pipeline.operations.backfill.workers import runner_for
from nba_pipeline.operations.workspace import Workspace


class BackfillRun(NamedTuple):
    """What was done today and what is left of the request, the result of each table, and whether a signal
    stopped it."""

    share: Share
    results: dict[str, TableResult]
    interrupted: bool


def run_backfill(
    workspace: Workspace,
    request: Backfill,
    workers: int | None,
    watched: Callable[[Backfill, Remaining], AbstractContextManager[Listener]],
    cut: Callable[[Share], None],
    stopping: Callable[[], None] = lambda: None,
) -> BackfillRun:
    """Materialize the request's days, as far as today's quotas allow.

    Args:
        workers: how many processes; None: as many as it is worth.
        watched: what shows the progress of what is done today, given the estimate of the time left.
        cut: told, before anything runs, of a request that does not fit into today.
        stopping: told when a signal stops it.
    """
    share = share_of_today(workspace.store, workspace.tables, request)
    if share.left:
        cut(share)
    today = share.today
    names = [recipe.table for recipe in today.recipes if today.days.get(recipe.table)]
    cost = costs(names, load_timings(workspace.instance, names))
    with (
        runner_for(workspace, today, workers) as (runner, stop),
        stopped_by_signals(stop, stopping),
        watched(today, Remaining(today, cost, runner.slots)) as progress,
    ):
        results = execute(runner, today, progress, stop)
    save_timings(workspace.instance, results)
    return BackfillRun(share, results, stop.is_set())
