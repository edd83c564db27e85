"""A home with a short history, made once by the command line, for tests that only read it or repair what they
break."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nba_pipeline_tests.end_to_end.pipelines import command, environment

START, END = "2023-10-24", "2023-11-02"
DAYS = ("--start", START, "--end", END)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DAGSTER_HOME after `nba-pipeline backfill` of ten days of the simulated league."""
    home = tmp_path_factory.mktemp("operations") / "home"
    with environment(DAGSTER_HOME=home, NBA_PIPELINE_START_DATE=START):
        assert command(None, "backfill", *DAYS).code == 0
    return home


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    """The made home, in the environment."""
    with environment(DAGSTER_HOME=made_home, NBA_PIPELINE_START_DATE=START):
        yield made_home


@pytest.fixture
def own_home(made_home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the made home, for tests that change its history."""
    shutil.copytree(made_home, tmp_path / "home")
    with environment(DAGSTER_HOME=tmp_path / "home", NBA_PIPELINE_START_DATE=START):
        yield tmp_path / "home"
