"""`nba-pipeline export training` as a user runs it, on ten days of the simulated league."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline_tests.end_to_end.pipelines import Answer, command
from nba_pipeline_tests.operations.conftest import DAYS, START

BEYOND = ("--start", START, "--end", "2023-11-05")


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The command, with its folder and further options."""

    def run(out: Path, *options: str, days: Sequence[str] = DAYS) -> Answer:
        return command(capsys, "export", "training", *days, "--out", str(out), *options)

    return run


def test_the_files_and_the_same_bytes_again(home, export, tmp_path):
    told = export(tmp_path / "a", "--target", "points,minutes", "--json")
    assert told.code == 0, told.err
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    rows = pd.read_parquet(tmp_path / "a" / "training.parquet")
    assert len(rows) == manifest["rows"] > 300
    assert not rows.duplicated(manifest["keys"]).any()
    assert {"y_points", "y_minutes", "split", "weight", "known_at"} <= set(rows.columns)
    assert (rows["known_at"] < rows["game_date"]).all()
    assert rows["y_points"].notna().all()
    assert manifest["content_hash"] in (tmp_path / "a" / "README.md").read_text()

    assert export(tmp_path / "b", "--target", "points,minutes").code == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_part_of_the_range_holds_the_same_rows(home, export, tmp_path):
    assert export(tmp_path / "whole").code == 0
    part = export(tmp_path / "part", days=("--start", "2023-10-28", "--end", "2023-10-30"))
    assert part.code == 0, part.err
    whole = pd.read_parquet(tmp_path / "whole" / "training.parquet")
    rows = pd.read_parquet(tmp_path / "part" / "training.parquet")
    same = whole[whole["game_date"].between("2023-10-28", "2023-10-30")].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, same)


def test_days_that_are_not_stored_refuse(home, export, tmp_path):
    told = export(tmp_path / "x", days=BEYOND)
    assert told.code == 1
    assert "2023-11-03: " in told.err
    assert "nba-pipeline backfill --start 2023-11-03 --end 2023-11-05" in told.err
    assert not (tmp_path / "x").exists()

    told = export(tmp_path / "x", "--allow-incomplete", "--json", days=BEYOND)
    assert told.code == 0
    assert list(json.loads(told.out)["days_left_out"]) == ["2023-11-03", "2023-11-04", "2023-11-05"]


@pytest.mark.parametrize(
    "options", [("--target", "salary"), ("--features", "y_points"), ("--test", "2023-25"), ("--test", "x")]
)
def test_wrong_usage_is_exit_2(home, export, tmp_path, options):
    assert export(tmp_path / "x", *options).code == 2


def test_no_row_is_no_export(home, export, tmp_path):
    told = export(tmp_path / "x", "--min-games", "82")
    assert told.code == 1
    assert "no row to export: nba_precompute.ml_feature_store has " in told.err
    assert not (tmp_path / "x").exists()


def test_what_a_killed_export_left_is_no_obstacle(home, export, tmp_path):
    (tmp_path / ".part-gone-1-x.tmp").write_text("half")
    assert export(tmp_path).code == 0
    assert "manifest.json" in {p.name for p in tmp_path.iterdir()}


def test_a_folder_with_other_files_is_left_alone(home, export, tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    told = export(tmp_path)
    assert told.code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]
