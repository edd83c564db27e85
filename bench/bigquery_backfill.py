"""A whole backfill of the command line into BigQuery, measured against the loopback server of the tests:
jobs, rows, memory.

    python bench/bigquery_backfill.py [--start 2021-10-19] [--end 2026-01-03]
        [--source simulated] [--workers 1]

What is counted is what the server was asked for, not what the plan says; the plan's own numbers are printed
beside it. The server shares this machine's cores, so the seconds say little about the production service.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery

COMMAND = (sys.executable, "-m", "nba_pipeline.cli.main")
PROJECT = "bench-project"


def settings(fake: FakeBigQuery, home: str, start: str) -> dict[str, str]:
    given = {
        "WAREHOUSE": "bigquery",
        "BIGQUERY_PROJECT": PROJECT,
        "BIGQUERY_ENDPOINT": fake.url,
        "START_DATE": start,
    }
    return (
        os.environ | {"DAGSTER_HOME": home} | {f"NBA_PIPELINE_{name}": value for name, value in given.items()}
    )


def measured(words: list[str], environment: dict[str, str]) -> tuple[int, float, float]:
    """Exit code, seconds, and the largest memory of the command or of one of its workers in MiB."""
    started = time.perf_counter()
    with subprocess.Popen([*COMMAND, *words], env=environment, stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.perf_counter() - started, usage.ru_maxrss / 1024


def counted(fake: FakeBigQuery) -> str:
    """Jobs by kind (statements of a script are no jobs of their own), and rows with the manifests' share."""
    kinds = Counter(job.id.split("_")[1] for job in fake.jobs if job.parent is None)
    client = fake.client(PROJECT)

    def rows(name: str) -> int:
        return int(client.get_table(f"{PROJECT}.{name}").num_rows)

    data = sum(rows(table.full_name) for table in TABLES.values())
    manifest = sum(rows(f"{table.full_name}__manifest") for table in TABLES.values())
    jobs = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    return (
        f"{sum(kinds.values())} jobs ({jobs}); {data:,} rows, manifests {manifest:,} ({manifest / data:.2%})"
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--start", default="2021-10-19")
    options.add_argument("--end", default="2026-01-03")
    options.add_argument("--source", default="simulated")
    options.add_argument("--workers")
    given = options.parse_args()
    asked = ["--start", given.start, "--end", given.end, "--source", given.source]
    workers = ["--workers", given.workers] if given.workers else []
    with FakeBigQuery() as fake, tempfile.TemporaryDirectory() as home:
        environment = settings(fake, home, given.start)
        subprocess.run([*COMMAND, "schema", "apply"], env=environment, check=True, stdout=subprocess.DEVNULL)
        planned = subprocess.run(
            [*COMMAND, "plan", *asked, "--json"], env=environment, check=True, capture_output=True, text=True
        )
        plan: dict[str, Any] = json.loads(planned.stdout)
        print(f"planned: {sum(len(t['runs']) for t in plan['tables'].values())} runs")
        code, seconds, memory = measured(["backfill", *asked, *workers, "--json"], environment)
        print(f"backfill: exit code {code}, {seconds:.0f} s, {memory:.0f} MiB\n{counted(fake)}")
        before = len(fake.jobs)
        code, seconds, memory = measured(["backfill", *asked, *workers, "--json"], environment)
        print(f"again: exit code {code}, {seconds:.0f} s, {memory:.0f} MiB, {len(fake.jobs) - before} jobs")


if __name__ == "__main__":
    main()
