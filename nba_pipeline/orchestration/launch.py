"""One range run in this process, recorded in the instance like a run that the UI launched.

Belongs here: what Dagster needs to be told for such a run. Does not belong here: which ranges
(``execute.py``).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.dagster_private import (
    DagsterExecutionInterruptedError,
    InMemoryJob,
    LoadableTargetOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteRepositoryOrigin,
    create_execution_plan,
    execute_run_iterator,
)
from nba_pipeline.orchestration.processes import launched_here

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
CODE_LOCATION = "nba_pipeline.definitions"
"""The location's name as workspace.yaml gives it, so that the UI knows whose run it is and can re-execute it.
"""


@dataclass
class RangeRun:
    """A finished run: its id, and what Dagster says went wrong with it as a whole (a step that failed says it
    itself)."""

    run_id: str
    error: str | None = None


def execute_range(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    first: date,
    last: date,
    run_config: Mapping[str, Any],
) -> RangeRun:
    """Execute one asset for the days first..last. What goes wrong is in the events, not raised.

    The run's log goes to the event log as always; its copy on the console is left out, because the command
    line prints a summary, and a traceback belongs where its run is.
    """
    repository = defs.get_repository_def()
    base = repository.get_implicit_global_asset_job_def()
    # The table's own checks, not the standing ones that count all its days: those have a job of their own.
    checks = frozenset(spec.key for spec in repository.assets_defs_by_key[key].check_specs)
    job = base.get_subset(asset_selection={key}, asset_check_selection=checks)
    run_config = {**run_config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    tags = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat(), **launched_here()}
    run = instance.create_run_for_job(
        job,
        execution_plan=create_execution_plan(job, run_config=run_config, tags=tags),
        asset_selection=frozenset({key}),
        remote_job_origin=_repository_origin(repository.name).get_job_origin(base.name),
        run_config=run_config,
        tags=tags,
    )
    # create_run_for_job does not take it, and execution selects again.
    run = run._replace(asset_check_selection=checks)
    _quiet_console()
    finished = RangeRun(run.run_id)
    try:
        for event in execute_run_iterator(InMemoryJob(job), run, instance):
            if event.is_step_failure and event.step_failure_data.error is not None:
                finished.error = event.step_failure_data.error.message
    except BaseException:
        _close(instance, run.run_id)
        raise
    return finished


def _quiet_console() -> None:
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    if logging.lastResort is not None:
        logging.lastResort.addFilter(is_no_interrupt)  # once, however often it is added


def is_no_interrupt(record: logging.LogRecord) -> bool:
    """Whether a log record is about something else than an interrupt.

    Dagster turns Ctrl-C into an exception wherever the program is, also inside of libraries that log every
    exception they pass on (SQLAlchemy, closing a connection). The interrupt is answered where it arrives; a
    traceback of it frightens.
    """
    return record.exc_info is None or not isinstance(
        record.exc_info[1], (KeyboardInterrupt, DagsterExecutionInterruptedError)
    )


def _close(instance: dg.DagsterInstance, run_id: str) -> None:
    """A run that is interrupted must not look as if it were running for ever."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_canceled(run, message="interrupted on the command line")


def _repository_origin(name: str) -> RemoteRepositoryOrigin:
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=CODE_LOCATION)
    return RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=CODE_LOCATION), name
    )
