"""`nba-pipeline validate`: printing answers about what is stored. The questions are in
``operations/audit/validate.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import typer
from rich.markup import escape

from nba_pipeline.cli.show import out
from nba_pipeline.operations.audit.validate import as_json, read_stored, validate
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.settings import parse_day


def dates_of(text: str) -> list[date]:
    """The days of ``--dates``. ConfigurationError when one is not a day."""
    return sorted({parse_day(part.strip(), "--dates") for part in text.split(",")})


def print_validation(w: Workspace, days: Sequence[date], asked_json: bool) -> None:
    """Ask, print, and exit with 1 when an answer is not as expected."""
    states = w.states(days)
    failed = {name: set(state.failed) for name, state in states.items()}
    answers = validate(read_stored(w.store, w.tables, days, failed, w.gaps()))
    if asked_json:
        print(json.dumps(as_json(answers), indent=2))
    else:
        for answer in answers:
            mark = "[green]ok    [/]" if answer.passed else "[bold red]differs[/]"
            out.print(
                f"{mark} [bold]{answer.question}[/]\n  expected: {answer.expected}\n  found:   "
                f" {escape(answer.found)}"
            )
            for line in answer.exceptions:
                out.print(f"    {escape(line)}")
    if not all(a.passed for a in answers):
        raise typer.Exit(1)
