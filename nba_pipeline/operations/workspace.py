"""An opened pipeline: settings, definitions, the instance, the warehouse and the days.

Belongs here: opening these for a command or a worker. Does not belong here: what is then done with them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_pipeline import build
from nba_pipeline.build import RECIPES, build_defs, make_store
from nba_pipeline.clock import today
from nba_pipeline.failures import ConfigurationError, PipelineError
from nba_pipeline.operations.status.staleness import Stale, stale_days
from nba_pipeline.operations.status.state import TableState, read_state
from nba_pipeline.orchestration.instance.gaps import load_gaps
from nba_pipeline.orchestration.instance.identity import refuse_another
from nba_pipeline.orchestration.instance.source_state import held_by
from nba_pipeline.orchestration.open_instance import open_instance
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.processes import close_dead_runs
from nba_pipeline.orchestration.table_asset import SOURCE, STORE
from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import Settings, parse_day
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store

if TYPE_CHECKING:
    import dagster as dg


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

    def states(
        self, days: Sequence[date] | None = None, recipes: Sequence[Recipe] | None = None
    ) -> dict[str, TableState]:
        """The state of every table (or of those of ``recipes``), restricted to ``days`` (default: all)."""
        wanted = self.days(None, None) if days is None else days
        return read_state(
            self.instance, self.store, self.tables, recipes or self.recipes, wanted, self.partitions
        )

    def stale(
        self,
        states: Mapping[str, TableState],
        recipes: Sequence[Recipe] | None = None,
        source: str | None = None,
    ) -> dict[str, dict[date, Stale]]:
        """The stale days among the materialized ones. ``source``: name of the source that a run would read;
        without it that a day came from another source is not asked."""
        held = self._held_by_the_source() if source in (None, self.source.name) else None
        return stale_days(
            self.instance, self.store, self.tables, recipes or self.recipes, states, source, held, self.gaps()
        )

    def gaps(self) -> Gaps:
        """Which games are declared gaps, and what was made without them."""
        return load_gaps(self.instance)

    def _held_by_the_source(self) -> dict[date, str]:
        """The source's fingerprints of now; one that cannot be asked is named, and nothing compared."""
        try:
            return held_by(self.instance, self.source, self.settings.start_date, today())
        except PipelineError as error:
            logging.getLogger(__name__).warning("What the source has changed is not known: %s", error)
            return {}

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
def open_workspace(
    tables: TableRegistry = TABLES, switch_source: bool = False, existing: bool = False, **options: Any
) -> Iterator[Workspace]:
    """The pipeline of the environment's settings (options win), recorded in the instance of DAGSTER_HOME.

    ``existing``: for commands that only look; raises ConfigurationError instead of making a new home.
    """
    settings = Settings.from_environment(**options)
    home = settings.dagster_home or Path.cwd()
    if existing and not (home / "dagster.yaml").is_file() and not (home / "history").is_dir():
        raise ConfigurationError(
            f"nothing here: DAGSTER_HOME={home} is no home of the pipeline yet. Is its name right?"
            " `nba-pipeline backfill` makes one"
        )
    with open_with(settings, tables, switch_source=switch_source) as workspace:
        yield workspace


@contextmanager
def open_with(
    settings: Settings,
    tables: TableRegistry = TABLES,
    source: Source | None = None,
    switch_source: bool = False,
) -> Iterator[Workspace]:
    """The pipeline of these settings. ``source``: another one than they name; worker processes would not know
    of it. Raises ConfigurationError where the home's days were made from another source or are in another
    warehouse; ``switch_source``: the source may be another."""
    store, read_from = make_store(settings), source or build.make_source(settings)
    with warnings.catch_warnings():
        # Beta and preview parameters that the framework tests pin: not news for somebody who runs a command.
        warnings.simplefilter("ignore")
        defs = build_defs(settings, resources={STORE: store, SOURCE: read_from}, tables=tables)
        with open_instance(settings.dagster_home or Path.cwd()) as instance:
            close_dead_runs(instance)
            if not switch_source:
                refuse_another(instance, read_from, store, tables)
            days = daily_partitions(settings.start_date, settings.end_date)
            yield Workspace(settings, tables, store, read_from, defs, instance, days)
