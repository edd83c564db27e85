"""How long this machine takes: measured in earlier backfills, kept in the Dagster instance, used for expected times.

Belongs here: remembering runs, days and seconds per table, and expectations drawn from them. Does not belong here: what
is planned (``plan.py``), progress of a backfill that runs (``cli/show.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg
import numpy as np

from nba_pipeline.instance.values import read_values, write_values
from nba_pipeline.operations.execute import TableResult
from nba_pipeline.operations.plan import PlannedTable

_KEY = "nba_pipeline/pace/"
_KEPT = 20  # backfills per table: enough to tell the cost of a run from that of a day, few enough to follow a new machine


@dataclass(frozen=True)
class Measured:
    """One backfill of one table: its runs, the days they settled, and the seconds they took."""

    runs: int
    days: int
    seconds: float


def remember_pace(instance: dg.DagsterInstance, results: Mapping[str, TableResult]) -> None:
    """Add what a backfill took to what is known of its tables."""
    new = {
        name: Measured(len(r.run_ids), len(r.good) + len(r.failed), round(r.seconds, 3))
        for name, r in results.items()
        if r.run_ids and (r.good or r.failed)
    }
    known = recall_pace(instance, new)
    values = {_KEY + name: json.dumps([[m.runs, m.days, m.seconds] for m in [*known[name], one][-_KEPT:]]) for name, one in new.items()}
    write_values(instance, values)


def recall_pace(instance: dg.DagsterInstance, tables: Iterable[str]) -> dict[str, list[Measured]]:
    """What earlier backfills of each table took, oldest first; an empty list where there were none."""
    names = list(tables)
    values = read_values(instance, (_KEY + name for name in names))
    return {name: [Measured(*row) for row in json.loads(values.get(_KEY + name, "[]"))] for name in names}


def expected_seconds(history: Iterable[Measured], runs: int, days: int) -> float | None:
    """Seconds for so many runs and days; None if the table has never been measured.

    A run costs something and a day costs something. Both are fitted to the measurements, in shares of the measured time
    so that one long backfill does not drown the short ones; where they cannot be told apart, each day costs the average.
    """
    measured = list(history)
    if not days:
        return 0.0
    if not measured:
        return None
    took = np.array([max(m.seconds, 1e-3) for m in measured])
    facts = np.array([[m.runs, m.days] for m in measured], dtype="float64")
    if np.linalg.matrix_rank(facts) == 2:
        per_run, per_day = np.linalg.lstsq(facts / took[:, None], np.ones(len(took)), rcond=None)[0]
        if per_run >= 0 and per_day >= 0:
            return float(per_run * runs + per_day * days)
    return float(took.sum() / facts[:, 1].sum() * days)


def expected_rows(table: PlannedTable) -> int | None:
    """Rows that the planned days will have: what they have now, else the average of the days that are stored; None if
    nothing is stored."""
    if not table.reasons:
        return 0
    stored = table.stored_rows
    if not stored:
        return None
    average = sum(stored.values()) / len(stored)
    return round(sum(stored.get(day, average) for day in table.reasons))


def expectations(tables: Mapping[str, PlannedTable], runs: Mapping[str, int], pace: Mapping[str, list[Measured]]) -> dict[str, dict]:
    """Per table ``expected_rows`` and ``expected_seconds``, each None where nothing is known yet."""
    found = {}
    for name, table in tables.items():
        seconds = expected_seconds(pace.get(name, []), runs[name], len(table.reasons))
        found[name] = {"expected_rows": expected_rows(table), "expected_seconds": None if seconds is None else round(seconds, 1)}
    return found
