"""An opened pipeline: settings, definitions, the instance, the warehouse and the days.

Belongs here: opening these for a command or a worker. Does not belong here: what is then done with them.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef

import nba_pipeline.orchestration.instance
from nba_pipeline import build
from nba_pipeline.build import RECIPES, build_defs, make_store
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.table_asset import SOURCE, STORE
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import Settings, parse_day
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store

DEFAULT_INSTANCE = Path(nba_pipeline.orchestration.instance.__file__).with_name("dagster.yaml")


@dataclass(frozen=True)
class Workspace:
    """An opened pipeline: what to run, where it is recorded and where the rows are."""

    settings: Settings
    tables: TableRegistry
    store: Store
    source: Source
    defs: dg.Definitions
    instance: dg.DagsterInstance
    partitions: dg.DailyPartitionsDefinition

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        return RECIPES

    def days(self, start: str | None, end: str | None) -> list[date]:
        """The days from ``start`` to ``end``, by default all that have a partition."""
        keys = self.partitions.get_partition_keys()
        if not keys:
            raise ConfigurationError(
                f"there is no day yet: the pipeline starts on {self.settings.start_date}"
            )
        earliest, latest = date.fromisoformat(keys[0]), date.fromisoformat(keys[-1])
        first = parse_day(start, "--start") if start else earliest
        last = parse_day(end, "--end") if end else latest
        if last < first:
            raise ConfigurationError(f"--end {last} is before --start {first}")
        for name, day in (("--start", first), ("--end", last)):
            if not earliest <= day <= latest:
                raise ConfigurationError(
                    f"{name} {day} is outside the days of the pipeline, {earliest} .. {latest}"
                )
        return span(first, last)


@contextmanager
def open_workspace(tables: TableRegistry = TABLES, **options: Any) -> Iterator[Workspace]:
    """The pipeline of the environment's settings (options win), recorded in the instance of DAGSTER_HOME."""
    with open_with(Settings.from_environment(**options), tables) as workspace:
        yield workspace


@contextmanager
def open_with(
    settings: Settings, tables: TableRegistry = TABLES, source: Source | None = None
) -> Iterator[Workspace]:
    """The pipeline of these settings. ``source``: another one than they name; worker processes would not know
    of it."""
    store, read_from = make_store(settings), source or build.make_source(settings)
    with warnings.catch_warnings():
        # Beta and preview parameters that the framework tests pin: not news for somebody who runs a command.
        warnings.simplefilter("ignore")
        defs = build_defs(settings, resources={STORE: store, SOURCE: read_from}, tables=tables)
        with open_instance(settings.dagster_home or Path.cwd()) as instance:
            days = daily_partitions(settings.start_date, settings.end_date)
            yield Workspace(settings, tables, store, read_from, defs, instance, days)


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
            shutil.copyfile(DEFAULT_INSTANCE, home / "dagster.yaml")
    except OSError as error:
        raise ConfigurationError(f"DAGSTER_HOME={home} cannot be used: {error.strerror}") from error
    with dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(home), overrides=_NO_CAPTURED_OUTPUT)
    ) as instance:
        yield instance
