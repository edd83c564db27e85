"""Fixtures of the whole suite: the folder of real seasons, which tests marked ``bulk`` need. And which tests
one process takes."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.ranges import span
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.support.pipeline import Pipeline

BULK_DIR_VARIABLE = "NBA_PIPELINE_TEST_BULK_DIR"
PAYLOAD_DIR_VARIABLE = "NBA_PIPELINE_TEST_PAYLOAD_DIR"


SHARED = ("real_seasons", "made_home")
"""Fixtures that take most of a minute to make: all tests that use one go to one process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The groups of pytest-xdist: a process takes all tests of a shared fixture, else all of a file, so that
    what a file makes is made once. And tests of three whole seasons are slow."""
    for item in items:
        if "real_seasons" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
        shared = [name for name in SHARED if name in getattr(item, "fixturenames", ())]
        file = ".".join(item.path.relative_to(config.rootpath).with_suffix("").parts[1:])
        item.add_marker(pytest.mark.xdist_group(shared[0] if shared else file))


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
def payload_dir(pytestconfig: pytest.Config) -> Path:
    """The folder with recorded answers of the league; the test is skipped where there is none."""
    given = os.environ.get(PAYLOAD_DIR_VARIABLE)
    folder = Path(given) if given else pytestconfig.rootpath.parent / "shared" / "nba_payloads"
    if not (folder / "INDEX.md").is_file():
        pytest.skip(f"no recorded answers in {folder} (set {PAYLOAD_DIR_VARIABLE} to their folder)")
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
