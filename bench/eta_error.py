"""How wrong the time left is: backfills of all tables, their estimate twice a second held against what then
happened.

    python bench/eta_error.py [--bulk FOLDER] [--start D] [--end D] [--days-per-run N] [--workers N]
        [--times 2] [--watch] [--processor]

The error is |estimated time left - true time left| / time of the whole, and what is printed is the largest
one from the moment on at which 10 % of the table-days are settled, and the largest one in shares of the true
time left until 80 % of the time. The first backfill knows only the stored costs; with --times N the others
know what those before them took, each in a folder of its own. With --watch the estimates of `nba-pipeline
status --watch` are examined too, every two seconds. With --processor all is done in one process and counted
in seconds of the processor: what the error would be if the machine had no other work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from nba_pipeline.cli.watch import Looks
from nba_pipeline.operations.backfill.estimate import Measured, costs
from nba_pipeline.operations.backfill.execute import InProcessRunner, Ranges, TableResult, execute
from nba_pipeline.operations.backfill.remaining import Remaining
from nba_pipeline.operations.backfill.tasks import Backfill, TaskResult
from nba_pipeline.operations.backfill.workers import runner_for
from nba_pipeline.operations.workspace import open_with
from nba_pipeline.ranges import span
from nba_pipeline.settings import DAYS_PER_RUN, Settings

FROM, UNTIL = 0.10, 0.80
EVERY_SECONDS, WATCH_EVERY_SECONDS = 0.5, 2.0


@dataclass
class Recording:
    """Moments as (second, share of the table-days that are settled, estimated seconds left)."""

    seconds: float = 0.0
    line: list[tuple[float, float, float | None]] = field(default_factory=list)
    watched: list[tuple[float, float, float | None]] = field(default_factory=list)
    results: dict[str, TableResult] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bulk", type=Path)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2023, 10, 24))
    parser.add_argument("--end", type=date.fromisoformat, default=date(2024, 4, 20))
    parser.add_argument("--days-per-run", type=int, default=DAYS_PER_RUN["parquet"])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--processor", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    history: dict[str, list[Measured]] = {}
    for n in range(options.times):
        with tempfile.TemporaryDirectory(prefix="nba-bench-") as folder:
            found = record(Path(folder), options, history)
        runs = sum(len(r.run_ids) for r in found.results.values())
        print(
            f"{found.seconds:.1f} s, {runs} runs, load {os.getloadavg()[0]:.1f}, {n} backfill(s) known",
            flush=True,
        )
        print(f"  progress line: {judged(found.line, found.seconds)}", flush=True)
        if options.watch:
            print(f"  status --watch: {judged(found.watched, found.seconds)}", flush=True)
        for name, r in found.results.items():
            history.setdefault(name, []).append(Measured.of(len(r.run_ids), {*r.good, *r.failed}, r.seconds))
    return 0


def record(home: Path, options: argparse.Namespace, history: dict[str, list[Measured]]) -> Recording:
    """One backfill of every table in a new folder."""
    source: dict[str, Any] = {"source": "bulk", "bulk_dir": options.bulk} if options.bulk else {}
    settings = Settings(
        start_date=options.start,
        warehouse_dir=home / "warehouse",
        dagster_home=home,
        max_days_per_run=options.days_per_run,
        **source,
    )
    found, settled, ended = Recording(), [0], threading.Event()
    with open_with(settings) as w:
        days = span(options.start, options.end)
        request = Backfill(w.recipes, {p.table: days for p in w.recipes}, "fail", options.days_per_run)
        clock = time.process_time if options.processor else time.monotonic
        runners = (
            nullcontext(ProcessorRunner(w.defs, w.instance))
            if options.processor
            else runner_for(w, request, options.workers)
        )
        began, total = clock(), len(days) * len(w.recipes)
        with runners as runner:
            remaining = Remaining(request, costs([p.table for p in w.recipes], history), runner.slots, clock)

            def listen(result: TableResult, more: int) -> None:
                remaining.settle(result)
                settled[0] += more

            def look() -> None:
                while not ended.wait(EVERY_SECONDS):
                    found.line.append((clock() - began, settled[0] / total, remaining.seconds()))

            threads = [threading.Thread(target=look)]
            if options.watch:
                threads.append(threading.Thread(target=watch, args=(found, settings, ended, began, total)))
            for thread in threads:
                thread.start()
            found.results = execute(runner, request, listen)
            found.seconds = clock() - began
            ended.set()
        for thread in threads:
            thread.join()
    return found


class ProcessorRunner(InProcessRunner):
    """Runs take the seconds that the processor worked."""

    def submit(self, table: str, ranges: Ranges, on_invalid_rows: str) -> Future[TaskResult]:
        began = time.process_time()
        future = super().submit(table, ranges, on_invalid_rows)
        future.result().seconds = time.process_time() - began
        return future


def watch(found: Recording, settings: Settings, ended: threading.Event, began: float, total: int) -> None:
    """What `status --watch` would say: its looks, at an instance and a store of their own."""
    with open_with(settings) as w:
        looks = Looks(w)
        while not ended.wait(WATCH_EVERY_SECONDS):
            now = looks.look()[0]
            found.watched.append((time.monotonic() - began, now.now.settled / total, now.seconds_left))


def judged(moments: list[tuple[float, float, float | None]], seconds: float) -> str:
    """The errors in words: the largest ones, and their course by time."""
    late = [(t, left) for t, share, left in moments if share >= FROM and t < seconds]
    if not late or any(left is None for _, left in late):
        return "nothing estimated"
    errors = [(t, (left or 0.0) - (seconds - t)) for t, left in late]
    largest = max(abs(e) for _, e in errors) / seconds
    of_rest = max((abs(e) / (seconds - t) for t, e in errors if t <= UNTIL * seconds), default=0.0)
    course = " ".join(
        f"{100 * t / seconds:.0f}%:{100 * e / seconds:+.0f}" for t, e in errors[:: max(1, len(errors) // 12)]
    )
    return (
        f"largest error {100 * largest:.0f} % of the whole, {100 * of_rest:.0f} % of the time left; {course}"
    )


if __name__ == "__main__":
    sys.exit(main())
