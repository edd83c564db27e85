"""Files of the bulk source that lack, are damaged or change."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.failures import (
    FailureClass,
    PipelineError,
    SchemaDrift,
    SourceUnavailable,
    UnparseableSource,
)
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.sources.bulk_rows import DAY, GAME, LINE, Folder


def test_a_day_of_a_season_that_the_folder_does_not_hold_is_unavailable(folder: Folder) -> None:
    for ask in (folder().games, folder().player_boxscores, folder().shot_attempts):
        with pytest.raises(SourceUnavailable, match="2023-24") as caught:
            ask([date(2022, 1, 1), DAY])
        assert caught.value.days == (date(2022, 1, 1),)


def test_a_schedule_without_the_lines_of_a_season_is_unavailable_for_lines_only(folder: Folder) -> None:
    source = folder(
        games=(GAME, {**GAME, "game_id": "0022200907", "season": "2022-23", "game_date": "2023-03-07"})
    )
    assert len(source.games([date(2023, 3, 7)]).frame) == 1
    with pytest.raises(SourceUnavailable, match=r"player_box\.parquet"):
        source.player_boxscores([date(2023, 3, 7)])


def test_a_season_whose_lines_begin_with_its_first_game_lacks_nothing_before_it(folder: Folder) -> None:
    """The morning of opening night: preseason without lines, and a first game that is still to come."""
    preseason = {**GAME, "game_id": "0012400001", "game_date": "2024-10-10", "season": "2024-25"}
    tonight = {**GAME, "game_id": "0022400001", "game_date": "2024-10-22", "season": "2024-25"}
    tonight |= {"home_score": None, "away_score": None, "played": None}
    source = folder(games=(GAME, preseason, tonight))
    quiet = [date(2024, 10, 1), date(2024, 10, 10), date(2024, 10, 22)]
    assert source.player_boxscores(quiet).frame.empty
    assert len(source.player_boxscores([DAY, *quiet]).frame) == len(source.player_boxscores([DAY]).frame)


@pytest.mark.parametrize("file", ["games.parquet", "player_box.parquet", "shots_2023-24.parquet"])
def test_damaged_files_are_named(folder: Folder, tmp_path: Path, file: str) -> None:
    folder()
    path = tmp_path / file
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"not parquet at all", b""):
        path.write_bytes(damage)
        with pytest.raises(UnparseableSource, match=file):
            _everything(BulkSource(tmp_path))


@pytest.mark.parametrize(
    ("file", "column"),
    [("games.parquet", "played"), ("player_box.parquet", "turnovers"), ("shots_2023-24.parquet", "PERIOD")],
)
def test_a_missing_column_is_schema_drift_that_names_file_and_column(
    folder: Folder, tmp_path: Path, file: str, column: str
) -> None:
    folder()
    pd.read_parquet(tmp_path / file).drop(columns=column).to_parquet(tmp_path / file)
    with pytest.raises(SchemaDrift, match=f"{file}.*{column}"):
        _everything(BulkSource(tmp_path))


@pytest.mark.parametrize("file", ["games.parquet", "player_box.parquet"])
def test_a_missing_file_is_unavailable(folder: Folder, tmp_path: Path, file: str) -> None:
    folder()
    (tmp_path / file).unlink()
    with pytest.raises(PipelineError, match=file) as caught:
        _everything(BulkSource(tmp_path))
    assert caught.value.failure_class is FailureClass.SOURCE_UNAVAILABLE


def test_a_file_that_changes_on_disk_is_read_again(folder: Folder, tmp_path: Path) -> None:
    source = folder()
    assert source.player_boxscores([DAY]).frame["points"].tolist() == [2]
    folder(lines=({**LINE, "points": 3},))
    os.utime(tmp_path / "player_box.parquet", (1, 1))
    assert source.player_boxscores([DAY]).frame["points"].tolist() == [3]


def test_what_was_read_is_known_by_its_hash(folder: Folder, tmp_path: Path) -> None:
    """Of the bytes that were read: a file that is replaced afterwards keeps the hash under which its rows
    came."""
    source = folder()
    assert source.payloads("nba_raw.player_boxscores", [DAY]) == {}
    _everything(source)
    files = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("games.parquet", "player_box.parquet")
    }
    assert source.payloads("nba_raw.player_boxscores", [DAY]) == {
        str(tmp_path / name): digest for name, digest in files.items()
    }
    assert {Path(p).name for p in source.payloads("nba_raw.shot_attempts", [DAY])} == {
        "games.parquet",
        "shots_2023-24.parquet",
    }
    folder(lines=({**LINE, "points": 3},))
    assert (
        source.payloads("nba_raw.player_boxscores", [DAY])[str(tmp_path / "player_box.parquet")]
        == files["player_box.parquet"]
    )


def _everything(source: BulkSource) -> None:
    source.games([DAY])
    source.player_boxscores([DAY])
    source.shot_attempts([DAY])
