"""Whatever goes wrong with whichever call: days are old or new, nothing is doubled, and trying again
helps."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from google.cloud import bigquery
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import ConfigurationError, FailureClass, PipelineError, SchemaDrift
from nba_pipeline.tables.render.bigquery import STAGING_DATASET
from nba_pipeline.warehouse.base import CorruptPartition
from nba_pipeline.warehouse.bigquery.errors import WarehouseMisconfigured
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline_tests.bigquery_loopback import BigQueryError, FakeBigQuery, faults
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, QUICK, store_over
from nba_pipeline_tests.warehouse.support import TABLE, day, many, rows

DAYS = [day(0), day(1), day(2)]
OLD, NEW = many(DAYS, 4), many(DAYS, 4, shift=1)
IMPATIENT = replace(QUICK, transient=0.0, quota=0.0)
HANGS_UP = 0.7
"""Seconds after which a call that hangs is given up; under load an honest one may take as long, so only those
tests have it that hang."""
CALLS_OF_A_WRITE = 4
"""tables.get, tabledata.list of the manifest, the upload of the load, the insertion of the script. Jobs end
while they are inserted."""

FAULTS = {
    "503": faults.unavailable,
    "500": faults.server_error,
    "429": faults.rate_limited,
    "403 quota": faults.quota_exceeded,
    "reset": faults.reset,
    "hang": lambda when: faults.hang(HANGS_UP + 0.3, when),
}


def staging(fake: FakeBigQuery) -> list[str]:
    return [t.table_id for t in fake.client(PROJECT).list_tables(f"{PROJECT}.{STAGING_DATASET}")]


def assert_whole(fake: FakeBigQuery) -> bool:
    """Every day is old or new, all of one write alike, and the manifest says the same; True when they are
    new."""
    found = store_over(fake).read(TABLE, DAYS)  # a store that has cached nothing
    new = int(found["points"].iloc[0]) == 1
    assert_frame_equal(found, NEW if new else OLD)
    counted = [
        tuple(r.values())
        for r in (
            fake.client(PROJECT)
            .query(
                f"SELECT COUNT(*), COUNT(DISTINCT game_date) FROM `{PROJECT}.analytics.box_scores__manifest`"
            )
            .result()
        )
    ]
    assert counted == [(3, 3)]
    return new


def test_a_write_is_as_many_calls_as_is_tested_below(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.calls.clear()
    store.replace_range(TABLE, NEW, DAYS)
    assert [method for method, _ in fake.calls] == ["GET", "GET", "POST", "POST"], fake.calls
    assert len(fake.calls) == CALLS_OF_A_WRITE
    assert staging(fake) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(CALLS_OF_A_WRITE))
@pytest.mark.parametrize(
    "patience",
    [pytest.param(IMPATIENT, id="told"), pytest.param(QUICK, id="waited_out", marks=pytest.mark.slow)],
)
def test_a_fault_leaves_days_whole_and_a_retry_succeeds(fake, store, patience, call, fault, when):
    store.replace_range(TABLE, OLD, DAYS)
    of_call = {"call": HANGS_UP} if fault == "hang" else {}
    writer = store_over(fake, patience=replace(patience, **of_call))
    writer.manifest(TABLE)  # the client is made
    fake.faults.at(call, FAULTS[fault](when))
    heard: PipelineError | None = None
    try:
        assert writer.replace_range(TABLE, NEW, DAYS).written == frozenset(DAYS)
    except PipelineError as error:
        heard = error
    if heard:
        assert patience is IMPATIENT, heard
        assert (heard.failure_class, heard.days) == (FailureClass.WRITE_FAILED, tuple(DAYS))
        assert TABLE.full_name in str(heard)
    assert [f.when for _, _, f in fake.faults.played] == [when]
    wrote = assert_whole(fake)
    assert wrote or heard
    if not heard:
        assert staging(fake) == []
        assert (
            fake.counters.dml[f"{PROJECT}:analytics.box_scores"] == 4
        )  # DELETE and INSERT of two writes: nothing ran twice
    result = writer.replace_range(TABLE, NEW, DAYS)
    assert result.written == (frozenset() if wrote else frozenset(DAYS))
    assert assert_whole(fake)
    assert staging(fake) == []


CALLS_OF_A_READ = 6
"""The manifest, the table, the query, its rows, the manifest again; the library may ask for the job's state
in between."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["503", "429", "reset", "403 quota"])
@pytest.mark.parametrize("call", range(CALLS_OF_A_READ))
def test_a_fault_while_reading_is_never_no_data(fake, store, call, fault, when):
    store.replace_range(TABLE, OLD, DAYS)
    impatient, patient = store_over(fake, patience=IMPATIENT), store_over(fake)
    for reader in (impatient, patient):
        _ = reader.runner
    fake.faults.at(call, FAULTS[fault](when))
    try:
        assert_frame_equal(
            impatient.read(TABLE, DAYS), OLD
        )  # a query that was started twice is fetched by its id
    except PipelineError as error:
        heard = error
        assert heard.failure_class is FailureClass.SOURCE_UNAVAILABLE, heard
    assert len(fake.faults.played) == 1 or call == CALLS_OF_A_READ - 1
    fake.faults.clear()
    fake.faults.at(call, FAULTS[fault](when))
    assert_frame_equal(patient.read(TABLE, DAYS), OLD)
    assert len(fake.faults.played) == 1 or call == CALLS_OF_A_READ - 1


def test_a_read_is_as_many_calls_as_is_tested_above(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fresh = store_over(fake)
    fake.calls.clear()
    fresh.read(TABLE, DAYS)
    assert len(fake.calls) in (CALLS_OF_A_READ - 1, CALLS_OF_A_READ), fake.calls


@pytest.mark.parametrize("statement", ["DELETE", "INSERT", "COMMIT", "DROP"])
def test_a_script_that_breaks_in_its_middle_is_rolled_back(fake, store, statement):
    store.replace_range(TABLE, OLD, DAYS)
    broken = []

    def break_once(job: object, text: str) -> None:
        if text.lstrip().upper().startswith(statement) and not broken:
            broken.append(text)
            raise BigQueryError("invalidQuery", "Query exceeded something")

    fake.service.on_statement = break_once
    if statement == "DROP":  # the transaction is committed: what is stored decides, not the last answer
        assert store.replace_range(TABLE, NEW, DAYS).written == frozenset(DAYS)
    else:
        with pytest.raises(SchemaDrift, match="Query exceeded something"):
            store.replace_range(TABLE, NEW, DAYS)
        assert not assert_whole(fake)
        store.replace_range(TABLE, NEW, DAYS)
    assert broken
    assert assert_whole(fake)
    assert staging(fake) == []


def test_quota_that_stays_used_up_is_told_once_and_without_a_storm(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.calls.clear()
    fake.faults.on("POST /upload", faults.quota_exceeded(), times=1000)
    with pytest.raises(
        PipelineError, match=r"a quota is used up: .*Quota exceeded.*midnight Pacific"
    ) as caught:
        store.replace_range(TABLE, NEW, DAYS)
    assert caught.value.failure_class is FailureClass.WRITE_FAILED
    assert len(fake.calls) < 12
    fake.faults.clear()
    assert not assert_whole(fake)
    store.replace_range(TABLE, NEW, DAYS)
    assert assert_whole(fake)


def test_a_load_that_the_server_counts_out_pauses_and_resumes(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.counters.limits.load_jobs = 0
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            fake.counters.limits.load_jobs = 1500

    patient = store_over(
        fake, patience=replace(QUICK, quota=900.0, quota_wait=60.0, sleep=sleep, clock=lambda: 0.0)
    )
    patient.replace_range(TABLE, NEW, DAYS)
    assert assert_whole(fake)
    assert len(waits) == 2
    assert min(waits) >= 45


def test_a_hung_job_is_stopped_after_its_time(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.jobs.hold(lambda job: job.kind == "query")
    slow = store_over(fake, patience=replace(QUICK, job=0.2))
    with pytest.raises(PipelineError, match=r"did not end within 0\.2 seconds\. It was stopped") as caught:
        slow.replace_range(TABLE, NEW, DAYS)
    assert caught.value.failure_class is FailureClass.WRITE_FAILED
    assert [j.error.reason for j in fake.jobs if j.error] == ["stopped"]
    fake.jobs.release()
    assert not assert_whole(fake)
    slow.replace_range(TABLE, NEW, DAYS)
    assert assert_whole(fake)
    assert staging(fake) == []


def test_an_interrupt_cancels_the_job(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.jobs.hold(lambda job: job.kind == "query")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_over(fake, patience=replace(QUICK, sleep=interrupt)).replace_range(TABLE, NEW, DAYS)
    assert fake.jobs[-1].done.wait(2)
    assert fake.jobs[-1].error.reason == "stopped"
    fake.jobs.release()
    assert not assert_whole(fake)


def test_two_writers_of_the_same_days_leave_one_result(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    contents = {shift: many(DAYS, 6, shift=shift) for shift in (1, 2)}
    for _ in range(3):
        barrier, errors = threading.Barrier(2), []

        def write(
            shift: int, barrier: threading.Barrier = barrier, errors: list[BaseException] = errors
        ) -> None:
            own = store_over(fake)
            own.manifest(TABLE)
            barrier.wait()
            try:
                own.replace_range(TABLE, contents[shift], DAYS)
            except PipelineError as error:
                errors.append(error)

        threads = [threading.Thread(target=write, args=(shift,)) for shift in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        found = store_over(fake).read(TABLE, DAYS)
        shift = int(found["points"].iloc[0])
        assert_frame_equal(found, contents[shift])
        store.replace_range(TABLE, OLD, DAYS)
    assert staging(fake) == []


def test_two_writers_of_the_same_content_do_it_once(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    stores = [store_over(fake), store_over(fake)]
    stores[1].manifest(TABLE)
    fake.jobs.hold(lambda job: job.kind == "query")
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: stores[n].replace_range(TABLE, NEW, DAYS)}))
        for n in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.5)
    fake.jobs.release()
    for thread in threads:
        thread.join()
    assert assert_whole(fake)
    assert results[0].entries == results[1].entries == store.manifest(TABLE)
    writes = [job.id[:8] for job in fake.jobs if job.id.startswith(("nba_load", "nba_swap"))]
    assert sorted(writes) == ["nba_load"] * 2 + ["nba_swap"] * 2  # OLD once, NEW once
    assert staging(fake) == []


# ------------------------------------------------------------------------------------------------ not ours to
# mend


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


# ------------------------------------------------------------------------------------------------ types


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


# ------------------------------------------------------------------------------------------------ other hands


def by_hand(fake: FakeBigQuery, sql: str) -> None:
    fake.client(PROJECT).query(sql).result()


def test_rows_that_other_hands_removed_are_noticed_and_written_again(fake, store: BigQueryStore):
    store.replace_range(TABLE, OLD, DAYS)
    by_hand(
        fake, f"DELETE FROM `{PROJECT}.analytics.box_scores` WHERE game_date = '{DAYS[1]}' AND player_id = 2"
    )
    with pytest.raises(
        CorruptPartition, match=r"2024-01-02.*the number of rows is not what the manifest says"
    ) as caught:
        store_over(fake).read(TABLE, DAYS)
    assert list(caught.value.paths) == [DAYS[1]]
    assert store_over(fake).replace_range(TABLE, OLD, DAYS).written == {DAYS[1]}
    assert not assert_whole(fake)


def test_a_table_that_was_dropped_is_made_again(fake, store):
    store.replace_range(TABLE, OLD, DAYS)
    fake.client(PROJECT).delete_table(f"{PROJECT}.analytics.box_scores")
    with pytest.raises(CorruptPartition, match="the table does not exist, although its manifest does"):
        store_over(fake).read(TABLE, DAYS)
    assert store.replace_range(TABLE, OLD, DAYS).written == frozenset(DAYS)
    assert not assert_whole(fake)


def test_another_process_sees_what_was_written_at_once(fake, store):
    other = store_over(fake)
    store.replace_range(TABLE, OLD, DAYS)
    assert_frame_equal(other.read(TABLE, DAYS), OLD)
    store.replace(TABLE, {DAYS[1]: rows(DAYS[1], 2, shift=7)})
    assert_frame_equal(other.read(TABLE, [DAYS[1]]), rows(DAYS[1], 2, shift=7))
    assert_frame_equal(store.read(TABLE, [DAYS[0], DAYS[2]]), many([DAYS[0], DAYS[2]], 4))
