"""Documents say what is so: the files they name exist, and what is generated is current."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "nba_pipeline_tests/bigquery_loopback/README.md",
    ]
)
HISTORY = {"CHANGELOG.md"}
"""Names what was."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    if document.name in HISTORY:
        return
    text = document.read_text(encoding="utf-8")
    places = (
        ROOT,
        ROOT / "nba_pipeline",
        ROOT / "nba_pipeline_tests",
        ROOT / "nba_pipeline/orchestration",
        document.parent,
    )
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text))
    assert {name for name in named if not any((place / name).is_file() for place in places)} == set()
    links = set(re.findall(r"\]\((?!https?:|#|/assets)([^)#]+)(?:#[^)]*)?\)", text))
    assert {link for link in links if not (document.parent / link).exists()} == set()


def test_the_picture_of_the_packages_is_current() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))["with_picture"]
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert drawn(index) == index, "run `make docs`"
