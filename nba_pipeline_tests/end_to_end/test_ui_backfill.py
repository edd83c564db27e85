"""A partition backfill through the UI's own machinery: webserver, daemon, queue, run processes, GraphQL.

Only the daemon's interval is shortened (``quick_daemon.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.ranges import span
from nba_pipeline_tests.end_to_end.dev_server import DevServer, dagster_dev
from nba_pipeline_tests.end_to_end.quick_daemon import write_instance

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.bulk,
    pytest.mark.timeout(420),
]  # test_ui_season.py goes the same way

ROOT = Path(__file__).parents[2]
DAYS = [str(d) for d in span(date(2024, 3, 4), date(2024, 3, 10))]
BAD_DAY = "2024-03-07"
PLAYERS, SLATE = "nba_analytics.player_game_summary", "nba_analytics.upcoming_player_game_context"
SELECTED = [
    *("nba_raw.games", "nba_raw.player_boxscores", "nba_raw.shot_attempts"),
    *("nba_analytics.team_offense_game_summary", "nba_analytics.team_defense_game_summary", PLAYERS, SLATE),
]
LOCATION = """
from nba_pipeline.build import build_defs
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric

defs = build_defs(tables=TABLES.with_column(
    "nba_analytics.player_game_summary", "usage_rate", type=numeric(5, 2)))
"""
LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
BACKFILL = (
    "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status"
    " } } }"
)
CELLS = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
    }
  }
}"""
CHECK_DAYS = """
query ($key: AssetKeyInput!, $name: String!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetCheckOrError(checkName: $name) {
        ... on AssetCheck { partitionStatuses { ... on AssetCheckTimePartitionStatuses {
            ranges { status startKey endKey } } } }
      }
    }
  }
}"""
EXECUTIONS = """
query ($key: AssetKeyInput!, $check: String!) {
  assetCheckExecutions(assetKey: $key, checkName: $check, limit: 400) {
    status
    evaluation {
      partition
      success
      metadataEntries { label ... on MarkdownMetadataEntry { mdStr } ... on TextMetadataEntry { text } }
    }
  }
}"""


BEYOND = ("2025-03-08", "2025-03-10")
"""Days of the slate that Dagster adds when the UI asks for DAYS: their look-back holds good days of DAYS and
not the bad one. It adds them or not by the order of a set, so the backfill is launched with them; nothing of
them was ever made."""


def chosen(table: str) -> dict[str, Any]:
    """What the backfill is to make of a table."""
    ranges = [(DAYS[0], DAYS[-1]), *([BEYOND] if table == SLATE else [])]
    return {
        "assetKey": {"path": table.split(".")},
        "partitions": {"ranges": [{"start": first, "end": last} for first, last in ranges]},
    }


@pytest.fixture(scope="module")
def server(bulk_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """`dagster dev` over the real seasons with usage_rate declared NUMERIC(5,2), after a backfill of SELECTED
    over DAYS."""
    home = tmp_path_factory.mktemp("ui")
    write_instance(ROOT / "dagster.yaml", home)
    (home / "location.py").write_text(LOCATION)
    settings = {
        "NBA_PIPELINE_SOURCE": "bulk",
        "NBA_PIPELINE_BULK_DIR": str(bulk_dir),
        "NBA_PIPELINE_START_DATE": DAYS[0],
        "PYTHONPATH": str(ROOT),
    }
    with dagster_dev(home, ["-f", "location.py"], settings) as running:
        params = {"partitionsByAssets": [chosen(table) for table in SELECTED]}
        launched = running.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        end = running.wait_for(
            "the end of the backfill", lambda: backfill_status(running, launched["backfillId"]), 300
        )
        assert end == "COMPLETED_FAILED"
        yield running


def backfill_status(server: DevServer, backfill_id: str) -> str | None:
    """How the backfill ended; None if it has not."""
    status = server.ask(BACKFILL, id=backfill_id)["partitionBackfillOrError"]["status"]
    return None if status in ("REQUESTED", "FAILING", "CANCELING") else str(status)


def cells(server: DevServer, table: str, days: Sequence[object] = DAYS) -> dict[str, set[str]]:
    """Days by status as the UI colours them; those of ``days`` without a colour are under MISSING."""
    answer = server.ask(CELLS, key={"path": table.split(".")})["assetNodeOrError"]["assetPartitionStatuses"][
        "ranges"
    ]
    found: dict[str, set[str]] = {}
    for part in answer:
        part_days = {
            str(d) for d in span(date.fromisoformat(part["startKey"]), date.fromisoformat(part["endKey"]))
        }
        found.setdefault(part["status"], set()).update(part_days)
    coloured: set[str] = set().union(*found.values())
    found["MISSING"] = {str(day) for day in days} - coloured
    return {status: days for status, days in found.items() if days}


def check_days(server: DevServer, table: str, check: str) -> dict[str, str]:
    """Status by day, as the Partitions tab of a check counts it."""
    answer = server.ask(CHECK_DAYS, key={"path": table.split(".")}, name=check)["assetNodeOrError"][
        "assetCheckOrError"
    ]
    ranges = answer["partitionStatuses"]["ranges"]
    return {
        str(d): r["status"]
        for r in ranges
        for d in span(date.fromisoformat(r["startKey"]), date.fromisoformat(r["endKey"]))
    }


def executions(server: DevServer, table: str, check: str) -> dict[str, dict[str, Any]]:
    """Evaluations of a check by day."""
    answer = server.ask(EXECUTIONS, key={"path": table.split(".")}, check=check)["assetCheckExecutions"]
    return {e["evaluation"]["partition"]: e["evaluation"] for e in answer if e["evaluation"]}


def test_exactly_the_bad_cell_is_red_and_only_what_it_blocks_is_missing(server: DevServer) -> None:
    seen = {table: cells(server, table) for table in SELECTED}
    later = {day for day in DAYS if day > BAD_DAY}
    expected = {table: {"MATERIALIZED": set(DAYS)} for table in SELECTED}
    expected[PLAYERS] = {"MATERIALIZED": set(DAYS) - {BAD_DAY}, "FAILED": {BAD_DAY}}
    expected[SLATE] = {"MATERIALIZED": set(DAYS) - later, "MISSING": later}
    assert seen == expected


def test_the_red_day_shows_its_failed_check_with_the_row(server: DevServer) -> None:
    days = executions(server, PLAYERS, "usage_rate_range")
    assert set(days) == set(DAYS)
    assert {day for day, evaluation in days.items() if not evaluation["success"]} == {BAD_DAY}
    entries = {e["label"]: e for e in days[BAD_DAY]["metadataEntries"]}
    table = entries["offending_rows"]["mdStr"]
    assert table.startswith("| ")
    for word in ("Quinones", "1196.81", "usage_rate", "NUMERIC(6,2)"):
        assert word in table
    assert entries["failure_class"]["text"] == "type_overflow"


def test_every_other_check_of_the_day_is_green(server: DevServer) -> None:
    for check in ("schema_contract", "unique_key", "conservation", "completeness"):
        assert all(e["success"] for e in executions(server, PLAYERS, check).values()), check


def test_the_days_of_a_check_are_counted_as_passed_and_failed(server: DevServer) -> None:
    """The Partitions tab of a check: an evaluation that does not name its day's newest materialization counts
    as missing."""
    days = check_days(server, PLAYERS, "usage_rate_range")
    assert {d: s for d, s in days.items() if d in DAYS} == {
        d: "FAILED" if d == BAD_DAY else "SUCCEEDED" for d in DAYS
    }
