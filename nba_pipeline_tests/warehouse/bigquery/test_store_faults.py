"""Whatever goes wrong with whichever call: days are old or new, nothing is doubled, and trying again
helps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline_tests.bigquery_loopback import BigQueryError, faults
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, QUICK, store_over
from nba_pipeline_tests.warehouse.bigquery.writes import DAYS, IMPATIENT, NEW, OLD, assert_whole, staging
from nba_pipeline_tests.warehouse.support import TABLE

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
