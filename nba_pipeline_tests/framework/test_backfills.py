"""Facts F2, F3 and F10: what the backfill daemon makes of range runs in which some days fail."""

import logging
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._time import get_current_timestamp

from nba_pipeline_tests.framework import backfill_defs
from nba_pipeline_tests.framework.backfill_defs import BAD_DAY, DAYS, key

RUNS_INSIDE_THIS_PROCESS = {
    "instance_class": {
        "module": "nba_pipeline.orchestration.instance.pipeline_instance",
        "class": "PipelineInstance",
    },
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}
ALL_DAYS = list(DAYS.get_partition_keys())


class Outcome:
    def __init__(self, instance: dg.DagsterInstance, backfill: PartitionBackfill) -> None:
        self.status = backfill.status
        self._instance = instance
        self.cells: dict[
            str, tuple[set[str], set[str], set[str]]
        ] = {}  # per asset: green, red and never attempted days
        self.runs = [record.dagster_run for record in instance.get_run_records()]

    def runs_of(self, name: str) -> list[DagsterRun]:
        return [run for run in self.runs if run.asset_selection and key(name) in run.asset_selection]

    def days(self, name: str) -> tuple[set[str], set[str], set[str]]:
        cache = get_and_update_asset_status_cache_value(self._instance, key(name), DAYS)
        assert cache is not None
        green = set(cache.deserialize_materialized_partition_subsets(DAYS).get_partition_keys())
        red = set(cache.deserialize_failed_partition_subsets(DAYS).get_partition_keys())
        return green, red, set(ALL_DAYS) - green - red


@pytest.fixture(scope="module")
def workspace_file() -> Path:
    return Path(backfill_defs.__file__)


def run_backfill(workspace_file: Path, names: list[str], folder: Path) -> Outcome:
    """Drive the daemon's own iteration until the backfill ends."""
    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(python_file=str(workspace_file), attribute="defs")
    )
    folder.mkdir(exist_ok=True)
    with (
        instance_for_test(temp_dir=str(folder), overrides=RUNS_INSIDE_THIS_PROCESS) as instance,
        WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(origin)) as workspace,
    ):
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id="backfill",
            asset_graph=workspace.create_request_context().asset_graph,
            partition_names=ALL_DAYS,
            asset_selection=[key(name) for name in names],
            backfill_timestamp=get_current_timestamp(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
        instance.add_backfill(backfill)
        for _ in range(12):
            errors = [
                error
                for error in execute_backfill_iteration(workspace, logging.getLogger("backfill"))
                if error
            ]
            assert errors == []
            current = instance.get_backfill("backfill")
            assert current is not None
            if current.status in (
                BulkActionStatus.COMPLETED_FAILED,
                BulkActionStatus.COMPLETED_SUCCESS,
                BulkActionStatus.FAILED,
            ):
                break
        assert current is not None
        outcome = Outcome(instance, current)
        outcome.cells = {name: outcome.days(name) for name in names}
        return outcome


@pytest.fixture(scope="module")
def outcome(workspace_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    names = ["raw", "own_run", "slate", "windowed", "window_only"]
    return run_backfill(workspace_file, names, tmp_path_factory.mktemp("backfill"))


def test_f2_a_backfill_requests_downstream_days_of_good_parents_only(outcome: Outcome) -> None:
    assert outcome.status == BulkActionStatus.COMPLETED_FAILED
    assert outcome.cells["raw"] == (set(ALL_DAYS) - {BAD_DAY}, {BAD_DAY}, set())
    assert outcome.cells["own_run"] == (set(ALL_DAYS) - {BAD_DAY}, set(), {BAD_DAY})


def test_f2_a_look_back_asset_misses_exactly_the_days_whose_window_holds_the_bad_day(
    outcome: Outcome,
) -> None:
    blocked = {"2024-02-11", "2024-02-12", "2024-02-13"}
    assert outcome.cells["windowed"] == (set(ALL_DAYS) - blocked, set(), blocked)


def test_f3_different_policies_run_separately(outcome: Outcome) -> None:
    assert not any(key("own_run") in (run.asset_selection or ()) for run in outcome.runs_of("raw"))


def test_f3_equal_policies_run_together_and_a_bad_day_stops_the_chunk(
    workspace_file: Path, tmp_path: Path
) -> None:
    together = run_backfill(workspace_file, ["raw", "same_run"], tmp_path / "home")
    assert all(run.asset_selection == {key("raw"), key("same_run")} for run in together.runs)
    green, _, _ = together.cells["same_run"]
    assert green == set(ALL_DAYS[:31])  # the second chunk holds the bad day


def test_f10_a_first_day_is_requested_only_through_a_parent_day_that_maps_to_it(outcome: Outcome) -> None:
    assert ALL_DAYS[0] in outcome.cells["windowed"][0]
    assert ALL_DAYS[0] in outcome.cells["window_only"][2]
