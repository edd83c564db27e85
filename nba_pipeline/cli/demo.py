"""`nba-pipeline demo`: telling the replayed incident step by step. What happens is ``demo/story.py``.

Belongs here: words and printing. Does not belong here: running anything, expectations.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.markup import escape

from nba_pipeline.cli import explain
from nba_pipeline.cli.show import err, out, print_failures, print_stale, results_table, states_table
from nba_pipeline.demo.incident import DAYS, LAST
from nba_pipeline.demo.story import Step, Story, UnexpectedOutcome
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.ranges import described


def run_demo(home: Path | None, as_json: bool) -> None:
    """Replay the incident in ``home``, or in a temporary folder; exit with 1 where it does not go as told."""
    began, told = time.monotonic(), []
    with _home(home) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not as_json:
            out.print(
                f"The incident, replayed: {len(DAYS)} days of the simulated league up to {LAST}, in {folder}",
                soft_wrap=True,
            )
        try:
            for number, step in enumerate(Story(folder).steps(), 1):
                told.append(
                    {"step": number, "title": step.title, "command": step.command or None, **step.facts}
                )
                if not as_json:
                    _tell(number, step)
        except UnexpectedOutcome as differs:
            err.print(f"[bold red]The demo went wrong[/] after step {len(told)}: {escape(str(differs))}")
            raise typer.Exit(1) from None
        finally:
            seconds = round(time.monotonic() - began, 1)
            if as_json:
                print(
                    json.dumps(
                        {"home": str(folder), "kept": home is not None, "seconds": seconds, "steps": told},
                        indent=2,
                    )
                )
        if not as_json:
            _close(folder, home is not None, seconds)


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    """The folder of the demo: the given one, which must be empty or new, or one that is gone afterwards."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="nba-pipeline-demo-") as folder:
            yield Path(folder)
        return
    if given.exists() and (not given.is_dir() or any(given.iterdir())):
        raise ConfigurationError(
            f"--home {given} is not an empty folder; the demo does not touch what is already there"
        )
    try:
        given.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--home {given} cannot be made: {error.strerror}") from error
    yield given.resolve()


def _tell(number: int, step: Step) -> None:
    out.print(f"\n[bold]{number}. {escape(step.title)}[/]")
    if step.command:
        out.print(f"[dim]$ nba-pipeline {escape(step.command)}[/]", soft_wrap=True)
    for line in step.lines:
        out.print(f"  {escape(line)}")
    if step.results:
        out.print(results_table(step.results))
        print_failures(out, {name: r.failed.values() for name, r in step.results.items()})
    for n, requested in enumerate(step.ticks, 1):
        for table, days in requested.items():
            out.print(f"  tick {n}: {table}: {len(days)} day(s), {described(days)}")
    if step.states:
        out.print(states_table(step.states))
        print_stale(out, step.stale)
        print_failures(out, {name: s.failed.values() for name, s in step.states.items()})
    if step.explanation:
        explain.show(step.explanation)
    if "exhibition" in step.facts:
        seen = step.facts["exhibition"]
        minutes = ", ".join(seen["minutes"])
        out.print(
            f"\n{seen['date']} had only an exhibition, with minutes such as {minutes}: 0 rows and a reason,"
            " not a failure."
        )


def _close(folder: Path, kept: bool, seconds: float) -> None:
    out.print(
        f"\nEverything was as told, in {seconds:.0f} s. Report: {folder / 'report.html'}", soft_wrap=True
    )
    if kept:
        out.print(
            f"Look around: DAGSTER_HOME={folder} NBA_PIPELINE_START_DATE={DAYS[0]} nba-pipeline status --end"
            f" {LAST}",
            soft_wrap=True,
        )
    else:
        out.print("This folder was temporary and is gone now, the report with it; `--home DIR` keeps them.")
