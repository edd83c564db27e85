"""`nba-pipeline home init|check`. Belongs here: options and printing; the rest is ``operations/home.py``."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from nba_pipeline.cli.options import Json, SourceName, WarehouseName

EXIT_NOT_AS_IT_SHOULD_BE = 1

app = typer.Typer(
    help="The home, DAGSTER_HOME: make one before anything runs, look whether it is as it should be.",
    no_args_is_help=True,
)


@app.command()
def init(source: SourceName = None, warehouse: WarehouseName = None) -> None:
    """Make DAGSTER_HOME: its dagster.yaml, and nba_pipeline.toml with the settings that hold now.

    So that `dg dev` can be the first thing that runs there, and every shell has the same settings. Files that
    are there stay as they are.

    Example: `nba-pipeline home init --source bulk`
    """
    from nba_pipeline.operations.home import init as make
    from nba_pipeline.settings import Settings

    settings = Settings.from_environment(source=source, warehouse=warehouse)
    assert settings.dagster_home is not None
    for path in make(settings.dagster_home, settings):
        print(f"wrote {path}")
    print(f"{settings.dagster_home} is a home. Next: `nba-pipeline backfill`, or `dg dev` in the clone.")


@app.command()
def check(as_json: Json = False) -> None:
    """Look at DAGSTER_HOME: folder, disk, instance, telemetry, settings.

    Exit code 1 if something is to be done. Example: `nba-pipeline home check`
    """
    from nba_pipeline.environment import dagster_home
    from nba_pipeline.operations.home import check as look

    findings = look(dagster_home())
    if as_json:
        print(json.dumps([{**asdict(f), "ok": f.ok} for f in findings], indent=2))
    else:
        for finding in findings:
            todo = "" if finding.ok else f"\n     what to do: {finding.what_to_do}"
            print(f"{'ok  ' if finding.ok else 'no  '} {finding.what}{todo}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_NOT_AS_IT_SHOULD_BE)
