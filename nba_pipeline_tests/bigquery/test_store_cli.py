"""The command line with one setting changed: the same backfill, in BigQuery."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nba_pipeline.cli.main import app
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.warehouse.bigquery_quota import OverBudget
from nba_pipeline_tests.bigquery.fake import FakeBigQuery
from nba_pipeline_tests.bigquery.support import PROJECT

WEEK = ("--start", "2023-10-24", "--end", "2023-10-28", "--tables", "games,player_boxscores", "--json", "--workers", "1")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.fixture(autouse=True)
def environment(fake: FakeBigQuery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"WAREHOUSE": "bigquery", "START_DATE": "2023-10-24", "BIGQUERY_PROJECT": PROJECT, "BIGQUERY_ENDPOINT": fake.url}
    for name, value in given.items():
        monkeypatch.setenv(f"NBA_PIPELINE_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))


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
    counted = fake.client(PROJECT).query(f"SELECT COUNT(*) FROM `{PROJECT}.nba_raw.games` WHERE game_date >= '2023-10-24'").result()
    manifest = fake.client(PROJECT).query(f"SELECT SUM(row_count), COUNT(*) FROM `{PROJECT}.nba_raw.games__manifest`").result()
    assert [r[0] for r in counted] == [r[0] for r in manifest]

    states = json.loads(run("status", "--start", "2023-10-24", "--end", "2023-10-28", "--json").output)
    assert states["tables"]["nba_raw.games"]["rows"] > 0
    before = len(fake.jobs)
    assert run("backfill", *WEEK).exit_code == 0
    assert len(fake.jobs) == before  # nothing changed

    monkeypatch.setenv("NBA_PIPELINE_BIGQUERY_DAILY_PARTITIONS", "7")
    refused = run("backfill", *WEEK[:3], "2023-11-02", *WEEK[4:])
    assert isinstance(refused.exception, OverBudget)
    assert "and 2 of 7 are left today" in str(refused.exception)
    assert len([job for job in fake.jobs if job.kind == "load"]) == 2


def test_the_local_warehouse_needs_nothing_of_google(tmp_path: Path) -> None:
    script = """
import sys
sys.modules["google.cloud.bigquery"] = sys.modules["google.auth"] = sys.modules["dagster_gcp"] = None  # importing them fails
import nba_pipeline.cli.main, nba_pipeline.cli.schema, nba_pipeline.operations.schema, nba_pipeline.operations.quota
from nba_pipeline.build import build_defs
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.settings import BigQuerySettings, Settings
build_defs(Settings())
try:
    build_defs(Settings(warehouse="bigquery", bigquery=BigQuerySettings("test-project")))
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "pip install nba-pipeline[bigquery]" in done.stdout
