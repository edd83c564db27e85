"""The `nba-pipeline` command: a thin printer over ``operations/``.

Belongs here: options, exit codes and which function prints what.
Does not belong here: anything a program might want to do without a terminal.

Exit codes: 0 all good, 1 some partitions failed or are blocked, 2 wrong usage or configuration, 130
interrupted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nba_pipeline.cli import archive, export, gaps, home, importing, rejected, schema
from nba_pipeline.cli.options import (
    End,
    Force,
    Json,
    Policy,
    SourceName,
    Start,
    SwitchSource,
    Tables,
    WarehouseName,
    WithHistory,
    Workers,
    Yes,
)
from nba_pipeline.cli.run import EXIT_SOME_FAILED, EXIT_USAGE, check_policy, run, run_planned
from nba_pipeline.cli.trouble import sentence
from nba_pipeline.failures import ConfigurationError, PipelineError

if TYPE_CHECKING:  # commands import what they need when they run: `--help` should not load Dagster
    from nba_pipeline.operations.backfill.tasks import Backfill


app = typer.Typer(
    name="nba-pipeline",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"nba-pipeline {version('nba-pipeline')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Daily-partitioned NBA tables: run, look at and repair them. Settings come from NBA_PIPELINE_*
    variables; options win."""


_GROUPS = {
    "archive": archive,
    "export": export,
    "gaps": gaps,
    "home": home,
    "import": importing,
    "schema": schema,
}
for _name, _group in (*_GROUPS.items(), ("rejected", rejected)):
    app.add_typer(_group.app, name=_name)


@app.command()
def backfill(
    start: Start = None,
    end: End = None,
    tables: Tables = None,
    source: SourceName = None,
    warehouse: WarehouseName = None,
    on_invalid_rows: Policy = "fail",
    workers: Workers = None,
    force: Force = False,
    with_history: WithHistory = False,
    switch_source: SwitchSource = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make the days of tables that are missing, failed or stale: exactly what `nba-pipeline plan` lists.

    In dependency order and in ranges, in the Dagster instance of DAGSTER_HOME. Days that are stored and up to
    date are left alone, so an interrupted backfill goes on where it was; `--force` makes them again. A
    backfill whose days another one is making says so, waits for it and then makes what is left.

    Example: `nba-pipeline backfill --start 2023-10-24 --end 2024-06-30 --tables games,player_boxscores`
    """
    from nba_pipeline.cli.plan import plan_of, print_switch
    from nba_pipeline.operations.workspace import open_workspace

    check_policy(on_invalid_rows)
    with open_workspace(source=source, warehouse=warehouse, switch_source=switch_source) as workspace:
        if switch_source and not print_switch(workspace, start, end, tables, yes):
            return

        how = {"force": force, "with_history": with_history}
        run_planned(
            workspace,
            lambda: plan_of(workspace, start, end, tables, on_invalid_rows=on_invalid_rows, **how),
            as_json,
            workers,
        )


@app.command()
def plan(
    start: Start = None,
    end: End = None,
    tables: Tables = None,
    source: SourceName = None,
    warehouse: WarehouseName = None,
    force: Force = False,
    with_history: WithHistory = False,
    switch_source: SwitchSource = False,
    as_json: Json = False,
) -> None:
    """What `backfill` with the same options would do, and why: days, runs, expected rows and time. Runs
    nothing.

    With BigQuery also the jobs, statements, partition modifications and bytes, beside what was used of
    today's quotas. Example: `nba-pipeline plan --tables player_game_summary --json | jq '.tables[].why'`
    """
    from nba_pipeline.cli.plan import plan_of, print_plan
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(source=source, warehouse=warehouse, switch_source=switch_source) as w:
        print_plan(w, plan_of(w, start, end, tables, force=force, with_history=with_history), as_json)


@app.command()
def status(
    start: Start = None,
    end: End = None,
    tables: Tables = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Show progress until nothing runs and no backfill of the UI is open, whoever started it.",
        ),
    ] = False,
    every: Annotated[float, typer.Option(min=0.5, metavar="SECONDS", help="How often --watch looks.")] = 5.0,
    as_json: Json = False,
) -> None:
    """What is materialized, empty (and why), stale (and why), failed (and why), blocked and missing.

    With `--watch --json` a line of JSON per look. Exit code 1 when a day has failed, 2 where nothing is: no
    command has made this home yet.
    Example: `nba-pipeline status --json | jq '.tables[].failed'`
    """
    from nba_pipeline.cli.show import print_status
    from nba_pipeline.operations.graph import chosen
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(existing=True) as w:
        if watch:
            from nba_pipeline.cli.watch import watch as watch_runs

            if any(s.failed for s in watch_runs(w, start, end, every, as_json).values()):
                raise typer.Exit(EXIT_SOME_FAILED)
            return
        recipes = chosen(w.recipes, tables)
        whole = w.states(w.days(start, end))  # a blocked day is found through the tables before it
        states = {recipe.table: whole[recipe.table] for recipe in recipes}
        stale, gaps = w.stale(states, recipes), w.gaps()
    print_status(states, stale, gaps, as_json)
    if any(s.failed for s in states.values()):
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command()
def retry(
    tables: Tables = None,
    on_invalid_rows: Policy = "fail",
    source: SourceName = None,
    warehouse: WarehouseName = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run exactly the failed days, the days that they blocked, and what was asked for and is still missing.

    Example: `nba-pipeline retry --on-invalid-rows quarantine`
    """
    from nba_pipeline.cli.show import out
    from nba_pipeline.cli.waiting import wait_for_locks
    from nba_pipeline.operations.backfill.requested import requested
    from nba_pipeline.operations.backfill.retry import retry_request
    from nba_pipeline.operations.graph import chosen
    from nba_pipeline.operations.quarantine import refused_days
    from nba_pipeline.operations.workspace import open_workspace

    check_policy(on_invalid_rows)
    with open_workspace(existing=True, source=source, warehouse=warehouse) as w:

        def due() -> Backfill:
            states = w.states()
            asked = requested(w, states)
            refused = refused_days(w.store, w.tables, w.recipes)
            named, size = chosen(w.recipes, tables), w.settings.days_per_run
            return retry_request(named, states, on_invalid_rows, size, asked, refused)

        with wait_for_locks(w, due, lambda request: request) as request:
            if not request.recipes and not as_json:
                out.print("Nothing has failed or is blocked: nothing to retry. `plan` shows changed days.")
                return
            run(w, request, as_json, workers)


@app.command("validate")
def validate_(
    start: Start = None,
    end: End = None,
    dates: Annotated[
        str | None, typer.Option(metavar="D,...", help="Only these days, e.g. the ones that had failed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the stored rows: usage_rate coverage, rows against the schedule, dates, game_id format, team sums,
    duplicates.

    Reads the rows again and trusts nothing that a run recorded. Exit code 1 when an answer is not as
    expected. Example: `nba-pipeline validate --dates 2022-02-18,2024-03-07`
    """
    from nba_pipeline.cli.validate import dates_of, print_validation
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(existing=True) as w:
        print_validation(w, dates_of(dates) if dates else w.days(start, end), as_json)


@app.command()
def report(
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write; by default standard output."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="`html`: one self-contained page. `md`: Markdown.")
    ] = "html",
    start: Start = None,
    end: End = None,
) -> None:
    """A status report: what to do, days by state, failures by cause, what has not started, calendars,
    coverage, validation.

    And throughput, quarantine and, with BigQuery, today's quotas. One file that needs no network; it prints
    well. Example: `nba-pipeline report --out report.html`
    """
    from nba_pipeline.cli.report import write_report
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(existing=True) as w:
        write_report(w, start, end, form, to)


@app.command()
def explain(
    table: Annotated[str, typer.Argument(help="`dataset.table` or `table`.")],
    day: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help="The day.")],
    key: Annotated[
        str,
        typer.Option(
            metavar="COLUMN=VALUE,...", help="The row; `player=` and `team=` match names, also a part."
        ),
    ],
    column: Annotated[str, typer.Option(help="The column.")],
    as_json: Json = False,
) -> None:
    """Where one value comes from: its formula with the numbers, the input rows, the games of its window, run
    and versions.

    Also which files it was read from, with their hashes then and now. A value that is taken over from another
    table is followed to where it was made; `differs` says that the formula does not give what is stored.
    `--json` has every column of the input rows.

    Example: `nba-pipeline explain player_game_summary 2024-03-07 --key player=Quinones --column usage_rate`
    """
    from nba_pipeline.cli.explain import print_explanation

    print_explanation(table, day, key, column, as_json)


@app.command()
def sql(
    query: Annotated[
        str, typer.Argument(help="A SELECT over the tables, e.g. `nba_analytics.player_game_summary`.")
    ],
    form: Annotated[
        str, typer.Option("--format", help="`table`, `csv`, `json`, `markdown` or `parquet`.")
    ] = "table",
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file to write; parquet needs one.")
    ] = None,
    as_json: Json = False,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="Rows to give; 0 for all. By default 50 of a table, else all."),
    ] = None,
) -> None:
    """Query the local warehouse with DuckDB, read-only. `show tables` lists what there is.

    A result that is wider than the terminal is shown one column per line.

    Example: `nba-pipeline sql "SELECT player_full_name, usage_rate FROM nba_analytics.player_game_summary
    ORDER BY 2 DESC LIMIT 5"`
    """
    from nba_pipeline.cli.sql import print_query

    print_query(query, "json" if as_json else form, limit, to)


@app.command()
def canary(
    days: Annotated[
        int, typer.Option(min=1, help="How many stored days to test, spread over the range.")
    ] = 5,
    start: Start = None,
    end: End = None,
    as_json: Json = False,
) -> None:
    """Recompute stored days with absurd results on and after them: a value that moves has seen the future.

    Exit code 1 when a column leaks. Example: `nba-pipeline canary --days 20 --start 2023-10-24`
    """
    from nba_pipeline.cli.show import canary_table, out, print_leaks
    from nba_pipeline.operations.audit.canary import as_json as canary_json
    from nba_pipeline.operations.audit.canary import run_canary
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace() as w:
        found = run_canary(w.recipes, w.tables, w.store, w.source, w.days(start, end), days)
    if as_json:
        print(json.dumps(canary_json(found), indent=2))
    else:
        out.print(canary_table(found))
        print_leaks(out, found)
    if any(c.leaks for c in found.values()):
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command()
def demo(
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Keep everything in this new or empty folder."),
    ] = None,
    as_json: Json = False,
) -> None:
    """The incident replayed on simulated data: red days, their causes, the repair, and phase 4 starting by
    itself.

    A month with a column that is too small, an exhibition, half a team and an outage, in a temporary folder.
    Every step is done by the functions behind the commands and compared with what it should show; exit code 1
    where it differs. Example: `nba-pipeline demo --home incident`
    """
    from nba_pipeline.cli.demo import run_demo

    run_demo(home, as_json)


def main() -> None:
    """The console command: errors of configuration end with one line and exit code 2."""
    try:
        app()
    except ConfigurationError as error:
        print(f"nba-pipeline: {error}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE) from None
    except PipelineError as error:
        print(f"nba-pipeline: {error.failure_class}: {error}", file=sys.stderr)
        print(f"what to do: {error.failure_class.remedy}", file=sys.stderr)
        raise SystemExit(EXIT_SOME_FAILED) from None
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise  # a defect: its traceback is wanted
        print(f"nba-pipeline: {told}", file=sys.stderr)
        raise SystemExit(EXIT_SOME_FAILED) from None


if __name__ == "__main__":
    main()
