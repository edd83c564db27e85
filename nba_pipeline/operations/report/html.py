"""The report as one self-contained HTML page: no script, no network, prints well.

Belongs here: the page. Does not belong here: what it says (``report.py``), looks (``report_style.py``),
calendars (``report_calendar.py``). Every text is escaped: messages hold values from sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from itertools import groupby

from nba_pipeline.operations.report.calendar import calendar, legend
from nba_pipeline.operations.report.content import (
    BLOCKED,
    COVERAGE_TARGET_PCT,
    EMPTY,
    FAILED,
    GOOD,
    MISSING,
    RUNNING,
    STALE,
    Cause,
    Coverage,
    Report,
    about,
    in_words,
    next_steps,
    time_left,
)
from nba_pipeline.operations.report.style import STYLE
from nba_pipeline.rangerun.failed import DAYS_SHOWN
from nba_pipeline.ranges import described
from nba_pipeline.tables.calendar import season_year_of

_ROWS_SHOWN = 50
_MONTHS = (10, 11, 12, *range(1, 10))


def as_html(report: Report) -> str:
    """The page."""
    sections = {
        "What to do": _next(report),
        "Days by state": _states(report),
        "Failures by cause": _failures(report),
        "Not started": _not_started(report),
        "Calendar": _calendars(report),
        "usage_rate coverage": _coverage(report),
        "Validation": _validation(report),
        "Throughput": _throughput(report),
        "Quarantine": _quarantine(report),
    }
    if report.gaps:
        sections["Declared gaps"] = _gaps(report)
    if report.quota is not None:
        sections["Quota"] = _quota(report)
    contents = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name in sections)
    parts = [
        f"<h1>nba_pipeline: {report.days[0]} to {report.days[-1]}</h1>",
        f'<p class="dim">{escape(about(report))}</p>',
        _facts(report),
        f'<nav aria-label="contents">{contents}</nav>',
        *(f'<h2 id="{_anchor(name)}">{escape(name)}</h2>{inside}' for name, inside in sections.items()),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    head += f"<title>nba_pipeline report {report.days[0]} to {report.days[-1]}</title><style>{STYLE}</style>"
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _name(table: str) -> str:
    """A table's name, escaped, that may be broken after the dot: on paper and phones it has to be."""
    dataset, _, name = escape(table).rpartition(".")
    return f'<span class="dim">{dataset}.</span><wbr>{name}'


def _breakable(text: str) -> str:
    """Escaped, breaking after dots, and not inside a date."""
    return re.sub(r"(\d{4}-\d\d-\d\d)", r'<span class="day">\1</span>', escape(text)).replace(".", ".<wbr>")


def _days(days: Iterable[date]) -> str:
    """Days in words that break between ranges only."""
    return ", ".join(f'<span class="day">{words}</span>' for words in described(days).split(", "))


def _code(text: str) -> str:
    """Escaped, with commands between backticks shown as commands."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _table(columns: Mapping[str, str], rows: Iterable[Iterable[str]], kind: str = "wide") -> str:
    """Rows of ready HTML. ``columns``: heading -> class of its cells."""
    head = "".join(f'<th scope="col"{_class(c)}>{escape(name)}</th>' for name, c in columns.items())
    lines = (
        "".join(f"<td{_class(c)}>{cell}</td>" for c, cell in zip(columns.values(), row, strict=True))
        for row in rows
    )
    body = (f"<tr>{line}</tr>" for line in lines)
    return (
        "<div"
        f' class="{kind}"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _bad(text: str, bad: bool) -> str:
    return f'<span class="bad">{text}</span>' if bad else text


def _facts(report: Report) -> str:
    """The numbers that somebody who reads nothing else should have read."""
    usage, passed = report.whole_coverage, sum(a.passed for a in report.answers)
    facts = {
        "of all table-days complete": f"{report.complete():g} %",
        "failed": _bad(f"{report.total(FAILED):,}", report.total(FAILED) > 0),
        **{what: f"{report.total(what):,}" for what in (BLOCKED, STALE, MISSING)},
        "usage_rate coverage": _bad(f"{usage.percent:g} %", not usage.met) if usage else "no rows",
        "validation answers right": _bad(f"{passed} of {len(report.answers)}", passed < len(report.answers)),
        "rows in quarantine": str(len(report.rejected)),
    }
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts.items())
        + "</dl>"
    )


def _next(report: Report) -> str:
    steps = next_steps(report)
    if not steps:
        return "<p>Nothing: every day of every table is there, up to date and as it should be.</p>"
    return (
        "<ol>"
        + "".join(f"<li>{_code(words)}:<br><code>{escape(command)}</code></li>" for words, command in steps)
        + "</ol>"
    )


def _states(report: Report) -> str:
    def row(name: str) -> list[str]:
        counts = report.counts(name)
        empty = sum(n for what, n in counts.items() if what.startswith(EMPTY))
        numbers = [_bad(f"{counts.get(what, 0):,}", what == FAILED and what in counts) for what in states]
        return [
            _name(name),
            f"{report.complete(name):g} %",
            f"{counts.get(GOOD, 0):,}",
            f"{empty:,}",
            *numbers,
            f"{report.rows[name]:,}",
        ]

    states = [STALE, FAILED, BLOCKED, *([RUNNING] if report.total(RUNNING) else []), MISSING]
    columns = ("complete", GOOD, "empty", *states, "rows")
    return _table({"table": ""} | dict.fromkeys(columns, "n"), map(row, report.cells))


def _failures(report: Report) -> str:
    if not report.causes:
        return "<p>No day has failed.</p>"
    return "".join(
        _class_of_failures(name, list(causes))
        for name, causes in groupby(report.causes, key=lambda c: c.failure_class)
    )


def _class_of_failures(name: str, causes: list[Cause]) -> str:
    """A line per day, each with its class and its own words; days of a table beyond the first ones as
    ranges."""
    rows = (
        [str(f.day), _bad(escape(name), bad=True), _name(c.table), _code(f.message)]
        for c in causes
        for f in c.failed[:DAYS_SHOWN]
    )
    rest = {c.table: c.days[DAYS_SHOWN:] for c in causes if len(c.days) > DAYS_SHOWN}
    more = (
        f"<li>{len(days):,} more of {escape(table)}: {described(days, 12)}</li>"
        for table, days in rest.items()
    )
    where = "<p>The words of each are in <code>nba-pipeline status --json</code>.</p>"
    title = f'<span class="bad">{escape(name)}</span>: {sum(len(c.days) for c in causes):,} day(s)'
    todo = f"<p><b>What to do:</b> {_code(causes[0].remedy)}</p>"
    columns = {"day": "day", "class": "day", "table": "", "why": "words"}
    listed = _table(columns, rows, "stack") + (f"<ul>{''.join(more)}</ul>{where}" if rest else "")
    return f'<h3 id="{escape(name)}">{title}</h3>{todo}{listed}'


def _not_started(report: Report) -> str:
    if not report.left:
        return "<p>Nothing: a backfill of these days would find nothing to make.</p>"

    def row(number: int) -> list[str]:
        one = report.left[number]
        why = ", ".join(f"{n} {reason}" for reason, n in one.why.items())
        rows = "?" if one.rows is None else f"{one.rows:,}"
        return [
            _name(one.table),
            f"{one.days:,}",
            str(one.runs),
            rows,
            "?" if one.seconds is None else in_words(one.seconds),
            escape(why),
        ]

    columns = {"table": "", "days to make": "n", "runs": "n", "rows": "n", "time": "n", "why": ""}
    made = (
        "<p>What a backfill of these days would make:"
        f" {time_left(report)}.</p>{_table(columns, map(row, range(len(report.left))))}"
    )
    return made + _waiting(report)


def _waiting(report: Report) -> str:
    if not report.waiting:
        return ""
    shown = report.waiting[:_ROWS_SHOWN]
    rows = (
        [_breakable(w.what), f"{len(w.days):,} day(s)", _days(w.days), escape(", ".join(w.short_names))]
        for w in shown
    )
    rest = len(report.waiting) - _ROWS_SHOWN
    more = f"<p>and {rest} more</p>" if rest > 0 else ""
    columns = {"waits for": "", "days": "n", "which": "", "of": "words"}
    return f"<h3>What waits, and for what</h3>{_table(columns, rows, 'stack')}{more}"


def _calendars(report: Report) -> str:
    kinds = {what for days in report.cells.values() for what in days.values()}
    drawn = {name: calendar(name, days, _links(report, name)) for name, days in report.cells.items()}
    figures = (f"<figure><h3>{_name(name)}</h3>{inside}</figure>" for name, inside in drawn.items())
    return (
        f'{legend(kinds)}<p class="dim">A square per day, Monday on top; its title says what it'
        f" is.</p>{''.join(figures)}"
    )


def _links(report: Report, table: str) -> dict[date, str]:
    return {
        day: cause.failure_class
        for cause in report.causes
        if cause.table == table
        for day in cause.days[:DAYS_SHOWN]
    }


def _coverage(report: Report) -> str:
    """A line per season, a column per month."""
    if not report.coverage:
        return "<p>No player has a row yet.</p>"
    months = {(int(c.month[:4]), int(c.month[5:])): c for c in report.coverage}
    seasons = sorted({season_year_of(date(year, month, 1)) for year, month in months})

    def cell(found: Coverage | None) -> str:
        if found is None:
            return '<span class="dim">·</span>'
        title = f"{found.month}: {found.with_usage:,} of {found.rows:,} rows"
        return f'<span title="{title}">{_bad(f"{found.percent:g}", not found.met)}</span>'

    def row(season: int) -> list[str]:
        held = [months.get((season + (month < _MONTHS[0]), month)) for month in _MONTHS]
        there = [c for c in held if c is not None]
        whole = Coverage(str(season), sum(c.rows for c in there), sum(c.with_usage for c in there))
        return [
            f"{season}-{(season + 1) % 100:02d}",
            f"{whole.rows:,}",
            f"{whole.with_usage:,}",
            cell(whole),
            *map(cell, held),
        ]

    intro = (
        "<p>Percent of the rows of players with minutes &gt; 0 that have a usage_rate; target"
        f" {COVERAGE_TARGET_PCT:g} %.</p>"
    )
    names = [f"{date(2000, month, 1):%b}" for month in _MONTHS]
    return intro + _table(
        {"season": "day"} | dict.fromkeys(("rows", "with usage_rate", "season %", *names), "n"),
        map(row, seasons),
    )


def _validation(report: Report) -> str:
    def row(number: int) -> list[str]:
        a = report.answers[number]
        found = "<br>".join(escape(line) for line in (a.found, *a.exceptions))
        return [
            _bad("ok" if a.passed else "differs", not a.passed),
            escape(a.question),
            escape(a.expected),
            found,
        ]

    intro = (
        "<p>What the stored rows answer, read again for this report: <code>nba-pipeline validate</code>.</p>"
    )
    return intro + _table(
        {"": "day", "question": "", "expected": "", "found": "words"},
        map(row, range(len(report.answers))),
        "stack",
    )


def _throughput(report: Report) -> str:
    if not report.throughput:
        return "<p>No backfill of the command line has been measured on this machine yet.</p>"

    def row(name: str) -> list[str]:
        runs, days, seconds = (
            sum(getattr(m, unit) for m in report.throughput[name]) for unit in ("runs", "days", "seconds")
        )
        newest = report.throughput[name][-1]
        speeds = (
            f"{60 * d / s:,.0f}" if s else "" for d, s in ((days, seconds), (newest.days, newest.seconds))
        )
        return [
            _name(name),
            str(len(report.throughput[name])),
            str(runs),
            f"{days:,}",
            f"{seconds:,.1f}",
            *speeds,
        ]

    intro = (
        "<p>The backfills of the command line on this machine that are remembered; at most 20 of each"
        " table.</p>"
    )
    columns = ("backfills", "runs", "days", "seconds", "days per minute", "the newest alone")
    return intro + _table({"table": ""} | dict.fromkeys(columns, "n"), map(row, report.throughput))


def _quarantine(report: Report) -> str:
    if not report.rejected:
        return "<p>The quarantine is empty.</p>"
    shown = report.rejected[:_ROWS_SHOWN]
    rows = (
        [str(r.day), _bad(escape(r.failure_class), bad=True), _name(r.table), _code(r.message)] for r in shown
    )
    rest = len(report.rejected) - _ROWS_SHOWN
    more = f"<p>and {rest} more: <code>nba-pipeline rejected list</code></p>" if rest > 0 else ""
    intro = f"<p>{len(report.rejected)} row(s) were refused; the other rows of their days are stored.</p>"
    return intro + _table({"day": "day", "class": "day", "table": "", "why": "words"}, rows, "stack") + more


def _gaps(report: Report) -> str:
    """Games that the tables do without, by somebody's word."""
    intro = (
        "<p>Games of which something will never come, as somebody has declared. Rows that look back over them"
        " say so in <code>history_gaps</code>.</p>"
    )
    rows = (
        [str(s.gap.day), escape(s.gap.game_id), escape(s.state), escape(s.gap.reason)] for s in report.gaps
    )
    return intro + _table({"day": "day", "game": "", "state": "", "why": "words"}, rows, "stack")


def _quota(report: Report) -> str:
    """What the writes of today have used, of a warehouse with quotas per table and day."""
    quota = report.quota
    assert quota is not None
    units = vars(quota.limits)
    rows = (
        [_name(name), *(f"{getattr(used, unit):,}" for unit in units)] for name, used in quota.used.items()
    )
    limits = ", ".join(f"{limit:,} {unit}" for unit, limit in units.items())
    intro = (
        f"<p>Used today, per table; limits: {escape(limits)}. Quotas start again at"
        f" {quota.resets_at:%Y-%m-%d %H:%M %Z}.</p>"
    )
    return intro + _table({"table": ""} | dict.fromkeys(units, "n"), rows)
