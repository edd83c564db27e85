"""A BigQuery store from plain settings: the connection through dagster-gcp's resource, with the machine's own
credentials.

Belongs here: making clients and stores. Does not belong here: reading the environment (``settings.py``).
"""

from __future__ import annotations

from google.cloud import bigquery

from nba_pipeline.tables.render.bigquery import Address
from nba_pipeline.warehouse.bigquery.quota import Budget
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline.warehouse.quota import Limits


def connect(project: str, location: str, endpoint: str | None = None) -> bigquery.Client:
    """A client with application-default credentials. ``endpoint``: a loopback server of tests, which gets no
    credentials."""
    if endpoint is None:
        from dagster_gcp import BigQueryResource

        with BigQueryResource(project=project, location=location).get_client() as client:
            return client
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials

    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call, unused-ignore]
    return bigquery.Client(
        project=project,
        location=location,
        credentials=anonymous,
        client_options=ClientOptions(api_endpoint=endpoint),
    )


def make_bigquery_store(
    project: str, location: str, prefix: str, limits: tuple[int, int, int], endpoint: str | None = None
) -> BigQueryStore:
    """A store that connects on first use. ``limits``: loads, DML statements and partition modifications per
    table and day."""
    return BigQueryStore(
        lambda: connect(project, location, endpoint),
        Address(project, prefix),
        location,
        budget=Budget(Limits(*limits)),
    )
