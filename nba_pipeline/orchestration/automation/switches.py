"""What is on where: the one map from environments to sensors and schedules.

Belongs here: the map. Does not belong here: what the sensors and schedules do.
"""

from __future__ import annotations

import dagster as dg

SOURCE_CHANGES, CONTINUE, ALERTS, MORNING, INVENTORY = (
    "source_changes",
    "continue_and_restate",
    "alerts",
    "morning",
    "inventory",
)

ON: dict[str, frozenset[str]] = {
    "production": frozenset({SOURCE_CHANGES, CONTINUE, ALERTS, MORNING, INVENTORY}),
    "staging": frozenset({CONTINUE, ALERTS, INVENTORY}),
    "development": frozenset(),
}
"""Environment (NBA_PIPELINE_ENVIRONMENT) -> what runs as soon as the code location is loaded. Whatever is not
here is stopped until somebody starts it in the UI. There is no default environment: a clone on a laptop that
was forgotten in production costs a day, a laptop that writes to production costs more."""


def sensor_status(environment: str | None, name: str) -> dg.DefaultSensorStatus:
    """Whether the sensor is on by default; raises KeyError for an environment that is not in the map."""
    on = environment is not None and name in ON[environment]
    return dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED


def schedule_status(environment: str | None, name: str) -> dg.DefaultScheduleStatus:
    """The same for a schedule."""
    on = environment is not None and name in ON[environment]
    return dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
