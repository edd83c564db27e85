"""`nba-pipeline sql`: forms for people and programs, and mistakes that are told as such."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.end_to_end.pipelines import command, environment
from nba_pipeline_tests.support.league import DAYS, hand_made_league
from nba_pipeline_tests.support.pipeline import Pipeline

PLAYERS = "nba_analytics.player_game_summary"
TWO = f"SELECT player_id, usage_rate, game_date FROM {PLAYERS} ORDER BY usage_rate DESC, player_id LIMIT 2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    Pipeline(hand_made_league(), DAYS[0], store=ParquetStore(folder / "warehouse")).run(DAYS)
    return folder


def answer(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with environment(DAGSTER_HOME=home):
        ended = command(capsys, "sql", *arguments)
    assert ended.code == 0, ended.err
    return ended.out


def test_json_has_numbers_where_the_table_has_numbers(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(answer(home, capsys, TWO, "--json"))
    assert [type(v) for v in rows[0].values()] == [int, float, str]
    assert len(json.loads(answer(home, capsys, f"SELECT player_id FROM {PLAYERS}", "--json"))) == 112


def test_files_for_programs(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        answer(home, capsys, TWO, "--format", form, "--out", str(tmp_path / f"rows.{form}"))
        assert read(tmp_path / f"rows.{form}").columns.tolist() == ["player_id", "usage_rate", "game_date"]  # type: ignore[operator]
    lines = answer(home, capsys, TWO, "--format", "markdown").splitlines()
    assert lines[:2] == ["| player_id | usage_rate | game_date |", "| --- | --- | --- |"]
    assert len(lines) == 4


def test_a_table_for_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = answer(home, capsys, f"SELECT player_id FROM {PLAYERS}").splitlines()
    assert len(lines) == 2 + 50
    assert PLAYERS in answer(home, capsys, "show tables")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (f"SELECT usage_rat FROM {PLAYERS}", "usage_rate"),  # DuckDB's own hint
        ("SELEC 1", "not SQL"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("DROP TABLE x", "read-only"),
    ],
)
def test_a_mistake_is_wrong_usage(
    home: Path, capsys: pytest.CaptureFixture[str], query: str, says: str
) -> None:
    with environment(DAGSTER_HOME=home):
        ended = command(capsys, "sql", query)
    assert ended.code == 2
    assert says in ended.err
    assert "code_error" not in ended.err


def test_wide_rows_are_shown_one_column_per_line() -> None:
    import pyarrow as pa

    from nba_pipeline.cli.sql import _text

    wide = pa.table({f"column_{n}": ["x" * 10, "y"] for n in range(20)})
    lines = list(_text(wide, "table", 80))
    assert lines[0] == "--- row 1 ---"
    assert lines[1] == "column_0   xxxxxxxxxx"
    assert len(lines) == 2 * 21
