"""A backfill that is interrupted, by Ctrl-C or by `kill -9`, at random moments: the status is true and the
next one finishes the rest.

The suite tries a few moments; ``NBA_PIPELINE_TEST_INTERRUPTS=20`` tries as many as you like.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.ranges import span
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
FIRST, LAST = date(2023, 10, 24), date(2023, 11, 14)
DAYS = span(FIRST, LAST)
MOMENTS = int(os.environ.get("NBA_PIPELINE_TEST_INTERRUPTS", "2"))


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "nba_pipeline.cli.main", *arguments],
        env={
            **clean,
            "DAGSTER_HOME": str(home),
            "NBA_PIPELINE_START_DATE": str(FIRST),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(home: Path, *arguments: str) -> tuple[int, Any]:
    process = start(home, *arguments, "--end", str(LAST), "--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode in (0, 1), err
    return process.returncode, json.loads(out)["tables"]


def stored(home: Path) -> dict[str, dict[date, str]]:
    """Content hash by day of every table, read back from the files."""
    store = ParquetStore(home / "warehouse")
    found = {}
    for table in TABLES.values():
        manifest = store.manifest(table)
        assert len(store.read(table, sorted(manifest))) == sum(entry.row_count for entry in manifest.values())
        found[table.full_name] = {day: entry.content_hash for day, entry in manifest.items()}
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[date, str]], float]:
    """What an undisturbed backfill stores, and the seconds it takes."""
    home = tmp_path_factory.mktemp("whole")
    began = time.monotonic()
    code, _ = finished(home, "backfill", "--start", str(FIRST))
    assert code == 0
    return stored(home), time.monotonic() - began


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_an_interrupted_backfill_loses_nothing_and_leaves_no_hole(
    moment: int, whole: tuple[dict[str, dict[date, str]], float], tmp_path: Path
) -> None:
    expected, seconds = whole
    chance = random.Random(moment)
    how = (signal.SIGINT, signal.SIGKILL)[moment % 2]
    workers = str(1 + moment % 2)
    process = start(tmp_path, "backfill", "--start", str(FIRST), "--end", str(LAST), "--workers", workers)
    time.sleep(chance.uniform(0, 0.95) * seconds)
    os.killpg(process.pid, how)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    if how is signal.SIGINT:
        # -SIGINT and silence: it came while Python or the plan was being loaded; 0: after the end.
        assert process.returncode in (130, -signal.SIGINT, 0), err
        assert ("the same command makes the rest" in err) == ("Stopping after what runs now" in err)
    before = stored(tmp_path)
    assert all(expected[table].items() >= days.items() for table, days in before.items()), (
        "half a day, or another one, was stored"
    )

    recorded = states_after(tmp_path, before)
    code, resumed = finished(tmp_path, "backfill", "--start", str(FIRST))
    assert code == 0
    assert stored(tmp_path) == expected
    for table, result in resumed.items():
        assert result["requested"] <= len(DAYS) - recorded[table], "a finished day was made again"
    assert finished(tmp_path, "status", "--start", str(FIRST))[0] == 0


def states_after(home: Path, before: dict[str, dict[date, str]]) -> dict[str, int]:
    """The days that `status` knows of after the interrupt, by table; everything that it says must be true."""
    if not any(before.values()) and not (home / "dagster.yaml").exists():
        # Stopped while Python was loading: there is no home to ask about, and `status` makes none.
        process = start(home, "status", "--end", str(LAST))
        _, err = process.communicate(timeout=300)
        assert (process.returncode, "is no home of the pipeline yet" in err) == (2, True), err
        return dict.fromkeys(before, 0)
    _, states = finished(home, "status", "--start", str(FIRST))
    for table, state in states.items():
        assert state["materialized"] <= len(before[table]), "status knows of a day that is not stored"
        assert state["materialized"] + state["blocked"] + state["missing"] == len(DAYS)
        assert state["failed"] == [], "what was only interrupted did not fail"
        assert state["in_progress"] == 0, "a run whose process is gone is closed"
    return {table: state["materialized"] for table, state in states.items()}


def test_the_range_has_games_for_every_table() -> None:
    """So that the test above has something to lose."""
    assert len(SimulatedSource(first_day=FIRST).games(DAYS).frame) > 100
    assert len(RECIPES) == len(TABLES)
