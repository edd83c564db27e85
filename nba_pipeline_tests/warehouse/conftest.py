"""Every warehouse that must pass the contract suite. A new one is added to ``STORES``."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.warehouse.bigquery.support import shared_fake, store_over
from nba_pipeline_tests.warehouse.support import TABLE


def bigquery_store(folder: Path) -> BigQueryStore:
    """A store in datasets of its own, in one server for all tests: starting one takes longer than most of
    them."""
    store = store_over(shared_fake(), prefix=f"t{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}_")
    store.schema.create_datasets([TABLE])
    return store


STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "bigquery": bigquery_store,
    "parquet": lambda folder: ParquetStore(folder / "warehouse"),
}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture
def parquet(tmp_path: Path) -> ParquetStore:
    return ParquetStore(tmp_path / "warehouse")


@pytest.fixture(scope="session")
def processes() -> multiprocessing.context.BaseContext:
    """Processes forked from a clean server that has imported the writer already: milliseconds each, no
    inherited threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nba_pipeline_tests.warehouse.support"])
    return context
