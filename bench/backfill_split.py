"""Where the seconds of a backfill go: reading, computing, writing, and Dagster's bookkeeping.

    python bench/backfill_split.py [--bulk FOLDER] [--start D] [--end D]

Runs `backfill --workers 1` in a temporary DAGSTER_HOME, in this process, and prints the split per table, the
peak memory and the share of bookkeeping (whatever is not reading inputs, computing and examining, or
writing). With --bulk it uses that folder, otherwise the simulated league.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

BEGIN = time.perf_counter()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bulk", type=Path)
    parser.add_argument("--start", default="2021-10-19")
    parser.add_argument("--end", default="2024-06-30")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nba-bench-") as home:
        os.environ["DAGSTER_HOME"] = home
        return measure(options)


def measure(options: argparse.Namespace) -> int:
    from nba_pipeline.operations.backfill.execute import InProcessRunner, execute
    from nba_pipeline.operations.backfill.tasks import Backfill
    from nba_pipeline.operations.workspace import open_workspace
    from nba_pipeline.orchestration import table_asset as partitioned

    phases: dict[str, dict[str, float]] = {}
    original = partitioned.run_range

    def timed(job, days):  # the protocol reports its phases; the bench only adds them up
        outcome = original(job, days)
        split = phases.setdefault(job.table.full_name, {})
        for phase, seconds in outcome.seconds.items():
            split[phase] = split.get(phase, 0.0) + seconds
        return outcome

    partitioned.run_range = timed
    source = {"source": "bulk", "bulk_dir": options.bulk} if options.bulk else {"source": "simulated"}
    with open_workspace(**source) as workspace:
        started = time.perf_counter()
        days = workspace.days(options.start, options.end)
        runner = InProcessRunner(workspace.defs, workspace.instance)
        results = execute(runner, Backfill(workspace.recipes, {p.table: days for p in workspace.recipes}))
    total = time.perf_counter() - BEGIN
    print(
        f"{'table':46} {'read':>6} {'compute':>8} {'write':>6} {'bookkeeping':>12} {'total':>6}  seconds,"
        f" {len(days)} days"
    )
    sums = dict.fromkeys(("read", "compute", "write"), 0.0)
    for name, result in results.items():
        split = phases.get(name, dict.fromkeys(sums, 0.0))  # a table of which every day is blocked never ran
        rest = result.seconds - sum(split.values())
        print(
            f"{name:46} {split['read']:6.1f} {split['compute']:8.1f} {split['write']:6.1f} {rest:12.1f}"
            f" {result.seconds:6.1f}"
        )
        sums = {phase: sums[phase] + split[phase] for phase in sums}
    bookkeeping = total - sum(sums.values()) - (started - BEGIN)
    print(
        f"\nstart-up {started - BEGIN:.1f} s, "
        + ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in sums.items()),
        end="",
    )
    print(f", bookkeeping {bookkeeping:.1f} s ({bookkeeping / total:.0%} of {total:.1f} s)")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    for name, result in results.items():
        if result.failed or result.blocked:
            print(
                f"{name}: {len(result.failed)} days failed, {len(result.blocked)} blocked; these are not a"
                " whole backfill's figures"
            )
    return 1 if any(r.failed or r.blocked for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
