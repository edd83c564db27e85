"""The command line as people type it: exit codes, the documented JSON, options over environment, and
repair."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from nba_pipeline.cli.main import main

DAYS = ("--start", "2023-10-24", "--end", "2023-10-26")
RAW = "games,player_boxscores,shot_attempts,team_offense_game_summary"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME that does not exist yet, with settings that make a short history."""
    for name in ("SOURCE", "BULK_DIR", "WAREHOUSE", "WAREHOUSE_DIR"):
        monkeypatch.delenv(f"NBA_PIPELINE_{name}", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NBA_PIPELINE_START_DATE", "2023-10-24")
    return tmp_path / "home"


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["nba-pipeline", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_backfill_status_retry_and_sql(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "backfill", *DAYS, "--tables", RAW, "--json") == 0
    done = json.loads(capsys.readouterr().out)["tables"]
    assert {t["materialized"] for t in done.values()} == {3}
    assert (
        "PipelineInstance" in (home / "dagster.yaml").read_text()
    )  # a home without a dagster.yaml gets ours
    assert command(monkeypatch, "status", *DAYS, "--json") == 0
    state = json.loads(capsys.readouterr().out)["tables"]["nba_analytics.team_offense_game_summary"]
    assert set(state) == {
        "materialized",
        "empty",
        "failed",
        "blocked",
        "in_progress",
        "missing",
        "rows",
        "stale",
    }
    assert (state["materialized"], state["missing"], state["failed"], state["stale"]) == (3, 0, [], {})
    assert command(monkeypatch, "retry") == 0
    assert "nothing to retry" in capsys.readouterr().out
    assert (
        command(
            monkeypatch, "sql", "--json", "SELECT count(*) AS n FROM nba_analytics.team_offense_game_summary"
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out) == [{"n": state["rows"]}]
    shutil.rmtree(home / "warehouse")
    assert command(monkeypatch, "status", *DAYS, "--json") == 0
    gone = json.loads(capsys.readouterr().out)["tables"]["nba_analytics.team_offense_game_summary"]
    assert (gone["materialized"], gone["missing"], gone["rows"]) == (0, 3, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backfill", "--tables", "no_such_table"), "no_such_table"),
        (("backfill", "--start", "yesterday"), "--start"),
        (("backfill", "--start", "2023-10-26", "--end", "2023-10-24"), "before"),
        (("backfill", "--start", "2019-01-01"), "outside the days"),
        (("backfill", "--source", "oracle"), "oracle"),
        (("backfill", "--source", "bulk"), "NBA_PIPELINE_BULK_DIR"),
        (("backfill", "--warehouse", "floppy"), "floppy"),
        (("backfill", "--on-invalid-rows", "ignore"), "ignore"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what(
    arguments: tuple[str, ...],
    said: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_failed_day_ends_with_1(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table whose input was never made: the days fail with a class and a remedy, and `status` says so
    too."""
    assert command(monkeypatch, "backfill", *DAYS, "--tables", "player_boxscores") == 1
    assert "incomplete_input" in capsys.readouterr().out
    assert command(monkeypatch, "status", *DAYS) == 1
    assert "nba_raw.games has no partition 2023-10-24" in " ".join(capsys.readouterr().out.split())


def test_options_win_over_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_SOURCE", "bulk")
    monkeypatch.setenv("NBA_PIPELINE_BULK_DIR", str(home / "nowhere"))
    assert command(monkeypatch, "backfill", *DAYS, "--tables", "games") == 2
    assert command(monkeypatch, "backfill", *DAYS, "--tables", "games", "--source", "simulated") == 0
