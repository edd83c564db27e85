"""Declaring games as gaps and taking that back, from the command line and as jobs of the UI.

Belongs here: ``accept``, ``revoke`` and their jobs. Does not belong here: what a gap does to a day
(``rangerun/gaps.py``), keeping it (``instance/gaps.py``), printing (``cli/gaps.py``).
"""

# No `from __future__ import annotations` here: Dagster looks at the type of `context`, not at its name.
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pandas as pd

from nba_pipeline.clock import results_due, today
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.instance.gaps import load_gaps, save_declared
from nba_pipeline.orchestration.table_asset import STORE
from nba_pipeline.rangerun.gaps import GAP_TABLES, Gap, declare
from nba_pipeline.rangerun.lineage import readable_manifest
from nba_pipeline.settings import parse_day
from nba_pipeline.tables.names import GAMES
from nba_pipeline.tables.registry import TableRegistry, resolve
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES
from nba_pipeline.warehouse.base import Store

ACCEPT_JOB, REVOKE_JOB = "accept_gap", "revoke_gap"
_ACCEPTS = (
    "Declares that the box score or the shots of a game will never come, as `nba-pipeline gaps accept` does."
    " Then materialize its day and what failed behind it again."
)
_REVOKES = (
    "Takes such a declaration back, as `nba-pipeline gaps revoke` does: days made without the game are stale,"
    " and what looks back on them waits."
)
_COLUMNS = ("game_date", "game_id", "nba_game_id", "game_type", "status", "home_team_abbr", "away_team_abbr")


def accept(
    instance: dg.DagsterInstance,
    store: Store,
    tables: TableRegistry,
    what: str,
    names: Iterable[str] | None,
    reason: str,
    until: date | None = None,
) -> list[Gap]:
    """Declare a game, or every competitive game of a day, as a gap: what ``names`` (raw tables; None: both)
    lack of it will never come. Returns what is declared now.

    ``what``: a game id of either kind, or a day. ConfigurationError for a game that is not stored, is not
    competitive, was not played or is still to be played, and without a reason.
    """
    if not reason.strip():
        raise ConfigurationError("a gap needs its reason: whoever looks at the tables later will ask")
    if until is not None and until < today():
        raise ConfigurationError(f"--until {until} is over already")
    kinds = resolve(names, GAP_TABLES) if names is not None else set(GAP_TABLES)
    games = _games(store, tables, what)
    new = declare(games, kinds, reason.strip(), datetime.now(UTC), until)
    named = {gap.game_id for gap in new}
    known = load_gaps(instance).declared
    save_declared(instance, [*(gap for gap in known if gap.game_id not in named), *new])
    return new


def revoke(instance: dg.DagsterInstance, what: str) -> list[Gap]:
    """Take back the gaps of a game or a day. Days that were made without their games are stale from now on,
    and what looks back on them waits. Returns what was taken back; ConfigurationError if nothing is declared.
    """
    known = load_gaps(instance).declared
    named = [g for g in known if what in (g.game_id, g.nba_game_id, str(g.day)) and g.revoked_at is None]
    if not named:
        holding = ", ".join(g.game_id for g in known if g.revoked_at is None) or "none"
        raise ConfigurationError(f"no gap is declared for {what!r}; declared are: {holding}")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    save_declared(instance, [replace(g, revoked_at=at) if g in named else g for g in known])
    return [replace(g, revoked_at=at) for g in named]


def _games(store: Store, tables: TableRegistry, what: str) -> pd.DataFrame:
    """The stored rows of nba_raw.games that ``what`` names, each of which can have a gap."""
    stored = readable_manifest(store, tables[GAMES])
    day = _day_of(what)
    days = sorted(stored) if day is None else [day]
    if day is not None and day not in stored:
        raise ConfigurationError(f"{GAMES} has no {day}: a gap is declared for a game that the schedule has")
    games = store.read(tables[GAMES], days, _COLUMNS)
    if what != str(day):
        games = games[(games["game_id"] == what) | (games["nba_game_id"] == what)]
        if games.empty:
            raise ConfigurationError(
                f"{what!r} is no game of {GAMES}. A game is named by its game_id (20240307_CHI_GSW) or the"
                " league's id (0022300914), a day as YYYY-MM-DD"
            )
    competitive = games[games["game_type"].isin(COMPETITIVE_GAME_TYPES)]
    if competitive.empty:
        raise ConfigurationError(f"{what}: no competitive game; of others nothing is needed")
    playable = competitive[competitive["status"].isin(["final", "scheduled"])]
    due = playable[playable["game_date"] <= pd.Timestamp(results_due())]
    if due.empty:
        status = ", ".join(sorted(set(competitive["status"])))
        raise ConfigurationError(f"{what} is {status}: nothing of it is missing (yet)")
    return due.sort_values("game_id", ignore_index=True)


def _day_of(what: str) -> date | None:
    """The day that a day or a game id of ours names; of a league's id it is not known."""
    for text, form in ((what, "%Y-%m-%d"), (what[:8] if "_" in what else "", "%Y%m%d")):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def gap_jobs(tables: TableRegistry) -> Sequence[Any]:
    """The jobs with which the UI declares a gap and takes one back."""
    text = dg.Field(str, description="game_id (20240307_CHI_GSW), the league's id, or a day (YYYY-MM-DD)")
    schema = {
        "game": text,
        "tables": dg.Field([str], default_value=list(GAP_TABLES), description="What is missing of it."),
        "reason": dg.Field(str, description="Why it will never come, for whoever looks at the tables later."),
        "until": dg.Field(str, is_required=False, description="YYYY-MM-DD, the last day on which it holds."),
    }

    @dg.op(name="accept", config_schema=schema, required_resource_keys={STORE})
    def accept_op(context: dg.OpExecutionContext) -> None:
        given = context.op_config
        until = parse_day(given["until"], "until") if given.get("until") else None
        store = getattr(context.resources, STORE)
        names, reason = given["tables"], given["reason"]
        for gap in accept(context.instance, store, tables, given["game"], names, reason, until):
            context.log.info(f"{gap.words}. Materialize {gap.day} and what failed behind it again.")

    @dg.op(name="revoke", config_schema={"game": text})
    def revoke_op(context: dg.OpExecutionContext) -> None:
        for gap in revoke(context.instance, context.op_config["game"]):
            context.log.info(f"{gap.game_id} is no gap any more. Materialize {gap.day} again.")

    return [
        dg.GraphDefinition(ACCEPT_JOB, node_defs=[accept_op], description=_ACCEPTS).to_job(),
        dg.GraphDefinition(REVOKE_JOB, node_defs=[revoke_op], description=_REVOKES).to_job(),
    ]
