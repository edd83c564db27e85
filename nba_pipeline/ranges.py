"""Sets of days as contiguous ranges. Pure functions.

Belongs here: cutting days into the ranges of runs, and naming them for people.
Does not belong here: which days are wanted (``operations/backfill/plan.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

ONE_DAY = timedelta(days=1)


def span(first: date, last: date) -> list[date]:
    """Every day from ``first`` to ``last``, both included; none when ``last`` is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def contiguous(days: Iterable[date], longest: int | None = None) -> Iterator[tuple[date, date]]:
    """The days as (first, last) ranges without gaps, each of at most ``longest`` days, in order."""
    ordered = sorted(set(days))
    if not ordered:
        return
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if b - a != ONE_DAY), len(ordered)]
    for start, stop in pairwise(cuts):
        step = longest or (stop - start)
        for chunk in range(start, stop, step):
            yield ordered[chunk], ordered[min(chunk + step, stop) - 1]


def described(days: Iterable[date], most: int = 4) -> str:
    """Days in words: ``2022-02-18, 2024-03-07 .. 2024-03-09 and 3 more ranges``."""
    ranges = list(contiguous(days))
    words = [f"{a}" if a == b else f"{a} .. {b}" for a, b in ranges[:most]]
    more = len(ranges) - most
    return ", ".join(words) + (f" and {more} more range{'s' if more > 1 else ''}" if more > 0 else "")
