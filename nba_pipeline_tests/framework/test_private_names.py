"""Private names of Dagster that no other framework test pins: what each must do for us."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.orchestration import dagster_private as private
from nba_pipeline.orchestration.history import cells
from nba_pipeline.orchestration.launch import execute_range

TESTS = Path(__file__).parent
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-06")


def test_every_private_name_is_pinned_by_a_test_that_is_there() -> None:
    pinned = [name for names in private.PINNED_BY.values() for name in names.split()]
    assert sorted(pinned) == sorted(set(private.__all__) - {"PINNED_BY"})
    for named in private.PINNED_BY:
        file, test = named.split("::")
        assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), named


def test_a_condition_sees_subsets_of_partitions() -> None:
    """A condition is given candidates and a view of the graph, and combines subsets of partitions."""
    given = set(dir(private.AutomationContext)) | set(private.AutomationContext.__annotations__)
    assert {"candidate_subset", "asset_graph_view", "key"} <= given
    methods = (
        "compute_intersection",
        "compute_difference",
        "compute_union",
        "expensively_compute_asset_partitions",
    )
    assert all(callable(getattr(private.EntitySubset, name)) for name in methods)


@dg.asset(key=["a", "x"], partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def x(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    if "2024-01-05" in context.partition_keys:
        raise RuntimeError("a bad day")
    return dg.MaterializeResult()


def test_a_run_that_is_created_first_is_executed_in_this_process() -> None:
    """The run has a repository origin, so that the UI knows whose it is, and a range of partitions."""
    defs = dg.Definitions([x], executor=dg.in_process_executor)
    with dg.DagsterInstance.ephemeral() as instance:
        done = execute_range(defs, instance, x.key, date(2024, 1, 1), date(2024, 1, 3), {})
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        assert (run.status, done.error) == (dg.DagsterRunStatus.SUCCESS, None)
        assert run.remote_job_origin is not None
        assert run.remote_job_origin.repository_origin.code_location_origin.location_name


def test_the_cells_of_a_table_are_read_from_the_status_cache() -> None:
    defs = dg.Definitions([x], executor=dg.in_process_executor)
    with dg.DagsterInstance.ephemeral() as instance:
        execute_range(defs, instance, x.key, date(2024, 1, 1), date(2024, 1, 2), {})
        execute_range(defs, instance, x.key, date(2024, 1, 5), date(2024, 1, 5), {})
        green, red, running = cells(instance, "a.x", DAYS)
        assert (sorted(d.day for d in green), sorted(d.day for d in red), running) == ([1, 2], [5], set())


def test_errors_that_are_told_apart() -> None:
    assert issubclass(private.DagsterExecutionInterruptedError, BaseException)
    assert issubclass(private.DagsterInvariantViolationError, dg.DagsterError)


def test_the_states_of_backfills_and_runs() -> None:
    ended = {s.value for s in private.BULK_ACTION_TERMINAL_STATUSES}
    assert {"COMPLETED", "FAILED", "CANCELED", "COMPLETED_SUCCESS", "COMPLETED_FAILED"} <= ended
    assert private.BulkActionStatus.REQUESTED.value not in ended
    open_runs = {s.value for s in private.NOT_FINISHED_STATUSES}
    assert {"STARTED", "QUEUED", "STARTING", "CANCELING"} <= open_runs
    assert not open_runs & {"SUCCESS", "FAILURE", "CANCELED"}
    with dg.DagsterInstance.ephemeral() as instance:
        wanted = private.BulkActionsFilter(statuses=[private.BulkActionStatus.REQUESTED])
        assert instance.get_backfills(filters=wanted) == []


@pytest.mark.parametrize(
    ("name", "tag"), [("BACKFILL_ID_TAG", "dagster/backfill"), ("PARTITION_NAME_TAG", "dagster/partition")]
)
def test_tags_that_runs_carry(name: str, tag: str) -> None:
    """dagster.yaml limits runs per backfill by this very tag."""
    assert getattr(private, name) == tag
