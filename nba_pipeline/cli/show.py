"""How results look on a terminal: rich tables and the progress display.

Belongs here: layout. Does not belong here: any decision or count (``operations/``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.progress import Task as ProgressTask
from rich.table import Table as RichTable
from rich.text import Text

from nba_pipeline.cli.console import err as err
from nba_pipeline.cli.console import out as out
from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.audit.canary import Canary
from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.operations.backfill.remaining import Remaining
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.gaps import as_json as gaps_as_json
from nba_pipeline.operations.gaps import standings
from nba_pipeline.operations.status import staleness, state
from nba_pipeline.operations.status.staleness import Stale, StaleDays
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.rangerun.failed import DAYS_SHOWN, Failed, by_cause
from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.ranges import described

_WIDE = 100  # columns from which the progress display has a bar as well


def _count(n: int, style: str) -> str:
    return f"[{style}]{n}[/]" if n else "0"


def table_of(title: str, columns: Iterable[str]) -> RichTable:
    """Narrow enough for 80 columns: names without their dataset, which has a line of its own."""
    table = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("table", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def add_rows(table: RichTable, rows: Iterable[tuple[str, list[str]]]) -> RichTable:
    dataset = None
    for full_name, cells in rows:
        own, name = full_name.split(".")
        if own != dataset:
            table.add_row(f"[bold]{own}[/]")
            dataset = own
        table.add_row(f"  {name}", *cells)
    return table


def results_table(results: Mapping[str, TableResult]) -> RichTable:
    """What a backfill did, a line per table."""
    rows = (
        (
            r.table,
            [
                f"{_count(len(r.good), 'green')}/{r.requested}",
                str(sum(r.empty.values())),
                _count(len(r.failed), "bold red"),
                _count(len(r.blocked), "yellow"),
                f"{r.rows:,}",
                f"{r.seconds:.1f}",
            ],
        )
        for r in results.values()
    )
    return add_rows(
        table_of("Backfill: days by outcome", ("good", "empty", "failed", "blocked", "rows", "seconds")), rows
    )


def states_table(states: Mapping[str, TableState]) -> RichTable:
    """What is true now, a line per table."""
    rows = (
        (
            s.table,
            [
                _count(len(s.materialized), "green"),
                str(sum(s.empty.values())),
                _count(len(s.failed), "bold red"),
                _count(len(s.blocked), "yellow"),
                str(len(s.in_progress)),
                _count(len(s.missing), "yellow"),
                f"{s.rows:,}",
            ],
        )
        for s in states.values()
    )
    return add_rows(
        table_of("Status: days by state", ("good", "empty", "failed", "blocked", "run", "missing", "rows")),
        rows,
    )


def print_empty(console: Console, empty: Mapping[str, Mapping[str, int]]) -> None:
    """Why days are empty, a line per set of tables that agree."""
    grouped: dict[str, list[str]] = {}
    for table, reasons in empty.items():
        if reasons:
            grouped.setdefault(", ".join(f"{n} {reason}" for reason, n in reasons.items()), []).append(
                table.split(".")[1]
            )
    for reasons_, tables in grouped.items():
        console.print(f"[dim]empty:[/] {reasons_} [dim]({', '.join(tables)})[/]")


def print_stale(console: Console, stale: StaleDays) -> None:
    """Stale days, a line per reason and table, and what to do."""
    lines = [
        (why, table, [d for d, w in days.items() if w is why])
        for why in Stale
        for table, days in stale.items()
    ]
    for why, table, days in lines:
        if days:
            console.print(
                f"[yellow]{why}[/] in {table}: {len(days)} day(s): {described(days)} [dim]({why.words})[/]"
            )
    if any(days for _, _, days in lines):
        console.print(
            "  what to do: `nba-pipeline plan` shows what restating them takes, `nba-pipeline backfill`"
            " does it"
        )


FEW_DAYS = 5
"""Up to so many days with the same words have a line each: an outage of two days is read day by day."""


def print_failures(console: Console, failures: Mapping[str, Iterable[Failed]]) -> None:
    """Failed days by cause, a line for each with its class and its own words, however long, or one for all
    where more than a few say the same; then what to do."""
    for (failure_class, table), failed in by_cause(failures).items():
        console.print(f"\n[bold red]{failure_class}[/] in [bold]{table}[/]: {len(failed)} day(s)")
        same: dict[str, list[date]] = {}
        for one in failed:
            same.setdefault(" ".join(one.message.split()), []).append(one.day)
        said = [
            (message, of)
            for message, days in same.items()
            for of in ([days] if len(days) > FEW_DAYS else ([day] for day in days))
        ]
        for message, days in said[:DAYS_SHOWN]:
            console.print(
                f"  {described(days)} [red]{failure_class}[/]: {escape(message)}",
                soft_wrap=True,
            )
        if rest := [day for _, days in said[DAYS_SHOWN:] for day in days]:
            console.print(
                f"  and {len(rest)} more: {described(rest)}; `nba-pipeline status --json` has"
                " the words of each"
            )
        console.print(f"  what to do: {FailureClass(failure_class).remedy}")


def print_results(console: Console, results: Mapping[str, TableResult]) -> None:
    """What a backfill did: a table, why days are empty, what failed, what to do next."""
    console.print(results_table(results))
    print_empty(console, {name: dict(sorted(r.empty.items())) for name, r in results.items()})
    print_failures(console, {name: r.failed.values() for name, r in results.items()})
    print_next_step(console, results)


def print_next_step(console: Console, results: Mapping[str, TableResult]) -> None:
    """What to do after a backfill: repair what is left of it, or look at what there is."""
    if any(r.failed or r.blocked for r in results.values()):
        console.print(
            "\nAfter the cause is gone: `nba-pipeline retry` runs exactly the failed and the blocked days."
        )
    else:
        console.print(
            "\nNext: `nba-pipeline status` says what is stored, `nba-pipeline report --out report.html` draws"
            " it, `dg dev` shows each day in the UI.",
            soft_wrap=True,
        )


def canary_table(found: Mapping[str, Canary]) -> RichTable:
    """What the leak canary tested, a line per table."""
    rows = (
        (c.table, [str(len(c.days)), f"{c.rows:,}", _count(len(c.leaks), "bold red")]) for c in found.values()
    )
    return add_rows(table_of("Leak canary", ("days tested", "rows", "days with leaks")), rows)


def print_leaks(console: Console, found: Mapping[str, Canary]) -> None:
    """The leaking columns of each table, or that there are none."""
    for name, canary in found.items():
        for day, columns in canary.leaks.items():
            console.print(f"[bold red]leak[/] in [bold]{name}[/] on {day}: {', '.join(columns)}")
    if any(c.leaks for c in found.values()):
        console.print(
            "These values change when results of the day or later change. Every window must end strictly"
            " before the day."
        )
    else:
        console.print("No value of the tested days depends on results of the day itself or later.")


class _TimeLeft(ProgressColumn):
    """The time left, asked for once a second: between two runs it goes down with the clock."""

    def __init__(self, remaining: Remaining) -> None:
        super().__init__()
        self._remaining, self._asked, self._shown = remaining, float("-inf"), Text("?")

    def render(self, task: ProgressTask) -> Text:
        if (now := time.monotonic()) - self._asked >= 1:
            self._asked, left = now, self._remaining.seconds()
            self._shown = Text("? left:" if left is None else f"{timedelta(seconds=round(left))} left:")
        return self._shown


class BackfillProgress:
    """Days done of all, rate, failures so far and time left, on standard error."""

    def __init__(self, backfill: Backfill, remaining: Remaining, *, enabled: bool) -> None:
        self._total = sum(len(set(backfill.days.get(recipe.table, ()))) for recipe in backfill.recipes)
        self._remaining = remaining
        self._failed: dict[str, int] = {}
        # The figures first: on 80 columns it is the bar that has no place and the table's name that is cut.
        columns = [
            SpinnerColumn(),
            *([BarColumn(bar_width=20)] if err.width >= _WIDE else []),
            MofNCompleteColumn(),
            TextColumn("table-days, {task.fields[rate]}/s, {task.fields[failed]} failed,"),
            _TimeLeft(remaining),
            TextColumn("{task.description}"),
        ]
        self._progress = Progress(*columns, console=err, disable=not enabled)

    def __enter__(self) -> BackfillProgress:
        self._progress.start()
        self._task = self._progress.add_task("starting", total=self._total, rate="-", failed=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, result: TableResult, settled: int) -> None:
        self._remaining.settle(result)
        self._failed[result.table] = len(result.failed)
        self._progress.update(
            self._task,
            advance=settled,
            description=result.table.split(".")[1],
            failed=sum(self._failed.values()),
        )
        task = self._progress.tasks[0]
        if task.elapsed:
            self._progress.update(self._task, rate=f"{task.completed / task.elapsed:.0f}")


def print_status(states: Mapping[str, TableState], stale: StaleDays, gaps: Gaps, as_json: bool) -> None:
    """What `nba-pipeline status` says of the tables."""
    if as_json:
        said = staleness.with_stale(state.as_json(states), stale)
        print(json.dumps({**said, "gaps": gaps_as_json(gaps)}, indent=2))
        return
    out.print(states_table(states))
    print_empty(out, {name: s.empty for name, s in states.items()})
    print_stale(out, stale)
    for standing in standings(gaps):
        out.print(f"[yellow]gap[/]: {escape(standing.words)}")
    print_failures(out, {name: s.failed.values() for name, s in states.items()})
