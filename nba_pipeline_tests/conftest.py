"""Fixtures of the whole suite: the folder of real seasons, which tests marked ``bulk`` need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BULK_DIR_VARIABLE = "NBA_PIPELINE_TEST_BULK_DIR"


@pytest.fixture(scope="session")
def bulk_dir(pytestconfig: pytest.Config) -> Path:
    """The folder with the real seasons; the test is skipped where there is none."""
    given = os.environ.get(BULK_DIR_VARIABLE)
    folder = Path(given) if given else pytestconfig.rootpath.parent / "shared" / "nba_bulk"
    if not (folder / "games.parquet").is_file():
        pytest.skip(f"real seasons are not here: no games.parquet in {folder} (set {BULK_DIR_VARIABLE} to their folder)")
    return folder
