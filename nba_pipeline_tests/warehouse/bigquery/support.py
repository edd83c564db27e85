"""Stores over the loopback server, with waits so short that a test may meet many of them."""

from __future__ import annotations

import atexit
from functools import cache

from nba_pipeline.tables.render.bigquery import Address
from nba_pipeline.warehouse.bigquery.jobs import Patience
from nba_pipeline.warehouse.bigquery.quota import Budget
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery

PROJECT = "test-project"
QUICK = Patience(
    call=10.0,
    upload=10.0,
    transient=3.0,
    first_wait=0.005,
    longest_wait=0.05,
    quota=0.2,
    quota_wait=0.02,
    job=10.0,
    stop=1.0,
    poll=0.005,
)


def store_over(
    fake: FakeBigQuery,
    prefix: str = "",
    *,
    location: str = "US",
    patience: Patience = QUICK,
    budget: Budget | None = None,
) -> BigQueryStore:
    address = Address(PROJECT, prefix)
    return BigQueryStore(
        lambda: fake.client(PROJECT, location), address, location, patience=patience, budget=budget
    )


@cache
def shared_fake() -> FakeBigQuery:
    """One server for the whole process."""
    fake = FakeBigQuery().__enter__()
    atexit.register(fake.__exit__)
    return fake
