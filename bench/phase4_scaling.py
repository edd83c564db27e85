"""How phase 4 grows: twice the days, one new day, and the most memory a worker needs.

    python bench/phase4_scaling.py [--bulk FOLDER]

Makes the sources and the analytics tables over two seasons in a temporary DAGSTER_HOME, then phase 4 for half
of the days and for all of them, each in a fresh process of `nba-pipeline backfill --workers 1`, and prints
the ratio. Then all tables of one new day in this process, which is what a daily run does. With --bulk it uses
that folder, otherwise the simulated league.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

START, HALF, END = date(2021, 10, 19), date(2022, 10, 17), date(2023, 10, 16)
NEW_DAY = date(2023, 10, 25)
PHASE_4 = (
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_composite_factors",
    "player_daily_cache",
    "ml_feature_store",
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bulk", type=Path)
    options = parser.parse_args()
    source = (
        {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(options.bulk.resolve())}
        if options.bulk
        else {}
    )
    with tempfile.TemporaryDirectory(prefix="nba-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        os.environ |= {"DAGSTER_HOME": str(home), **source}
        backfill(START, NEW_DAY - timedelta(days=1), None)
        one = new_day()
        seconds = {}
        for name, last in (("half", HALF), ("all", END)):
            forget(home)
            seconds[name] = backfill(START, last, PHASE_4)
    days = {"half": (HALF - START).days + 1, "all": (END - START).days + 1}
    for name in seconds:
        print(f"phase 4, {days[name]} days: {seconds[name]:.1f} s in a fresh process")
    print(
        f"{days['all'] / days['half']:.2f} times the days cost {seconds['all'] / seconds['half']:.2f} times"
        " the seconds"
    )
    print(f"one new day of all tables, in process: {one:.1f} s")
    return 0


def backfill(first: date, last: date, tables: tuple[str, ...] | None) -> float:
    """Wall-clock seconds of the command."""
    command = [
        sys.executable,
        "-m",
        "nba_pipeline.cli.main",
        "backfill",
        "--start",
        str(first),
        "--end",
        str(last),
        "--json",
    ]
    if tables:
        command += ["--workers", "1", "--tables", ",".join(f"nba_precompute.{name}" for name in tables)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def forget(home: Path) -> None:
    """Take phase 4 away, so that the next backfill writes it again."""
    shutil.rmtree(home / "warehouse" / "nba_precompute", ignore_errors=True)
    for part in ("history", "storage"):
        shutil.rmtree(home / part, ignore_errors=True)


def new_day() -> float:
    """Seconds to make every table of the next day in this process."""
    from nba_pipeline.operations.backfill.execute import InProcessRunner, execute
    from nba_pipeline.operations.backfill.tasks import Backfill
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace() as workspace:
        began = time.perf_counter()
        results = execute(
            InProcessRunner(workspace.defs, workspace.instance),
            Backfill(workspace.recipes, {p.table: [NEW_DAY] for p in workspace.recipes}),
        )
        seconds = time.perf_counter() - began
    assert all(NEW_DAY in r.good for r in results.values()), {name: r.failed for name, r in results.items()}
    return seconds


if __name__ == "__main__":
    sys.exit(main())
