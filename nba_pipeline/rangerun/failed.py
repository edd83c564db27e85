"""A failed day as everybody after the run speaks of it. Plain data: it travels between processes and belongs
to states and results alike.

Belongs here: the day and grouping days by cause. Does not belong here: how a run judges a day
(``rangerun/outcome.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from nba_pipeline.failures import FailureClass

DAYS_SHOWN = 20
"""Days of one cause that are shown with their own words. The incident had eight; a thousand that failed alike
are a range."""


@dataclass(frozen=True)
class Failed:
    """A failed day: class and message as recorded by its run."""

    day: date
    failure_class: str
    message: str


def by_cause(failures: Mapping[str, Iterable[Failed]]) -> dict[tuple[str, str], list[Failed]]:
    """Failed days by (class, table), oldest first; the class that explains others comes first, then tables as
    given."""
    grouped: dict[tuple[str, str], list[Failed]] = {}
    for table, failed in failures.items():
        for one in failed:
            grouped.setdefault((one.failure_class, table), []).append(one)
    ordered = sorted(grouped.items(), key=lambda item: FailureClass(item[0][0]).rank)
    return {cause: sorted(failed, key=lambda f: f.day) for cause, failed in ordered}
