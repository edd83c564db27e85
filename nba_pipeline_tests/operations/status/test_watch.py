"""Progress from states taken one after the other: counts, rate, time left, stalls; and the loop that ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.cli.watch import watch
from nba_pipeline.operations.backfill.estimate import Cost, Costs
from nba_pipeline.operations.status.runs import PAUSE_SECONDS, at_once, idle_seconds, stretch
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.status.watch import (
    STALLED_AFTER_SECONDS,
    Snapshot,
    failed_lines,
    progress,
    take,
    time_left,
    unsettled,
    waiting_lines,
)
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.history import Ran, asked_of_the_daemon, recent_runs
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE, command
from nba_pipeline_tests.operations.conftest import DAYS, END, START

NOV = span(date(2023, 11, 1), date(2023, 11, 20))
START_OF_WORK = Snapshot(0.0, 0, 0, 1000, 0, 1)


def done(seconds: float, good: int) -> Snapshot:
    return replace(START_OF_WORK, seconds=seconds, good=good, open=1000 - good)


def test_days_are_counted_by_what_becomes_of_them() -> None:
    entries = {d: ManifestEntry(d, 1, "h", "s", datetime(2024, 1, 1, tzinfo=UTC)) for d in NOV[:5]}
    failed = {NOV[5]: Failed(NOV[5], "type_overflow", "m")}
    state = TableState(PLAYERS, entries, failed, {NOV[6]: "x"}, frozenset(NOV[7:9]), frozenset(NOV[9:]))
    seen = take({PLAYERS: state}, {PLAYERS: set(NOV[:12])}, 1, 0.0)
    assert (seen.good, seen.failed, seen.blocked, seen.open) == (
        5,
        1,
        1,
        2 + 3,
    )  # of the missing, those that were asked for
    assert seen.total == 12
    assert take({PLAYERS: state}, {}, 1, 0.0).open == 2
    assert unsettled({PLAYERS: state}, {PLAYERS: set(NOV[:12])}) == {PLAYERS: set(NOV[7:12])}


def test_the_rate_of_steady_work() -> None:
    steady = [done(s, 10 * s) for s in range(0, 11, 2)]  # ten a second
    found = progress(steady, 90.0)
    assert (found.per_minute, found.seconds_left) == (pytest.approx(600), 90.0)
    assert not found.stalled


def test_the_rate_follows_a_change_of_speed() -> None:
    fast_then_slow = [done(0, 0), done(10, 500), done(200, 510), done(300, 520)]
    assert progress(fast_then_slow, None).per_minute == pytest.approx(6)


def test_no_rate_is_known_before_something_moved() -> None:
    assert progress([START_OF_WORK, done(5, 0)], None).per_minute is None


def test_a_stall_is_seen_and_ends() -> None:
    waiting = [done(0, 0), done(10, 50), done(10 + STALLED_AFTER_SECONDS, 50)]
    assert progress(waiting, None).stalled
    assert progress(waiting, None).quiet_seconds == STALLED_AFTER_SECONDS
    assert not progress([*waiting, done(20 + STALLED_AFTER_SECONDS, 60)], None).stalled
    assert not progress(
        [*waiting[:2], replace(waiting[2], active=0)], None
    ).stalled  # nothing runs, so nothing stalls


def worked(tables: int, seconds: float, pause: float) -> list[Ran]:
    """One run of NOV after the other, a table each."""
    return [
        Ran((p.table,), NOV[0], NOV[-1], n * (seconds + pause), n * (seconds + pause) + seconds)
        for n, p in enumerate(RECIPES[:tables])
    ]


def left(runs: list[Ran], open_tables: Iterable[Recipe], now: float) -> float | None:
    return time_left(RECIPES, {p.table: set(NOV) for p in open_tables}, runs, COSTS, 400, now)


COSTS = Costs({p.table: Cost(0.0, 3.0, 0.1) for p in RECIPES}, measured=False)  # five seconds for twenty days


def test_time_left_follows_the_recorded_runs() -> None:
    assert left([], RECIPES, 0.0) is None
    assert left(worked(3, 10.0, 0.0), RECIPES[3:], 30.0) == pytest.approx(10.0 * (len(RECIPES) - 3))
    running = [*worked(3, 10.0, 0.0), Ran((RECIPES[3].table,), NOV[0], NOV[-1], 30.0)]
    assert left(running, RECIPES[3:], 34.0) == pytest.approx(10.0 * (len(RECIPES) - 3) - 4.0)
    assert left(worked(len(RECIPES), 10.0, 0.0), [], 120.0) == 0.0


def test_the_pauses_of_the_daemon_go_on() -> None:
    runs = worked(4, 10.0, 30.0)  # ends at 130
    assert left(runs, RECIPES[4:], 130.0) == pytest.approx((len(RECIPES) - 4) * (10.0 + 90.0 / 4))


def test_a_stretch_of_work_ends_at_a_long_pause() -> None:
    old = Ran((PLAYERS,), NOV[0], NOV[1], 0.0, 50.0)
    first = Ran((PLAYERS,), NOV[2], NOV[3], 51.0 + PAUSE_SECONDS, 60.0 + PAUSE_SECONDS)
    second = Ran((SLATE,), NOV[2], NOV[3], 55.0 + PAUSE_SECONDS)
    now = 90.0 + PAUSE_SECONDS
    assert stretch([second, first, old], now) == [first, second]
    assert stretch([old], 40.0 + PAUSE_SECONDS) == [old]
    assert (at_once([first, second]), at_once([old, first]), at_once([])) == (2, 1, 1)
    assert idle_seconds([old, first, second], now) == 1.0 + PAUSE_SECONDS


def test_runs_are_read_with_their_days(home: Path) -> None:
    with open_workspace() as w:
        found = recent_runs(w.instance, [PLAYERS, SLATE])
    made = {(run.tables, str(run.first), str(run.last)) for run in found}
    assert made == {((PLAYERS,), START, END), ((SLATE,), START, END)}
    assert all(run.ended is not None and run.ended > run.began for run in found)


def test_what_the_daemon_was_asked_for_is_wanted_until_it_has_ended() -> None:
    defs, keys = build_defs(), [str(d) for d in NOV[:3]]
    graph = defs.get_repository_def().asset_graph
    target = AssetGraphSubset.from_asset_partition_set(
        {AssetKeyPartitionKey(asset_key(PLAYERS), key) for key in keys}, graph
    )
    with dg.DagsterInstance.ephemeral() as instance:
        data = AssetBackfillData.empty(target, 0.0, instance)
        asked = PartitionBackfill("one", BulkActionStatus.REQUESTED, False, {}, 0.0, asset_backfill_data=data)
        instance.add_backfill(asked)
        assert asked_of_the_daemon(instance, defs, [PLAYERS, SLATE]) == {PLAYERS: set(NOV[:3]), SLATE: set()}
        instance.update_backfill(asked.with_status(BulkActionStatus.COMPLETED))
        assert asked_of_the_daemon(instance, defs, [PLAYERS, SLATE]) == {PLAYERS: set(), SLATE: set()}


def test_failures_are_grouped_and_what_waits_is_named() -> None:
    state = TableState(
        PLAYERS, {}, {d: Failed(d, "type_overflow", "m") for d in NOV[:2]}, {}, frozenset(), frozenset()
    )
    behind = TableState(
        SLATE, {}, {}, dict.fromkeys(NOV[2:4], f"{PLAYERS} {NOV[1]}"), frozenset(), frozenset()
    )
    assert failed_lines({PLAYERS: state, SLATE: behind}) == [
        f"type_overflow in {PLAYERS}: 2 day(s): {NOV[0]} .. {NOV[1]}"
    ]
    assert waiting_lines({PLAYERS: state, SLATE: behind}) == [
        f"{SLATE}: 2 day(s) wait, from {NOV[2]} on for {PLAYERS} {NOV[1]}"
    ]


def test_the_loop_looks_until_no_run_is_active(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_workspace() as w:
        run = w.instance.create_run_for_job(
            w.defs.resolve_implicit_global_asset_job_def(), status=dg.DagsterRunStatus.STARTED
        )
        looks = []

        def sleep(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 3:
                w.instance.report_run_canceled(run)

        watch(w, START, END, 5.0, True, sleep)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["active_runs"] for line in lines] == [1, 1, 1, 0, 0]
    assert {(line["good"], line["total"], line["open"]) for line in lines} == {(120, 120, 0)}


def test_the_command_ends_by_itself_when_nothing_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = command(capsys, "status", *DAYS, "--watch", "--every", "0.5")
    assert answer.code == 0
    assert "120/120 table-days (100 %), 0 failed, 0 run(s) active" in " ".join(answer.out.split())
