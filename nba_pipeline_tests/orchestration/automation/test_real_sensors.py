"""The sensors in real processes: with nothing but the environment set, a new deployment makes its days up to
the features."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.ranges import span
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.end_to_end.dev_server import dagster_dev
from nba_pipeline_tests.end_to_end.quick_daemon import write_instance
from nba_pipeline_tests.orchestration.automation.driver import FEATURES

ROOT = Path(__file__).parents[3]
LOCATION = """
from nba_pipeline import build
from nba_pipeline.orchestration.automation import source_sensor, wiring

wiring.CONTINUE_SECONDS = source_sensor.POLL_SECONDS = 1
defs = build.build_defs()
"""


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(900)
def test_an_empty_deployment_makes_its_days_by_itself(tmp_path: Path) -> None:
    """Source sensor, run queue, automation sensor, backfill daemon: seven levels, at most one per tick."""
    yesterday = pd.Timestamp.now(tz="America/New_York").date() - timedelta(days=1)
    start = yesterday - timedelta(days=2)
    write_instance(ROOT / "dagster.yaml", tmp_path)
    (tmp_path / "location.py").write_text(LOCATION, encoding="utf-8")
    store = ParquetStore(tmp_path / "warehouse")
    environment = {
        "NBA_PIPELINE_ENVIRONMENT": "production",
        "NBA_PIPELINE_START_DATE": start.isoformat(),
        "NBA_PIPELINE_ALERTS": "log",
        "PYTHONPATH": str(ROOT),
    }
    begun = time.monotonic()
    with dagster_dev(tmp_path, ["-f", "location.py"], environment) as server:
        server.wait_for(
            "the features of yesterday", lambda: yesterday in store.manifest(TABLES[FEATURES]), 720
        )
        print(f"\nfrom nothing to yesterday's features in {time.monotonic() - begun:.0f} s")
        wanted = set(span(start, yesterday))
        for table in TABLES.values():
            stored = set(store.manifest(table))
            # The calendar ends today, whose slate is wanted too; a night of the test may make it another day.
            assert wanted <= stored <= wanted | set(span(yesterday, yesterday + timedelta(days=2))), (
                table.full_name
            )
        assert server.failed_ticks() == []
