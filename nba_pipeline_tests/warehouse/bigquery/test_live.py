"""The store against the production service: opt-in, because it needs a project, credentials and a few cents.

    NBA_PIPELINE_TEST_BIGQUERY_PROJECT=my-project pytest -m bigquery_live
    nba_pipeline_tests/warehouse/bigquery/test_live.py

Credentials are the machine's own (`gcloud auth application-default login`). It makes datasets whose names
begin with ``nba_live_test_`` and drops them. Never run by the authors: without the variable it is skipped and
reported as such.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.tables.render.bigquery import STAGING_DATASET, Address
from nba_pipeline.tables.spec import numeric
from nba_pipeline.warehouse.bigquery.client import connect
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline_tests.warehouse.support import TABLE, day, many

pytestmark = pytest.mark.bigquery_live
DAYS = [day(n) for n in range(3)]


@pytest.fixture(scope="module")
def live() -> Iterator[BigQueryStore]:
    project = os.environ.get("NBA_PIPELINE_TEST_BIGQUERY_PROJECT")
    location = os.environ.get("NBA_PIPELINE_TEST_BIGQUERY_LOCATION") or "US"
    if not project:
        pytest.skip(
            "not run against the production service: set NBA_PIPELINE_TEST_BIGQUERY_PROJECT to a project of"
            " yours"
        )
    address = Address(project, f"nba_live_test_{uuid.uuid4().hex[:8]}_")
    endpoint = os.environ.get(
        "NBA_PIPELINE_TEST_BIGQUERY_ENDPOINT"
    )  # the loopback server, to try the suite itself
    store = BigQueryStore(lambda: connect(project, location, endpoint), address, location)
    store.schema.create_datasets([TABLE])
    yield store
    for name in (TABLE.dataset, STAGING_DATASET):
        store.runner.client.delete_dataset(address.dataset(name), delete_contents=True, not_found_ok=True)


def again(store: BigQueryStore) -> BigQueryStore:
    """A store that has cached nothing."""
    return BigQueryStore(lambda: store.runner.client, store.address, store.region)


def test_days_are_written_read_and_left_alone(live: BigQueryStore) -> None:
    first = live.replace_range(TABLE, many(DAYS, 5), DAYS)
    assert first.written == frozenset(DAYS)
    assert_frame_equal(again(live).read(TABLE, DAYS), many(DAYS, 5))
    assert again(live).manifest(TABLE) == dict(first.entries)
    assert again(live).replace_range(TABLE, many(DAYS, 5), DAYS).written == frozenset()
    assert again(live).replace(TABLE, {DAYS[1]: many([DAYS[1]], 2, shift=1)}).written == {DAYS[1]}
    assert_frame_equal(again(live).read(TABLE, [DAYS[1]]), many([DAYS[1]], 2, shift=1))
    assert len(again(live).read(TABLE, [DAYS[0], DAYS[2]], ["points"])) == 10
    assert [t.table_id for t in live.runner.client.list_tables(live.address.dataset(STAGING_DATASET))] == []


def test_an_empty_day_and_its_reason(live: BigQueryStore) -> None:
    live.replace_range(TABLE, many([day(10)], 1), [day(10), day(11)], reasons={day(11): "off_day"})
    entry = again(live).manifest(TABLE)[day(11)]
    assert (entry.row_count, entry.reason) == (0, "off_day")


def test_a_widened_column_in_place(live: BigQueryStore) -> None:
    wide = replace(TABLE, name="widened")
    live.replace_range(wide, many(DAYS), DAYS)
    wider = wide.with_column("minutes", type=numeric(9, 3))
    with pytest.raises(SchemaDrift, match="minutes is stored as"):
        live.replace_range(wider, many(DAYS, shift=1), DAYS)
    assert live.schema.apply(wider, live.schema.changes(wider)) == []
    assert again(live).read(wider, DAYS)["minutes"].tolist() == many(DAYS)["minutes"].tolist()
    with pytest.raises(SchemaDrift, match="cannot hold all of its values"):
        live.schema.apply(wide, live.schema.changes(wide))


def test_what_was_used_today_is_found_in_the_list_of_jobs(live: BigQueryStore) -> None:
    before = live.used_today([TABLE])[TABLE.full_name]
    live.replace_range(TABLE, many([day(20)]), [day(20)])
    assert live.used_today([TABLE])[TABLE.full_name].loads == before.loads + 1
