"""The quarantine: what was refused, why, and putting it right.

Belongs here: reading the ``__rejected`` tables, and turning them into a request that makes their days again.
Does not belong here: refusing rows (``rangerun/range_run.py``), printing (``cli/``).

A replay makes the day again from its inputs, where the input was to blame with its raw day fetched again,
under the quarantine policy: rows that are sound now are written back, the quarantine of the day keeps what is
still refused, and rows computed = stored + rejected holds before and after.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nba_pipeline.failures import ConfigurationError, FailureClass
from nba_pipeline.operations.backfill.retry import INPUT_TO_BLAME, raw_parents
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.rangerun.lineage import readable_manifest
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store


@dataclass(frozen=True)
class Rejected:
    """One refused row: where it belongs, why it was refused, and what it was computed from."""

    table: str
    day: date
    failure_class: str
    check: str
    column: str
    message: str
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    inputs: Any

    @property
    def remedy(self) -> str:
        return FailureClass(self.failure_class).remedy.replace(
            "nba-pipeline retry", "nba-pipeline rejected replay"
        )


@dataclass(frozen=True)
class Balance:
    """Rows of one day of one table: stored and refused."""

    stored: int
    rejected: int


def read_rejected(
    store: Store, tables: TableRegistry, recipes: Sequence[Recipe], days: Iterable[date]
) -> list[Rejected]:
    """Every refused row of these tables and days, by table in pipeline order, then day."""
    wanted = set(days)
    found = []
    for recipe in recipes:
        quarantine = tables[recipe.table].rejected()
        held = [
            d for d, entry in readable_manifest(store, quarantine).items() if entry.row_count and d in wanted
        ]
        for row in store.read(quarantine, held).to_dict("records") if held else ():
            found.append(_rejected(recipe.table, row))
    return found


def refused_days(store: Store, tables: TableRegistry, recipes: Sequence[Recipe]) -> dict[str, set[date]]:
    """The days of each table that lack rows because they were refused."""
    manifests = {
        recipe.table: readable_manifest(store, tables[recipe.table].rejected()) for recipe in recipes
    }
    return {name: {day for day, entry in held.items() if entry.row_count} for name, held in manifests.items()}


def balances(
    store: Store, tables: TableRegistry, rejected: Iterable[Rejected]
) -> dict[tuple[str, date], Balance]:
    """Stored and refused rows of every (table, day) that has refused rows."""
    cells = sorted({(r.table, r.day) for r in rejected})
    return {(table, day): balance(store, tables, table, day) for table, day in cells}


def balance(store: Store, tables: TableRegistry, table: str, day: date) -> Balance:
    """Stored and refused rows of one day."""
    counts = [readable_manifest(store, t).get(day) for t in (tables[table], tables[table].rejected())]
    stored, refused = (0 if entry is None else entry.row_count for entry in counts)
    return Balance(stored, refused)


def replay_request(
    recipes: Sequence[Recipe],
    rejected: Iterable[Rejected],
    all_plans: Sequence[Recipe],
    states: Mapping[str, TableState],
) -> Backfill:
    """The days with refused rows of ``plans``, the raw days they were made from where the input is to blame,
    and the same day of every table between the two and after them that was made or tried: what a row that
    comes back changes.

    ConfigurationError when there is nothing to replay.
    """
    by_name = {recipe.table: recipe for recipe in all_plans}
    names = {recipe.table for recipe in recipes}
    days: dict[str, set[date]] = {}
    for row in rejected:
        if row.table in names:
            days.setdefault(row.table, set()).add(row.day)
            if FailureClass(row.failure_class) in INPUT_TO_BLAME:
                for raw in raw_parents(by_name, row.table):
                    days.setdefault(raw, set()).add(row.day)
    if not days:
        raise ConfigurationError(
            "there is nothing to replay: no row of these tables and days is in quarantine"
        )
    for recipe in all_plans:
        for given in recipe.same_day:
            state = states[recipe.table]
            changed = days.get(given.table, set())
            days.setdefault(recipe.table, set()).update(
                d for d in changed if d in state.materialized or d in state.failed or d in state.blocked
            )
    return Backfill([p for p in all_plans if days.get(p.table)], days, "quarantine")


def as_json(
    rejected: Sequence[Rejected], counts: Mapping[tuple[str, date], Balance], *, rows: bool
) -> dict[str, Any]:
    """The documented JSON of `nba-pipeline rejected list` and, with ``rows``, of `show`."""
    days = [
        {
            "table": table,
            "date": day.isoformat(),
            "stored": count.stored,
            "rejected": count.rejected,
            "classes": _counted(r.failure_class for r in rejected if (r.table, r.day) == (table, day)),
        }
        for (table, day), count in counts.items()
    ]
    return {"rejected": sum(c.rejected for c in counts.values()), "days": days} | (
        {"rows": [_plain(r) for r in rejected]} if rows else {}
    )


def _plain(row: Rejected) -> dict[str, Any]:
    return {
        "table": row.table,
        "date": row.day.isoformat(),
        "class": row.failure_class,
        "check": row.check,
        "column": row.column,
        "message": row.message,
        "key": row.key,
        "inputs": row.inputs,
        "row": row.values,
        "what_to_do": row.remedy,
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    listed = list(values)
    return {value: listed.count(value) for value in sorted(set(listed))}


def _rejected(table: str, row: Mapping[Any, Any]) -> Rejected:
    text = {
        name: "" if value is None or value != value else str(value)
        for name, value in row.items()
        if name != "game_date"
    }
    return Rejected(
        table,
        row["game_date"].date(),
        text["failure_class"],
        text["check_name"],
        text["column_name"],
        text["message"],
        json.loads(text["row_key"]),
        json.loads(text["row_values"]),
        _parsed(text["inputs"]),
    )


def _parsed(text: str) -> Any:
    """The inputs as JSON where they are JSON; a text that is not is shown as it is."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text
