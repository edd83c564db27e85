"""Documents say what is so: the files they name exist, and what is generated is current."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer

from nba_pipeline.cli.main import app

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


def blocks(document: Path, language: str) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


PYTHON = [(d, code) for d in DOCUMENTS if d.name != "CONTRIBUTING.md" for code in blocks(d, "python")]
"""CONTRIBUTING's is a piece of a module."""


@pytest.mark.parametrize(("document", "code"), PYTHON, ids=[str(d.relative_to(ROOT)) for d, _ in PYTHON])
def test_python_in_a_document_runs(
    document: Path, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(document), "exec"), {"__name__": "__main__"})


def commands(document: Path) -> list[list[str]]:
    """The `nba-pipeline` commands of a document's shell blocks."""
    found: list[list[str]] = []
    for block in blocks(document, "sh"):
        text = re.sub(r"(^|\s)#.*", "", block.replace("\\\n", " "), flags=re.MULTILINE)
        lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
        words: list[str] | None = None
        for token in lexer:
            if set(token) <= set("();<>|&\n"):
                words = None
            elif words is not None:
                words.append(token)
            elif Path(token).name == "nba-pipeline":
                words = []
                found.append(words)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_in_a_document_have_the_options_they_show(document: Path) -> None:
    for words in commands(document):
        command, rest = typer.main.get_command(app), list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]  # type: ignore[attr-defined]
        assert not hasattr(command, "commands") or rest[:1] in ([], ["--version"], ["-h"]), words
        known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known, words
