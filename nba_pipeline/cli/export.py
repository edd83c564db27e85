"""`nba-pipeline export training`. Belongs here: options and printing; the rest is ``operations/export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nba_pipeline.cli.options import End, Json, Start

if TYPE_CHECKING:
    from nba_pipeline.operations.export.training import Choice

app = typer.Typer(help="Rows for models: features beside what then happened.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Rows for models: features beside what then happened."""


_Out = Annotated[
    Path, typer.Option(metavar="DIR", help="The folder to write; an earlier export is replaced.")
]
_Target = Annotated[str, typer.Option(metavar="T,...", help="points, minutes, rebounds, assists, ...")]
_Features = Annotated[str, typer.Option(metavar="F,...", help="Features; by default all.")]
_Population = Annotated[
    str, typer.Option(help="`played`: players who appeared; `slate`: all who were expected to.")
]
_MinGames = Annotated[int, typer.Option(min=0, help="At least so many earlier games of the season.")]
_MinQuality = Annotated[float, typer.Option(min=0, max=100, help="At least this feature_quality_score.")]
_Validation = Annotated[str | None, typer.Option(metavar="YYYY-YY,...", help="Validation seasons.")]
_Test = Annotated[str | None, typer.Option(metavar="YYYY-YY,...", help="Test seasons.")]
_Incomplete = Annotated[
    bool, typer.Option("--allow-incomplete", help="Leave out days that are missing, failed or stale.")
]


@app.command()
def training(
    out: _Out,
    start: Start = None,
    end: End = None,
    target: _Target = "points",
    features: _Features = "all",
    population: _Population = "played",
    min_games: _MinGames = 0,
    min_quality: _MinQuality = 0,
    validation: _Validation = None,
    test: _Test = None,
    allow_incomplete: _Incomplete = False,
    as_json: Json = False,
) -> None:
    """One Parquet file of point-in-time features and targets, with a manifest and a data card.

    The same call gives the same bytes. Refuses (exit 1) while days of the range are missing, failed or stale,
    and where a feature holds the result that it is to predict.
    Example: `nba-pipeline export training --target points --test 2023-24 --out training`
    """
    from nba_pipeline.operations.export.training import Choice
    from nba_pipeline.tables.columns.features import FEATURE_NAMES

    chosen = FEATURE_NAMES if features == "all" else tuple(features.split(","))
    splits = dict.fromkeys(_seasons(validation, "--validation"), "validation")
    splits |= dict.fromkeys(_seasons(test, "--test"), "test")
    choice = Choice(tuple(target.split(",")), chosen, population, min_games, min_quality, splits)
    _write(out, choice, start, end, allow_incomplete, as_json)


def _write(
    out: Path, choice: Choice, start: str | None, end: str | None, allow_incomplete: bool, as_json: bool
) -> None:
    """Make, write and print."""
    from nba_pipeline.operations.export.files import check_folder, write
    from nba_pipeline.operations.export.request import NotReady, export_training
    from nba_pipeline.operations.export.training import LookAhead
    from nba_pipeline.operations.workspace import open_workspace

    check_folder(out)
    with open_workspace(existing=True) as w:
        try:
            made = export_training(w, w.days(start, end), choice, allow_incomplete=allow_incomplete)
        except (NotReady, LookAhead) as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(1) from None
    paths, told = write(made, out), made.manifest
    if as_json:
        print(json.dumps(told, indent=2))
        return
    print(f"{told['rows']:,} rows, {len(choice.features)} features, content {told['content_hash'][:12]}")
    for name, count in told["rows_by_split_and_season"].items():
        print(f"  {name}: {count:,}")
    for line in (*told["drift"], *told["declared_gaps"]):
        print(f"  {line}")
    print(f"Written: {', '.join(p.name for p in paths)} in {out}")


def _seasons(text: str | None, option: str) -> list[int]:
    """The first years of seasons written as 2023-24."""
    from nba_pipeline.failures import ConfigurationError

    found = []
    for part in text.split(",") if text else []:
        years = part.strip().split("-")
        if len(years) != 2 or not all(y.isdigit() for y in years) or f"{int(years[0]) + 1}"[-2:] != years[1]:
            raise ConfigurationError(f"{option} {part!r} is no season; write it as 2023-24")
        found.append(int(years[0]))
    return found
