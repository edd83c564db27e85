"""What a value was read from: hashes as they were when it was read, beside what the files hold now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.operations.explain.source import traced
from nba_pipeline.orchestration.instance.provenance_reader import ProvenanceReader
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.sources.base import Traceable
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore

DAY, EARLIER = date(2024, 3, 7), date(2024, 3, 5)
BOXSCORES, PLAYERS = "nba_raw.player_boxscores", "nba_analytics.player_game_summary"


class FileSource(SimulatedSource):
    """The simulated league, said to be read from files of a folder: one per raw table, named by it and the
    season."""

    def __init__(self, folder: Path) -> None:
        super().__init__(first_day=EARLIER)
        self.folder = folder

    def payloads(self, table: str, days: Sequence[date]) -> dict[str, str]:
        return {str(path): digest(path) for path in self.payload_files(table, days)}

    def payload_files(self, table: str, days: Sequence[date]) -> list[Path]:
        return [self.folder / f"{table}_{year}.parquet" for year in sorted({day.year for day in days})]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    for table in ("nba_raw.games", BOXSCORES, "nba_raw.shot_attempts"):
        for year in (2023, 2024):
            (tmp_path / f"{table}_{year}.parquet").write_text(f"{table} {year}")
    return FileSource(tmp_path)


def remembered(values: dict[str, Any]) -> ProvenanceReader:
    texts = {name: json.dumps(value) for name, value in values.items()}
    return ProvenanceReader(lambda names: {name: texts[name] for name in names if name in texts})


def made(run_id: str) -> list[Any]:
    return [*Provenance("code", "schema", "inputs", "files", run_id).__dict__.values()]


def files(
    table: str, recall: ProvenanceReader | None, source: FileSource, *days: date
) -> list[tuple[str, bool | None, bool]]:
    """(file, whether the hash as read is the one of now or None if it is not known, whether the file is
    there)"""
    found = traced(MemoryStore(), TABLES, table, days, recall, source)["files"]
    return [
        (
            Path(f["file"]).name,
            None if f["as_read"] is None else f["as_read"] == f["now"],
            f["now"] is not None,
        )
        for f in found
    ]


def test_a_source_of_files_is_traceable(source: FileSource) -> None:
    assert isinstance(source, Traceable)
    assert not isinstance(SimulatedSource(first_day=DAY), Traceable)


def test_what_was_read_is_told_from_what_is_there_now(source: FileSource) -> None:
    read = source.payloads(BOXSCORES, [DAY])
    recall = remembered(
        {f"nba_pipeline/made/{BOXSCORES}/{DAY}": made("r1"), f"nba_pipeline/read/{BOXSCORES}/r1": read}
    )
    name = f"{BOXSCORES}_2024.parquet"
    assert files(BOXSCORES, recall, source, DAY) == [(name, True, True)]
    (source.folder / name).write_text("corrected")
    assert files(BOXSCORES, recall, source, DAY) == [(name, False, True)]
    (source.folder / name).unlink()
    assert files(BOXSCORES, recall, source, DAY) == [(name, False, False)]


def test_files_of_other_days_of_the_run_are_not_behind_the_value(source: FileSource) -> None:
    read = source.payloads(BOXSCORES, [date(2023, 3, 7), DAY])
    recall = remembered(
        {f"nba_pipeline/made/{BOXSCORES}/{DAY}": made("r1"), f"nba_pipeline/read/{BOXSCORES}/r1": read}
    )
    assert len(read) == 2
    assert files(BOXSCORES, recall, source, DAY) == [(f"{BOXSCORES}_2024.parquet", True, True)]


def test_a_file_that_two_runs_read_differently_is_there_twice(source: FileSource) -> None:
    """The games of a window were made by two runs, and the file was corrected in between."""
    name = source.folder / f"{BOXSCORES}_2024.parquet"
    recall = remembered(
        {
            f"nba_pipeline/made/{BOXSCORES}/{EARLIER}": made("r1"),
            f"nba_pipeline/made/{BOXSCORES}/{DAY}": made("r2"),
            f"nba_pipeline/read/{BOXSCORES}/r1": {str(name): "0" * 64},
            f"nba_pipeline/read/{BOXSCORES}/r2": {str(name): digest(name)},
        }
    )
    assert files(BOXSCORES, recall, source, DAY, EARLIER) == [
        (name.name, False, True),
        (name.name, True, True),
    ]


def test_where_nothing_was_recorded_the_files_are_named_as_they_are_now(source: FileSource) -> None:
    """Days that were made before this was recorded; a value of an analytics table rests on all raw tables."""
    assert [f[1:] for f in files(PLAYERS, remembered({}), source, DAY)] == [(None, True)] * 3
    assert len(files(PLAYERS, None, source, DAY)) == 3
