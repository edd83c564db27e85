"""The inputs of a range run: which days have all of theirs, and the frames.

Belongs here: reading inputs once for the whole range, and naming what is missing. Does not belong here:
computing (``range_run.py``), which inputs a table has (``recipes/``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from nba_pipeline.checks.history import HISTORY_COMPLETE
from nba_pipeline.failures import FailureClass
from nba_pipeline.rangerun.job import RangeJob
from nba_pipeline.rangerun.outcome import CheckResult, DayFailure, OutcomeBuilder
from nba_pipeline.rangerun.schedule import SCHEDULE_COLUMNS, competitive_days, history_holes
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS
from nba_pipeline.tables.names import GAMES as SCHEDULE


def load_inputs(
    job: RangeJob, days: list[date], progress: OutcomeBuilder
) -> tuple[list[date], dict[str, pd.DataFrame], pd.DataFrame | None]:
    """(days whose inputs are all there, input frames by table, the schedule of the days)."""
    for given in job.recipe.same_day:
        present = job.store.manifest(job.tables[given.table])
        for day in days:
            if day not in present and day not in progress.failed:
                progress.failed[day] = incomplete(
                    day, f"{given.table} has no partition {day}, which {job.table.full_name} is made from"
                )
    if job.recipe.history:
        for day, message in _holes(job, days).items():
            failure = progress.failed.setdefault(day, incomplete(day, message))
            progress.checks.append(CheckResult(HISTORY_COMPLETE, day, False, 0, 1, failure.sample))
    ready = [day for day in days if day not in progress.failed]
    frames = {i.table: job.store.read(job.tables[i.table], ready, i.columns) for i in job.recipe.same_day}
    if ready:
        past = span(max(job.start, ready[0] - timedelta(days=LOOKBACK_DAYS)), ready[-1] - timedelta(days=1))
        frames |= {i.table: job.store.read(job.tables[i.table], past, i.columns) for i in job.recipe.history}
    schedule = frames.get(SCHEDULE)
    if schedule is None and job.recipe.table != SCHEDULE:
        schedule = job.store.read(job.tables[SCHEDULE], ready, SCHEDULE_COLUMNS)
    return ready, frames, schedule


def incomplete(day: date, message: str) -> DayFailure:
    sample = pd.DataFrame([{"failure_class": FailureClass.INCOMPLETE_INPUT.value, "message": message}])
    return DayFailure(day, FailureClass.INCOMPLETE_INPUT, 1, message, sample)


def _holes(job: RangeJob, days: Sequence[date]) -> dict[date, str]:
    """Days whose look-back lacks a day with competitive games, or a day of which the schedule itself is
    missing."""
    first = max(job.start, days[0] - timedelta(days=LOOKBACK_DAYS))
    past = span(first, days[-1] - timedelta(days=1))
    scheduled = job.store.manifest(job.tables[SCHEDULE])
    games = job.store.read(job.tables[SCHEDULE], past, SCHEDULE_COLUMNS)
    needed = competitive_days(games) | {day for day in past if day not in scheduled}
    messages: dict[date, str] = {}
    for given in job.recipe.history:
        present = job.store.manifest(job.tables[given.table])
        for day, missing in history_holes(days, needed, present, LOOKBACK_DAYS).items():
            shown = ", ".join(map(str, missing[:5])) + (
                f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            )
            how = f"make them first (`nba-pipeline backfill --start {missing[0]} --end {missing[-1]}`)"
            if missing[0] == max(
                job.start, day - timedelta(days=LOOKBACK_DAYS)
            ):  # not a hole: nothing is there before some day
                how += ", or set NBA_PIPELINE_START_DATE to the first day that you want"
            messages.setdefault(
                day,
                f"{given.table} lacks {len(missing)} day(s) of the {LOOKBACK_DAYS} before {day}: {shown};"
                f" {how}",
            )
    return messages
