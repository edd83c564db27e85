"""What a deployment consists of: how every table is made, and the warehouse and source that its settings
name.

Belongs here: choosing these. Does not belong here: Dagster (``build.py`` puts the parts into definitions); a
command that only reads needs the parts, and loading Dagster takes longer than its answer.
"""

from __future__ import annotations

from nba_pipeline.clock import results_due
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.recipes.analytics import ANALYTICS_RECIPES
from nba_pipeline.recipes.precompute import PRECOMPUTE_RECIPES
from nba_pipeline.recipes.raw import RAW_RECIPES
from nba_pipeline.recipes.recipe import Recipe, leveled
from nba_pipeline.settings import Settings
from nba_pipeline.sources.base import Source
from nba_pipeline.warehouse.base import Store

RECIPES: tuple[Recipe, ...] = leveled((*RAW_RECIPES, *ANALYTICS_RECIPES, *PRECOMPUTE_RECIPES))
"""How every table is made, in dependency order."""


def make_store(settings: Settings) -> Store:
    """The warehouse that the settings name. Opens nothing yet."""
    if settings.warehouse == "bigquery":
        return _bigquery_store(settings)
    if settings.warehouse == "memory":
        from nba_pipeline.warehouse.memory import MemoryStore

        return MemoryStore()
    from nba_pipeline.warehouse.parquet.store import ParquetStore

    return ParquetStore(settings.warehouse_dir)


def _bigquery_store(settings: Settings) -> Store:
    try:  # an extra: the local warehouses need none of it
        from nba_pipeline.warehouse.bigquery.client import make_bigquery_store
    except ImportError as error:
        raise ConfigurationError(
            f"the bigquery warehouse needs `pip install nba-pipeline[bigquery]`: {error}"
        ) from error
    s = settings.bigquery
    assert s is not None  # Settings refuses bigquery without them
    limits = (s.daily_loads, s.daily_dml, s.daily_partitions)
    return make_bigquery_store(s.project, s.location, s.dataset_prefix, limits, s.endpoint)


def make_source(settings: Settings) -> Source:
    """The source that the settings name. Reads nothing yet."""
    if settings.source == "bulk":
        from nba_pipeline.sources.bulk.source import BulkSource

        assert settings.bulk_dir is not None  # Settings refuses bulk without a folder
        return BulkSource(settings.bulk_dir)
    from nba_pipeline.sources.simulated import SimulatedSource

    return SimulatedSource(first_day=settings.start_date, results_until=results_due)
