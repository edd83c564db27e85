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
from nba_pipeline.orchestration.instance.counts import InstanceCounts
from nba_pipeline.orchestration.io_manager import WarehouseIOManager
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.table_asset import IO_MANAGER, SOURCE, STORE, table_asset
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store


def counted_in(store: Store, instance: dg.DagsterInstance | None) -> Store:
    """The store; where it has a budget, what it writes is counted for every process of the instance."""
    budget = getattr(store, "budget", None)
    if budget is not None and instance is not None:
        budget.ledger = InstanceCounts(instance, "quota")
    return store


def build_defs(
    settings: Settings | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    tables: TableRegistry = TABLES,
) -> dg.Definitions:
    """A fresh ``Definitions``.

    ``settings``: from the environment when not given. ``resources``: objects that replace ``source`` or
    ``store``. ``tables``: another registry, to see what a changed declaration does. Raises
    ``ConfigurationError``.
    """
    settings = settings or Settings.from_environment()
    given = dict(resources or {})
    store = given.pop(STORE, None) or make_store(settings)
    source = given.pop(SOURCE, None) or make_source(settings)
    days = daily_partitions(settings.start_date, settings.end_date)
    hardcoded = dg.ResourceDefinition.hardcoded_resource
    currency = Currency(RECIPES, tables, store, days, settings.max_days_per_tick)
    by_itself, automatic = restate_what_changed(currency), automation(settings, currency)
    return dg.Definitions(
        assets=[
            table_asset(
                recipe, tables, days, settings.days_per_run, by_itself if recipe.inputs else None, store.name
            )
            for recipe in RECIPES
        ],
        resources={
            SOURCE: hardcoded(source),
            STORE: dg.ResourceDefinition(lambda context: counted_in(store, context.instance)),
            IO_MANAGER: dg.IOManagerDefinition.hardcoded_io_manager(
                WarehouseIOManager(store, tables.values())
            ),
            **given,
        },
        executor=dg.in_process_executor,
        asset_checks=automatic.checks,
        jobs=automatic.jobs,
        sensors=automatic.sensors,
        schedules=automatic.schedules,
    )
