"""`plan` and `backfill` on a real home: nothing is made twice, and a backfill does what the plan says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nba_pipeline_tests.end_to_end.pipelines import command
from nba_pipeline_tests.operations.conftest import DAYS, END

Capture = pytest.CaptureFixture[str]


def planned(capsys: Capture, *options: str) -> dict[str, int]:
    """Days per table that the plan holds."""
    answer = command(capsys, "plan", *DAYS, "--json", *options)
    assert answer.code == 0
    return {name: table["planned"] for name, table in answer.json["tables"].items() if table["planned"]}


def test_an_unchanged_pipeline_plans_nothing_and_a_backfill_runs_nothing(home: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert planned(capsys) == {}
    assert "Nothing to do" in command(capsys, "plan", *DAYS).out
    assert "Nothing to do" in command(capsys, "backfill", *DAYS).out
    done = command(capsys, "backfill", *DAYS, "--json")
    assert done.code == 0
    assert {(t["requested"], t["up_to_date"], len(t["run_ids"])) for t in done.json["tables"].values()} == {
        (0, 10, 0)
    }


def test_a_deleted_day_is_planned_with_what_is_made_from_it_and_the_backfill_does_exactly_that(
    own_home: Path, capsys: Capture
) -> None:
    shutil.rmtree(own_home / "warehouse" / "nba_raw" / "shot_attempts" / f"game_date={END}")
    expected = planned(capsys)
    assert expected["nba_raw.shot_attempts"] == expected["nba_analytics.player_game_summary"] == 1
    assert "nba_raw.games" not in expected
    assert "missing" in command(capsys, "plan", *DAYS).out
    answer = command(capsys, "backfill", *DAYS, "--json").json["tables"]
    assert {name: t["requested"] for name, t in answer.items() if t["requested"]} == expected
    assert {t["requested"] - t["materialized"] for t in answer.values()} == {0}
    assert planned(capsys) == {}


def test_force_makes_days_again_that_are_up_to_date(own_home: Path, capsys: Capture) -> None:
    assert planned(capsys, "--force", "--tables", "games") == {"nba_raw.games": 10}
    answer = command(capsys, "backfill", *DAYS, "--tables", "games", "--force", "--json").json["tables"]
    assert (answer["nba_raw.games"]["requested"], answer["nba_raw.games"]["materialized"]) == (10, 10)
    assert planned(capsys) == {}  # the same content: nothing behind it is stale


def test_rows_and_seconds_are_expected_from_this_machines_history(home: Path, capsys: Capture) -> None:
    whole = command(capsys, "plan", *DAYS, "--tables", "games", "--force", "--json").json
    answer = whole["tables"]["nba_raw.games"]
    assert answer["runs"] == [["2023-10-24", END]]
    stored = command(capsys, "status", *DAYS, "--json").json["tables"]["nba_raw.games"]["rows"]
    assert answer["expected_rows"] == stored
    assert 0 < answer["expected_seconds"] == whole["expected_seconds"] < 60
    assert "measured on this machine" in command(capsys, "plan", *DAYS, "--force").out


def test_days_outside_the_pipeline_are_wrong_usage(home: Path, capsys: Capture) -> None:
    assert command(capsys, "plan", "--start", "2019-01-01").code == 2
    assert command(capsys, "plan", "--tables", "no_such_table").code == 2
