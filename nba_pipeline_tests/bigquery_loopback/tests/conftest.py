"""A server of its own for each test that counts calls or makes faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nba_pipeline_tests.bigquery_loopback import FakeBigQuery


@pytest.fixture
def fake() -> Iterator[FakeBigQuery]:
    with FakeBigQuery() as server:
        yield server
