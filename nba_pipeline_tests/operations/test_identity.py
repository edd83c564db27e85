"""A home is made from one source and in one warehouse; a process with others is refused before it does
anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.build import build_defs
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.orchestration.instance import identity
from nba_pipeline.orchestration.table_asset import asset_key
from nba_pipeline.settings import Settings
from nba_pipeline_tests.end_to_end.pipelines import command, environment

from .conftest import DAYS, START

GAMES = "nba_raw.games"


@pytest.fixture
def bulk(tmp_path: Path) -> Path:
    folder = tmp_path / "bulk"
    folder.mkdir()
    return folder


def hashes(home: Path) -> dict[str, str]:
    with environment(DAGSTER_HOME=home, NBA_PIPELINE_START_DATE=START), open_workspace() as w:
        return {str(day): e.content_hash for day, e in w.store.manifest(w.tables[GAMES]).items()}


def test_another_source_is_refused_and_nothing_changes(
    own_home: Path, bulk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hashes(own_home)
    others = {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(bulk)}
    with environment(DAGSTER_HOME=own_home, NBA_PIPELINE_START_DATE=START, **others):
        for what in (["retry"], ["backfill", *DAYS, "--tables", "games"], ["status"], ["plan"]):
            ended = command(capsys, *what)
            assert ended.code == 2
            assert "made from the source simulated" in ended.err
            assert "NBA_PIPELINE_SOURCE=simulated" in ended.err
    assert hashes(own_home) == before


def test_a_run_of_the_ui_is_refused_too(own_home: Path, bulk: Path) -> None:
    settings = Settings(
        source="bulk", bulk_dir=bulk, warehouse_dir=own_home / "warehouse", dagster_home=own_home
    )
    defs = build_defs(settings)
    with dg.DagsterInstance.from_config(str(own_home)) as instance:
        result = dg.materialize(
            list(defs.assets or ()),
            instance=instance,
            resources=defs.resources,
            partition_key=START,
            selection=[asset_key(GAMES)],
            raise_on_error=False,
        )
        assert not result.success
        assert "made from the source simulated" in str(result.all_events)


def test_a_switch_is_said_first_and_done_only_with_yes(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment(DAGSTER_HOME=own_home, NBA_PIPELINE_START_DATE=START), open_workspace() as w:
        other = identity.identity_of(w.instance, "bulk", w.store, w.tables)
        identity.remember_identity(w.instance, other)
    with environment(DAGSTER_HOME=own_home, NBA_PIPELINE_START_DATE=START):
        assert command(None, "backfill", *DAYS).code == 2
        capsys.readouterr()
        said = command(capsys, "backfill", *DAYS, "--switch-source")
        assert said.code == 0
        assert "made from: bulk" in said.out.replace("\n", " ")
        assert "Nothing was done" in said.out
        assert command(None, "status", *DAYS).code == 2
        assert command(None, "backfill", *DAYS, "--switch-source", "--yes").code == 0
        assert command(None, "status", *DAYS).code == 0


def test_another_warehouse_is_refused_and_a_moved_home_is_not(
    own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment(
        DAGSTER_HOME=own_home,
        NBA_PIPELINE_START_DATE=START,
        NBA_PIPELINE_WAREHOUSE_DIR=tmp_path / "elsewhere",
    ):
        ended = command(capsys, "status")
    assert ended.code == 2
    assert "are in the parquet warehouse" in ended.err
    shutil.move(own_home, tmp_path / "moved")
    with environment(DAGSTER_HOME=tmp_path / "moved", NBA_PIPELINE_START_DATE=START):
        assert command(None, "status").code == 0


def test_a_home_of_an_earlier_version_is_known_by_its_days(own_home: Path, bulk: Path) -> None:
    with environment(DAGSTER_HOME=own_home, NBA_PIPELINE_START_DATE=START), open_workspace() as w:
        w.instance.daemon_cursor_storage.set_cursor_values({identity._KEY: ""})
        known = identity.known_identity(w.instance, w.store, w.tables)
    assert known is not None
    assert known.source == "simulated"
    others = {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(bulk)}
    with environment(DAGSTER_HOME=own_home, NBA_PIPELINE_START_DATE=START, **others):
        assert command(None, "retry").code == 2


def test_a_home_that_nobody_made_is_nothing_and_stays_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped DAGSTER_HOME: commands that only look say so, and make nothing."""
    with environment(DAGSTER_HOME=tmp_path / "hme", NBA_PIPELINE_START_DATE=START):
        for what in (["status"], ["validate"], ["report"], ["retry"]):
            ended = command(capsys, *what)
            assert ended.code == 2
            assert "nothing here" in ended.err
    assert not (tmp_path / "hme").exists()
