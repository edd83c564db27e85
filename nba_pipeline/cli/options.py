"""Options that several commands share, with their help texts. Nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

Start = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="First day; by default the pipeline's first.")
]
End = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="Last day, included; by default today (US Eastern).")
]
Tables = Annotated[
    str | None,
    typer.Option(
        metavar="T,...",
        help=(
            "Tables (`dataset.table` or `table`), datasets and patterns (`*zone*`); `+T` adds what T is made"
            " from, `T+` what is made from it. By default all."
        ),
    ),
]
SourceName = Annotated[str | None, typer.Option(help="simulated or bulk.")]
WarehouseName = Annotated[str | None, typer.Option(help="parquet, bigquery or memory.")]
Policy = Annotated[
    str,
    typer.Option(help="`fail`: a day with invalid rows is not written. `quarantine`: its valid rows are."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Worker processes; by default two for a long backfill where there are two cores, else none.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Make every day asked for, also those that are stored and up to date.")
]
WithHistory = Annotated[
    bool,
    typer.Option(
        "--with-history",
        help="Make the days before --start too that the tables look back on, where they lack.",
    ),
]
SwitchSource = Annotated[
    bool,
    typer.Option(
        "--switch-source",
        help=(
            "The home's tables were made from another source and are to be made from this one. Says what"
            " that would do; with --yes it is done."
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do what --switch-source says.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
