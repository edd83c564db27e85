"""Fixtures of the whole suite: the folder of real seasons, which tests marked ``bulk`` need. And which tests
one process takes."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.ranges import span
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.support.pipeline import Pipeline

BULK_DIR_VARIABLE = "NBA_PIPELINE_TEST_BULK_DIR"


REAL_SEASONS_FILES = (
    "nba_pipeline_tests/golden/test_real_games.py",
    *(
        f"nba_pipeline_tests/precompute/test_{name}.py"
        for name in (
            "canary_command",
            "explained_seasons",
            "independent_values",
            "same_values",
            "leak_canary",
        )
    ),
    "nba_pipeline_tests/precompute/test_population_and_history.py",
)
"""Files whose tests share ``real_seasons``, which takes most of a minute to make with the tables of phase 4.
"""


MADE_HOME_FILES = tuple(
    f"nba_pipeline_tests/operations/{name}.py"
    for name in (
        "explain/test_explain",
        "explain/test_glance",
        "backfill/test_plan_cli",
        "report/test_report",
        "audit/test_validate",
        "status/test_watch",
    )
)
"""Files whose tests share the home of ``operations/conftest.py``."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A test process takes a whole file, so that what a file makes is made once; all of REAL_SEASONS_FILES go
    to one process, and all of MADE_HOME_FILES.

    Groups of pytest-xdist's own (`--dist=loadgroup`) are without effect under pytest 9.2: pytest-xdist issue
    1386.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            shared = {REAL_SEASONS_FILES: "real seasons", MADE_HOME_FILES: "made home"}
            return next((name for files, name in shared.items() if file in files), file)

    return ByFile(config, log)


@pytest.fixture(scope="session")
def bulk_dir(pytestconfig: pytest.Config) -> Path:
    """The folder with the real seasons; the test is skipped where there is none."""
    given = os.environ.get(BULK_DIR_VARIABLE)
    folder = Path(given) if given else pytestconfig.rootpath.parent / "shared" / "nba_bulk"
    if not (folder / "games.parquet").is_file():
        pytest.skip(
            f"real seasons are not here: no games.parquet in {folder} (set {BULK_DIR_VARIABLE} to their"
            " folder)"
        )
    return folder


@pytest.fixture(scope="session")
def bulk_source(bulk_dir: Path) -> BulkSource:
    """The real seasons as a source; its files are read once per session."""
    return BulkSource(bulk_dir)


@pytest.fixture(scope="session")
def real_seasons(bulk_source: BulkSource) -> Pipeline:
    """All tables of games over the three real seasons, in memory (some 15 s), with the outcome of every
    table."""
    first, last = date(2021, 10, 19), date(2024, 6, 30)
    pipeline = Pipeline(bulk_source, first)
    pipeline.run(span(first, last))
    return pipeline
