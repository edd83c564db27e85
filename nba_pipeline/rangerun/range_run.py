"""The range protocol without Dagster: load once, compute once, examine per day, write the good days.

Belongs here: what happens to a set of days of one table, from inputs to ``RangeOutcome``, the same for every
table. Does not belong here: Dagster events (``orchestration/``), rules (``checks/``), how a table is computed
(``transforms/``).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.checks.suite import Examination, checks_of, examine
from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline.rangerun.inputs import incomplete, load_inputs
from nba_pipeline.rangerun.job import InvalidRows, RangeJob
from nba_pipeline.rangerun.outcome import (
    CheckResult,
    DayFailure,
    OutcomeBuilder,
    RangeOutcome,
    StoredDay,
    failure_of_violations,
)
from nba_pipeline.rangerun.quarantine import write_rejected
from nba_pipeline.rangerun.schedule import (
    days_without_results,
    empty_reasons,
    overdue_games,
)
from nba_pipeline.rangerun.statistics import day_statistics, unusable_by_day
from nba_pipeline.tables.names import GAMES

_MAX_FRUITLESS_PROBES = 24
"""After so many failed attempts without a good day the defect is not in single days; the rest is not tried.
"""


_OF_ALL = (FailureClass.SOURCE_UNAVAILABLE, FailureClass.UNPARSEABLE_SOURCE)
"""Errors that concern every day when they name none: a source that is down is not asked again for each half
of the range."""


@dataclass(frozen=True)
class _Attempt:
    """A computed and examined set of days."""

    days: list[date]
    computed: pd.DataFrame
    examination: Examination
    unusable: pd.DataFrame


def run_range(job: RangeJob, days: Sequence[date]) -> RangeOutcome:
    """Materialize the days of one table; every day ends stored or failed, and no failure touches another
    day."""
    progress = OutcomeBuilder()
    if not days:
        return progress.outcome()
    clock = time.perf_counter()
    try:
        ready, frames, schedule = load_inputs(job, sorted(days), progress)
    except PipelineError as error:  # of no single day: nothing can be read
        progress.failed.update({d: DayFailure(d, error.failure_class, 1, str(error)) for d in days})
        ready, frames, schedule = [], {}, None
    clock = progress.timed("read", clock)
    attempts = _isolated(job, frames, ready, progress, fruitless=[0])
    clock = progress.timed("compute", clock)
    for attempt in attempts:
        _settle(job, attempt, schedule, progress)
    progress.timed("write", clock)
    return progress.outcome()


def preview(job: RangeJob, day: date) -> pd.DataFrame:
    """What a run would compute for the day from what is stored now, unrounded, examined by no check and
    written nowhere.

    For people who ask about a day that was refused. Raises ``PipelineError`` where inputs are missing.
    """
    progress = OutcomeBuilder()
    ready, frames, _ = load_inputs(job, [day], progress)
    if not ready:
        failure = progress.failed[day]
        raise PipelineError(failure.message, failure_class=failure.failure_class, days=[day])
    return job.recipe.compute(job.source, frames, [day]).frame.reset_index(drop=True)


# ------------------------------------------------------------------------------------------------------------
# compute


def _isolated(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    progress: OutcomeBuilder,
    fruitless: list[int],
) -> list[_Attempt]:
    """Compute the days together; where that fails, find the days to blame and compute the others without
    them."""
    if not days:
        return []
    try:
        attempt = _attempt(job, frames, days)
    except PipelineError as error:
        if error.failure_class in _OF_ALL or set(error.days) & set(days) or len(days) == 1:
            failures = _failures(error, days)
            progress.failed.update(failures)
            return _isolated(job, frames, [d for d in days if d not in failures], progress, fruitless)
        return _halved(job, frames, days, progress, fruitless, error)
    except Exception as error:
        return _halved(job, frames, days, progress, fruitless, error)
    fruitless[0] = 0
    return [attempt]


def _halved(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    progress: OutcomeBuilder,
    fruitless: list[int],
    error: Exception,
) -> list[_Attempt]:
    """Try both halves of days that failed together with an error that names none of them."""
    fruitless[0] += 1
    if len(days) == 1 or fruitless[0] > _MAX_FRUITLESS_PROBES:
        progress.failed.update(
            _failures(error, days)
            if isinstance(error, PipelineError)
            else {d: _code_error(d, error) for d in days}
        )
        return []
    half = len(days) // 2
    return [
        *_isolated(job, frames, days[:half], progress, fruitless),
        *_isolated(job, frames, days[half:], progress, fruitless),
    ]


def stamps(days: Sequence[date]) -> pd.DatetimeIndex:
    """Days as the values of a ``game_date`` column."""
    return pd.DatetimeIndex(pd.to_datetime(list(days))).as_unit("s")


def _attempt(job: RangeJob, frames: Mapping[str, pd.DataFrame], days: list[date]) -> _Attempt:
    wanted = stamps(days)
    same_day = {i.table for i in job.recipe.same_day}
    given = {
        name: frame[frame["game_date"].isin(wanted)].reset_index(drop=True) if name in same_day else frame
        for name, frame in frames.items()
    }
    made = job.recipe.compute(job.source, given, days)
    computed = made.frame.reset_index(drop=True)
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
    return _Attempt(days, computed, examination, made.unusable)


def _failures(error: PipelineError, days: Sequence[date]) -> dict[date, DayFailure]:
    concerned = set(error.days) & set(days) or set(days)
    return {day: DayFailure(day, error.failure_class, 1, str(error)) for day in sorted(concerned)}


def _code_error(day: date, error: Exception) -> DayFailure:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown place"
    sample = pd.DataFrame([{"message": "".join(traceback.format_exception(error))[-4000:]}])
    return DayFailure(day, FailureClass.CODE_ERROR, 1, f"{type(error).__name__} at {where}: {error}", sample)


# ----------------------------------------------------------------------------------------------------------
# settle


def _settle(
    job: RangeJob, attempt: _Attempt, schedule: pd.DataFrame | None, progress: OutcomeBuilder
) -> None:
    """Decide each day of an attempt, write the good ones, and note what is to be said of all."""
    found = attempt.examination.violations.assign(date=lambda v: v["day"].dt.date)
    conformed = attempt.examination.conformed
    fatal = found if job.on_invalid_rows is InvalidRows.FAIL else found[found["row"].isna()]
    failed = {day: failure_of_violations(day, rows) for day, rows in fatal.groupby("date")}
    rejected = found[~found["date"].isin(list(failed))]
    kept = conformed.drop(index=rejected["row"].dropna().astype("int64").unique())
    games = conformed if schedule is None else schedule
    unplayed = days_without_results(games)
    not_due = {day for day in unplayed if day > job.results_due}
    reasons = empty_reasons(games, attempt.days, not_due if job.recipe.shows_results else ())
    counts = {stamp.date(): int(n) for stamp, n in kept["game_date"].value_counts().items()}
    failed |= _wholly_refused(rejected, kept)
    rejected = rejected[~rejected["date"].isin(list(failed))]
    failed |= _unexplained(
        job, [d for d in attempt.days if d not in failed and not counts.get(d)], reasons, unplayed
    )
    if job.recipe.empty_with_games is None and job.recipe.table != GAMES:
        failed |= _overdue(job, games, [d for d in attempt.days if d not in failed])
    good = [day for day in attempt.days if day not in failed]
    if failed:
        kept = kept[kept["game_date"].isin(stamps(good))]
    quiet = {d: str(reasons[d] or job.recipe.empty_with_games or "") for d in good if not counts.get(d)}
    progress.awaiting |= not_due & set(good)
    progress.checks.extend(_check_results(job, attempt, found, failed))
    progress.failed.update(failed)
    _write(job, attempt, rejected, kept, good, quiet, progress)
    progress.statistics.update(day_statistics(job.table, kept, job.recipe.summary_columns, good))
    if attempt.examination.history_through is not None:
        for stamp, newest in attempt.examination.history_through.dropna().items():
            progress.statistics[stamp.date()] = {
                **progress.statistics.get(stamp.date(), {}),
                "history_through": newest.date().isoformat(),
            }
    progress.unusable.update(unusable_by_day(attempt.unusable))


def _write(
    job: RangeJob,
    attempt: _Attempt,
    rejected: pd.DataFrame,
    kept: pd.DataFrame,
    good: list[date],
    quiet: Mapping[date, str],
    progress: OutcomeBuilder,
) -> None:
    """Write the good days; where the store loses some, the others are settled without them."""
    try:
        rejects = write_rejected(job.store, job.table, attempt.computed, rejected, good)
        written = job.store.replace_range(job.table, kept, good, reasons=quiet)
    except PipelineError as error:
        failures = _failures(error, good)
        progress.failed.update(failures)
        rest = [day for day in good if day not in failures]
        if rest:
            _write(job, attempt, rejected, kept[kept["game_date"].isin(stamps(rest))], rest, quiet, progress)
        return
    for day in good:
        progress.stored[day] = StoredDay(written.entries[day], day in written.written, rejects.get(day, 0))


def _wholly_refused(rejected: pd.DataFrame, kept: pd.DataFrame) -> dict[date, DayFailure]:
    """Days of which nothing would be left but the quarantine: an empty table is not a success."""
    held = set(kept["game_date"].dt.date.unique())
    return {
        day: failure_of_violations(day, rows) for day, rows in rejected.groupby("date") if day not in held
    }


def _unexplained(
    job: RangeJob, empty: Sequence[date], reasons: Mapping[date, object], unplayed: set[date]
) -> dict[date, DayFailure]:
    """Empty days on which games were played: success with zero rows is a failure unless the schedule says
    so."""
    if job.recipe.empty_with_games is not None:
        return {}
    why = {
        True: (
            "and its games are still `scheduled` in nba_raw.games, although their results are due: make the"
            " raw tables of the day again when the source has them, or has called the games off"
        ),
        False: "although competitive games were played",
    }
    return {
        day: incomplete(day, f"{job.table.full_name} came out empty for {day}, {why[day in unplayed]}")
        for day in empty
        if reasons[day] is None
    }


def _overdue(job: RangeJob, games: pd.DataFrame, days: Sequence[date]) -> dict[date, DayFailure]:
    """Days of which some games are over and others, whose results are due, are not: half a slate is no
    day."""
    overdue = overdue_games(games, job.results_due)
    return {
        day: incomplete(
            day,
            f"the result of {overdue[day]} is due, but nba_raw.games has it as `scheduled`: fetch the raw"
            f" tables of {day} again when the source has it, or has called it off",
        )
        for day in days
        if day in overdue
    }


def _check_results(
    job: RangeJob, attempt: _Attempt, found: pd.DataFrame, failed: Mapping[date, DayFailure]
) -> list[CheckResult]:
    """Every check on every day of the attempt, with what it compared and, where it failed, the offending
    rows."""
    results = []
    for check in checks_of(job.table):
        counts = attempt.examination.compared[check.name]
        compared = {stamp.date(): int(n) for stamp, n in counts.items()}
        broken = dict(tuple(found[found["check"] == check.name].groupby("date")))
        for day in attempt.days:
            rows = broken.get(day)
            if rows is None:
                results.append(CheckResult(check.name, day, True, compared.get(day, 0), 0))
            else:
                sample = failure_of_violations(day, rows).sample
                results.append(CheckResult(check.name, day, False, compared.get(day, 0), len(rows), sample))
    return results
