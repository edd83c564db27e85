"""docs/cli.md is what the code says, and every command's help has an example that the command line
accepts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from nba_pipeline.cli.docs import as_markdown, commands, example
from nba_pipeline.cli.main import app

COMMANDS = dict(commands(typer.main.get_command(app)))
every_command = pytest.mark.parametrize("name", COMMANDS)


def test_the_page_is_current(pytestconfig: pytest.Config) -> None:
    written = (Path(pytestconfig.rootpath) / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == as_markdown(), "run `python -m nba_pipeline.cli.docs > docs/cli.md`"


def test_every_command_is_there() -> None:
    assert {
        "nba-pipeline plan",
        "nba-pipeline backfill",
        "nba-pipeline rejected replay",
        "nba-pipeline explain",
    } <= set(COMMANDS)
    page = as_markdown()
    assert all(f"\n## {name}\n" in page for name in COMMANDS)


@every_command
def test_help_has_an_example_that_parses(name: str) -> None:
    """The example's options and arguments are those of the command; what it pipes into is cut off."""
    command: Any = COMMANDS[name]
    assert example(command.help), f"the help of {name} has no example"
    words = shlex.split(example(command.help).split(" | ")[0])
    assert " ".join(words[: len(name.split())]) == name
    context = command.make_context(name, words[len(name.split()) :], resilient_parsing=False)
    assert context.command is command


@every_command
def test_every_option_says_what_it_does(name: str) -> None:
    assert [p.name for p in COMMANDS[name].params if not p.help] == []
