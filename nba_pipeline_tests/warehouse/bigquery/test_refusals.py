"""What the service refuses for good: said with its cause and what to do, and nothing changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.cloud import bigquery
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import ConfigurationError, FailureClass, PipelineError, SchemaDrift
from nba_pipeline.warehouse.bigquery.errors import WarehouseMisconfigured
from nba_pipeline_tests.bigquery_loopback import faults
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, store_over
from nba_pipeline_tests.warehouse.bigquery.writes import DAYS, NEW, OLD, assert_whole, staging
from nba_pipeline_tests.warehouse.support import TABLE


def test_expired_credentials(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.faults.on(".", faults.Fault(status=401, reason="authError", message="Invalid Credentials"))
    with pytest.raises(WarehouseMisconfigured, match="gcloud auth application-default login") as caught:
        store.replace_range(TABLE, NEW, DAYS)
    assert isinstance(caught.value, ConfigurationError)
    assert not assert_whole(fake)


def test_a_missing_permission(fake, store):
    message = "Access Denied: Table: User does not have permission"
    fake.faults.on("GET", faults.Fault(status=403, reason="accessDenied", message=message))
    with pytest.raises(WarehouseMisconfigured, match=r"lacks a permission: docs/bigquery\.md"):
        store.read(TABLE, DAYS)


def test_a_missing_dataset(fake):
    with pytest.raises(
        WarehouseMisconfigured,
        match=r"location US\): Not found: Dataset.*does not exist in this location.*schema apply",
    ):
        store_over(fake).replace_range(TABLE, NEW, DAYS)
    with pytest.raises(WarehouseMisconfigured, match="dataset does not exist") as caught:
        store_over(fake).manifest(TABLE)  # an outage or a wrong setting is never "no data"
    assert caught.value.failure_class is FailureClass.SOURCE_UNAVAILABLE


def test_a_wrong_location(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    elsewhere = store_over(fake, location="europe-west1")
    with pytest.raises(WarehouseMisconfigured, match="NBA_PIPELINE_BIGQUERY_LOCATION"):
        elsewhere.replace_range(TABLE, NEW, DAYS)
    assert not assert_whole(fake)


def test_a_table_that_is_not_ours(fake, store):
    foreign = bigquery.Table(f"{PROJECT}.analytics.box_scores", schema=[bigquery.SchemaField("a", "STRING")])
    fake.client(PROJECT).create_table(foreign)
    with pytest.raises(
        SchemaDrift, match=r"partitioned not at all.*not made by this project.*Nothing was written"
    ):
        store.replace_range(TABLE, NEW, DAYS)
    assert fake.client(PROJECT).get_table(foreign.reference).num_rows == 0
    assert [j for j in fake.jobs if j.kind == "load"] == []


def test_an_overflow_is_found_before_any_call(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.calls.clear()
    narrow = TABLE.with_column("minutes", type=replace(TABLE.column("minutes").type, precision=5))
    with pytest.raises(PipelineError, match=r"minutes on 2024-01-02 is 1234\.5") as caught:
        store.replace_range(narrow, NEW.assign(minutes=[1.0] * 5 + [1234.5] + [2.0] * 6), DAYS)
    assert caught.value.failure_class is FailureClass.TYPE_OVERFLOW
    assert fake.calls == []
    assert not assert_whole(fake)


def test_a_column_that_was_narrowed_behind_our_back_is_drift(fake, store):
    narrow = TABLE.with_column("minutes", type=replace(TABLE.column("minutes").type, precision=5))
    store.replace_range(narrow, OLD, DAYS)
    jobs = len(fake.jobs)
    with pytest.raises(
        SchemaDrift,
        match=r"column minutes is stored as NUMERIC\(5,2\) and declared NUMERIC\(6,2\).*schema apply",
    ):
        store.replace_range(TABLE, NEW, DAYS)
    assert len(fake.jobs) == jobs


def test_an_overflow_in_the_server_is_named_and_changes_nothing(fake, store, monkeypatch):
    narrow = TABLE.with_column("minutes", type=replace(TABLE.column("minutes").type, precision=5))
    store.replace_range(narrow, OLD, DAYS)
    drifted = store_over(fake)
    monkeypatch.setattr(
        drifted, "_checked", lambda table: fake.client(PROJECT).get_table(drifted.address.data(table))
    )
    with pytest.raises(
        PipelineError, match=r"a value does not fit: .*NUMERIC\(5, ?2\) has precision 5"
    ) as caught:
        drifted.replace_range(TABLE, NEW.assign(minutes=[5000.0] * 12), DAYS)
    assert caught.value.failure_class is FailureClass.TYPE_OVERFLOW
    assert_frame_equal(store_over(fake).read(narrow, DAYS), OLD)
    assert staging(fake) == []
