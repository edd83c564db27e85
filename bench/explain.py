"""`nba-pipeline explain` as a user starts it: seconds of the whole process, and of these inside the command.

    python bench/explain.py [--bulk FOLDER] [--start D] [--end D] [--times N]
    python bench/explain.py --home DIR [--end D] [--times N]

Makes the days of all tables in a temporary DAGSTER_HOME (with --bulk from that folder, otherwise of the
simulated league), or takes a home that has them; then asks for a value of each kind on the last day, N times
each, and prints the fastest. The first lines are what the libraries cost by themselves (importing pandas,
pyarrow, typer and rich) and what Dagster would cost: seconds on another machine are other seconds, the ratios
stay. `cpu` is processor time, which other work on the machine changes least. Compiled Python files are
written before the clock runs, as after any installation.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

VALUES = (
    ("player_game_summary", "usage_rate"),
    ("team_offense_game_summary", "paint_makes"),
    ("upcoming_player_game_context", "days_rest"),
    ("player_daily_cache", "points_avg_last_5"),
    ("player_daily_cache", "usage_rate_season"),
    ("player_composite_factors", "total_composite_adjustment"),
    ("team_defense_zone_analysis", "weakest_zone"),
    ("ml_feature_store", "points_vs_opponent_avg"),
)
INSIDE = """
import sys, time
from nba_pipeline.cli import main
began = time.perf_counter()
sys.argv[1:] = {arguments!r}
try:
    main.main()
finally:
    print(time.perf_counter() - began, file=sys.stderr)
"""
LONGEST = (
    "SELECT player_id, team_abbr FROM nba_analytics.player_game_summary WHERE game_date = DATE '{day}' ORDER"
    " BY seconds_played DESC LIMIT 1"
)
"""Whoever played longest that day."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bulk", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--start", default="2023-10-24")
    parser.add_argument("--end", default="2024-03-07")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    source = (
        {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(options.bulk.resolve())}
        if options.bulk
        else {}
    )
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    } | source
    if options.home:
        report(environment | {"DAGSTER_HOME": str(options.home.resolve())}, options.end, options.times)
        return 0
    with tempfile.TemporaryDirectory(prefix="nba-bench-") as home:
        environment |= {"DAGSTER_HOME": home, "NBA_PIPELINE_START_DATE": options.start}
        command("backfill", "--start", options.start, "--end", options.end, "--json", env=environment)
        report(environment, options.end, options.times)
    return 0


def command(*arguments: str, env: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-m", "nba_pipeline.cli.main", *arguments],
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def report(env: dict[str, str], day: str, times: int) -> None:
    """A line per value: the fastest of so many times, and how often what the libraries need."""
    rows = json.loads(command("sql", LONGEST.format(day=day), "--json", env=env))
    if not rows:
        sys.exit(
            f"{env['DAGSTER_HOME']} has no player's row of {day} to explain: name another home, or a day that"
            " it holds with --end"
        )
    (row,) = rows
    libraries = fastest("import pandas, pyarrow.parquet, typer, rich.console", env, times)
    dagster = fastest("import dagster", env, times)
    print(f"the libraries alone: {libraries.whole:.2f} s, {libraries.cpu:.2f} s cpu")
    print(f"Dagster alone, which explain does not load: {dagster.whole:.2f} s, {dagster.cpu:.2f} s cpu\n")
    print("   whole    cpu  of the libraries'  inside")
    for table, column in VALUES:
        key = f"team={row['team_abbr']}" if table.startswith("team_") else f"player_id={row['player_id']}"
        took = fastest(
            INSIDE.format(arguments=["explain", table, day, "--key", key, "--column", column]), env, times
        )
        print(
            f"{took.whole:6.2f} s {took.cpu:4.2f} s {took.cpu / libraries.cpu:14.1f} x  {took.inside:4.2f} s "
            f" {table}.{column}"
        )


@dataclass(frozen=True)
class Took:
    """Seconds: of the process, of the processor, and those that the program measured itself."""

    whole: float
    cpu: float
    inside: float


def fastest(program: str, env: dict[str, str], times: int) -> Took:
    took = [once(program, env) for _ in range(times)]
    return Took(min(t.whole for t in took), min(t.cpu for t in took), min(t.inside for t in took))


def once(program: str, env: dict[str, str]) -> Took:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True
    )
    whole, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(whole, cpu, float(done.stderr.split()[-1]) if done.stderr else 0.0)


if __name__ == "__main__":
    sys.exit(main())
