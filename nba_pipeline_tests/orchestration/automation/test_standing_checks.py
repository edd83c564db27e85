"""The standing checks: exact counts of what is failed, missing or stale, and a newest day that old backfills
cannot fake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.definitions.freshness_evaluator import (
    CronFreshnessPolicyEvaluator,
    TimeWindowFreshnessPolicyEvaluator,
)

from nba_pipeline import clock
from nba_pipeline.build import RECIPES
from nba_pipeline.orchestration.automation.currency import Currency
from nba_pipeline.orchestration.automation.inventory import (
    NEWEST_DAY_IS_THERE,
    NO_PARTITIONS_LEFT_FAILED,
    in_words,
)
from nba_pipeline.orchestration.automation.wiring import SERVING
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.open_instance import open_instance
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.table_asset import STORE
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.orchestration.automation.driver import (
    FEATURES,
    OFFENSE,
    RAW,
    Clockwork,
    one_more_point,
    one_more_rebound,
)

TODAY = clock.now().date()
START = TODAY - timedelta(days=5)


@pytest.fixture
def clockwork(tmp_path: Path) -> Iterator[Clockwork]:
    """Partitions of the last six days, today among them, nothing made."""
    from nba_pipeline_tests.orchestration.automation.driver import CorrectedSource

    with open_instance(tmp_path / "home") as instance:
        yield Clockwork(TODAY, source=CorrectedSource(START), instance=instance, start=START)


def evaluations(clockwork: Clockwork) -> dict[tuple[str, str], Any]:
    """Every standing check's newest evaluation, taken by the job as the schedule would launch it."""
    result = clockwork.defs.resolve_job_def("inventory").execute_in_process(instance=clockwork.instance)
    assert result.success
    return {(".".join(e.asset_key.path), e.check_name): e for e in result.get_asset_check_evaluations()}


def test_every_table_has_its_inventory_and_the_serving_tables_their_newest_day(clockwork: Clockwork) -> None:
    found = evaluations(clockwork)
    expected = {(recipe.table, NO_PARTITIONS_LEFT_FAILED) for recipe in RECIPES} | {
        (name, NEWEST_DAY_IS_THERE) for name in SERVING
    }
    assert set(found) == expected
    assert not any(evaluation.passed for evaluation in found.values())
    metadata = found[(OFFENSE, NO_PARTITIONS_LEFT_FAILED)].metadata
    days = len(clockwork.days)
    assert (
        metadata["days"].value,
        metadata["failed"].value,
        metadata["missing"].value,
        metadata["stale"].value,
    ) == (days, 0, days, 0)
    assert metadata["missing_days"].value == f"{START} .. {TODAY}"
    assert "nba-pipeline backfill" in metadata["missing_what_to_do"].value


@pytest.mark.slow  # several backfills
def test_it_counts_exactly_what_failed_and_what_became_stale_and_turns_green_when_all_is_well(
    clockwork: Clockwork,
) -> None:
    bad, corrected = START + timedelta(days=2), START + timedelta(days=3)
    clockwork.source.correct("player_boxscores", bad, one_more_point)
    clockwork.fetch(clockwork.days)
    clockwork.run(OFFENSE, clockwork.days)
    clockwork.source.correct("player_boxscores", corrected, one_more_rebound)
    clockwork.fetch([corrected])
    found = evaluations(clockwork)
    offense = found[(OFFENSE, NO_PARTITIONS_LEFT_FAILED)]
    assert not offense.passed
    assert offense.severity is dg.AssetCheckSeverity.ERROR
    assert [offense.metadata[kind].value for kind in ("failed", "missing", "stale")] == [1, 0, 1]
    assert offense.metadata["failed_days"].value == str(bad)
    assert offense.metadata["stale_days"].value == str(corrected)
    assert all(found[(raw, NO_PARTITIONS_LEFT_FAILED)].passed for raw in RAW)
    clockwork.settle()  # the sensor sees the red day, so that it knows when its inputs change
    clockwork.source.restore()
    clockwork.fetch([bad, corrected])
    clockwork.settle()
    assert all(evaluation.passed for evaluation in evaluations(clockwork).values())


@pytest.mark.slow
def test_an_old_backfill_does_not_make_today_fresh(clockwork: Clockwork) -> None:
    before = clockwork.days[:-1]
    clockwork.fetch(before)
    clockwork.now = before[-1]
    clockwork.settle()
    clockwork.run(FEATURES, [START])  # now, and successfully
    newest = evaluations(clockwork)[(FEATURES, NEWEST_DAY_IS_THERE)]
    assert not newest.passed
    assert newest.metadata["days_late"].value == 1
    assert newest.metadata["newest_stored"].value == str(before[-1])


def test_a_folder_that_was_deleted_is_missing_and_not_good(clockwork: Clockwork) -> None:
    clockwork.fetch(clockwork.days)
    clockwork.store._tables.clear()  # type: ignore[attr-defined]
    found = evaluations(clockwork)[(RAW[0], NO_PARTITIONS_LEFT_FAILED)]
    assert found.metadata["missing"].value == len(clockwork.days)


def test_a_materialization_takes_neither_the_inventory_nor_its_failure_along(clockwork: Clockwork) -> None:
    clockwork.run(RAW[0], [START])
    [run] = clockwork.instance.get_runs()
    assert run.is_success
    names = {
        record.event_log_entry.step_key
        for record in clockwork.instance.get_records_for_run(run.run_id, limit=500).records
    }
    assert "standing_checks" not in names


def test_the_frameworks_freshness_turns_green_on_an_old_partition() -> None:
    """Why ``newest_day_is_there`` exists. When this fails, Dagster's policies may have learnt about
    partitions: use them."""
    import asyncio

    days = daily_partitions(START)
    for policy, evaluator in (
        (
            dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26)),
            TimeWindowFreshnessPolicyEvaluator(),
        ),
        (dg.FreshnessPolicy.cron("0 9 * * *", timedelta(hours=9)), CronFreshnessPolicyEvaluator()),
    ):
        spec = dg.AssetSpec("served", partitions_def=days, freshness_policy=policy)
        defs = dg.Definitions(assets=[spec])
        instance = dg.DagsterInstance.ephemeral()
        instance.report_runless_asset_event(dg.AssetMaterialization("served", partition=START.isoformat()))
        from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView

        view = AssetGraphView.for_test(defs, instance)
        node = defs.resolve_asset_graph().get(dg.AssetKey("served"))
        assert asyncio.run(evaluator.evaluate_freshness(view, node)) is FreshnessState.PASS


def test_an_unreachable_warehouse_is_an_error_and_no_inventory(clockwork: Clockwork) -> None:
    class Gone:
        def manifest(self, table: object) -> dict[date, object]:
            raise ConnectionError("no route to the warehouse")

    currency = Currency(RECIPES, TABLES, Gone(), daily_partitions(START), 10)  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        currency.read(clockwork.instance)


def test_days_in_words_are_exact() -> None:
    days = [START, START + timedelta(days=1), START + timedelta(days=4)]
    assert in_words(days) == f"{days[0]} .. {days[1]}, {days[2]}"
    many = [START + timedelta(days=2 * n) for n in range(30)]
    assert in_words(many).endswith("and 10 more days")
    assert asset_key(FEATURES).path[-1] == "ml_feature_store"
    assert STORE == "store"
