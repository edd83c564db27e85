"""How wrong the time left is: a backfill of simulated games, its estimate after every run held against what then happened.

    python bench/eta_error.py [--days 180] [--days-per-run 30]

Prints the error, in percent of the whole backfill's seconds, from 10 % of the work on: with days counted alike, weighed by the
stored relative costs, and weighed by what this very backfill took in the end
(which nobody knows before: the least error that weights can have). The last lines are the measured seconds per day of each table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from nba_pipeline.operations.eta import RELATIVE_COST, seconds_left
from nba_pipeline.operations.execute import InProcessRunner, TableResult, execute
from nba_pipeline.operations.tasks import Backfill
from nba_pipeline.operations.workspace import open_with
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings

FIRST = date(2023, 10, 24)
FROM = 0.10
Moment = tuple[float, dict[str, int]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--days-per-run", type=int, default=30)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="nba-bench-") as folder:
        seconds, moments, results = record(Path(folder), options.days, options.days_per_run)
    total = {name: r.requested for name, r in results.items()}
    own = {name: r.seconds / r.requested for name, r in results.items()}
    print(f"{sum(total.values())} table-days in {seconds:.1f} s, {len(moments)} runs")
    for what, cost in (("days alike", dict.fromkeys(total, 1.0)), ("stored costs", RELATIVE_COST), ("its own costs, in hindsight", own)):
        found = errors(seconds, moments, total, cost)
        if not found:
            print(f"{what}: no cost known")
            continue
        shares = " ".join(f"{100 * share:.0f}%:{100 * error:+.0f}" for share, error in found)
        print(f"{what}: largest error {100 * max(abs(e) for _, e in found):.1f} % of the whole; {shares}")
    smallest = min(own.values())
    for name, cost_ in own.items():
        print(f'    "{name}": {cost_ / smallest:.1f},')
    return 0


def record(home: Path, days: int, days_per_run: int) -> tuple[float, list[Moment], dict[str, TableResult]]:
    """(seconds of a whole backfill, after each run the seconds gone and the days done by table, its results)."""
    settings = Settings(start_date=FIRST, warehouse_dir=home / "warehouse", dagster_home=home)
    moments: list[Moment] = []
    done: dict[str, int] = {}
    with open_with(settings) as w:
        wanted = span(FIRST, FIRST + timedelta(days=days - 1))
        began = time.perf_counter()

        def listener(result: TableResult, settled: int) -> None:
            done[result.table] = done.get(result.table, 0) + settled
            moments.append((time.perf_counter() - began, dict(done)))

        request = Backfill(w.plans, {p.table: wanted for p in w.plans}, "fail", days_per_run)
        results = execute(InProcessRunner(w.defs, w.instance), request, listener)
        return time.perf_counter() - began, moments, results


def errors(seconds: float, moments: list[Moment], total: Mapping[str, int], cost: Mapping[str, float]) -> list[tuple[float, float]]:
    """(share of the time gone, error of the time left as a share of the whole), from ``FROM`` on."""
    found = []
    for elapsed, done in moments:
        left = seconds_left(total, done, cost, elapsed) if set(total) <= set(cost) else None
        if left is not None and elapsed >= FROM * seconds:
            found.append((elapsed / seconds, (elapsed + left - seconds) / seconds))
    return found


if __name__ == "__main__":
    sys.exit(main())
