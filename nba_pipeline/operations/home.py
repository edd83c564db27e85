"""Homes: making one before anything runs, and looking whether one is as it should be.

Belongs here: ``init`` and ``check``. Does not belong here: the instance's configuration
(``orchestration/instance/dagster.yaml``), settings (``settings.py``), the state of tables (``status/``).

Why: `dg dev` in a folder without a dagster.yaml uses Dagster's own defaults: telemetry on, a sign-up dialog,
and a storage that takes an hour for the bookkeeping of four seasons.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from nba_pipeline.environment import SETTINGS_FILE
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.open_instance import put_configuration
from nba_pipeline.settings import Settings

LEAST_FREE_BYTES = 2 * 2**30
"""The history and the tables of five seasons are about 0.7 GiB."""
_OURS = "nba_pipeline.orchestration.instance"


@dataclass(frozen=True)
class Finding:
    """One thing about a home; ``what_to_do`` is empty where nothing is to be done."""

    what: str
    what_to_do: str = ""

    @property
    def ok(self) -> bool:
        return not self.what_to_do


def init(home: Path, settings: Settings) -> list[Path]:
    """Make the home: its dagster.yaml, and a settings file with the source and the warehouse of ``settings``,
    so that every process has the same. Files that are there stay. Returns what was written."""
    made = []
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            put_configuration(home)
            made.append(home / "dagster.yaml")
        if not (home / SETTINGS_FILE).exists():
            (home / SETTINGS_FILE).write_text(_settings_text(settings), encoding="utf-8")
            made.append(home / SETTINGS_FILE)
    except OSError as error:
        raise ConfigurationError(f"DAGSTER_HOME={home} cannot be made: {error.strerror or error}") from error
    return made


def _settings_text(settings: Settings) -> str:
    lines = [
        "# Settings of this home for every process; NBA_PIPELINE_* in the environment win. See the README.",
        f'source = "{settings.source}"',
        f'warehouse = "{settings.warehouse}"',
        f"start_date = {settings.start_date}",
    ]
    if settings.bulk_dir is not None:
        lines.append(f"bulk_dir = {_quoted(settings.bulk_dir)}")
    if settings.end_date is not None:
        lines.append(f"end_date = {settings.end_date}")
    if settings.bigquery is not None:
        lines.append(f'bigquery_project = "{settings.bigquery.project}"')
        lines.append(f'bigquery_location = "{settings.bigquery.location}"')
        lines.append(f'bigquery_dataset_prefix = "{settings.bigquery.dataset_prefix}"')
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def check(home: Path) -> list[Finding]:
    """What is to be said of the home: folder, instance, settings, disk."""
    if not home.is_dir():
        return [Finding(f"{home} does not exist", "correct DAGSTER_HOME, or `nba-pipeline home init`")]
    return [*_folder(home), *_instance(home), *_settings()]


def _folder(home: Path) -> Iterator[Finding]:
    if os.access(home, os.W_OK | os.X_OK):
        yield Finding(f"{home} can be written")
    else:
        yield Finding(
            f"{home} cannot be written", "correct its owner or permissions; history is written there"
        )
    free = shutil.disk_usage(home).free
    few = "make room: five seasons with their history take about 0.7 GiB" if free < LEAST_FREE_BYTES else ""
    yield Finding(f"{free / 2**30:.1f} GiB free", few)


def _instance(home: Path) -> Iterator[Finding]:
    file = home / "dagster.yaml"
    if not file.is_file():
        what = "no dagster.yaml: Dagster's defaults would hold, with telemetry on and a slow history"
        yield Finding(what, "`nba-pipeline home init`")
        return
    try:
        given: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        yield Finding(
            f"{file} cannot be read: {error}", "correct it, or move it away and `nba-pipeline home init`"
        )
        return
    module = str((given.get("instance_class") or {}).get("module", ""))
    if module.startswith(("nba_pipeline.instance", _OURS)):
        yield Finding("the history is stored in batches")
    else:
        advice = (
            "take `instance_class` from the project's dagster.yaml, or move this file away and `home init`"
        )
        yield Finding("the history is stored an event at a time, which is slow", advice)
    for name, what in (("telemetry", "telemetry"), ("nux", "the sign-up dialog")):
        off = (given.get(name) or {}).get("enabled") is False
        todo = "" if off else f"in dagster.yaml: `{name}: {{enabled: false}}`"
        yield Finding(f"{what} is {'off' if off else 'on'}", todo)


def _settings() -> Iterator[Finding]:
    try:
        settings = Settings.from_environment()
    except ConfigurationError as error:
        yield Finding(f"settings: {error}", "correct the setting")
        return
    yield Finding(f"source {settings.source}, warehouse {settings.warehouse}, from {settings.start_date} on")
