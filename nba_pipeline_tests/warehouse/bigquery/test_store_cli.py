"""The command line with one setting changed: the same backfill, in BigQuery."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.cli.main import app
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.backfill.plan import make_plan
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.ranges import span
from nba_pipeline.settings import BigQuerySettings, Settings
from nba_pipeline.warehouse.bigquery.quota import write_cost
from nba_pipeline.warehouse.quota import OverBudget
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT

WEEK = (
    "--start",
    "2023-10-24",
    "--end",
    "2023-10-28",
    "--tables",
    "games,player_boxscores",
    "--json",
    "--workers",
    "1",
)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.fixture(autouse=True)
def environment(fake: FakeBigQuery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "WAREHOUSE": "bigquery",
        "START_DATE": "2023-10-24",
        "BIGQUERY_PROJECT": PROJECT,
        "BIGQUERY_ENDPOINT": fake.url,
    }
    for name, value in given.items():
        monkeypatch.setenv(f"NBA_PIPELINE_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))


@pytest.mark.slow
def test_a_backfill_by_command(fake: FakeBigQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = run("backfill", *WEEK)  # no dataset yet: one line that says what to do, and nothing is written
    assert isinstance(lost.exception, ConfigurationError)
    assert "nba-pipeline schema apply" in str(lost.exception)
    assert len(fake.jobs) == 0

    assert run("schema", "apply").exit_code == 0
    done = run("backfill", *WEEK)
    assert done.exit_code == 0, (done.output, done.exception)
    jobs = [job.id[:8] for job in fake.jobs if job.parent is None]
    assert jobs == ["nba_load", "nba_swap"] * 2  # a load and a script per table: the manifest costs no job
    counted = (
        fake.client(PROJECT)
        .query(f"SELECT COUNT(*) FROM `{PROJECT}.nba_raw.games` WHERE game_date >= '2023-10-24'")
        .result()
    )
    manifest = (
        fake.client(PROJECT)
        .query(f"SELECT SUM(row_count), COUNT(*) FROM `{PROJECT}.nba_raw.games__manifest`")
        .result()
    )
    assert [r[0] for r in counted] == [r[0] for r in manifest]

    states = json.loads(run("status", "--start", "2023-10-24", "--end", "2023-10-28", "--json").output)
    assert states["tables"]["nba_raw.games"]["rows"] > 0
    before = len(fake.jobs)
    assert run("backfill", *WEEK).exit_code == 0
    assert len(fake.jobs) == before  # nothing changed

    monkeypatch.setenv("NBA_PIPELINE_BIGQUERY_DAILY_PARTITIONS", "7")
    longer = (*WEEK[:3], "2023-11-02", *WEEK[4:])
    forecast = json.loads(run("plan", *longer[:-2]).output)["quota"]
    assert not forecast["fits_today"]
    assert forecast["tables"]["nba_raw.games"]["planned"] == {"loads": 1, "dml": 4, "partitions": 5}
    assert forecast["tables"]["nba_raw.games"]["used_today"] == {"loads": 1, "dml": 4, "partitions": 5}
    assert forecast["tables"]["nba_raw.games"]["bytes"] > 0

    part = run("backfill", *longer)  # two of the five days fit
    assert part.exit_code == 1
    told = json.loads(part.stdout)
    assert [t["materialized"] for t in told["tables"].values()] == [2, 2]
    assert told["left"]["tables"] == {
        key: [["2023-10-31", "2023-11-02"]] for key in ("nba_raw.games", "nba_raw.player_boxscores")
    }
    assert "and 2 of 7 are left today" in told["left"]["why"][0]
    assert "left for another day: 2023-10-31 .. 2023-11-02" in part.stderr
    assert len([job for job in fake.jobs if job.kind == "load"]) == 4

    refused = run("backfill", *longer)
    assert isinstance(refused.exception, OverBudget)
    assert "and 0 of 7 are left today" in str(refused.exception)
    assert len([job for job in fake.jobs if job.kind == "load"]) == 4
    monkeypatch.setenv(
        "NBA_PIPELINE_BIGQUERY_DAILY_PARTITIONS", "10"
    )  # as after midnight: the same command goes on
    rest = run("backfill", *longer)
    assert rest.exit_code == 0
    assert [t["materialized"] for t in json.loads(rest.stdout)["tables"].values()] == [3, 3]


@pytest.mark.slow  # a backfill of some tables is above
def test_a_backfill_of_every_table_is_one_write_per_table(
    fake: FakeBigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run length decides the jobs: 12 tables are 24 jobs in runs that hold the range, and about twice
    that in halves of it."""
    asked = ("--start", "2023-10-24", "--end", "2023-11-04", "--workers", "1", "--json")
    assert run("schema", "apply").exit_code == 0
    done = run("backfill", *asked)
    assert done.exit_code == 0, (done.output, done.exception)
    kinds = Counter(job.id.split("_")[1] for job in fake.jobs if job.parent is None)
    assert kinds == {
        "load": 12,
        "swap": 12,
    }  # what a run wrote, the next one has at hand: nothing is read back
    before = len(fake.jobs)
    page = run("report", *asked[:4], "--format", "md").output
    assert "100 % of all table-days are complete" in page
    assert "| nba_raw.games | 1 | 4 | 12 |" in page.split("## Quota")[1]  # loads, DML, partitions used today
    assert 0 < len(fake.jobs) - before <= 20
    assert {job.id.split("_")[1] for job in fake.jobs[before:] if job.parent is None} <= {
        "read"
    }  # a report writes nothing
    monkeypatch.setenv("NBA_PIPELINE_MAX_DAYS_PER_RUN", "10")
    runs = json.loads(run("plan", *asked[:4], "--force", "--json").output)["tables"]
    assert [len(t["runs"]) for t in runs.values()] == [2] * 12


def test_four_seasons_are_planned_within_fifty_jobs() -> None:
    """1,538 days of 12 tables in the runs of this warehouse: the loads and scripts that the command will
    start."""
    days = span(date(2021, 10, 19), date(2026, 1, 3))
    assert len(days) == 1_538
    states = {p.table: TableState(p.table, {}, {}, {}, frozenset(), frozenset(days)) for p in RECIPES}
    bigquery = Settings(warehouse="bigquery", bigquery=BigQuerySettings(PROJECT))
    jobs = {}
    for name, settings in {"bigquery": bigquery, "parquet": Settings()}.items():
        runs = make_plan(RECIPES, states, {}, days, days_per_run=settings.days_per_run).runs()
        jobs[name] = sum(
            2 * write_cost((last - first).days + 1).loads
            for ranges in runs.values()
            for first, last in ranges
        )
    assert jobs == {"bigquery": 24, "parquet": 96}  # the local length would be too many here


def test_the_local_warehouse_needs_nothing_of_google(tmp_path: Path) -> None:
    script = """
import sys
for name in ("google.cloud.bigquery", "google.auth", "dagster_gcp"):
    sys.modules[name] = None  # importing them fails
import nba_pipeline.cli.main, nba_pipeline.cli.schema, nba_pipeline.operations.schema
import nba_pipeline.operations.backfill.quota
from nba_pipeline.build import build_defs
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.settings import BigQuerySettings, Settings
build_defs(Settings())
try:
    build_defs(Settings(warehouse="bigquery", bigquery=BigQuerySettings("test-project")))
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "pip install nba-pipeline[bigquery]" in done.stdout


@pytest.mark.slow
def test_a_run_of_the_ui_counts_what_the_command_line_used_today(
    fake: FakeBigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("schema", "apply").exit_code == 0
    monkeypatch.setenv("NBA_PIPELINE_BIGQUERY_DAILY_PARTITIONS", "7")
    assert run("backfill", *WEEK[:5], "games", "--json").exit_code == 0  # five of the seven
    jobs = len(fake.jobs)
    settings = Settings.from_environment()
    with dg.DagsterInstance.get() as instance:
        defs = build_defs(settings)
        job = defs.get_repository_def().get_implicit_global_asset_job_def()
        launched = job.get_subset(asset_selection={dg.AssetKey(["nba_raw", "games"])}).execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": "2023-10-29",
                "dagster/asset_partition_range_end": "2023-11-02",
            },
            raise_on_error=False,
        )
        assert not launched.success
    assert len(fake.jobs) == jobs  # nothing was sent
    states = json.loads(run("status", "--start", "2023-10-24", "--end", "2023-11-02", "--json").output)[
        "tables"
    ]["nba_raw.games"]
    assert states["materialized"] == 5
    assert {f["date"] for f in states["failed"]} == {
        str(d) for d in span(date(2023, 10, 29), date(2023, 11, 2))
    }
    assert {f["class"] for f in states["failed"]} == {"write_failed"}
    assert all(
        "needs 5 partition modifications, and 2 of 7 are left today" in f["message"] for f in states["failed"]
    )
