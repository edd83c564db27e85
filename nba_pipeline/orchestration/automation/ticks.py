"""One tick of the declarative automation in this process: what the sensor would request now.

Belongs here: asking Dagster's own evaluation of the conditions. Does not belong here: the conditions
(``conditions.py``), running what is requested.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from nba_pipeline.clock import TIMEZONE


@dataclass(frozen=True)
class Tick:
    """Days that were requested of each table, in dependency order, and what the conditions remember for the
    next tick."""

    requested: dict[str, list[date]]
    cursor: Any


def evaluate(defs: dg.Definitions, instance: dg.DagsterInstance, today: date, cursor: Any = None) -> Tick:
    """Evaluate every condition as on noon of ``today``, whatever the real date: that is the newest partition.

    ``cursor``: of the tick before. Nothing is run.
    """
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo(TIMEZONE))
    result = dg.evaluate_automation_conditions(
        defs=defs,
        instance=instance,
        asset_selection=dg.AssetSelection.all(),
        cursor=cursor,
        evaluation_time=noon,
    )
    keys = [
        key
        for key in defs.resolve_asset_graph().toposorted_asset_keys
        if result.get_requested_partitions(key)
    ]
    days = {
        ".".join(k.path): sorted(date.fromisoformat(str(p)) for p in result.get_requested_partitions(k))
        for k in keys
    }
    return Tick(days, result.cursor)
