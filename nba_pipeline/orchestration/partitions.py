"""Days as Dagster partitions: the daily definition, the look-back mapping and the backfill policies.

Belongs here: what Dagster is told about partitions, with the numbers and their reasons.
Does not belong here: season dates (``tables/calendar.py``) and selecting history (``formulas/windows.py``).
"""

from __future__ import annotations

import warnings
from datetime import date, timedelta

import dagster as dg

from nba_pipeline.clock import TIMEZONE
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS


def daily_partitions(start: date, last: date | None = None) -> dg.DailyPartitionsDefinition:
    """One partition per US Eastern calendar day, from ``start`` to today: features of tonight's games are
    wanted before them.

    ``last``: no day after it is a partition, for a source whose history has an end.
    """
    end = (
        None if last is None else (last + timedelta(days=1)).isoformat()
    )  # Dagster's end_date is the first day that is none
    return dg.DailyPartitionsDefinition(
        start_date=start.isoformat(), end_date=end, timezone=TIMEZONE, end_offset=1
    )


def backfill_policy(level: int, days_per_run: int) -> dg.BackfillPolicy:
    """The policy of a table at this level of the graph, where a run may hold so many days
    (``Settings.days_per_run``).

    Levels differ on purpose: the daemon puts assets with *equal* policies and an identity mapping into one
    run, where a bad day upstream would stop the whole range downstream (see framework tests, fact F3).
    """
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=days_per_run - level)


def lookback_mapping() -> dg.TimeWindowPartitionMapping:
    """Day D depends on the LOOKBACK_DAYS days before it, strictly. Days before the first partition are no
    obstacle."""
    with warnings.catch_warnings():
        # allow_nonexistent_upstream_partitions is beta; the framework tests pin it (fact F10), users need not
        # be told.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=-LOOKBACK_DAYS, end_offset=-1, allow_nonexistent_upstream_partitions=True
        )
