"""Requests: the partitions that the command line was told to materialize, kept in the Dagster instance.

Belongs here: saving and loading them. Does not belong here: what became of them (``status/state.py``).

A day that depends on a failed one has left no trace in the event log, and neither has a day that nobody ever
wanted; the first is blocked and a retry has to materialize it, the second is only missing.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.orchestration.instance.values import read_values, write_values
from nba_pipeline.ranges import contiguous, span

if TYPE_CHECKING:
    import dagster as dg

_KEY = "nba_pipeline/asked/"  # as earlier versions wrote it


def save_request(instance: dg.DagsterInstance, backfill: Backfill) -> None:
    """Add the days of a backfill to those that were requested."""
    names = [recipe.table for recipe in backfill.recipes]
    known = {name: load_requests(instance, name) or set() for name in names}
    values = {}
    for name in names:
        days = known[name] | set(backfill.days.get(name, ()))
        values[_KEY + name] = json.dumps([[a.isoformat(), b.isoformat()] for a, b in contiguous(days)])
    write_values(instance, values)


def load_requests(instance: dg.DagsterInstance, table: str) -> set[date] | None:
    """The days of the table that were requested on the command line; None if none ever was."""
    text = read_values(instance, [_KEY + table]).get(_KEY + table)
    if text is None:
        return None
    return {
        day
        for first, last in json.loads(text)
        for day in span(date.fromisoformat(first), date.fromisoformat(last))
    }
