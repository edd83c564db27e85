"""The range protocol without Dagster: load once, compute once, examine per day, write the good days.

Belongs here: what happens to a set of days of one table, from inputs to ``RangeOutcome``, the same for every
table. Does not belong here: Dagster events (``orchestration/``), rules (``checks/``), how a table is computed
(``transforms/``).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd

from nba_pipeline.checks.suite import checks_of
from nba_pipeline.failures import PipelineError
from nba_pipeline.rangerun.attempt import Attempt, failures_of, isolated, stamps
from nba_pipeline.rangerun.gaps import GAP_TABLES, Gap, declare, without, without_games, without_lines
from nba_pipeline.rangerun.inputs import incomplete, load_inputs
from nba_pipeline.rangerun.job import InvalidRows, RangeJob
from nba_pipeline.rangerun.outcome import (
    CheckResult,
    DayFailure,
    OutcomeBuilder,
    RangeOutcome,
    StoredDay,
    failure_of_violations,
    warned_of,
)
from nba_pipeline.rangerun.quarantine import write_rejected
from nba_pipeline.rangerun.schedule import (
    days_without_results,
    empty_reasons,
    overdue_games,
)
from nba_pipeline.rangerun.statistics import day_statistics, unusable_by_day
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.gaps import HISTORY_GAPS


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
    progress.timed("read", clock)
    gapped = job.gaps.days(job.recipe.table)
    _make(job, frames, [day for day in ready if day not in gapped], schedule, progress)
    old = [day for day in ready if day in progress.failed and job.gaps.old_enough(day)]
    if old and job.recipe.table == BOXSCORES:
        job, gapped = _with_own_gaps(job, frames[GAMES], old), gapped | set(old)
        progress.forget(old)
    if left := [day for day in ready if day in gapped and day not in progress.stored]:
        _make_gapped(job, frames, left, schedule, progress)
    return progress.outcome()


def _with_own_gaps(job: RangeJob, games: pd.DataFrame, days: list[date]) -> RangeJob:
    """The job with a gap for each game of these days of which the source has no line: what a setting may
    accept by itself, unless a person has revoked it."""
    try:
        lines = job.source.player_boxscores(days).frame
    except PipelineError:  # the run has found it too, and says so
        return job
    reason = f"no box score {job.gaps.after_days} days after the game (NBA_PIPELINE_GAPS_AFTER_DAYS)"
    revoked = {gap.game_id for gap in job.gaps.declared if gap.revoked_at is not None}
    games = without_lines(games, lines, days)
    games = games[~games["game_id"].isin(revoked)]
    return replace(job, gaps=job.gaps.plus(declare(games, [BOXSCORES], reason, datetime.now(UTC))))


def _make(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    schedule: pd.DataFrame | None,
    progress: OutcomeBuilder,
    gaps: Collection[Gap] = (),
) -> None:
    """Compute, examine and write the days. ``gaps``: games that are left out."""
    if not days:
        return
    clock = time.perf_counter()
    attempts = isolated(job, frames, days, progress, [0], gaps)
    clock = progress.timed("compute", clock)
    for attempt in attempts:
        _settle(job, attempt, schedule, progress, {gap.day for gap in gaps})
    progress.timed("write", clock)


def _make_gapped(
    job: RangeJob,
    frames: Mapping[str, pd.DataFrame],
    days: list[date],
    schedule: pd.DataFrame | None,
    progress: OutcomeBuilder,
) -> None:
    """Days with a declared gap: whole if they can be, else without a game's shots, else without the game."""
    table = job.recipe.table
    left = days
    for missing in ((), (SHOTS,), GAP_TABLES):
        gaps = [gap for day in left for gap in job.gaps.of_day(table, day, missing)]
        tried = [day for day in left if not missing or day in {gap.day for gap in gaps}]
        trial = OutcomeBuilder(seconds=progress.seconds)
        games = [gap for gap in gaps if BOXSCORES in gap.tables]
        seen = schedule if schedule is None else without_games(schedule, games)
        _make(job, without(table, frames, gaps), tried, seen, trial, gaps)
        progress.forget(tried)
        progress.take(trial, tried)
        progress.gaps |= {day: job.gaps.of_day(table, day, missing) for day in trial.stored if missing}
        left = [day for day in left if day not in progress.stored]
    inputs = [given.table for given in job.recipe.same_day]
    for day in set(days) & progress.stored.keys():
        if used := progress.gaps.get(day) or job.gaps.behind(inputs, day):
            progress.gaps[day] = used
            progress.checks = [warned_of(r, used) if r.day == day else r for r in progress.checks]


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


# ----------------------------------------------------------------------------------------------------------
# settle


def _settle(
    job: RangeJob,
    attempt: Attempt,
    schedule: pd.DataFrame | None,
    progress: OutcomeBuilder,
    gap_days: Collection[date] = (),
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
    reasons |= {day: EmptyReason.DECLARED_GAP for day in gap_days if reasons.get(day)}
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
    _tell_of_history(job, attempt, kept, progress)
    progress.unusable.update(unusable_by_day(attempt.unusable))


def _tell_of_history(job: RangeJob, attempt: Attempt, kept: pd.DataFrame, progress: OutcomeBuilder) -> None:
    """For tables that look back: how far their history goes, and how many rows rest on one with gaps."""

    def tell(day: date, name: str, value: object) -> None:
        progress.statistics[day] = {**progress.statistics.get(day, {}), name: value}

    if attempt.examination.history_through is not None:
        for stamp, newest in attempt.examination.history_through.dropna().items():
            tell(stamp.date(), "history_through", newest.date().isoformat())
    if job.table.has(HISTORY_GAPS):
        for stamp, rows in kept.loc[kept[HISTORY_GAPS] > 0, "game_date"].value_counts().items():
            tell(stamp.date(), "rows_with_history_gaps", int(rows))


def _write(
    job: RangeJob,
    attempt: Attempt,
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
        failures = failures_of(error, good)
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
    job: RangeJob, attempt: Attempt, found: pd.DataFrame, failed: Mapping[date, DayFailure]
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
