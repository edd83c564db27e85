"""Days that a backfill reaches only by look-back: restated where they are stored, left alone where they never
were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.selector import (
    PartitionRangeSelector,
    PartitionsByAssetSelector,
    PartitionsSelector,
)
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG
from dagster._time import get_current_timestamp

from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.launch import RANGE_END, RANGE_START
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import ANALYTICS_JOB, PLAYERS, SLATE, Runs

START, SELECTED_TO, BEYOND = date(2023, 10, 24), date(2023, 10, 28), date(2023, 10, 31)
SELECTED = span(START, SELECTED_TO)


@pytest.fixture
def runs() -> Iterator[Runs]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Runs(
            Settings(warehouse="memory", start_date=START),
            MemoryStore(),
            instance,
            SimulatedSource(first_day=START),
        )
        made.backfill(SELECTED, [t for t in ANALYTICS_JOB if t != SLATE])
        yield made


def recorded(runs: Runs, last_day: Mapping[str, date]) -> str:
    """The id of a backfill of these tables, each from START to its own last day."""
    backfill = PartitionBackfill.from_partitions_by_assets(
        backfill_id="chosen",
        asset_graph=runs.defs.get_repository_def().asset_graph,
        partitions_by_assets=[
            PartitionsByAssetSelector(
                asset_key=asset_key(name),
                partitions=PartitionsSelector(
                    ranges=[PartitionRangeSelector(start=str(START), end=str(last))]
                ),
            )
            for name, last in last_day.items()
        ],
        backfill_timestamp=get_current_timestamp(),
        tags={},
        dynamic_partitions_store=runs.instance,
        title=None,
        description=None,
        run_config=None,
    )
    runs.instance.add_backfill(backfill)
    return backfill.backfill_id


def grown_by_the_look_back(runs: Runs) -> str:
    """A backfill of SELECTED of all tables, as Dagster grows it: the slate's days go on to BEYOND."""
    return recorded(runs, {name: BEYOND if name == SLATE else SELECTED_TO for name in ANALYTICS_JOB})


class JobOfRepository(InMemoryJob):
    """A job that knows its repository, as a run process's does."""

    def __init__(self, job: dg.JobDefinition, repository: dg.RepositoryDefinition) -> None:
        super().__init__(job)
        self._repository = repository

    def get_repository_definition(self) -> dg.RepositoryDefinition:
        return self._repository

    def get_subset(self, **_: object) -> JobOfRepository:
        return self  # it has been cut to the run's assets already


def run_slate(runs: Runs, backfill_id: str, first: date, last: date) -> bool:
    """The run that the daemon would launch for the slate; whether it succeeded."""
    defs = runs.defs
    repository = defs.get_repository_def()
    job = repository.get_implicit_global_asset_job_def().get_subset(asset_selection={asset_key(SLATE)})
    run = runs.instance.create_run_for_job(
        job,
        asset_selection=frozenset({asset_key(SLATE)}),
        tags={RANGE_START: str(first), RANGE_END: str(last), BACKFILL_ID_TAG: backfill_id},
    )
    list(execute_run_iterator(JobOfRepository(job, repository), run, runs.instance))
    finished = runs.instance.get_run_by_id(run.run_id)
    assert finished is not None
    return finished.is_success


@pytest.mark.slow  # a daemon's backfill of its own
def test_a_chosen_range_may_grow_by_the_look_back(runs: Runs) -> None:
    """What makes the rule necessary. Whether it grows depends on the order of a set; if it never does,
    ``beyond.py`` can go."""
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="chosen",
        asset_graph=runs.defs.get_repository_def().asset_graph,
        partition_names=[str(day) for day in SELECTED],
        asset_selection=[asset_key(PLAYERS), asset_key(SLATE)],
        backfill_timestamp=get_current_timestamp(),
        tags={},
        dynamic_partitions_store=runs.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    target = backfill.get_asset_backfill_data(runs.defs.get_repository_def().asset_graph).target_subset
    assert len(target.get_partitions_subset(asset_key(PLAYERS))) == len(SELECTED)
    assert len(target.get_partitions_subset(asset_key(SLATE))) == len(SELECTED) - 1 + 365


def test_days_nobody_chose_and_nobody_made_are_left_missing(runs: Runs) -> None:
    assert run_slate(runs, grown_by_the_look_back(runs), START, BEYOND)
    assert set(runs.store.manifest(TABLES[SLATE])) == set(SELECTED)


@pytest.mark.slow  # a daemon's backfill of its own
def test_a_run_of_such_days_alone_does_nothing(runs: Runs) -> None:
    assert run_slate(runs, grown_by_the_look_back(runs), BEYOND, BEYOND)
    assert runs.store.manifest(TABLES[SLATE]) == {}


@pytest.mark.slow  # a daemon's backfill of its own
def test_days_beyond_the_range_that_are_stored_are_restated(runs: Runs) -> None:
    runs.backfill(span(SELECTED_TO, BEYOND), [t for t in ANALYTICS_JOB if t != SLATE])
    assert run_slate(runs, grown_by_the_look_back(runs), START, BEYOND)
    assert set(runs.store.manifest(TABLES[SLATE])) == set(span(START, BEYOND))


def test_a_day_that_was_chosen_and_has_no_inputs_fails(runs: Runs) -> None:
    assert not run_slate(runs, recorded(runs, {SLATE: BEYOND}), START, BEYOND)
    assert set(runs.store.manifest(TABLES[SLATE])) == set(SELECTED)
