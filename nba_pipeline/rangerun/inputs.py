"""The inputs of a range run: which days have all of theirs, and the frames.

Belongs here: reading inputs once for the whole range, and naming what is missing. Does not belong here:
computing (``range_run.py``), which inputs a table has (``recipes/``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.checks.history import HISTORY_COMPLETE
from nba_pipeline.failures import FailureClass
from nba_pipeline.rangerun.job import RangeJob
from nba_pipeline.rangerun.outcome import CheckResult, DayFailure, OutcomeBuilder
from nba_pipeline.rangerun.schedule import NAMED_SCHEDULE, SCHEDULE_COLUMNS, competitive_days, history_holes
from nba_pipeline.ranges import span
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS
from nba_pipeline.tables.names import GAMES as SCHEDULE
from nba_pipeline.transforms.gaps import LEFT_OUT
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry


def load_inputs(
    job: RangeJob, days: list[date], progress: OutcomeBuilder
) -> tuple[list[date], dict[str, pd.DataFrame], pd.DataFrame | None]:
    """(days whose inputs are all there, input frames by table, the schedule of the days).

    A stored day of an input that is damaged fails the days that need it, and no other.
    """
    reader = _Reader(job)
    _fail_without_inputs(reader, days, progress)
    if job.recipe.history:
        holes = _holes(job, reader, days)
        _fail_damaged(reader, days, progress, history=True)
        for day, message in holes.items():
            failure = progress.failed.setdefault(day, incomplete(day, message))
            progress.checks.append(CheckResult(HISTORY_COMPLETE, day, False, 0, 1, failure.sample))
    ready = [day for day in days if day not in progress.failed]
    frames: dict[str, pd.DataFrame] = {}
    if ready:
        past = span(max(job.start, ready[0] - timedelta(days=LOOKBACK_DAYS)), ready[-1] - timedelta(days=1))
        frames = {i.table: reader.read(i.table, past, i.columns) for i in job.recipe.history}
        _fail_damaged(reader, ready, progress, history=True)
        if frames:
            frames[LEFT_OUT] = job.gaps.left_out()
    frames |= {i.table: reader.read(i.table, ready, i.columns) for i in job.recipe.same_day}
    schedule = frames.get(SCHEDULE)
    if schedule is None and job.recipe.table != SCHEDULE:
        schedule = reader.read(SCHEDULE, ready, NAMED_SCHEDULE)
    _fail_damaged(reader, ready, progress, same_day=(SCHEDULE, *(i.table for i in job.recipe.same_day)))
    return [day for day in ready if day not in progress.failed], frames, schedule


def _fail_without_inputs(reader: _Reader, days: Sequence[date], progress: OutcomeBuilder) -> None:
    """Fail the days of which an input is not there, or was made without a game that is no gap any more."""
    job = reader.job
    for given in job.recipe.same_day:
        present = reader.manifest(given.table)
        _fail_damaged(reader, days, progress, same_day=(given.table,))
        for day in days:
            if day not in present and day not in progress.failed:
                progress.failed[day] = incomplete(
                    day, f"{given.table} has no partition {day}, which {job.table.full_name} is made from"
                )
        for day, game in job.gaps.withdrawn(given.table).items():
            if day in days and day not in progress.failed:
                progress.failed[day] = incomplete(
                    day, f"{given.table} {day} was made without {game}, whose gap holds no more"
                )


class _Reader:
    """Reads stored days and notes those that are damaged, instead of failing for all."""

    def __init__(self, job: RangeJob) -> None:
        self.job = job
        self._store, self._tables = job.store, job.tables
        self.damaged: dict[str, dict[date, str]] = {}
        """By table and day: what is wrong, and the command that makes the day again."""

    def manifest(self, table: str) -> Mapping[date, ManifestEntry]:
        try:
            return self._store.manifest(self._tables[table])
        except CorruptPartition as error:
            self._note(table, error)
            return error.readable

    def read(self, table: str, days: Sequence[date], columns: Sequence[str] | None) -> pd.DataFrame:
        """The rows of the days that are intact."""
        while True:
            try:
                return self._store.read(self._tables[table], days, columns)
            except CorruptPartition as error:
                if not set(error.paths) & set(days):
                    raise
                self._note(table, error)
                days = [day for day in days if day not in error.paths]

    def _note(self, table: str, error: CorruptPartition) -> None:
        for day, path in error.paths.items():
            self.damaged.setdefault(table, {})[day] = (
                f"the stored day {day} of {table} is damaged ({path}). `nba-pipeline backfill --force"
                f" --tables {table} --start {day} --end {day}` makes it again, then `nba-pipeline retry`"
            )


def _fail_damaged(
    reader: _Reader,
    days: Sequence[date],
    progress: OutcomeBuilder,
    same_day: Sequence[str] = (),
    history: bool = False,
) -> None:
    """Fail the days that are made from a damaged day of these tables, or of the look-back."""
    asked = np.array(days, dtype="datetime64[D]")
    reach = [(table, asked, asked) for table in same_day]
    if history and reader.job.recipe.history:
        reach += [(given.table, given.first_needed(days), asked - 1) for given in reader.job.recipe.history]
        reach.append((SCHEDULE, reader.job.recipe.first_needed(days), asked - 1))
    for table, first, last in reach:
        damaged = np.array(sorted(reader.damaged.get(table, ())), dtype="datetime64[D]")
        newest = np.searchsorted(damaged, last, side="right")
        for day, a, b in zip(days, np.searchsorted(damaged, first), newest, strict=True):
            if b > a and day not in progress.failed:
                text = reader.damaged[table][damaged[b - 1].item()]
                progress.failed[day] = DayFailure(day, FailureClass.UNPARSEABLE_SOURCE, 1, text)


def incomplete(day: date, message: str) -> DayFailure:
    sample = pd.DataFrame([{"failure_class": FailureClass.INCOMPLETE_INPUT.value, "message": message}])
    return DayFailure(day, FailureClass.INCOMPLETE_INPUT, 1, message, sample)


def _holes(job: RangeJob, reader: _Reader, days: Sequence[date]) -> dict[date, str]:
    """Days whose look-back lacks a day with competitive games, or a day of which the schedule itself is
    missing."""
    first = max(job.start, days[0] - timedelta(days=LOOKBACK_DAYS))
    past = span(first, days[-1] - timedelta(days=1))
    scheduled = reader.manifest(SCHEDULE)
    games = reader.read(SCHEDULE, past, SCHEDULE_COLUMNS)
    needed = competitive_days(games) | {day for day in past if day not in scheduled}
    messages: dict[date, str] = {}
    for given in job.recipe.history:
        reach = given.first_needed(days)
        present = reader.manifest(given.table).keys() - job.gaps.withdrawn(given.table).keys()
        holes = history_holes(days, needed, present, reach)
        for day, first_day in zip(days, reach, strict=True):
            if day in holes:
                messages.setdefault(day, _of_hole(job, given.table, day, first_day.item(), holes[day]))
    return messages


def _of_hole(job: RangeJob, table: str, day: date, first: date, missing: Sequence[date]) -> str:
    shown = ", ".join(map(str, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    how = f"make them first (`nba-pipeline backfill --start {missing[0]} --end {missing[-1]}`)"
    if missing[0] == max(job.start, first):  # not a hole: nothing is there before some day
        how += ", or set NBA_PIPELINE_START_DATE to the first day that you want"
    back = (day - first).days
    return f"{table} lacks {len(missing)} day(s) of the {back} before {day}: {shown}; {how}"
