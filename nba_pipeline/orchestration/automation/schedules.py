"""The morning schedule: a safety net under the sensors, in the league's own time zone.

Belongs here: what runs at a time of day. Does not belong here: what runs because something changed
(``conditions.py``).
"""

# No `from __future__ import annotations`: Dagster looks at the type of a schedule's `context`.
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nba_pipeline.clock import TIMEZONE
from nba_pipeline.orchestration.automation.source_sensor import range_tags

DAYS_AGAIN = 4
"""Today's slate, yesterday, and two more: scores of a night are corrected for a day or two, and a missed
morning is made up."""


def morning_schedule(
    job: Any, partitions: dg.DailyPartitionsDefinition, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Every day at 06:30 in New York: the raw tables of yesterday's games, of today's slate and of the two
    days before.

    Results of yesterday are due by then (``clock.RESULTS_BY``): a game that is still "scheduled" makes its
    day red, and an alert. Content that is the same as before starts nothing downstream.
    """

    @dg.schedule(
        name="morning",
        job=job,
        cron_schedule="30 6 * * *",
        execution_timezone=TIMEZONE,
        default_status=status,
        description=(
            "Yesterday's games and today's slate, whatever the source sensor has seen; unchanged content"
            " starts nothing."
        ),
    )
    def morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time
        keys = partitions.get_partition_keys(current_time=now)
        if not keys:
            return dg.SkipReason(f"the first partition, {partitions.start.date()}, has not begun yet")
        last = date.fromisoformat(keys[-1])
        first = max(date.fromisoformat(keys[0]), last - timedelta(days=DAYS_AGAIN - 1))
        return dg.RunRequest(run_key=f"morning {last}", tags=range_tags(first, last))

    return morning


def daily(
    name: str, job: Any, cron: str, status: dg.DefaultScheduleStatus, description: str
) -> dg.ScheduleDefinition:
    """A job once a day at a time of New York."""
    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        default_status=status,
        description=description,
    )
