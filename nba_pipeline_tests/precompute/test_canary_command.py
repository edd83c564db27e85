"""`nba-pipeline canary` on a small simulated warehouse: clean, with a planted leak, and with nothing to ask
about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.cli import main as cli
from nba_pipeline.formulas import windows
from nba_pipeline.operations.audit.canary import run_canary, spread_sample
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.precompute.overlay import LOOKING_BACK
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline

START = date(2023, 10, 24)
DAYS = [START + timedelta(days=n) for n in range(16)]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen days of all twelve tables."""
    folder = tmp_path_factory.mktemp("canary")
    Pipeline(SimulatedSource(first_day=START), START, ParquetStore(folder)).run(
        DAYS, (*GAME_TABLES, *LOOKING_BACK)
    )
    return folder


@pytest.fixture
def home(warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in (
        ("SOURCE", "simulated"),
        ("WAREHOUSE", "parquet"),
        ("WAREHOUSE_DIR", warehouse),
        ("START_DATE", START),
    ):
        monkeypatch.setenv(f"NBA_PIPELINE_{name}", str(value))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """`nba-pipeline canary <arguments>` in this process; its exit code."""
    monkeypatch.setattr("sys.argv", ["nba-pipeline", "canary", *arguments])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        windows, "_end_of_history", lambda facts, as_of: np.searchsorted(facts, as_of, side="right")
    )


@pytest.mark.slow  # all tables twice; test_leak_canary.py asks the same
def test_it_is_silent_where_nothing_leaks(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "--days", "3", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["clean"] is True
    assert list(said["tables"]) == list(LOOKING_BACK)
    for tested in said["tables"].values():
        assert len(tested["days"]) >= 2
        assert tested["rows"] > 0
        assert tested["leaks"] == {}


@pytest.mark.slow  # all tables twice; test_leak_canary.py asks the same
def test_a_planted_leak_ends_with_1_and_the_columns_of_every_table(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch)
    assert command(monkeypatch, "--days", "2", "--start", str(DAYS[8]), "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["clean"] is False
    assert all(tested["leaks"] for tested in said["tables"].values())
    columns, *_ = said["tables"]["nba_precompute.player_daily_cache"]["leaks"].values()
    assert {"points_avg_last_3", "usage_rate_season", "minutes_avg_last_10"} <= set(columns)


@pytest.mark.slow  # the leak is found above
def test_people_see_a_table_and_the_columns_that_moved(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "--days", "1") == 0
    clean = capsys.readouterr().out
    assert "ml_feature_store" in clean
    assert "strictly before" not in clean
    plant(monkeypatch)
    assert command(monkeypatch, "--days", "1") == 1
    leaking = capsys.readouterr().out
    assert "points_avg_last_3" in leaking
    assert "strictly before" in leaking


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2023-12-01", "--end", "2023-12-05"], "run backfill first"),
        (["--start", "2023-12-05", "--end", "2023-12-01"], "is before"),
        (["--start", "yesterday"], "--start"),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: Sequence[str],
    said: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err


def test_days_are_spread_over_the_range_and_always_the_same() -> None:
    days = [START + timedelta(days=n) for n in range(100)]
    drawn = spread_sample(days, 4)
    assert drawn == spread_sample(days, 4)
    assert [days.index(day) // 25 for day in drawn] == [0, 1, 2, 3]
    assert spread_sample(days[:3], 10) == days[:3]
    assert spread_sample([], 10) == []


@pytest.mark.bulk
@pytest.mark.slow  # test_leak_canary.py asks the same seasons
def test_no_table_looks_ahead_on_days_of_all_real_seasons(phase4: Pipeline, all_days: Sequence[date]) -> None:
    found = run_canary(RECIPES, TABLES, phase4.store, phase4.source, all_days, 9)
    assert set(found) == set(LOOKING_BACK)
    for canary in found.values():
        assert canary.leaks == {}
        assert len(canary.days) >= 8
        assert canary.rows > 8 * 30
