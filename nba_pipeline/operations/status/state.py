"""What is true now: each day of each table from the Dagster instance and the warehouse together.

Belongs here: reading the state. Does not belong here: printing it (``cli/``) or acting on it
(``execute.py``).

Dagster knows which days are green, red or running; the warehouse knows rows and why a day is empty. A day
counts as materialized only if both know it: a warehouse folder that was deleted shows its days as missing,
not as good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.backfill.requests import load_requests
from nba_pipeline.operations.graph import days_depending_on
from nba_pipeline.orchestration.history import cells, failures
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, Store

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class TableState:
    """All days of one table, each in exactly one of materialized, failed, blocked, in_progress, missing."""

    table: str
    materialized: Mapping[date, ManifestEntry]
    failed: Mapping[date, Failed]
    blocked: Mapping[date, str]
    in_progress: frozenset[date]
    missing: frozenset[date]
    corrupt: Mapping[date, str] = field(default_factory=dict)
    """Stored days that cannot be read; they are among the failed."""

    @property
    def rows(self) -> int:
        return sum(entry.row_count for entry in self.materialized.values())

    @property
    def empty(self) -> dict[str, int]:
        """Materialized days without rows, counted by reason."""
        reasons: dict[str, int] = {}
        for entry in self.materialized.values():
            if entry.row_count == 0:
                reason = entry.reason or "unknown"
                reasons[reason] = reasons.get(reason, 0) + 1
        return dict(sorted(reasons.items()))


def read_state(
    instance: dg.DagsterInstance,
    store: Store,
    tables: TableRegistry,
    recipes: Sequence[Recipe],
    days: Sequence[date],
    partitions: dg.DailyPartitionsDefinition,
) -> dict[str, TableState]:
    """The state of every table, restricted to ``days``; plans in dependency order."""
    states: dict[str, TableState] = {}
    bad: dict[str, set[date]] = {}
    wanted = set(days)
    for recipe in recipes:
        green, red, running = cells(instance, recipe.table, partitions)
        entries, corrupt = _manifest(store, tables, recipe.table)
        explained = failures(instance, recipe.table, red)  # other red days were only interrupted
        failed = {d: f for d, f in explained.items() if d in wanted}
        for day in corrupt:
            if day in wanted and day not in running:
                failed[day] = Failed(
                    day,
                    FailureClass.UNPARSEABLE_SOURCE.value,
                    f"the stored partition cannot be read: {corrupt[day]}",
                )
        materialized = {d: entries[d] for d in days if d in green and d in entries and d not in failed}
        open_days = [d for d in days if d not in materialized and d not in failed and d not in running]
        blocked = days_depending_on(
            recipe, _asked(instance, recipe.table, open_days, touched=bool(green or red or running)), bad
        )
        states[recipe.table] = TableState(
            recipe.table,
            materialized,
            dict(sorted(failed.items())),
            blocked,
            frozenset(running & wanted - set(failed)),
            frozenset(d for d in open_days if d not in blocked),
            corrupt,
        )
        bad[recipe.table] = {*explained, *failed, *blocked}
    return states


def _asked(instance: dg.DagsterInstance, table: str, days: list[date], *, touched: bool) -> list[date]:
    """The days that somebody wants: those asked for on the command line; where it was never asked, every day
    of a table that the UI has runs of, and no day of a table that nothing has ever been made of."""
    asked = load_requests(instance, table)
    if asked is None:
        return days if touched else []
    return [day for day in days if day in asked]


def _manifest(
    store: Store, tables: TableRegistry, table: str
) -> tuple[Mapping[date, ManifestEntry], dict[date, str]]:
    try:
        return store.manifest(tables[table]), {}
    except CorruptPartition as error:
        return error.readable, {day: str(path) for day, path in error.paths.items()}


def as_json(states: Mapping[str, TableState]) -> dict[str, Any]:
    """The documented, stable JSON of `nba-pipeline status --json`."""
    return {
        "tables": {
            name: {
                "materialized": len(state.materialized),
                "empty": state.empty,
                "failed": [
                    {"date": f.day.isoformat(), "class": f.failure_class, "message": f.message}
                    for f in state.failed.values()
                ],
                "blocked": len(state.blocked),
                "in_progress": len(state.in_progress),
                "missing": len(state.missing),
                "rows": state.rows,
            }
            for name, state in states.items()
        }
    }
