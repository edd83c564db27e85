"""A backfill from a request to its results: what of it fits into today's quotas, where it runs, what it took.

Belongs here: putting these together. Does not belong here: choosing the days (``plan.py``, ``retry.py``),
printing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from nba_pipeline.operations.backfill.estimate import costs
from nba_pipeline.operations.backfill.execute import Listener, TableResult, execute
from nba_pipeline.operations.backfill.quota import Share, share_of_today
from nba_pipeline.operations.backfill.remaining import Remaining
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.backfill.timings import load_timings, save_timings
from nba_pipeline.operations.backfill.workers import runner_for
from nba_pipeline.operations.workspace import Workspace


def run_backfill(
    workspace: Workspace,
    request: Backfill,
    workers: int | None,
    watched: Callable[[Backfill, Remaining], AbstractContextManager[Listener]],
    cut: Callable[[Share], None],
) -> tuple[Share, dict[str, TableResult]]:
    """Materialize the request's days, as far as today's quotas allow.

    Args:
        workers: how many processes; None: as many as it is worth.
        watched: what shows the progress of what is done today, given the estimate of the time left.
        cut: told, before anything runs, of a request that does not fit into today.

    Returns:
        What was done today and what is left, and the result of each table.
    """
    share = share_of_today(workspace.store, workspace.tables, request)
    if share.left:
        cut(share)
    today = share.today
    names = [recipe.table for recipe in today.recipes if today.days.get(recipe.table)]
    cost = costs(names, load_timings(workspace.instance, names))
    with (
        runner_for(workspace, today, workers) as runner,
        watched(today, Remaining(today, cost, runner.slots)) as progress,
    ):
        results = execute(runner, today, progress)
    save_timings(workspace.instance, results)
    return share, results
