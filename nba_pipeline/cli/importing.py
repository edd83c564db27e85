"""`nba-pipeline import`: what other people have downloaded, without asking the league.

Belongs here: options, printing and exit codes. Does not belong here: reading dumps
(``operations/importing/``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from nba_pipeline.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="Other people's downloads of the league's data.")


@app.callback()
def _group() -> None:
    """Keeps `hoopr-bundle` a command of its own: a group of one would have none."""


@app.command("hoopr-bundle")
def hoopr_bundle(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="nba_stats_json_<year>.tar.gz")],
    as_json: Json = False,
) -> None:
    """Put season bundles of sportsdataverse/hoopR-nba-stats-raw into the archive. Asks no server.

    Takes boxscoretraditionalv3, playbyplayv3 and scheduleleaguev2 after the same examination as a fetched
    answer; refused ones go to the archive's rejected/ with their verdict, and the command ends with 1. No
    table is made from the archive yet. Tried only on small bundles made by tests.

    Example: `nba-pipeline import hoopr-bundle nba_stats_json_2025.tar.gz`
    """
    from nba_pipeline.cli.archive import EXIT_DAMAGED, open_archive
    from nba_pipeline.operations.importing.hoopr import import_bundle

    archive, failed = open_archive(), False
    for file in files:
        report = import_bundle(archive, file, datetime.now(UTC))
        failed |= bool(report.refused)
        if as_json:
            print(json.dumps({"file": str(file), **vars(report)}))
            continue
        print(
            f"{file.name}: {report.taken:,} answers archived ({report.corrected:,} beside another version),"
            f" {report.known:,} known already, {report.not_played:,} of games not played left out,"
            f" {report.other:,} files of other endpoints left out, {len(report.refused):,} refused"
        )
        for name, verdict in list(report.refused.items())[:20]:
            print(f"  refused {name}: {verdict}")
    if failed:
        raise typer.Exit(EXIT_DAMAGED)
