"""Computing a set of days together, and finding the days to blame where that fails.

Belongs here: ``Attempt`` and ``isolated``. Does not belong here: what becomes of computed days
(``range_run.py``), reading inputs (``inputs.py``).
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.checks.suite import Examination, examine
from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline.rangerun.gaps import Gap, noted, without_games
from nba_pipeline.rangerun.job import RangeJob
from nba_pipeline.rangerun.outcome import DayFailure, OutcomeBuilder

_MAX_FRUITLESS_PROBES = 24
"""After so many failed attempts without a good day the defect is not in single days; the rest is not tried.
"""


_OF_ALL = (FailureClass.SOURCE_UNAVAILABLE, FailureClass.UNPARSEABLE_SOURCE)
"""Errors that concern every day when they name none: a source that is down is not asked again for each half
of the range."""


@dataclass(frozen=True)
class Attempt:
    """A computed and examined set of days."""

    days: list[date]
    computed: pd.DataFrame
    examination: Examination
    unusable: pd.DataFrame


def isolated(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    progress: OutcomeBuilder,
    fruitless: list[int],
    gaps: Collection[Gap] = (),
) -> list[Attempt]:
    """Compute the days together; where that fails, find the days to blame and compute the others without
    them."""
    if not days:
        return []
    try:
        attempt = _attempt(job, frames, days, gaps)
    except PipelineError as error:
        if error.failure_class in _OF_ALL or set(error.days) & set(days) or len(days) == 1:
            failures = failures_of(error, days)
            progress.failed.update(failures)
            rest = [d for d in days if d not in failures]
            return isolated(job, frames, rest, progress, fruitless, gaps)
        return _halved(job, frames, days, progress, fruitless, error, gaps)
    except Exception as error:
        return _halved(job, frames, days, progress, fruitless, error, gaps)
    fruitless[0] = 0
    return [attempt]


def _halved(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    progress: OutcomeBuilder,
    fruitless: list[int],
    error: Exception,
    gaps: Collection[Gap],
) -> list[Attempt]:
    """Try both halves of days that failed together with an error that names none of them."""
    fruitless[0] += 1
    if len(days) == 1 or fruitless[0] > _MAX_FRUITLESS_PROBES:
        progress.failed.update(
            failures_of(error, days)
            if isinstance(error, PipelineError)
            else {d: _code_error(d, error) for d in days}
        )
        return []
    half = len(days) // 2
    return [
        *isolated(job, frames, days[:half], progress, fruitless, gaps),
        *isolated(job, frames, days[half:], progress, fruitless, gaps),
    ]


def stamps(days: Sequence[date]) -> pd.DatetimeIndex:
    """Days as the values of a ``game_date`` column."""
    return pd.DatetimeIndex(pd.to_datetime(list(days))).as_unit("s")


def _attempt(
    job: RangeJob, frames: Mapping[str, pd.DataFrame], days: list[date], gaps: Collection[Gap]
) -> Attempt:
    wanted = stamps(days)
    same_day = {i.table for i in job.recipe.same_day}
    given = {
        name: frame[frame["game_date"].isin(wanted)].reset_index(drop=True) if name in same_day else frame
        for name, frame in frames.items()
    }
    made = job.recipe.compute(job.source, given, days)
    published = without_games(made.frame, gaps) if gaps and job.recipe.read else made.frame
    computed = published.reset_index(drop=True)
    if computed["game_date"].isna().any():
        raise SchemaDrift(
            f"{job.table.full_name}: {int(computed['game_date'].isna().sum())} row(s) have no game_date, so"
            " they belong to no day"
        )
    examination = examine(
        job.table,
        wanted,
        computed,
        given,
        history=frozenset(i.table for i in job.recipe.history),
        recompute=lambda inputs, some_days: job.recipe.compute(job.source, inputs, some_days).frame,
    )
    return Attempt(days, computed, examination, noted(made.unusable, made.frame, gaps))


def failures_of(error: PipelineError, days: Sequence[date]) -> dict[date, DayFailure]:
    concerned = set(error.days) & set(days) or set(days)
    return {day: DayFailure(day, error.failure_class, 1, str(error)) for day in sorted(concerned)}


def _code_error(day: date, error: Exception) -> DayFailure:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown place"
    sample = pd.DataFrame([{"message": "".join(traceback.format_exception(error))[-4000:]}])
    return DayFailure(day, FailureClass.CODE_ERROR, 1, f"{type(error).__name__} at {where}: {error}", sample)
