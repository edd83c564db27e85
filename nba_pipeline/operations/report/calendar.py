"""The report's calendars: a square per day, a column per week, Monday on top; a drawing per season, beside or
below each other.

Belongs here: drawing days. Does not belong here: what a day is (``report.py``) and how it looks
(``report_style.py``).

A season is as wide as a phone can show with a square per day; two of them fill a page. Every day has a title,
and a failed day is a link to its cause, so it can be reached with the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from html import escape

from nba_pipeline.operations.report.content import EMPTY, FAILED
from nba_pipeline.operations.report.style import CELL, LOOKS, css_class, look_of
from nba_pipeline.tables.calendar import FIRST_MONTH, season_year_of

_STEP = CELL + 1
_WEEKS = 54  # that a season touches at most
_TOP = 15  # room for the names of months, also at the size that a phone shows them in
_SQUARE = f"h{CELL}v{CELL}h-{CELL}z"


def legend(kinds: Iterable[str]) -> str:
    """What each colour and mark means, the states first."""
    order = {what: n for n, what in enumerate(LOOKS)}
    listed = sorted(kinds, key=lambda what: (order.get(what, len(order)), what))
    items = (
        f'<span><svg viewBox="-1 -1 11 11" aria-hidden="true">{_example(what)}</svg>{escape(what)}</span>'
        for what in listed
    )
    return f'<p class="legend">{"".join(items)}</p>'


def _example(what: str) -> str:
    return f'<path class="{css_class(what)}" d="M0 0{_SQUARE}"/>{_marks(what, ["M0 0"])}'


def calendar(table: str, days: Mapping[date, str], links: Mapping[date, str]) -> str:
    """All seasons of a table. ``links``: the failure class of days that the page says more of, under that
    name."""
    seasons: dict[int, dict[date, str]] = {}
    for day, what in days.items():
        seasons.setdefault(season_year_of(day), {})[day] = what
    several = len(seasons) > 1
    drawn = "".join(_season(table, year, seasons[year], links, several) for year in sorted(seasons))
    return f'<div class="seasons">{drawn}</div>'


def _season(table: str, year: int, days: Mapping[date, str], links: Mapping[date, str], several: bool) -> str:
    """The days of one season; ``several``: drawn from October 1, as wide as every other, so that seasons can
    be compared.

    Days of one kind are in one group, and their marks in one path, to keep pages small.
    """
    first, last = min(days), max(days)
    start = date(year, FIRST_MONTH, 1) if several else first
    monday = start - timedelta(days=start.weekday())
    places: dict[str, dict[date, str]] = {}
    for day, what in days.items():
        week, weekday = divmod((day - monday).days, 7)
        places.setdefault(what, {})[day] = f"M{week * _STEP} {_TOP + weekday * _STEP}"
    drawn = "".join(
        _group(what, found, links) + _marks(what, found.values()) for what, found in places.items()
    )
    weeks = _WEEKS if several else max((last - monday).days // 7 + 1, 6)
    size = (
        f'width="{weeks * _STEP}" height="{_TOP + 7 * _STEP}" viewBox="0 0 {weeks * _STEP}'
        f' {_TOP + 7 * _STEP}"'
    )
    failed = sum(what == FAILED for what in days.values())
    label = f"{table}, {first} to {last}: {failed} of {len(days)} days failed"
    return (
        f'<svg role="group" aria-label="{escape(label)}"'
        f" {size}>{_months(first, last, monday, year)}{drawn}</svg>"
    )


def _group(what: str, places: Mapping[date, str], links: Mapping[date, str]) -> str:
    words = escape(what.replace(EMPTY, "empty, "))
    squares = []
    for day, place in places.items():
        cause = f": {escape(links[day])}" if day in links else ""
        square = f'<path d="{place}{_SQUARE}"><title>{day} {words}{cause}</title></path>'
        squares.append(f'<a href="#{escape(links[day])}">{square}</a>' if day in links else square)
    return f'<g class="{css_class(what)}">{"".join(squares)}</g>'


def _marks(what: str, places: Iterable[str]) -> str:
    mark = look_of(what).mark
    return (
        f'<path class="m {css_class(what)}-m" d="{"".join(place + mark for place in places)}"/>'
        if mark
        else ""
    )


def _months(first: date, last: date, monday: date, year: int) -> str:
    """The season at the first day, then every second month where its first day is, as far as it does not run
    into the year."""
    texts = [f'<text x="0" y="10">{year}-{(year + 1) % 100:02d}</text>']
    for n in range(24):
        month = date(year + (9 + n) // 12, (9 + n) % 12 + 1, 1)
        x = (month - monday).days // 7 * _STEP
        if first <= month <= last and month.month % 2 == 0 and x > 55:
            texts.append(f'<text x="{x}" y="10">{month:%b}</text>')
    return "".join(texts)
