"""Every warehouse that must pass the contract suite. A new one is added to ``STORES``."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline.warehouse.parquet import ParquetStore

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
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
    """Processes forked from a clean server that has imported the writer already: milliseconds each, no inherited threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nba_pipeline_tests.warehouse.support"])
    return context
