"""An instance class whose daemon looks every two seconds at backfills, for tests that wait for them.

Belongs here: the interval, which Dagster fixes at 30 s (fact F9) and offers no setting for. Does not belong
here: any other change of behaviour; what a test shows must hold for the class that dagster.yaml names.
"""

from __future__ import annotations

from pathlib import Path

from dagster._daemon import controller

from nba_pipeline.orchestration.instance.pipeline_instance import PipelineInstance

controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 2  # read by the backfill daemon when its loop has come round


class QuickInstance(PipelineInstance):
    """``PipelineInstance``, loaded through a module that sets the interval."""


def write_instance(dagster_yaml: Path, home: Path) -> None:
    """The repository's dagster.yaml with this class in it."""
    text = dagster_yaml.read_text(encoding="utf-8")
    quick = text.replace(
        "module: nba_pipeline.orchestration.instance.pipeline_instance", f"module: {__name__}"
    ).replace("class: PipelineInstance", "class: QuickInstance")
    assert quick.count("QuickInstance") == 1
    (home / "dagster.yaml").write_text(quick, encoding="utf-8")
