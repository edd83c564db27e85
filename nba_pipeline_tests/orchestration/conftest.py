"""The IO manager is tried over every warehouse: the stores of the warehouse tests."""

from nba_pipeline_tests.warehouse.conftest import parquet, store

__all__ = ["parquet", "store"]
