"""Running a request of `backfill` or `retry`: progress, results, exit codes.

Belongs here: what both commands show. Does not belong here: their options (``main.py``), any decision
(``operations/backfill/run.py``).
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from nba_pipeline.failures import ConfigurationError

if TYPE_CHECKING:  # imported when a command runs: `--help` should not load Dagster
    from collections.abc import Mapping

    from nba_pipeline.operations.backfill.remaining import Remaining
    from nba_pipeline.operations.backfill.tasks import Backfill
    from nba_pipeline.operations.workspace import Workspace

EXIT_SOME_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def run(
    workspace: Workspace,
    request: Backfill,
    as_json: bool,
    workers: int | None,
    up_to_date: Mapping[str, int] | None = None,
) -> None:
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
        left = {"left": share.as_json()} if share.left else {}
        stopped = {"interrupted": True} if interrupted else {}
        print(json.dumps(results_json(results, up_to_date) | left | stopped, indent=2))
    else:
        print_results(out, results)
        if share.left:
            out.print(f"\n{share}")
    if interrupted:
        print("Interrupted. What is made stays; the same command makes the rest.", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED)
    if share.left or any(r.failed or r.blocked for r in results.values()):
        raise typer.Exit(EXIT_SOME_FAILED)


def check_policy(policy: str) -> None:
    if policy not in ("fail", "quarantine"):
        raise ConfigurationError(f"--on-invalid-rows {policy!r} is unknown; it is fail or quarantine")
