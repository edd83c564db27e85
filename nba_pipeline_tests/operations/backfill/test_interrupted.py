"""`kill -9` in the middle of a backfill: the status is true afterwards, and the next backfill makes only what
is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nba_pipeline_tests.end_to_end.pipelines import command, environment
from nba_pipeline_tests.operations.conftest import DAYS, START

BACKFILL = [sys.executable, "-m", "nba_pipeline.cli.main", "backfill", *DAYS]


def kill_when(folder: Path) -> None:
    """Start a backfill and kill it, without a chance to clean up, as soon as the folder holds something."""
    process = subprocess.Popen(BACKFILL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (folder.is_dir() and any(folder.iterdir())):
        assert process.poll() is None, "the backfill ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("nba_raw/shot_attempts", marks=pytest.mark.slow),
        pytest.param("nba_precompute/player_shot_zone_analysis", marks=pytest.mark.slow),
    ],
)
def test_a_killed_backfill_goes_on_where_it_was(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment(DAGSTER_HOME=tmp_path, NBA_PIPELINE_START_DATE=START):
        kill_when(tmp_path / "warehouse" / table)
        before = command(capsys, "status", *DAYS, "--json").json["tables"]
        plan = command(capsys, "plan", *DAYS, "--json").json["tables"]
        assert all(
            t["planned"] + before[name]["materialized"] == 10 for name, t in plan.items()
        )  # no hole, nothing twice
        assert any(t["planned"] == 0 for t in plan.values())
        assert any(t["planned"] == 10 for t in plan.values())
        again = command(capsys, "backfill", *DAYS, "--json")
        assert again.code == 0
        assert {name: t["requested"] for name, t in again.json["tables"].items()} == {
            name: t["planned"] for name, t in plan.items()
        }
        after = command(capsys, "status", *DAYS, "--json").json["tables"]
        assert {(t["materialized"], t["in_progress"], len(t["failed"])) for t in after.values()} == {
            (10, 0, 0)
        }
        assert all(t["stale"] == {} for t in after.values())
        assert not [
            name for _, _, files in os.walk(tmp_path / "warehouse") for name in files if name.endswith(".tmp")
        ]
