"""A glance at the instance's files says what Dagster says, or that Dagster must be asked; and `explain` then
needs no Dagster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from nba_pipeline.cli import explain as cli_explain
from nba_pipeline.deployment import RECIPES
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.instance.provenance import load_provenance
from nba_pipeline.orchestration.instance.provenance_reader import EmbeddedStorage, ProvenanceReader
from nba_pipeline.orchestration.instance.values import read_values
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, command
from nba_pipeline_tests.operations.conftest import END, START

DAY = date.fromisoformat(END)


def test_a_glance_says_what_dagster_says(home: Path) -> None:
    glance = EmbeddedStorage.at(home)
    assert glance is not None
    with open_workspace() as w:
        days = w.days(START, END)
        by_dagster = ProvenanceReader(lambda names: read_values(w.instance, names))
        for recipe in RECIPES:
            made = load_provenance(w.instance, recipe.table, days)
            assert len(made) == len(days)
            assert (
                ProvenanceReader(glance.values).made(recipe.table, days)
                == made
                == by_dagster.made(recipe.table, days)
            )
            assert {day for day in days if glance.certainly_good(recipe.table, day)} == set(days)


def planned_again(instance: dg.DagsterInstance) -> None:
    """A run that has planned the day and not made it."""
    run = instance.create_run_for_job(dg.job(name="later")(lambda: None))
    planned = AssetMaterializationPlannedData(asset_key(PLAYERS), partition=END)
    instance.report_dagster_event(
        DagsterEvent.build_asset_materialization_planned_event("later", "step", planned), run.run_id
    )


def observed(instance: dg.DagsterInstance) -> None:
    """How a failed day is explained."""
    instance.report_runless_asset_event(
        dg.AssetObservation(asset_key(PLAYERS), partition=END, metadata={"failure_class": "code_error"})
    )


@pytest.mark.parametrize("happened", [planned_again, observed])
def test_a_day_to_which_something_happened_since_is_for_dagster(
    own_home: Path, happened: Callable[[dg.DagsterInstance], None]
) -> None:
    with open_workspace() as w:
        happened(w.instance)
    glance = EmbeddedStorage.at(own_home)
    assert glance is not None
    assert not glance.certainly_good(PLAYERS, DAY)
    assert glance.certainly_good(PLAYERS, date(2023, 10, 30))


@pytest.mark.parametrize(
    "config",
    [
        None,
        "telemetry: {enabled: false}\n",
        (
            "instance_class:\n  module: nba_pipeline.orchestration.instance.pipeline_instance\n  class:"
            " PipelineInstance\nstorage:\n  postgres: {}\n"
        ),
        "instance_class:\n  module: somebody.else\n  class: PipelineInstance\n",
    ],
)
def test_history_that_is_stored_in_another_way_is_for_dagster(own_home: Path, config: str | None) -> None:
    (own_home / "dagster.yaml").unlink()
    if config is not None:
        (own_home / "dagster.yaml").write_text(config)
    assert EmbeddedStorage.at(own_home) is None


def test_a_home_without_history_is_for_dagster(own_home: Path) -> None:
    shutil.rmtree(own_home / "history")
    assert EmbeddedStorage.at(own_home) is None


def question() -> tuple[str, ...]:
    with open_workspace() as w:
        player = w.store.read(TABLES[PLAYERS], [DAY])["player_id"].iloc[0]
    return ("explain", PLAYERS, END, "--key", f"player_id={player}", "--column", "usage_rate", "--json")


def test_both_ways_give_the_same_explanation(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = question()
    at_a_glance = command(capsys, *asked).json
    monkeypatch.setattr(cli_explain, "_at_a_glance", lambda *given: None)
    assert command(capsys, *asked).json == at_a_glance
    assert at_a_glance["run_id"]


_PROGRAM = """
import sys
from nba_pipeline.cli import main
sys.argv[1:] = {arguments}
try:
    main.main()
except SystemExit as ended:
    assert not ended.code, ended.code
loaded = [name for name in ("dagster", "sqlalchemy", "pandera") if name in sys.modules]
print(loaded, file=sys.stderr)
"""


def test_explain_loads_no_dagster(home: Path) -> None:
    """What its speed rests on: Dagster takes longer to load than anything that explain does."""
    program = _PROGRAM.format(arguments=list(question()))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.strip() == "[]"
    assert json.loads(done.stdout)["agrees"] is True
