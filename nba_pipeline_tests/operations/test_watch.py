"""Progress from states taken one after the other: counts, rate, time left, stalls; and the loop that ends."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.cli.watch import watch
from nba_pipeline.operations.failed import Failed
from nba_pipeline.operations.state import TableState
from nba_pipeline.operations.watch import STALLED_AFTER_SECONDS, Snapshot, failed_lines, progress, take, waiting_lines
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.ranges import span
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
    assert (seen.good, seen.failed, seen.blocked, seen.open) == (5, 1, 1, 2 + 3)  # of the missing, those that were asked for
    assert seen.total == 12
    assert take({PLAYERS: state}, {}, 1, 0.0).open == 2


def test_rate_and_time_left_after_a_tenth_of_the_work() -> None:
    steady = [done(s, 10 * s) for s in range(0, 11, 2)]  # ten a second
    found = progress(steady)
    assert found.per_minute == pytest.approx(600)
    assert found.seconds_left == pytest.approx(90)
    assert not found.stalled


def test_the_rate_follows_a_change_of_speed() -> None:
    fast_then_slow = [done(0, 0), done(10, 500), done(200, 510), done(300, 520)]
    assert progress(fast_then_slow).per_minute == pytest.approx(6)


def test_nothing_is_known_before_something_moved() -> None:
    assert progress([START_OF_WORK]).seconds_left is None
    assert progress([START_OF_WORK, done(5, 0)]).per_minute is None


def test_a_stall_is_seen_and_ends() -> None:
    waiting = [done(0, 0), done(10, 50), done(10 + STALLED_AFTER_SECONDS, 50)]
    assert progress(waiting).stalled
    assert progress(waiting).quiet_seconds == STALLED_AFTER_SECONDS
    assert not progress([*waiting, done(20 + STALLED_AFTER_SECONDS, 60)]).stalled
    assert not progress([*waiting[:2], replace(waiting[2], active=0)]).stalled  # nothing runs, so nothing stalls


def test_failures_are_grouped_and_what_waits_is_named() -> None:
    state = TableState(PLAYERS, {}, {d: Failed(d, "type_overflow", "m") for d in NOV[:2]}, {}, frozenset(), frozenset())
    behind = TableState(SLATE, {}, {}, dict.fromkeys(NOV[2:4], f"{PLAYERS} {NOV[1]}"), frozenset(), frozenset())
    assert failed_lines({PLAYERS: state, SLATE: behind}) == [f"type_overflow in {PLAYERS}: 2 day(s): {NOV[0]} .. {NOV[1]}"]
    assert waiting_lines({PLAYERS: state, SLATE: behind}) == [f"{SLATE}: 2 day(s) wait, from {NOV[2]} on for {PLAYERS} {NOV[1]}"]


def test_the_loop_looks_until_no_run_is_active(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_workspace() as w:
        run = w.instance.create_run_for_job(w.defs.resolve_implicit_global_asset_job_def(), status=dg.DagsterRunStatus.STARTED)
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
