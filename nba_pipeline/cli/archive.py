"""`nba-pipeline archive`: what the archive of the league's answers holds, and whether it is whole.

Belongs here: options, printing and exit codes. Does not belong here: the archive (``sources/archive/``).
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from nba_pipeline.cli.options import Json
from nba_pipeline.failures import ConfigurationError

if TYPE_CHECKING:
    from nba_pipeline.sources.archive.archive import Archive

EXIT_DAMAGED = 1

app = typer.Typer(no_args_is_help=True, help="The archive of the league's answers: status, verify, diff.")


@app.command()
def status(as_json: Json = False) -> None:
    """What is archived: seasons, endpoints, games or other keys, versions, bytes.

    Example: `nba-pipeline archive status`
    """
    archive = open_archive()
    held = archive.status()
    if as_json:
        rows = [{**vars(h), "last_fetched_at": h.last_fetched_at.isoformat()} for h in held]
        print(json.dumps(rows, indent=2))
        return
    for h in held:
        more = f", {h.versions - h.keys} corrected" if h.versions > h.keys else ""
        print(
            f"{h.season}  {h.endpoint:<24} {h.keys:>6,} answers{more}, {h.size / 1e6:.1f} MB,"
            f" last fetched {h.last_fetched_at:%Y-%m-%d %H:%M} UTC"
        )
    if not held:
        print(f"{archive.folder} holds nothing yet")


@app.command()
def verify(as_json: Json = False) -> None:
    """Read and hash every archived answer again. Exit code 1 if one is damaged.

    Example: `nba-pipeline archive verify`
    """
    archive = open_archive()
    damaged = archive.verify()
    if as_json:
        print(json.dumps([{"path": str(path), "problem": problem} for path, problem in damaged], indent=2))
    else:
        for _, problem in damaged:
            print(problem)
        versions = sum(1 for _ in archive.walk())
        what = f"{len(damaged):,} damaged: delete them and fetch or import again" if damaged else "all whole"
        print(f"{archive.folder}: {versions:,} archived answers, {what}")
    if damaged:
        raise typer.Exit(EXIT_DAMAGED)


@app.command()
def diff(
    game: Annotated[str, typer.Argument(metavar="GAME", help="The league's ten-digit id of a game.")],
    as_json: Json = False,
) -> None:
    """What the league corrected in the answers about a game: each value before and after.

    Example: `nba-pipeline archive diff 0022400695`
    """
    from nba_pipeline.sources.nba.endpoints import GAME_ENDPOINTS, game_place

    archive, found = open_archive(), []
    try:
        places = [game_place(endpoint, game) for endpoint in sorted(GAME_ENDPOINTS)]
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    held = {place: archive.versions(place) for place in places}
    if not any(held.values()):
        raise ConfigurationError(f"{archive.folder} holds no answer about the game {game}")
    for place, versions in held.items():
        for earlier, later in pairwise(versions):
            for path, before, after in archive.diff(earlier, later):
                at = later.fetched_at.isoformat()
                row = {"endpoint": place.endpoint, "fetched_at": at, "path": path}
                found.append({**row, "before": before, "after": after})
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for row in found:
        print(f"{row['endpoint']} {row['fetched_at']}  {row['path']}: {row['before']} -> {row['after']}")
    if not found:
        print(f"nothing was corrected: one version of each of {sum(map(bool, held.values()))} answers")


def open_archive() -> Archive:
    from nba_pipeline.settings import Settings
    from nba_pipeline.sources.archive.archive import Archive

    settings = Settings.from_environment()
    if settings.archive_dir is None:
        raise ConfigurationError("no folder for the archive: set NBA_PIPELINE_ARCHIVE_DIR")
    return Archive(settings.archive_dir)
