"""`nba-pipeline gaps accept|list|revoke`. Belongs here: options and printing; the rest is
``orchestration/declared_gaps.py`` and ``operations/gaps.py``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from nba_pipeline.cli.options import Json
from nba_pipeline.settings import parse_day

app = typer.Typer(
    help="Games whose box score or shots will never come: declare them, so that the rest goes on.",
    no_args_is_help=True,
)
_What = Annotated[
    str,
    typer.Argument(
        metavar="GAME|DAY",
        help="`20240307_CHI_GSW`, the league's `0022300914`, or a day (its competitive games).",
    ),
]
_Tables = Annotated[
    str | None,
    typer.Option("--tables", metavar="T,...", help="player_boxscores, shot_attempts; by default both."),
]
_Reason = Annotated[
    str, typer.Option(help="Why it will never come. It stands beside the tables from then on.")
]
_Until = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day on which the declaration holds.")
]


@app.command()
def accept(
    what: _What, reason: _Reason, tables: _Tables = None, until: _Until = None, as_json: Json = False
) -> None:
    """Declare that what is missing of a game will never come.

    Its day is then made without it, with a warning; windows that hold it do without, and their rows say so in
    history_gaps. Where the source delivers after all, the day is whole again and the gap no longer used.

    Example: `nba-pipeline gaps accept 20180118_BKN_PHI --reason "the league never published it"`
    """
    from nba_pipeline.operations.gaps import as_json as answer
    from nba_pipeline.operations.workspace import open_workspace
    from nba_pipeline.orchestration import declared_gaps

    last = parse_day(until, "--until") if until else None
    names = tables.split(",") if tables else None
    with open_workspace(existing=True) as w:
        accepted = declared_gaps.accept(w.instance, w.store, w.tables, what, names, reason, last)
        if as_json:
            print(json.dumps(answer(w.gaps()), indent=2))
            return
    for gap in accepted:
        print(gap.words)
    print("Next: `nba-pipeline retry` makes the days that failed for it, and what waits behind them.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The declared gaps: which hold, why, and which tables are stored without the game.

    Example: `nba-pipeline gaps list`
    """
    from nba_pipeline.operations.gaps import as_json as answer
    from nba_pipeline.operations.gaps import standings
    from nba_pipeline.operations.workspace import open_workspace

    with open_workspace(existing=True) as w:
        gaps = w.gaps()
    if as_json:
        print(json.dumps(answer(gaps), indent=2))
        return
    for standing in standings(gaps):
        print(standing.words)
    if not standings(gaps):
        print("No gap is declared.")


@app.command()
def revoke(what: _What, as_json: Json = False) -> None:
    """Take a declaration back: the days made without the game are stale, and what looks back on them waits.

    Example: `nba-pipeline gaps revoke 20180118_BKN_PHI`
    """
    from nba_pipeline.operations.gaps import as_json as answer
    from nba_pipeline.operations.workspace import open_workspace
    from nba_pipeline.orchestration import declared_gaps

    with open_workspace(existing=True) as w:
        revoked = declared_gaps.revoke(w.instance, what)
        if as_json:
            print(json.dumps(answer(w.gaps()), indent=2))
            return
    for gap in revoked:
        print(f"{gap.game_id} is no gap any more.")
    first, last = min(g.day for g in revoked), max(g.day for g in revoked)
    print(f"Next: `nba-pipeline backfill --start {first} --end {last}` asks the source again.")
