"""A bulk folder of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.sources.bulk_rows import GAME, LINE, SHOT, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(games: Any = (GAME,), lines: Any = (LINE,), shots: Any = (SHOT,)) -> BulkSource:
        files = {"games.parquet": games, "player_box.parquet": lines, "shots_2023-24.parquet": shots}
        for name, rows in files.items():
            if rows is not None:
                pd.DataFrame(list(rows)).to_parquet(tmp_path / name)
        return BulkSource(tmp_path)

    return write
