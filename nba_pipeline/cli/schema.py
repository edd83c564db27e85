"""`nba-pipeline schema`: tables as declared, as stored, and the way from one to the other.

Belongs here: options, printing and exit codes. Does not belong here: planning (``operations/schema.py``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nba_pipeline.operations.schema import TableChanges
    from nba_pipeline.tables.spec import Table
    from nba_pipeline.warehouse.base import SchemaStore

EXIT_DIFFERS = 1

app = typer.Typer(no_args_is_help=True, help="The tables as declared and as stored: show, ddl, diff, apply.")

Warehouse = Annotated[
    str | None, typer.Option(help="The warehouse to look at; by default NBA_PIPELINE_WAREHOUSE.")
]
Tables = Annotated[
    str | None, typer.Option(metavar="T,...", help="Tables, by `dataset.table` or `table`; by default all.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def show(tables: Tables = None, as_json: Json = False) -> None:
    """The declared tables: columns, types, what may be NULL. Asks no warehouse.

    Example: `nba-pipeline schema show --tables player_game_summary`
    """
    from nba_pipeline.cli.show import out

    chosen = _chosen(tables)
    if as_json:
        declared = {
            t.full_name: [{"name": c.name, "type": str(c.type), "nullable": c.nullable} for c in t.columns]
            for t in chosen
        }
        print(json.dumps(declared, indent=2))
        return
    for table in chosen:
        out.print(f"[bold]{table.full_name}[/]: {table.grain}; key {', '.join(table.key)}")
        for column in table.columns:
            out.print(
                f"  {column.name:<34} {column.type!s:<16} {'' if column.nullable else 'required'}",
                highlight=False,
            )


@app.command()
def ddl(tables: Tables = None, warehouse: Warehouse = None) -> None:
    """The statements that would make datasets and tables, for review or for `bq query`. Sends nothing.

    Of the parquet warehouse: DuckDB views over its files, e.g. `nba-pipeline schema ddl | duckdb nba.duckdb`.
    A table that has no day yet is an empty view; print it again after the first one.

    Example: `nba-pipeline schema ddl --warehouse bigquery --tables nba_analytics.player_game_summary`
    """
    from nba_pipeline.operations.schema import with_quarantine

    chosen, store = with_quarantine(_chosen(tables)), _store(warehouse)
    statements = [*store.dataset_ddl(chosen), *(s for table in chosen for s in store.ddl(table))]
    print(";\n\n".join(statements) + ";")


@app.command()
def diff(tables: Tables = None, warehouse: Warehouse = None, as_json: Json = False) -> None:
    """What separates the stored tables from their declarations. Exit code 1 when days could not be written
    before `apply`.

    Example: `nba-pipeline schema diff --warehouse bigquery --json | jq`
    """
    from nba_pipeline.operations.schema import as_json as plans_json
    from nba_pipeline.operations.schema import plan_changes, with_quarantine

    plans = plan_changes(_store(warehouse, as_json), with_quarantine(_chosen(tables)))
    if as_json:
        print(json.dumps(plans_json(plans), indent=2))
    else:
        _print(plans)
        _print_what_to_do(plans)
    if any(p.needed for p in plans):
        raise typer.Exit(EXIT_DIFFERS)


@app.command()
def apply(tables: Tables = None, warehouse: Warehouse = None) -> None:
    """Make missing datasets and tables, add columns, widen decimals, drop NOT NULL, and read every table
    back.

    Narrowing, retyping and removing are refused, before anything is done. Do not run it during a backfill. In
    the parquet warehouse no day is rewritten: days that hold all that is declared stay as they are, days that
    lack a column become stale.

    Example: `nba-pipeline schema apply --warehouse bigquery`
    """
    from nba_pipeline.cli.show import out
    from nba_pipeline.operations.schema import apply_changes, plan_changes, with_quarantine

    store = _store(warehouse)
    plans = plan_changes(store, with_quarantine(_chosen(tables)))
    _print(plans)
    left = apply_changes(store, plans)
    changed = sum(bool(p.needed) for p in plans)
    out.print(
        f"{changed} table(s) changed, {len(plans) - changed} as declared; {sum(map(len, left.values()))}"
        " harmless difference(s) left"
    )


def _print(plans: list[TableChanges]) -> None:
    from nba_pipeline.cli.show import out

    for plan in plans:
        for change in plan.changes:
            out.print(
                f"{plan.table.full_name}: {change.action}: {change.text}", markup=False, highlight=False
            )
            for row in change.rows:
                out.print(f"  {row}", markup=False, highlight=False)
    if not any(plan.changes for plan in plans):
        out.print(f"{len(plans)} table(s) are as declared")


def _print_what_to_do(plans: list[TableChanges]) -> None:
    from nba_pipeline.cli.show import out

    refused, needed = sum(bool(p.refused) for p in plans), sum(bool(p.needed) for p in plans)
    if refused:
        out.print(
            f"what to do: {refused} table(s) cannot be changed in place; `nba-pipeline schema apply` changes"
            " nothing before that is gone"
        )
    elif needed:
        out.print(f"what to do: `nba-pipeline schema apply` changes {needed} table(s) in place")


def _chosen(names: str | None) -> list[Table]:
    from nba_pipeline.tables.registry import TABLES, resolve

    wanted = resolve(names.split(","), TABLES) if names else set(TABLES)
    return [table for name, table in TABLES.items() if name in wanted]


def _store(warehouse: str | None, as_json: bool = False) -> SchemaStore:
    """The warehouse's schema; ends the command where there is none."""
    from nba_pipeline.build import make_store
    from nba_pipeline.cli.show import err
    from nba_pipeline.settings import Settings

    settings = Settings.from_environment(warehouse=warehouse)
    schema = getattr(make_store(settings), "schema", None)
    if schema is None:
        err.print(
            f"The {settings.warehouse} warehouse keeps nothing when the process ends, so there is nothing to"
            " compare or to change."
        )
        if as_json:
            print(json.dumps({"tables": {}}))
        raise typer.Exit(0)
    return schema
