"""What was requested, on the command line and by backfills of the UI."""

from __future__ import annotations

import shutil
import time
from datetime import date
from pathlib import Path

import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from nba_pipeline.operations.backfill.requested import requested
from nba_pipeline.operations.workspace import Workspace, open_workspace
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.instance.values import write_values
from nba_pipeline.tables.names import BOXSCORES, DEFENSE, GAMES, OFFENSE, PLAYERS
from nba_pipeline_tests.end_to_end.pipelines import command
from nba_pipeline_tests.operations.conftest import END


def launched(w: Workspace, status: BulkActionStatus) -> None:
    """A backfill of four tables on the home's last day, as the UI would have launched it."""
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id=status.value.lower(),
        asset_graph=w.defs.get_repository_def().asset_graph,
        partition_names=[END],
        asset_selection=[asset_key(name) for name in (GAMES, BOXSCORES, OFFENSE, DEFENSE)],
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=w.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    w.instance.add_backfill(backfill.with_status(status))


def test_a_retry_makes_what_a_backfill_of_the_ui_was_asked_for_and_did_not_make(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failed table was executed again in the UI; what it had blocked is missing, and nothing is red."""
    for name in (DEFENSE, PLAYERS):
        shutil.rmtree(own_home / "warehouse" / name.replace(".", "/") / f"game_date={END}")
    with open_workspace() as w:
        write_values(w.instance, {f"nba_pipeline/asked/{recipe.table}": "[]" for recipe in w.recipes})
        launched(w, BulkActionStatus.CANCELED)
        assert not any(requested(w, w.states()).values())
        launched(w, BulkActionStatus.COMPLETED_FAILED)
        asked = {name: days for name, days in requested(w, w.states()).items() if days}
    assert asked == {name: {date.fromisoformat(END)} for name in (GAMES, BOXSCORES, OFFENSE, DEFENSE)}
    capsys.readouterr()
    done = command(capsys, "retry", "--json").json["tables"]
    assert {name: table["requested"] for name, table in done.items()} == {DEFENSE: 1}
