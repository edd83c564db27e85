"""Days as ranges: nothing lost, no gap inside a range, none too long, and words for people."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.ranges import ONE_DAY, contiguous, described, span

DAYS = span(date(2024, 2, 27), date(2024, 3, 2))
"""Five days, one of them 29 February."""


def test_a_span_has_both_ends_and_may_be_empty() -> None:
    assert [str(day) for day in DAYS] == [
        "2024-02-27",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2024-03-02",
    ]
    assert span(DAYS[0], DAYS[0]) == DAYS[:1]
    assert span(DAYS[1], DAYS[0]) == []


def test_ranges_have_no_gaps_and_a_longest() -> None:
    assert list(contiguous([DAYS[0], DAYS[1], DAYS[3]], longest=2)) == [
        (DAYS[0], DAYS[1]),
        (DAYS[3], DAYS[3]),
    ]
    assert list(contiguous(DAYS, longest=2)) == [(DAYS[0], DAYS[1]), (DAYS[2], DAYS[3]), (DAYS[4], DAYS[4])]
    assert list(contiguous([], longest=2)) == []


@given(st.sets(st.dates(date(2021, 12, 1), date(2022, 2, 1))), st.none() | st.integers(1, 9))
def test_ranges_hold_exactly_the_days_and_are_as_few_as_may_be(days: set[date], longest: int | None) -> None:
    ranges = list(contiguous(days, longest))
    assert [day for first, last in ranges for day in span(first, last)] == sorted(days)
    assert all((last - first).days < (longest or 999) for first, last in ranges)
    for (first, last), (following, _) in pairwise(ranges):
        assert following - last > ONE_DAY or (last - first).days + 1 == longest


def test_days_in_words() -> None:
    assert described([DAYS[0], *DAYS[2:]]) == "2024-02-27, 2024-02-29 .. 2024-03-02"
    assert described([DAYS[0], DAYS[2], DAYS[4]], most=1) == "2024-02-27 and 2 more ranges"
    assert described([]) == ""
