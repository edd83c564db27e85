"""Everything that runs by itself, put together: jobs, sensors, schedules and standing checks.

Belongs here: names, intervals, tags of automatic runs. Does not belong here: rules (``conditions.py``), what
is on where (``switches.py``).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.automation import inventory, switches
from nba_pipeline.orchestration.automation.alert_sensor import alert_sensor
from nba_pipeline.orchestration.automation.currency import Currency
from nba_pipeline.orchestration.automation.schedules import daily, morning_schedule
from nba_pipeline.orchestration.automation.source_sensor import JOB as RAW_JOB
from nba_pipeline.orchestration.automation.source_sensor import raw_job, source_sensor
from nba_pipeline.orchestration.declared_gaps import gap_jobs
from nba_pipeline.settings import Settings
from nba_pipeline.tables.names import CACHE, CONTEXT, FEATURES

CONTINUE_SECONDS = 30
"""How long the automation rests between two ticks: a tick over five years takes a second, and people notice
half a minute."""
SERVING = (
    CONTEXT,
    CACHE,
    FEATURES,
)
"""The tables that others read every day."""


@dataclass(frozen=True)
class Automation:
    """What ``dg.Definitions`` is given besides assets and resources."""

    checks: list[dg.AssetChecksDefinition]
    jobs: list[Any]
    sensors: list[dg.SensorDefinition]
    schedules: list[dg.ScheduleDefinition]


def automation(settings: Settings, currency: Currency) -> Automation:
    """All of it; what is running by default is said by the settings' environment and ``switches.ON``."""
    # The raw tables' policies differ on purpose (see partitions.py), and the job's ranges are cut to the
    # smaller of them.
    warnings.filterwarnings(
        "ignore", message=f"Asset job {RAW_JOB} materializes assets with varying BackfillPolicies"
    )
    where, days = settings.environment, currency.partitions
    raw = raw_job()
    standing = inventory.standing_checks(currency, SERVING)
    counting = _counting_job(standing)
    return Automation(
        checks=[standing],
        jobs=[raw, counting, *gap_jobs(currency.tables)],
        sensors=[
            source_sensor(
                currency.tables,
                days,
                settings.max_days_per_tick,
                settings.days_per_run - 1,
                switches.sensor_status(where, switches.SOURCE_CHANGES),
            ),
            _continue_and_restate(switches.sensor_status(where, switches.CONTINUE)),
            alert_sensor(settings.alerts, switches.sensor_status(where, switches.ALERTS)),
        ],
        schedules=[
            morning_schedule(raw, days, switches.schedule_status(where, switches.MORNING)),
            daily(
                inventory.JOB,
                counting,
                "0 9 * * *",
                switches.schedule_status(where, switches.INVENTORY),
                "The standing checks of every table, when the night's work should be done.",
            ),
        ],
    )


def _counting_job(standing: dg.AssetChecksDefinition) -> Any:
    return dg.define_asset_job(
        inventory.JOB,
        selection=dg.AssetSelection.checks(standing),
        description=(
            "Counts the failed, missing and stale days of every table and asks for the newest day of the"
            " serving tables."
        ),
    )


def _continue_and_restate(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    with warnings.catch_warnings():
        # use_user_code_server is beta: conditions of our own can only be evaluated where our code is.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.AutomationConditionSensorDefinition(
            switches.CONTINUE,
            target=dg.AssetSelection.all(),
            minimum_interval_seconds=CONTINUE_SECONDS,
            default_status=status,
            run_tags={
                "dagster/priority": "5"
            },  # behind tonight's raw days, before backfills that people start
            use_user_code_server=True,
            description=(
                "Makes what is due: the next phase of a day whose inputs arrived, and the later days that a"
                " correction reaches."
            ),
        )
