"""``build_defs``: settings in, a fresh ``dg.Definitions`` out. The command line, the tests and the code
location all call it.

Belongs here: putting settings, stores, sources and assets together. Does not belong here: any of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from nba_pipeline.deployment import RECIPES as RECIPES
from nba_pipeline.deployment import make_source as make_source
from nba_pipeline.deployment import make_store as make_store
from nba_pipeline.orchestration.automation.conditions import restate_what_changed
from nba_pipeline.orchestration.automation.currency import Currency
from nba_pipeline.orchestration.automation.wiring import automation
from nba_pipeline.orchestration.io_manager import WarehouseIOManager
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.resources import source_resource, warehouse_resource
from nba_pipeline.orchestration.table_asset import IO_MANAGER, SOURCE, STORE, table_asset
from nba_pipeline.settings import Settings
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store


def _resources(settings: Settings, source: Source, store: Store, tables: TableRegistry) -> dict[str, Any]:
    io_manager = WarehouseIOManager(store, tables.values())
    return {
        SOURCE: source_resource(source, str(settings.bulk_dir or "")),
        STORE: warehouse_resource(store, tables),
        IO_MANAGER: dg.IOManagerDefinition.hardcoded_io_manager(io_manager),
    }


def build_defs(
    settings: Settings | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    tables: TableRegistry = TABLES,
    executor: dg.ExecutorDefinition = dg.in_process_executor,
) -> dg.Definitions:
    """A fresh ``Definitions``, e.g. ``build_defs(Settings(warehouse="memory"))``.

    Args:
        settings: from the environment when not given.
        resources: objects that replace ``source`` or ``store``, by these names; others are added.
        tables: another registry, to see what a changed declaration does.
        executor: of all runs. A range run is one step: the default runs it in the run's own process.

    Raises ConfigurationError where a setting is missing or cannot be.
    """
    settings = settings or Settings.from_environment()
    given = dict(resources or {})
    store = given.pop(STORE, None) or make_store(settings)
    source = given.pop(SOURCE, None) or make_source(settings)
    days = daily_partitions(settings.start_date, settings.end_date)
    currency = Currency(RECIPES, tables, store, days, settings.max_days_per_tick)
    by_itself, automatic = restate_what_changed(currency), automation(settings, currency)
    size, kind, after = settings.days_per_run, store.name, settings.gaps_after_days
    return dg.Definitions(
        assets=[
            table_asset(r, tables, days, size, by_itself if r.inputs else None, kind, after) for r in RECIPES
        ],
        resources=_resources(settings, source, store, tables) | given,
        executor=executor,
        asset_checks=automatic.checks,
        jobs=automatic.jobs,
        sensors=automatic.sensors,
        schedules=automatic.schedules,
    )
