"""`nba-pipeline rejected list|show|replay`. Belongs here: options and printing; the rest is
``operations/quarantine.py``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from nba_pipeline.cli.options import End, Json, SourceName, Start, Tables, Workers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from nba_pipeline.operations.backfill.execute import TableResult
    from nba_pipeline.operations.backfill.tasks import Backfill
    from nba_pipeline.operations.quarantine import Balance, Rejected
    from nba_pipeline.operations.workspace import Workspace

app = typer.Typer(
    help="The quarantine: rows that were refused, why, and putting them right.", no_args_is_help=True
)
_Table = Annotated[str, typer.Argument(help="`dataset.table` or `table`.")]
_Day = Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help="The day.")]


def _read(w: Workspace, tables: str | None, start: str | None, end: str | None) -> list[Rejected]:
    from nba_pipeline.operations.graph import chosen
    from nba_pipeline.operations.quarantine import read_rejected

    return read_rejected(w.store, w.tables, chosen(w.recipes, tables), w.days(start, end))


@app.command("list")
def list_(tables: Tables = None, start: Start = None, end: End = None, as_json: Json = False) -> None:
    """Days with refused rows: how many were stored, how many refused, and why.

    Example: `nba-pipeline rejected list --tables player_boxscores`
    """
    from nba_pipeline.cli.show import out
    from nba_pipeline.operations import quarantine as operations
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace() as w:
        rows = _read(w, tables, start, end)
        counts = operations.balances(w.store, w.tables, rows)
    answer = operations.as_json(rows, counts, rows=False)
    if as_json:
        print(json.dumps(answer, indent=2))
        return
    if not rows:
        out.print("The quarantine is empty.")
        return
    for day in answer["days"]:
        classes = ", ".join(f"{n} {name}" for name, n in day["classes"].items())
        out.print(
            f"{day['date']} [bold]{day['table']}[/]: {day['stored']} stored + {day['rejected']} rejected"
            f" ({classes})"
        )
    out.print(
        f"{answer['rejected']} row(s) in all. `nba-pipeline rejected show <table> <day>` shows them, `replay`"
        " makes their days again."
    )


@app.command()
def show(table: _Table, day: _Day, as_json: Json = False) -> None:
    """The refused rows of one day of a table: class, message, key, the inputs of the computation.

    Example: `nba-pipeline rejected show nba_raw.player_boxscores 2024-03-07`
    """
    from nba_pipeline.cli.show import out
    from nba_pipeline.operations import quarantine as operations
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace() as w:
        rows = _read(w, table, day, day)
        counts = operations.balances(w.store, w.tables, rows)
    if as_json:
        print(json.dumps(operations.as_json(rows, counts, rows=True), indent=2))
        return
    if not rows:
        out.print(f"No row of {table} on {day} is in quarantine.")
    for row in rows:
        key = ", ".join(f"{name}={value}" for name, value in row.key.items())
        out.print(f"[bold red]{row.failure_class}[/] {escape(key)}")
        out.print(
            f"  {escape(row.message)}\n  check: {row.check}"
            + (f", column: {row.column}" if row.column else "")
        )
        if row.inputs:
            out.print(f"  inputs: {escape(json.dumps(row.inputs))}")
        out.print(f"  what to do: {row.remedy}")


@app.command()
def replay(
    tables: Tables = None,
    start: Start = None,
    end: End = None,
    source: SourceName = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Make the days with refused rows again, after the cause is gone: sound rows are written back and leave
    the quarantine.

    Exit code 1 when rows are still refused or a day failed. Example: `nba-pipeline rejected replay --start
    2024-03-07 --end 2024-03-07`
    """
    from nba_pipeline.cli.waiting import wait_for_locks
    from nba_pipeline.operations import quarantine as operations
    from nba_pipeline.operations.backfill.execute import results_json
    from nba_pipeline.operations.graph import chosen
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(source=source) as w:

        def due() -> tuple[Backfill, dict[tuple[str, date], Balance]]:
            rows, states = _read(w, tables, start, end), w.states(w.days(start, end))
            recipes = chosen(w.recipes, tables)
            request = operations.replay_request(recipes, rows, w.recipes, states)
            request = replace(request, days_per_run=w.settings.days_per_run)
            return request, operations.balances(w.store, w.tables, rows)

        with wait_for_locks(w, due, lambda made: made[0]) as (request, before):
            results = _executed(w, request, workers)
        after = {cell: operations.balance(w.store, w.tables, *cell) for cell in before}
    left = sum(b.rejected for b in after.values())
    if as_json:
        print(json.dumps({"left": left, "days": _cells(before, after), **results_json(results)}, indent=2))
    else:
        _print_replayed(before, after, left)
    if left or any(r.failed or r.blocked for r in results.values()):
        raise typer.Exit(1)


def _executed(w: Workspace, request: Backfill, workers: int | None) -> dict[str, TableResult]:
    from nba_pipeline.operations.backfill.execute import execute
    from nba_pipeline.operations.backfill.workers import runner_for

    with runner_for(w, request, workers) as (runner, _):
        return execute(runner, request)


def _cells(
    before: Mapping[tuple[str, date], Balance], after: Mapping[tuple[str, date], Balance]
) -> list[dict[str, object]]:
    return [
        {"table": table, "date": day.isoformat(), "before": vars(was), "after": vars(after[table, day])}
        for (table, day), was in before.items()
    ]


def _print_replayed(
    before: Mapping[tuple[str, date], Balance], after: Mapping[tuple[str, date], Balance], left: int
) -> None:
    from nba_pipeline.cli.show import out

    for (table, day), now in after.items():
        was = before[table, day]
        out.print(
            f"{day} [bold]{table}[/]: {was.stored} stored + {was.rejected} rejected -> {now.stored} stored +"
            f" {now.rejected} rejected"
        )
    out.print(
        "The quarantine of these days is empty."
        if not left
        else f"{left} row(s) are still refused: `nba-pipeline rejected show`."
    )
