"""How long a backfill of the UI waits: a week of all tables of the simulated league, at several intervals of
the backfill daemon, in real processes (webserver, daemon, queue, one run per level).

    python bench/ui_backfill.py [SECONDS ...]      # default: 30 (Dagster's own) and 5 (dagster.yaml)
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.end_to_end.dev_server import dagster_dev
from nba_pipeline_tests.end_to_end.test_ui_backfill import LAUNCH, backfill_status

ROOT = Path(__file__).parents[1]
FIRST, DAYS = date(2024, 1, 8), 7


def seconds(interval: int) -> float:
    """Time on the clock from launching the backfill to its end."""
    last = FIRST + timedelta(days=DAYS - 1)
    ranges = [{"start": FIRST.isoformat(), "end": last.isoformat()}]
    chosen = [{"assetKey": {"path": table.split(".")}, "partitions": {"ranges": ranges}} for table in TABLES]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
        changed = text.replace("interval_seconds: 5\n", f"interval_seconds: {interval}\n")
        (home / "dagster.yaml").write_text(changed, encoding="utf-8")
        settings = {
            "NBA_PIPELINE_START_DATE": FIRST.isoformat(),
            "NBA_PIPELINE_END_DATE": last.isoformat(),
            "PYTHONPATH": str(ROOT),
        }
        with dagster_dev(home, ["-m", "nba_pipeline.definitions"], settings) as server:
            began = time.monotonic()
            params = {"partitionsByAssets": chosen}
            launched = server.ask(LAUNCH, params=params)["launchPartitionBackfill"]
            ended = server.wait_for("the end", lambda: backfill_status(server, launched["backfillId"]), 900)
            assert ended == "COMPLETED_SUCCESS", ended
            return time.monotonic() - began


if __name__ == "__main__":
    for interval in [int(text) for text in sys.argv[1:]] or [30, 5]:
        took = seconds(interval)
        print(f"interval {interval} s: {DAYS} days of all tables in {took:.0f} s", flush=True)
