"""Run monitoring with our launcher: a run whose process is gone is closed, others are left alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from nba_pipeline.orchestration import processes
from nba_pipeline.orchestration.processes import (
    COMMAND_LINE,
    LAUNCHED_BY,
    PROCESS,
    close_dead_runs,
    is_gone,
    this_process,
)
from nba_pipeline.orchestration.run_launcher import WatchfulRunLauncher

PIPELINE_INSTANCE = {
    "instance_class": {
        "module": "nba_pipeline.orchestration.instance.pipeline_instance",
        "class": "PipelineInstance",
    },
    "run_monitoring": {"enabled": True},
}
STARTED, FAILURE, CANCELED = (
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
)


@pytest.fixture(scope="module")
def dead() -> str:
    """The name of a process that has ended."""
    code = "from nba_pipeline.orchestration.processes import this_process; print(this_process())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def runs(instance: dg.DagsterInstance, dead: str) -> dict[str, dg.DagsterRun]:
    tags: dict[str, dict[str, str]] = {
        "ours, killed": {PROCESS: dead, LAUNCHED_BY: COMMAND_LINE},
        "the daemon's, killed": {PROCESS: dead},
        "alive": {PROCESS: this_process()},
        "on another host": {PROCESS: "elsewhere:" + dead.split(":", 1)[1]},
        "unknown": {},
    }
    return {
        name: instance.add_run(dg.DagsterRun("a_job", status=STARTED, tags=of)) for name, of in tags.items()
    }


EXPECTED = {
    "ours, killed": CANCELED,  # a person stopped it: nothing failed
    "the daemon's, killed": FAILURE,  # alerts tell of it
    "alive": STARTED,
    "on another host": STARTED,
    "unknown": STARTED,
}


def statuses(instance: dg.DagsterInstance, made: dict[str, dg.DagsterRun]) -> dict[str, Any]:
    return {name: instance.get_run_by_id(run.run_id).status for name, run in made.items()}  # type: ignore[union-attr]


def test_monitoring_closes_a_run_whose_process_is_gone(dead: str) -> None:
    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        assert isinstance(instance.run_launcher, WatchfulRunLauncher)
        assert instance.run_monitoring_poll_interval_seconds <= 30  # so that a slot is free within a minute
        made = runs(instance, dead)
        for run in made.values():
            record = instance.get_run_record_by_id(run.run_id)
            assert record is not None
            monitor_started_run(instance, None, record, logging.getLogger())  # type: ignore[arg-type]
        assert statuses(instance, made) == EXPECTED


def test_the_next_command_closes_them_too(dead: str) -> None:
    with dg.instance_for_test(overrides=PIPELINE_INSTANCE) as instance:
        made = runs(instance, dead)
        closed = close_dead_runs(instance)
        assert statuses(instance, made) == EXPECTED
        assert set(closed) == {made["ours, killed"].run_id, made["the daemon's, killed"].run_id}


def test_a_number_that_is_used_again_is_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_gone(this_process())
    host, number, started = this_process().rsplit(":", 2)
    assert int(number) == os.getpid()
    assert is_gone(f"{host}:{number}:{started}1")
    monkeypatch.setattr(processes, "_started", lambda _: None)  # a system that does not tell
    assert not is_gone(f"{host}:{number}:{started}1")
