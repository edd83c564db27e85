"""A server of its own for each test that counts calls or makes faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import store_over
from nba_pipeline_tests.warehouse.support import TABLE


@pytest.fixture
def fake() -> Iterator[FakeBigQuery]:
    with FakeBigQuery() as server:
        yield server


@pytest.fixture
def store(fake: FakeBigQuery) -> BigQueryStore:
    """A store whose datasets exist."""
    made = store_over(fake)
    made.schema.create_datasets([TABLE])
    return made
