"""`kill -9` of a backfill, and afterwards nothing of ours but `dagster dev`: the runs of the dead process are
closed, so that they hold no place in the queue, and a backfill of the UI starts and ends."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.orchestration.open_instance import open_instance
from nba_pipeline.ranges import span
from nba_pipeline_tests.end_to_end.dev_server import dagster_dev
from nba_pipeline_tests.end_to_end.test_two_backfills import FIRST, GAMES, ROOT, start
from nba_pipeline_tests.end_to_end.test_ui_backfill import LAUNCH, backfill_status, cells

LAST = FIRST + timedelta(days=200)
STARTED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
"""The queue of dagster.yaml runs two at once: with two of these nothing else would ever begin."""


def started_runs(home: Path) -> list[dg.DagsterRun]:
    """The runs that the instance takes for running; a look at the file, which a second process may be
    creating."""
    if not (home / "dagster.yaml").exists():
        return []
    with open_instance(home) as instance:
        return list(instance.get_runs(STARTED))


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(420)
def test_a_backfill_of_the_ui_starts_within_two_minutes_of_a_kill(tmp_path: Path) -> None:
    killed = start(tmp_path, "backfill", "--start", str(FIRST), "--end", str(LAST), "--workers", "2")
    deadline = time.monotonic() + 120
    while len(dead := started_runs(tmp_path)) < 2:
        assert killed.poll() is None, "it ended before two of its runs were seen"
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert len(started_runs(tmp_path)) >= 1, "what nobody closed is still called running"

    day = LAST + timedelta(days=30)
    settings = {"NBA_PIPELINE_START_DATE": str(FIRST), "PYTHONPATH": str(ROOT)}
    with dagster_dev(tmp_path, ["-m", "nba_pipeline.definitions"], settings) as server:
        chosen = {"ranges": [{"start": str(day), "end": str(day + timedelta(days=2))}]}
        params = {"partitionsByAssets": [{"assetKey": {"path": GAMES.split(".")}, "partitions": chosen}]}
        launched = server.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        ended = server.wait_for(
            "the end of the backfill", lambda: backfill_status(server, launched["backfillId"]), 120
        )
        assert ended == "COMPLETED_SUCCESS"
        asked = {str(d) for d in span(day, day + timedelta(days=2))}
        assert cells(server, GAMES, sorted(asked))["MATERIALIZED"] >= asked
        assert {run.run_id for run in dead}.isdisjoint(run.run_id for run in started_runs(tmp_path))
