"""Rules of the fake that the battery does not ask about: faults, jobs, quotas, transactions that meet,
scripts, strict SQL."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.cloud import bigquery

from nba_pipeline_tests.bigquery_loopback import FakeBigQuery, faults, wait_until

FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)
ONCE = Retry(predicate=lambda error: False)
SCHEMA = [
    bigquery.SchemaField("game_date", "DATE", "REQUIRED"),
    bigquery.SchemaField("player", "STRING"),
    bigquery.SchemaField("rate", "NUMERIC", precision=5, scale=2),
]


@pytest.fixture
def fake() -> Iterator[FakeBigQuery]:
    with FakeBigQuery() as fake:
        client = fake.client()
        client.create_dataset("ds")
        for name in ("t", "staging"):
            table = bigquery.Table(f"proj.ds.{name}", SCHEMA)
            table.time_partitioning = bigquery.TimePartitioning(field="game_date")
            client.create_table(table)
        yield fake


def load(
    fake: FakeBigQuery,
    destination: str,
    rows: list[tuple[date, str, str]],
    disposition: str = "WRITE_TRUNCATE",
    **more: Any,
) -> Any:
    """Through the real client, as the writer does: Parquet with REQUIRED and DECIMAL, no schema in the job,
    CREATE_NEVER."""
    schema = pa.schema(
        [
            pa.field("game_date", pa.date32(), nullable=False),
            ("player", pa.string()),
            ("rate", pa.decimal128(8, 2)),
        ]
    )
    columns = [[r[0] for r in rows], [r[1] for r in rows], [Decimal(r[2]) for r in rows]]
    file = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), file)
    file.seek(0)
    config = bigquery.LoadJobConfig(
        source_format="PARQUET", write_disposition=disposition, create_disposition="CREATE_NEVER"
    )
    return fake.client().load_table_from_file(
        file, f"proj.ds.{destination}", job_config=config, num_retries=0, **more
    )


def rows(fake: FakeBigQuery, sql: str = "SELECT player, rate FROM ds.t ORDER BY 1") -> list[tuple[Any, ...]]:
    return [tuple(r.values()) for r in fake.client().query(sql).result()]


@pytest.mark.parametrize("when", faults.WHEN)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.unavailable, api.ServiceUnavailable),
        (faults.server_error, api.InternalServerError),
        (faults.rate_limited, api.TooManyRequests),
        (faults.quota_exceeded, api.Forbidden),
    ],
)
def test_a_fault_before_the_work_leaves_nothing_and_after_it_everything(
    fake: FakeBigQuery, fault: Any, error: type, when: str
) -> None:
    fake.faults.at(
        1, fault(when)
    )  # call 0 opens the resumable upload, call 1 sends the file and makes the job
    with pytest.raises(error):
        load(fake, "t$20240101", [(FIRST, "a", "1")], job_id="mine")
    assert [played[2].when for played in fake.faults.played] == [when]
    assert [job.error for job in fake.jobs] == ([None] if when == "after" else [])
    assert len(rows(fake)) == (1 if when == "after" else 0)
    if when == "after":  # the retry of the same job id finds the job
        with pytest.raises(api.Conflict):
            load(fake, "t$20240101", [(FIRST, "a", "1")], job_id="mine")


def test_a_reset_connection_is_a_connection_error(fake: FakeBigQuery) -> None:
    fake.faults.on(r"GET .*/tables/t$", faults.reset("after"))
    with pytest.raises(requests.exceptions.ConnectionError):
        fake.client().get_table("ds.t", retry=ONCE)
    assert fake.client().get_table("ds.t", retry=ONCE).num_rows == 0


def test_a_held_job_stays_running_until_it_is_cancelled(fake: FakeBigQuery) -> None:
    fake.jobs.hold(lambda job: job.id == "stuck")
    job = load(fake, "t$20240101", [(FIRST, "a", "1")], job_id="stuck")
    assert job.state == "RUNNING"
    job.cancel()
    wait_until(lambda: fake.jobs.get("proj", "stuck", "US").state == "DONE")
    job.reload()
    assert job.error_result["reason"] == "stopped"
    assert rows(fake) == []


def test_a_job_is_found_in_its_own_location_only(fake: FakeBigQuery) -> None:
    load(fake, "t$20240101", [(FIRST, "a", "1")], job_id="here").result()
    with pytest.raises(api.NotFound):
        fake.client().get_job("here", location="EU", retry=ONCE)
    with pytest.raises(api.NotFound, match="was not found in location EU"):
        fake.client(location="EU").query("SELECT 1 FROM ds.t").result()


def test_load_jobs_are_counted_failed_ones_too_and_limited(fake: FakeBigQuery) -> None:
    fake.counters.limits.load_jobs = 2
    load(fake, "t$20240101", [(FIRST, "a", "1")]).result()
    with pytest.raises(
        api.BadRequest, match=r"NUMERIC\(5, 2\) has precision 5 and scale 2 .* \[-999.99, 999.99\]"
    ):
        load(fake, "t$20240101", [(FIRST, "a", "1000.00")]).result()
    with pytest.raises(api.Forbidden, match="quota for imports"):
        load(fake, "t$20240101", [(FIRST, "b", "2")]).result()
    assert fake.counters.load_jobs["proj:ds.t"] == 3
    assert rows(fake) == [("a", Decimal("1"))]
    fake.counters.new_day()
    load(fake, "t$20240101", [(FIRST, "b", "2")]).result()


def test_rows_of_another_day_are_refused_and_the_day_stays(fake: FakeBigQuery) -> None:
    load(fake, "t$20240101", [(FIRST, "a", "1")]).result()
    with pytest.raises(
        api.BadRequest, match="different partitions rather than destination partition 20240101"
    ):
        load(fake, "t$20240101", [(FIRST, "b", "2"), (SECOND, "c", "3")]).result()
    assert rows(fake) == [("a", Decimal("1"))]


def test_truncating_the_data_keeps_the_schema_and_truncating_the_table_replaces_it(
    fake: FakeBigQuery,
) -> None:
    load(fake, "t", [(FIRST, "a", "1")], "WRITE_TRUNCATE_DATA").result()
    assert fake.client().get_table("ds.t").schema[2].precision == 5
    load(fake, "t", [(FIRST, "a", "1000.00")], "WRITE_TRUNCATE").result()
    assert fake.client().get_table("ds.t").schema[2].precision is None


SWAP = """
SELECT IF(COUNT(*) = 1, TRUE, ERROR('not what was staged')) FROM `proj.ds.staging`;
BEGIN TRANSACTION;
DELETE FROM `proj.ds.t` WHERE game_date BETWEEN DATE '2024-01-01' AND DATE '2024-01-02';
INSERT INTO `proj.ds.t` (game_date, player, rate) SELECT game_date, player, rate FROM `proj.ds.staging`;
COMMIT TRANSACTION;
"""


def test_the_row_count_guard_stops_a_script_before_its_transaction(fake: FakeBigQuery) -> None:
    load(fake, "t", [(FIRST, "old", "1")], "WRITE_APPEND").result()
    with pytest.raises(api.BadRequest, match="not what was staged"):
        fake.client().query(SWAP).result()
    assert rows(fake) == [("old", Decimal("1"))]


def test_the_second_of_two_transactions_on_a_table_is_cancelled(fake: FakeBigQuery) -> None:
    load(fake, "t", [(FIRST, "old", "1")], "WRITE_APPEND").result()
    load(fake, "staging", [(FIRST, "new", "2")], "WRITE_APPEND").result()
    first_is_in, go_on = threading.Event(), threading.Event()

    def stop(job: Any, text: str) -> None:
        if job.id == "one" and text.startswith("INSERT"):
            first_is_in.set()
            assert go_on.wait(10)

    fake.service.on_statement = stop
    one = threading.Thread(target=lambda: fake.client().query(SWAP, job_id="one", job_retry=None).result())
    one.start()
    assert first_is_in.wait(10)
    assert rows(fake) == [("old", Decimal("1"))]  # nobody sees a transaction in its middle
    with pytest.raises(api.BadRequest, match=r"aborted due to concurrent update against table proj:ds\.t"):
        fake.client().query(SWAP, job_id="two", job_retry=None).result()
    go_on.set()
    one.join(10)
    assert rows(fake) == [("new", Decimal("2"))]
    assert fake.counters.dml["proj:ds.t"] == 2


def test_scripts_have_variables_conditions_assertions_and_handlers(fake: FakeBigQuery) -> None:
    found = rows(
        fake,
        "DECLARE n INT64 DEFAULT 3; DECLARE word STRING; SET word = 'a;b'; ASSERT n = 3 AS 'three'; "
        "IF n > 5 THEN SET word = 'no'; ELSEIF n = 3 THEN SET n = n + 1; ELSE SELECT ERROR('never'); END IF; "
        "BEGIN SELECT ERROR('caught'); EXCEPTION WHEN ERROR THEN SET n = n * 10; END; SELECT n, word",
    )
    assert found == [(40, "a;b")]
    with pytest.raises(api.BadRequest, match="three"):
        fake.client().query("ASSERT 1 = 2 AS 'three'").result()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM ds.t", "must have a WHERE clause"),
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT * FROM `proj.ds.t$20240101`", "decorators are not supported"),
        (
            "INSERT INTO ds.t (game_date, rate) SELECT game_date, CAST(rate AS FLOAT64) * 2 FROM ds.staging",
            "cannot be inserted into column rate",
        ),
        ("INSERT INTO ds.t (player) VALUES ('x')", "Required field game_date cannot be null"),
        ("ALTER TABLE ds.t ADD COLUMN c INT64 NOT NULL", "Cannot add REQUIRED column"),
        ("SELECT 1 FROM ds.absent", "Not found: Table proj:ds.absent"),
        ("COMMIT TRANSACTION", "no transaction"),
    ],
)
def test_what_bigquery_refuses_is_refused(fake: FakeBigQuery, sql: str, words: str) -> None:
    with pytest.raises(api.ClientError, match=words):
        fake.client().query(sql, job_retry=None).result()


def test_what_is_not_modelled_says_so(fake: FakeBigQuery) -> None:
    with pytest.raises(api.MethodNotImplemented, match="does not model"):
        fake.client().query("LOOP SELECT 1; END LOOP", job_retry=None).result()
    with pytest.raises(api.MethodNotImplemented, match="does not model"):
        list(fake.client().list_routines("ds", retry=ONCE))


def test_an_expired_table_is_gone(fake: FakeBigQuery) -> None:
    client = fake.client()
    client.query(
        "ALTER TABLE ds.staging SET OPTIONS(expiration_timestamp = TIMESTAMP '2020-01-01 00:00:00 UTC')"
    ).result()
    with pytest.raises(api.NotFound):
        client.get_table("ds.staging", retry=ONCE)


def test_ddl_makes_what_the_api_shows(fake: FakeBigQuery) -> None:
    client = fake.client()
    client.query(
        "CREATE TABLE ds.made (game_date DATE NOT NULL OPTIONS(description='day'), rate NUMERIC(5, 2))"
        " PARTITION BY game_date CLUSTER BY rate OPTIONS(description='what', labels=[('k', 'v')],"
        " require_partition_filter=TRUE)"
    ).result()
    client.query("ALTER TABLE ds.made ALTER COLUMN rate SET DATA TYPE NUMERIC(6, 2)").result()
    client.query("ALTER TABLE ds.made ALTER COLUMN game_date DROP NOT NULL").result()
    table = client.get_table("ds.made")
    assert (table.description, table.labels, table.require_partition_filter) == ("what", {"k": "v"}, True)
    assert (table.time_partitioning.field, table.clustering_fields) == ("game_date", ["rate"])
    assert [(f.name, f.mode, f.precision, f.description) for f in table.schema] == [
        ("game_date", "NULLABLE", None, "day"),
        ("rate", "NULLABLE", 6, None),
    ]
