"""Opening the Dagster instance of a home for a command.

Belongs here: the instance's default configuration and what a command overrides. Does not belong here: the
storage (``instance/``), the rest of an opened pipeline (``operations/workspace.py``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

import nba_pipeline.orchestration.instance
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.dagster_private import InstanceRef

DEFAULT_INSTANCE = Path(nba_pipeline.orchestration.instance.__file__).with_name("dagster.yaml")

_NO_CAPTURED_OUTPUT = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}
"""Steps of the command line print nothing. Capturing it would start four processes per step, two of which
answer a Ctrl-C with a traceback of their own."""


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of DAGSTER_HOME. A home without a dagster.yaml gets the project's: Dagster's defaults
    store every event in a transaction of its own, which makes a backfill of four seasons take an hour of
    bookkeeping."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            put_configuration(home)
        opened = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=_NO_CAPTURED_OUTPUT))
    except OSError as error:
        raise ConfigurationError(
            f"DAGSTER_HOME={home} cannot be used: {error.strerror or error}. Dagster's history is written"
            " there, also by commands that only look"
        ) from error
    with opened as instance:
        yield instance


def put_configuration(home: Path) -> None:
    """The project's dagster.yaml into the home; whole at once: another first command may be reading it."""
    file = home / "dagster.yaml"
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    shutil.copyfile(DEFAULT_INSTANCE, temporary)
    temporary.replace(file)
