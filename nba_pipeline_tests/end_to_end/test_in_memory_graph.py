"""The whole graph with the in-memory warehouse and IO manager: nothing touches the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.table_asset import IO_MANAGER, STORE, op_name
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, Runs, materializations
from nba_pipeline_tests.support.poison import PoisonedSource

START, LAST = date(2023, 10, 24), date(2023, 11, 6)
DAYS = span(START, LAST)
NAMES = [recipe.table for recipe in RECIPES]


@pytest.fixture
def empty_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory that is also the home directory; nothing may be in it afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    yield tmp_path
    assert list(tmp_path.rglob("*")) == []


def settings(world: Path) -> Settings:
    return Settings(warehouse="memory", warehouse_dir=world / "must_not_appear", start_date=START)


def test_every_table_of_one_day_in_one_run(empty_world: Path) -> None:
    """A person pressing "materialize all" for one date: nothing downstream is skipped (fact F4)."""
    store = MemoryStore()
    job = build_defs(settings(empty_world), resources={STORE: store}).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key=str(START))
        made = {
            key for key in map(asset_key, NAMES) if str(START) in instance.get_materialized_partitions(key)
        }
    assert result.success
    assert not [event for event in result.all_events if event.is_step_skipped]
    assert made == {asset_key(name) for name in NAMES}
    assert {name for name in NAMES if START not in store.manifest(TABLES[name])} == set()
    assert store.manifest(TABLES[PLAYERS])[START].row_count > 20


@pytest.mark.slow  # a run of one day is above; ranges are what most other files make
def test_every_table_of_a_range(empty_world: Path) -> None:
    store = MemoryStore()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = Runs(settings(empty_world), store, instance)
        results = runs.backfill(DAYS)
        assert {name: len(r.good) for name, r in results.items()} == dict.fromkeys(NAMES, len(DAYS))
        assert set(materializations(instance, PLAYERS, DAYS)) == set(DAYS)
        assert all(set(state.materialized) == set(DAYS) for state in runs.state(DAYS).values())
        rows = store.read(TABLES[PLAYERS], DAYS)
        assert results[PLAYERS].rows == len(rows) > 1000
        again = runs.backfill(DAYS, [PLAYERS])
        assert len(again[PLAYERS].good) == len(DAYS)
        assert all(m.metadata["unchanged"].value for m in materializations(instance, PLAYERS, DAYS).values())


def test_an_asset_outside_the_graph_reads_a_table_through_the_io_manager(empty_world: Path) -> None:
    """People add ordinary assets: theirs get the day's rows as a frame."""
    seen: list[int] = []

    @dg.asset(
        partitions_def=daily_partitions(START),
        ins={"players": dg.AssetIn(asset_key(PLAYERS), input_manager_key=IO_MANAGER)},
    )
    def mine(players) -> None:  # type: ignore[no-untyped-def]
        seen.append(len(players))

    store = MemoryStore()
    with dg.DagsterInstance.ephemeral() as instance:
        Runs(settings(empty_world), store, instance).backfill([START], NAMES[:6])
        defs = dg.Definitions.merge(
            build_defs(settings(empty_world), resources={STORE: store}), dg.Definitions(assets=[mine])
        )
        job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={dg.AssetKey("mine")})
        assert job.execute_in_process(instance=instance, partition_key=str(START)).success
    assert seen == [store.manifest(TABLES[PLAYERS])[START].row_count]


@pytest.mark.parametrize(("policy", "good"), [("fail", False), ("quarantine", True)])
def test_on_invalid_rows_is_run_config(empty_world: Path, policy: str, good: bool) -> None:
    source = PoisonedSource(SimulatedSource(first_day=START), {START: "negative_count"})
    store = MemoryStore()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = Runs(settings(empty_world), store, instance, source)
        runs.backfill([START], ["games"])
        name = "nba_raw.player_boxscores"
        job = runs.defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={asset_key(name)})
        config = {"ops": {op_name(name): {"config": {"on_invalid_rows": policy}}}}
        result = job.execute_in_process(
            instance=instance, partition_key=str(START), run_config=config, raise_on_error=False
        )
    assert result.success is good
    assert (START in store.manifest(TABLES[name])) is good
    assert len(store.read(TABLES[name].rejected(), [START])) == int(good)


def test_a_wrong_policy_is_refused_before_anything_runs(empty_world: Path) -> None:
    job = build_defs(settings(empty_world)).resolve_implicit_global_asset_job_def()
    config = {"ops": {op_name("nba_raw.games"): {"config": {"on_invalid_rows": "ignore"}}}}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.DagsterInvalidConfigError, match="on_invalid_rows"),
    ):
        job.execute_in_process(
            instance=instance, partition_key=str(START + timedelta(days=1)), run_config=config
        )
