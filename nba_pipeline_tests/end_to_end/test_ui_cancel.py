"""A backfill that is canceled in the UI and launched again for what is missing: no hole, nothing half made.

Real processes, as in ``test_ui_backfill.py``, on the simulated league. The source gives no shots until it is
allowed to, so that the backfill is canceled in the middle however fast or slow the machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.ranges import contiguous, span
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.end_to_end.dev_server import DevServer, dagster_dev
from nba_pipeline_tests.end_to_end.quick_daemon import write_instance
from nba_pipeline_tests.end_to_end.test_ui_backfill import BACKFILL, LAUNCH, ROOT, backfill_status, cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.timeout(420),
]  # a minute and a quarter, nearly all of it waiting

DAYS = span(date(2023, 10, 24), date(2023, 11, 22))
SELECTED = [recipe.table for recipe in RECIPES if not recipe.table.startswith("nba_precompute.")]
GATE = "shots_may_come"
LOCATION = f"""
import time
from pathlib import Path

from nba_pipeline.orchestration.table_asset import SOURCE
from nba_pipeline.build import build_defs, make_source
from nba_pipeline.settings import Settings

source = make_source(Settings.from_environment())
shot_attempts = source.shot_attempts


def held_back(days):
    while not Path({GATE!r}).exists():
        time.sleep(0.1)
    return shot_attempts(days)


source.shot_attempts = held_back
defs = build_defs(resources={{SOURCE: source}})
"""
CANCEL = """
mutation ($id: String!) {
  cancelPartitionBackfill(backfillId: $id) { __typename ... on PythonError { message } }
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DevServer]:
    write_instance(ROOT / "dagster.yaml", tmp_path)
    settings = {"NBA_PIPELINE_START_DATE": str(DAYS[0]), "PYTHONPATH": str(ROOT)}
    (tmp_path / "location.py").write_text(
        LOCATION.replace(repr(GATE), repr(str(tmp_path / GATE))), encoding="utf-8"
    )
    with dagster_dev(tmp_path, ["-f", "location.py"], settings) as running:
        yield running


def launch(server: DevServer, days: dict[str, list[date]]) -> str:
    chosen = [
        {
            "assetKey": {"path": table.split(".")},
            "partitions": {
                "ranges": [{"start": str(first), "end": str(last)} for first, last in contiguous(wanted)]
            },
        }
        for table, wanted in days.items()
        if wanted
    ]
    launched = server.ask(LAUNCH, params={"partitionsByAssets": chosen})["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


def cancelled(server: DevServer, backfill: str) -> str | None:
    """How it ended. The daemon reads a backfill, looks which days are left and writes it back: a *Cancel* in
    between is lost (seen once, on a busy machine), and a person presses again."""
    if server.ask(BACKFILL, id=backfill)["partitionBackfillOrError"]["status"] == "REQUESTED":
        server.ask(CANCEL, id=backfill)
    return backfill_status(server, backfill)


def test_what_was_done_stays_and_the_rest_is_made_by_the_next_backfill(
    server: DevServer, tmp_path: Path
) -> None:
    backfill = launch(server, dict.fromkeys(SELECTED, DAYS))
    server.wait_for("the first table", lambda: "MATERIALIZED" in cells(server, SELECTED[0], DAYS), 120)
    assert server.ask(CANCEL, id=backfill)["cancelPartitionBackfill"]["__typename"] == "CancelBackfillSuccess"
    assert server.wait_for("the end of the backfill", lambda: cancelled(server, backfill), 120) == "CANCELED"

    stopped = {table: cells(server, table, DAYS) for table in SELECTED}
    assert all(set(found) <= {"MATERIALIZED", "FAILED", "MISSING"} for found in stopped.values()), (
        stopped
    )  # nothing seems to run
    made, not_begun = stopped["nba_raw.games"], stopped[SELECTED[-1]]
    assert (set(made), set(not_begun)) == ({"MATERIALIZED"}, {"MISSING"})
    store = ParquetStore(tmp_path / "warehouse")
    green = {
        table: {date.fromisoformat(day) for day in found.get("MATERIALIZED", set())}
        for table, found in stopped.items()
    }
    for table, days in green.items():
        assert days <= set(store.manifest(TABLES[table])), f"{table} shows days that are not stored"

    (tmp_path / GATE).touch()
    again = launch(server, {table: sorted(set(DAYS) - days) for table, days in green.items()})
    assert (
        server.wait_for("the end of the backfill", lambda: backfill_status(server, again), 240)
        == "COMPLETED_SUCCESS"
    )
    assert {table: set(cells(server, table, DAYS)) for table in SELECTED} == {
        table: {"MATERIALIZED"} for table in SELECTED
    }
    for table in SELECTED:
        manifest = store.manifest(TABLES[table])
        assert sorted(manifest) == DAYS
        assert len(store.read(TABLES[table], DAYS)) == sum(entry.row_count for entry in manifest.values())
