"""A season of all twelve tables, backfilled as the UI does it, with two bad days; then the source is healed
and the rest is made.

Real processes throughout: webserver, daemon, run queue, one process per run, GraphQL. Only the daemon's
interval is shortened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.ranges import contiguous, span
from nba_pipeline_tests.end_to_end.dev_server import DevServer, dagster_dev
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE
from nba_pipeline_tests.end_to_end.quick_daemon import write_instance
from nba_pipeline_tests.end_to_end.test_ui_backfill import (
    LAUNCH,
    ROOT,
    backfill_status,
    cells,
    check_days,
    executions,
)

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.bulk, pytest.mark.timeout(900)]

FIRST, LAST = date(2022, 10, 18), date(2023, 6, 12)
DAYS = span(FIRST, LAST)
SHOT_DAY, TWICE_DAY = date(2023, 1, 15), date(2023, 3, 10)
BOXSCORES, SHOTS, DEFENSE_ZONES = (
    "nba_raw.player_boxscores",
    "nba_raw.shot_attempts",
    "nba_precompute.team_defense_zone_analysis",
)
TABLES = [recipe.table for recipe in RECIPES]
LOCATION = """
import json, os
from datetime import date
from pathlib import Path

from nba_pipeline.build import build_defs, make_source
from nba_pipeline.settings import Settings
from nba_pipeline_tests.support.poison import PoisonedSource

poisons = json.loads((Path(os.environ["DAGSTER_HOME"]) / "poisons.json").read_text())
source = PoisonedSource(make_source(Settings.from_environment()), {
    date.fromisoformat(d): p for d, p in poisons.items()})
defs = build_defs(resources={"source": source})
"""


@dataclass
class Season:
    """What every table's cells showed after the poisoned backfill and after the repair."""

    poisoned: dict[str, dict[str, set[str]]]
    check: dict[str, str]
    """The days of the check that found the day of TWICE_DAY, by the colour that its page shows."""
    evaluation: dict[str, Any]
    status: str
    repaired: dict[str, dict[str, set[str]]]
    repaired_status: str


@pytest.fixture(scope="module")
def season(bulk_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    home = tmp_path_factory.mktemp("season")
    write_instance(ROOT / "dagster.yaml", home)
    (home / "location.py").write_text(LOCATION, encoding="utf-8")
    poisons = home / "poisons.json"
    poisons.write_text(
        json.dumps({str(SHOT_DAY): "misattributed_shot", str(TWICE_DAY): "duplicate_row"}), encoding="utf-8"
    )
    settings = {
        "NBA_PIPELINE_SOURCE": "bulk",
        "NBA_PIPELINE_BULK_DIR": str(bulk_dir),
        "NBA_PIPELINE_START_DATE": str(FIRST),
        "PYTHONPATH": str(ROOT),
    }
    with dagster_dev(home, ["-f", "location.py"], settings) as server:
        selection = [{"path": table.split(".")} for table in TABLES]
        status = run(server, {"assetSelection": selection, "partitionNames": [str(day) for day in DAYS]})
        poisoned = {table: cells(server, table, DAYS) for table in TABLES}
        check, evaluation = (
            check_days(server, BOXSCORES, "unique_key"),
            executions(server, BOXSCORES, "unique_key")[str(TWICE_DAY)],
        )
        poisons.write_text("{}", encoding="utf-8")
        todo = {
            table: {
                date.fromisoformat(d)
                for s, days in poisoned[table].items()
                if s != "MATERIALIZED"
                for d in days
            }
            for table in TABLES
        }
        todo[SHOTS] = {SHOT_DAY}  # the failure blames the input, which is stored: it has to be fetched again
        repaired_status = run(
            server, {"partitionsByAssets": [ranges(table, days) for table, days in todo.items() if days]}
        )
        yield Season(
            poisoned,
            check,
            evaluation,
            status,
            {table: cells(server, table, DAYS) for table in TABLES},
            repaired_status,
        )


def run(server: DevServer, params: dict[str, Any]) -> str:
    """Launch a backfill and wait for its end."""
    launched = server.ask(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(
        server.wait_for(
            "the end of the backfill", lambda: backfill_status(server, launched["backfillId"]), 420
        )
    )


def ranges(table: str, days: set[date]) -> dict[str, Any]:
    spans = [{"start": str(first), "end": str(last)} for first, last in contiguous(sorted(days))]
    return {"assetKey": {"path": table.split(".")}, "partitions": {"ranges": spans}}


def after(day: date) -> set[str]:
    return {str(d) for d in DAYS if d > day}


def test_the_two_bad_days_are_red_where_they_are_bad_and_nothing_else_is(season: Season) -> None:
    assert season.status == "COMPLETED_FAILED"
    red = {table: found["FAILED"] for table, found in season.poisoned.items() if "FAILED" in found}
    assert red == {BOXSCORES: {str(TWICE_DAY)}, PLAYERS: {str(SHOT_DAY)}}


def test_what_needs_them_is_missing_and_everything_else_is_green(season: Season) -> None:
    made_of_boxscores = {
        "nba_analytics.team_offense_game_summary",
        "nba_analytics.team_defense_game_summary",
        PLAYERS,
    }
    by_player_history = set(TABLES) - made_of_boxscores - {"nba_raw.games", BOXSCORES, SHOTS, DEFENSE_ZONES}
    missing = {table: {str(TWICE_DAY)} for table in made_of_boxscores}
    missing |= {table: after(SHOT_DAY) for table in by_player_history}
    missing[DEFENSE_ZONES] = after(TWICE_DAY)
    assert SLATE in by_player_history
    for table, found in season.poisoned.items():
        assert found.get("MISSING", set()) == missing.get(table, set()), table
        red = found.get("FAILED", set())
        assert found["MATERIALIZED"] == {str(d) for d in DAYS} - missing.get(table, set()) - red, table


def test_the_checks_page_shows_every_day_and_the_rows_of_the_failed_one(season: Season) -> None:
    assert season.check == {str(day): "FAILED" if day == TWICE_DAY else "SUCCEEDED" for day in DAYS}
    assert not season.evaluation["success"]
    entries = {entry["label"]: entry for entry in season.evaluation["metadataEntries"]}
    assert entries["failure_class"]["text"] == "duplicate_key"
    assert entries["offending_rows"]["mdStr"].startswith("| ")


def test_after_the_repair_every_cell_is_green(season: Season) -> None:
    assert season.repaired_status == "COMPLETED_SUCCESS"
    assert season.repaired == {table: {"MATERIALIZED": {str(day) for day in DAYS}} for table in TABLES}
