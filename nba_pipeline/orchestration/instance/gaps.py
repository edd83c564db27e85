"""Declared gaps and where they were used, kept in the instance: every process that shares it has the same.

Belongs here: loading and saving. Does not belong here: what a gap is and does (``rangerun/gaps.py``),
declaring one (``orchestration/declared_gaps.py``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from nba_pipeline.clock import today
from nba_pipeline.orchestration.instance.values import read_values, write_values
from nba_pipeline.rangerun.gaps import MADE_WITHOUT, Gap, Gaps

if TYPE_CHECKING:  # only named here
    import dagster as dg

_DECLARED, _USED = "nba_pipeline/gaps/declared", "nba_pipeline/gaps/used/"


def load_gaps(instance: dg.DagsterInstance, after_days: int | None = None) -> Gaps:
    """All gaps ever declared, those that were revoked included, and what was made without them."""
    text = read_values(instance, [_DECLARED]).get(_DECLARED, "[]")
    declared = tuple(_gap(one) for one in json.loads(text))
    names = {_name(table, g.day): (table, g.day) for table in MADE_WITHOUT for g in declared}
    used: dict[str, dict[date, tuple[str, ...]]] = {}
    for name, games in read_values(instance, names).items():
        table, day = names[name]
        if games != "[]":
            used.setdefault(table, {})[day] = tuple(json.loads(games))
    return Gaps(declared, used, today(), after_days)


def save_declared(instance: dg.DagsterInstance, gaps: Sequence[Gap]) -> None:
    """Replace all that is declared. Declarations are rare and made by people: the last one wins."""
    write_values(instance, {_DECLARED: json.dumps([asdict(g) for g in gaps], default=str)})


def save_used(
    instance: dg.DagsterInstance,
    known: Gaps,
    table: str,
    stored: Collection[date],
    used: Mapping[date, Sequence[Gap]],
) -> None:
    """Record which of a run's ``stored`` days were made without games, and gaps that the run itself declared.

    One value per table and day, like the provenance: two processes that make days of a table never lose each
    other's.
    """
    declared = {g.game_id for g in known.declared}
    if new := {g.game_id: g for gaps in used.values() for g in gaps if g.game_id not in declared}:
        save_declared(instance, [*load_gaps(instance).declared, *new.values()])
    whole = (known.used.get(table, {}).keys() & set(stored)) - used.keys()
    games = {day: [g.game_id for g in gaps] for day, gaps in used.items()} | dict.fromkeys(whole, ())
    write_values(instance, {_name(table, day): json.dumps(ids) for day, ids in games.items()})


def _name(table: str, day: date) -> str:
    return f"{_USED}{table}/{day}"


def _gap(values: Mapping[str, Any]) -> Gap:
    until = values["until"] and date.fromisoformat(values["until"])
    day, tables = date.fromisoformat(values["day"]), tuple(values["tables"])
    return Gap(**{**values, "day": day, "until": until, "tables": tables})
