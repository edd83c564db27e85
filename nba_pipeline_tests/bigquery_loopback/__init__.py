"""A loopback server that speaks BigQuery's REST API to the real google-cloud-bigquery client.

    with FakeBigQuery() as fake:
        client = fake.client(project="proj", location="US")

DuckDB keeps the rows and sqlglot translates the SQL. Every rule says in a comment where it is from: DOC
(Google's documentation), publicly reported, or ASSUMED. What is not modelled answers 501, so that no test
passes by accident. Nothing here was compared with the production service.
"""

from nba_pipeline_tests.bigquery_loopback import faults
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError
from nba_pipeline_tests.bigquery_loopback.faults import Fault
from nba_pipeline_tests.bigquery_loopback.server import FakeBigQuery, wait_until

__all__ = ["BigQueryError", "FakeBigQuery", "Fault", "faults", "wait_until"]
