"""docs/cli.md from the commands themselves: `python -m nba_pipeline.cli.docs > docs/cli.md`.

Belongs here: turning commands, options and help texts into Markdown. Does not belong here: any text about a
command, which stands in its docstring. A test compares the file with what this makes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer

from nba_pipeline.cli.main import app

_HEAD = """# nba-pipeline: the command line

Generated from the code by `python -m nba_pipeline.cli.docs > docs/cli.md`; a test keeps it current.

Days are US Eastern dates, written YYYY-MM-DD. Tables are named `dataset.table` or, where that is clear,
`table`. Settings come from `NBA_PIPELINE_*` variables and `DAGSTER_HOME` (see the README); options win. With
`--json` a command prints one JSON document to standard output and nothing else; messages go to standard
error. `nba-pipeline --install-completion` installs completion for your shell.

Exit codes: **0** all good, **1** some partitions failed or are blocked, or an answer is not as expected,
**2** wrong usage or configuration.
"""


def as_markdown() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    sections = list(commands(root))
    contents = [
        f"- [`{name}`](#{_anchor(name)}): {_first_sentence(command.help)}" for name, command in sections
    ]
    return (
        "\n".join([_HEAD, *contents, "", *(_section(name, command) for name, command in sections)]).rstrip()
        + "\n"
    )


def commands(group: Any, prefix: str = "nba-pipeline") -> Iterator[tuple[str, Any]]:
    """(full name, command) of every command, groups opened, in the order of `--help`."""
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, full)
        else:
            yield full, command


def example(help_text: str) -> str:
    """The example of a help text; an empty text if it has none."""
    match = re.search(r"Example: `([^`]+)`", help_text)
    return match[1] if match else ""


def _section(name: str, command: Any) -> str:
    text = re.sub(r"\s*Example: `[^`]+`", "", command.help or "").strip()
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
    usage = " ".join(
        [name, *(f"<{p.name.rstrip('_').upper()}>" for p in arguments), *(_usage(p) for p in options)]
    )
    lines = [f"## {name}", "", text, "", "```", usage, "```", ""]
    rows = [f"| `<{p.name.rstrip('_').upper()}>` | {_cell(p.help)} |" for p in arguments] + [
        f"| `{_flag(p)}` | {_cell(p.help)}{_default(p)} |" for p in options
    ]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    if shown := example(command.help or ""):
        lines += ["Example:", "", "```sh", shown, "```", ""]
    return "\n".join(lines)


def _flag(option: Any) -> str:
    name = max(option.opts, key=len)
    return name if option.is_flag else f"{name} {option.metavar or name.removeprefix('--').upper()}"


def _usage(option: Any) -> str:
    return _flag(option) if option.required else f"[{_flag(option)}]"


def _default(option: Any) -> str:
    shown = option.default is not None and not option.is_flag and not option.required
    return f" Default: {option.default}." if shown else " Required." if option.required else ""


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _first_sentence(text: str | None) -> str:
    return _cell((text or "").split("\n\n", maxsplit=1)[0])


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
