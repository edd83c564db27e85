"""A sound league made by hand, and what became of its days.

Belongs here: what several test modules of range runs share. Does not belong here: tests.
"""

from __future__ import annotations

from datetime import date

from nba_pipeline.failures import FailureClass
from nba_pipeline.rangerun.outcome import RangeOutcome
from nba_pipeline_tests.support.league import DAYS, hand_made_league
from nba_pipeline_tests.support.pipeline import Pipeline

SOUND = hand_made_league()


def pipeline(source: object = SOUND, **changes: object) -> Pipeline:
    return Pipeline(source, DAYS[0], **changes)  # type: ignore[arg-type]


def classes(outcome: RangeOutcome) -> dict[date, FailureClass]:
    return {day: failure.failure_class for day, failure in outcome.failed.items()}


def reasons(outcome: RangeOutcome) -> dict[date, str | None]:
    return {day: stored.entry.reason for day, stored in outcome.stored.items() if not stored.entry.row_count}
