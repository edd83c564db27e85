"""How long this machine takes: measured in earlier backfills, kept in the Dagster instance, used for expected
times.

Belongs here: remembering runs, days and seconds per table, and what `plan` expects of them. Does not belong
here: what is planned (``plan.py``), what follows from measurements (``eta.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from nba_pipeline.operations.backfill.estimate import Measured, costs, seconds_left
from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.operations.backfill.plan import PipelinePlan, PlannedTable
from nba_pipeline.operations.backfill.tasks import tasks_of
from nba_pipeline.orchestration.instance.values import read_values, write_values

if TYPE_CHECKING:
    import dagster as dg

_KEY = "nba_pipeline/pace/runs/"
# backfills per table: enough to tell the cost of a run from that of a day, few enough to follow a new machine
_KEPT = 20


def save_timings(instance: dg.DagsterInstance, results: Mapping[str, TableResult]) -> None:
    """Add what a backfill took to what is known of its tables."""
    new = {
        name: Measured.of(len(r.run_ids), {*r.good, *r.failed}, round(r.seconds, 3))
        for name, r in results.items()
        if r.run_ids and (r.good or r.failed)
    }
    known = load_timings(instance, new)
    values = {
        _KEY + name: json.dumps([astuple(m) for m in [*known[name], one][-_KEPT:]])
        for name, one in new.items()
    }
    write_values(instance, values)


def load_timings(instance: dg.DagsterInstance, tables: Iterable[str]) -> dict[str, list[Measured]]:
    """What earlier backfills of each table took, oldest first; an empty list where there were none."""
    names = list(tables)
    values = read_values(instance, (_KEY + name for name in names))
    return {name: [Measured(*row) for row in json.loads(values.get(_KEY + name, "[]"))] for name in names}


def expected_rows(table: PlannedTable) -> int | None:
    """Rows that the planned days will have: what they have now, else the average of the days that are stored;
    None if nothing is stored."""
    if not table.reasons:
        return 0
    stored = table.stored_rows
    if not stored:
        return None
    average = sum(stored.values()) / len(stored)
    return round(sum(stored.get(day, average) for day in table.reasons))


def expectations(plan: PipelinePlan, history: Mapping[str, list[Measured]]) -> dict[str, dict[str, Any]]:
    """Per table ``expected_rows`` and ``expected_seconds`` of work, each None where nothing is known yet."""
    cost = costs(plan.tables, history)
    found = {}
    for name, runs in plan.runs().items():
        table = plan.tables[name]
        seconds = cost.of(name, Measured.of(len(runs), table.reasons)) if runs else 0.0
        known = bool(history.get(name)) or not runs
        found[name] = {
            "expected_rows": expected_rows(table),
            "expected_seconds": round(seconds, 1) if known else None,
        }
    return found


def expected_clock(plan: PipelinePlan, history: Mapping[str, list[Measured]], slots: int) -> float | None:
    """Seconds on the clock until the plan is carried out; None if a planned table has never been measured."""
    cost = costs((name for name, table in plan.tables.items() if table.reasons), history)
    return seconds_left(cost, [], tasks_of(plan.request()), slots, 0.0)
