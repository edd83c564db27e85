"""Running a request of `backfill` or `retry`: progress, results, exit codes.

Belongs here: what both commands show. Does not belong here: their options (``main.py``), any decision
(``operations/backfill/run.py``).
"""

from __future__ import annotations

import json
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.names import GAMES

if TYPE_CHECKING:  # imported when a command runs: `--help` should not load Dagster
    from collections.abc import Callable, Mapping
    from datetime import date

    from nba_pipeline.operations.backfill.execute import TableResult
    from nba_pipeline.operations.backfill.plan import PipelinePlan
    from nba_pipeline.operations.backfill.remaining import Remaining
    from nba_pipeline.operations.backfill.tasks import Backfill
    from nba_pipeline.operations.workspace import Workspace

EXIT_SOME_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def run_planned(
    workspace: Workspace, planned: Callable[[], PipelinePlan], as_json: bool, workers: int | None
) -> None:
    """Wait for backfills of the same days, plan, run exactly that, print, exit."""
    from nba_pipeline.cli.plan import lacking_words, print_nothing_to_do
    from nba_pipeline.cli.waiting import wait_for_locks

    with wait_for_locks(workspace, planned, lambda plan: plan.request()) as plan:
        if plan.lacking:
            print(lacking_words(plan), file=sys.stderr)
        elif not plan.table_days and not as_json:
            print_nothing_to_do(plan)
            return
        left_alone = {name: t.up_to_date for name, t in plan.tables.items()}
        run(workspace, plan.request(), as_json, workers, left_alone, plan.lacking)


def run(
    workspace: Workspace,
    request: Backfill,
    as_json: bool,
    workers: int | None,
    up_to_date: Mapping[str, int] | None = None,
    lacking: Mapping[str, Mapping[date, date]] = MappingProxyType({}),
) -> None:
    """Run it, print, exit. ``lacking``: days that are not tried, with the first day that they lack."""
    from nba_pipeline.cli.show import BackfillProgress, err, out, print_results
    from nba_pipeline.operations.backfill.execute import results_json
    from nba_pipeline.operations.backfill.run import run_backfill

    def watched(today: Backfill, left: Remaining) -> BackfillProgress:
        return BackfillProgress(today, left, enabled=not as_json and err.is_terminal)

    share, results, interrupted = run_backfill(
        workspace,
        request,
        workers,
        watched,
        lambda share: err.print(f"[yellow]{share}[/]"),
        lambda: print("Stopping after what runs now; Ctrl-C again ends at once.", file=sys.stderr),
    )
    if as_json:
        _add_lacking(results, lacking)
        left = {"left": share.as_json()} if share.left else {}
        stopped = {"interrupted": True} if interrupted else {}
        print(json.dumps(results_json(results, up_to_date) | left | stopped, indent=2))
    else:
        print_results(out, results)
        if not_tried := sum(map(len, lacking.values())):
            out.print(f"\n[yellow]{not_tried} table-days were not tried: they lack history.[/]")
        if share.left:
            out.print(f"\n{share}")
    if interrupted:
        print("Interrupted. What is made stays; the same command makes the rest.", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED)
    if lacking or share.left or any(r.failed or r.blocked for r in results.values()):
        raise typer.Exit(EXIT_SOME_FAILED)


def _add_lacking(results: Mapping[str, TableResult], lacking: Mapping[str, Mapping[date, date]]) -> None:
    """Days that were not tried for want of history are blocked, by the first day that is not there."""
    for name, days in lacking.items():
        results[name].requested += len(days)
        results[name].blocked |= {day: f"{GAMES} {first}" for day, first in days.items()}


def check_policy(policy: str) -> None:
    if policy not in ("fail", "quarantine"):
        raise ConfigurationError(f"--on-invalid-rows {policy!r} is unknown; it is fail or quarantine")
