"""The command as a user starts it: seconds from a cold start, and the most memory that all of its processes
hold together.

    python bench/cold_start.py [--bulk FOLDER] [--start D] [--end D] [--tables T,...]

Runs `nba-pipeline backfill` in a temporary DAGSTER_HOME. Memory is the sum of the processes' proportional set
sizes (a page that two of them share counts once), looked at five times a second; Linux only. With --bulk it
uses that folder, otherwise the simulated league.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bulk", type=Path)
    parser.add_argument("--start", default="2021-10-19")
    parser.add_argument("--end", default="2024-06-30")
    parser.add_argument("--tables")
    options = parser.parse_args()
    command = [
        sys.executable,
        "-m",
        "nba_pipeline.cli.main",
        "backfill",
        "--start",
        options.start,
        "--end",
        options.end,
        "--json",
    ]
    if options.tables:
        command += ["--tables", options.tables]
    source = (
        {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(options.bulk.resolve())}
        if options.bulk
        else {}
    )
    with tempfile.TemporaryDirectory(prefix="nba-bench-") as home:
        began, peak, largest = time.perf_counter(), 0, 0
        with subprocess.Popen(
            command, env=os.environ | source | {"DAGSTER_HOME": home}, stdout=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                held = [memory(pid) for pid in (process.pid, *descendants(process.pid))]
                peak, largest = max(peak, sum(held)), max(largest, *held)
                time.sleep(0.2)
        seconds = time.perf_counter() - began
    print(
        f"exit {process.returncode} after {seconds:.1f} s; at most {peak / 2**20:.2f} GiB in all processes,"
        f" {largest / 2**20:.2f} in one"
    )
    return process.returncode


def memory(pid: int) -> int:
    """The process's proportional set size in KiB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def descendants(pid: int) -> list[int]:
    """All processes below this one that still run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


if __name__ == "__main__":
    sys.exit(main())
