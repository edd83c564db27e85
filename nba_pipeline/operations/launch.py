"""One range run in this process, recorded in the instance like a run that the UI launched.

Belongs here: what Dagster needs to be told for such a run. Does not belong here: which ranges (``execute.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
LAUNCHED_BY = "nba_pipeline/launched_by"


def execute_range(
    defs: dg.Definitions, instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey], first: date, last: date, run_config: Mapping[str, Any]
) -> dg.ExecuteInProcessResult:
    """Execute the assets for the days first..last. Failures are in the result, not raised.

    The run's own log goes to the event log as always; the copy on the console is left out, since the command line
    prints a summary and the traceback of a bad day belongs where its run is.
    """
    job = defs.get_implicit_global_asset_job_def()
    config = {**run_config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    return job.execute_in_process(
        run_config=config,
        instance=instance,
        asset_selection=list(keys),
        tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat(), LAUNCHED_BY: "nba-pipeline"},
        raise_on_error=False,
    )
