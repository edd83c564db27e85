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
    values = read_values(instance, [_DECLARED, *(_USED + table for table in MADE_WITHOUT)])
    declared = tuple(_gap(one) for one in json.loads(values.get(_DECLARED, "[]")))
    used = {t: _days(values[_USED + t]) for t in MADE_WITHOUT if _USED + t in values}
    return Gaps(declared, used, today(), after_days)


def save_declared(instance: dg.DagsterInstance, gaps: Sequence[Gap]) -> None:
    """Replace all that is declared. Declarations are rare and made by people: the last one wins."""
    write_values(instance, {_DECLARED: json.dumps([asdict(g) for g in gaps], default=_plain)})


def save_used(
    instance: dg.DagsterInstance,
    known: Gaps,
    table: str,
    stored: Collection[date],
    used: Mapping[date, Sequence[Gap]],
) -> None:
    """Record which of a run's ``stored`` days were made without games, and gaps that the run itself
    declared."""
    new = {g.game_id: g for gaps in used.values() for g in gaps if g not in known.declared}
    if new:
        save_declared(instance, [*load_gaps(instance).declared, *new.values()])
    before = known.used.get(table, {})
    after = {day: games for day, games in before.items() if day not in stored}
    after |= {day: tuple(g.game_id for g in gaps) for day, gaps in used.items()}
    if after != before:
        text = json.dumps({day.isoformat(): games for day, games in sorted(after.items())})
        write_values(instance, {_USED + table: text})


def _gap(values: Mapping[str, Any]) -> Gap:
    until = values["until"] and date.fromisoformat(values["until"])
    day, tables = date.fromisoformat(values["day"]), tuple(values["tables"])
    return Gap(**{**values, "day": day, "until": until, "tables": tables})


def _days(text: str) -> dict[date, tuple[str, ...]]:
    return {date.fromisoformat(day): tuple(games) for day, games in json.loads(text).items()}


def _plain(value: object) -> str:
    return str(value)
