"""Source and warehouse as Dagster resources, so that the UI shows which ones a deployment has.

Belongs here: thin shells with names and values. Does not belong here: reading the environment
(``settings.py`` fills the values), the source and the store themselves (``deployment.py``).

The objects are made once, before Dagster asks: what a shell hands out is the very source or store that the
definitions were built with. Its values are for people to read; changing them in launch configuration changes
nothing.
"""

from typing import Any

import dagster as dg
from pydantic import Field

from nba_pipeline.orchestration.instance.counts import InstanceCounts
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store


def source_resource(source: Source, place: str) -> dg.ConfigurableResource:
    """The source, under its name and place."""

    class NbaSource(dg.ConfigurableResource):
        """Where raw rows come from. Set by NBA_PIPELINE_SOURCE and NBA_PIPELINE_BULK_DIR."""

        source: str = Field(description="Name of the source: simulated, bulk.")
        place: str = Field(description="Folder of its files; empty when it has none.")

        def create_resource(self, context: dg.InitResourceContext) -> Any:
            return source

    return NbaSource(source=source.name, place=place)


def warehouse_resource(store: Store, tables: TableRegistry) -> dg.ConfigurableResource:
    """The warehouse, under its name and the place of its tables."""

    class NbaWarehouse(dg.ConfigurableResource):
        """Where tables are stored. Set by NBA_PIPELINE_WAREHOUSE and its settings."""

        warehouse: str = Field(description="Name of the warehouse: parquet, bigquery, memory.")
        place: str = Field(description="Where the first of its tables is.")
        tables: int = Field(description="How many tables it holds.")

        def create_resource(self, context: dg.InitResourceContext) -> Any:
            return counted_in(store, context.instance)

    first = next(iter(tables.values()))
    return NbaWarehouse(warehouse=store.name, place=store.location(first), tables=len(tables))


def counted_in(store: Store, instance: dg.DagsterInstance | None) -> Store:
    """The store; where it has a budget, what it writes is counted for every process of the instance."""
    budget = getattr(store, "budget", None)
    if budget is not None and instance is not None:
        budget.ledger = InstanceCounts(instance, "quota")
    return store
