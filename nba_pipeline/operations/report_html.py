"""The report as one self-contained HTML page: no script, no network, prints well.

Belongs here: the page. Does not belong here: what it says (``report.py``). Every text is escaped: messages hold values
from sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from html import escape

from nba_pipeline.operations.report import BLOCKED, COVERAGE_TARGET_PCT, EMPTY, FAILED, GOOD, MISSING, RUNNING, STALE, Coverage, Report
from nba_pipeline.ranges import described

COLORS: Mapping[str, str] = {
    GOOD: "#2e9e5b",
    STALE: "#e0b43a",
    FAILED: "#c62f2f",
    BLOCKED: "#e2813d",
    RUNNING: "#3c78c8",
    MISSING: "#ffffff",
}
_EMPTY_COLORS: Mapping[str, str] = {"off_season": "#e3e6ea", "off_day": "#cfd5dc", "exhibition_only": "#b9c7d8", "no_history": "#c9c0dd"}
_OTHER_EMPTY = "#d8cfc4"
_CELL, _GAP = 9, 1
_WEEKS = 104  # in a row of the calendar: two years fill the page's width, and a day stays as large as it can be
_MARKS: Mapping[str, str] = {FAILED: "m1.5 1.5l6 6m0-6l-6 6", BLOCKED: "m1.5 7.5l6-6"}  # a cross and a stroke, for who sees no red
_SIGNS: Mapping[str, str] = {FAILED: "\u00d7", BLOCKED: "/"}
_NUMBER = ' class="n"'
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1100px;padding:0 1em;color:#1d2430}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #d5dae1}h3{font-size:1em;margin:1.2em 0 .2em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25em .6em;border-bottom:1px solid #e6e9ee;vertical-align:top}
td{overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{background:#f3f5f8;padding:0 .2em}
.legend span{display:inline-block;margin-right:1.2em}
.legend i{display:inline-block;width:10px;height:10px;border:1px solid #9aa3b0;margin-right:.35em}
.legend i{font:bold 10px/10px sans-serif;color:#fff;text-align:center}
.bad{color:#a31d1d;font-weight:600}.dim{color:#66707f}svg text{font:9px system-ui,sans-serif;fill:#66707f}svg{max-width:100%;height:auto}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}section.table{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


def as_html(report: Report) -> str:
    """The page."""
    parts = [
        f"<h1>nba_pipeline: {report.days[0]} to {report.days[-1]}</h1>",
        f'<p class="dim">{len(report.days)} days, {len(report.cells)} tables; as it was on {report.made_at:%Y-%m-%d %H:%M %Z}.</p>',
        _summary(report),
        _failures(report),
        _not_started(report),
        _calendars(report),
        _coverage(report),
        _throughput(report),
        _quarantine(report),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>nba_pipeline report</title>'
    head += f"<style>{_STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def color_of(what: str) -> str:
    """The colour of a day by what it is."""
    return _EMPTY_COLORS.get(what.removeprefix(EMPTY), _OTHER_EMPTY) if what.startswith(EMPTY) else COLORS[what]


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]], numbers_from: int = 99) -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        inside = (f"<{tag}{_NUMBER if n >= numbers_from else ''}>{c}</{tag}>" for n, c in enumerate(cells))
        return "<tr>" + "".join(inside) + "</tr>"

    return "<table>" + line(map(escape, columns), "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _summary(report: Report) -> str:
    def row(name: str) -> list[str]:
        counts = report.counts(name)
        empty = sum(n for what, n in counts.items() if what.startswith(EMPTY))
        numbers = [str(counts.get(what, 0)) for what in (GOOD, STALE)]
        bad = [f'<span class="bad">{n}</span>' if (n := counts.get(what, 0)) else "0" for what in (FAILED, BLOCKED)]
        rest = [str(counts.get(what, 0)) for what in (RUNNING, MISSING)]
        return [escape(name), numbers[0], str(empty), numbers[1], *bad, *rest, f"{report.rows[name]:,}"]

    columns = ("table", "good", "empty", "stale", "failed", "blocked", "running", "missing", "rows")
    return "<h2>Days by state</h2>" + _table(columns, map(row, report.cells), 1)


def _failures(report: Report) -> str:
    if not report.causes:
        return "<h2>Failures by cause</h2><p>No day has failed.</p>"
    rows = (
        [
            f'<span class="bad">{escape(c.failure_class)}</span>',
            escape(c.table),
            str(len(c.days)),
            f"{escape(described(c.days, 12))}<br>{escape(c.sample)}<br><b>what to do:</b> {escape(c.remedy)}",
        ]
        for c in report.causes
    )
    return "<h2>Failures by cause</h2>" + _table(("class", "table", "days", "which, the first in words, what to do"), rows)


def _not_started(report: Report) -> str:
    if not report.waiting:
        return "<h2>Not started</h2><p>Nothing waits: every day was made or tried.</p>"
    return "<h2>Not started</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in report.waiting) + "</ul>"


def _calendars(report: Report) -> str:
    used = sorted({what for days in report.cells.values() for what in days.values()})
    legend = "".join(f'<span><i style="background:{color_of(what)}">{_SIGNS.get(what, "")}</i>{escape(what)}</span>' for what in used)
    tables = "".join(f'<section class="table"><h3>{escape(name)}</h3>{_calendar(days)}</section>' for name, days in report.cells.items())
    return f'<h2>Calendar</h2><p class="legend">{legend}</p>{tables}'


def _calendar(days: Mapping[date, str]) -> str:
    """A square per day: a column per week, a row per weekday, Monday on top; below each other, a few years at a time."""
    first = min(days) - timedelta(days=min(days).weekday())
    rows: dict[int, dict[date, str]] = {}
    for day, what in days.items():
        rows.setdefault((day - first).days // (7 * _WEEKS), {})[day] = what
    return "".join(_weeks(row, first + timedelta(weeks=_WEEKS * n)) for n, row in sorted(rows.items()))


def _weeks(days: Mapping[date, str], first: date) -> str:
    """One row of a calendar, from the Monday ``first``. Equal days share one path, to keep pages small."""
    step, top = _CELL + _GAP, 12
    paths: dict[str, list[str]] = {}
    above, months = [], []
    for day, what in days.items():
        week, weekday = divmod((day - first).days, 7)
        x, y = week * step, top + weekday * step
        paths.setdefault(what, []).append(f"M{x} {y}h{_CELL}v{_CELL}h-{_CELL}z")
        if what in _MARKS:
            above.append(f'<path d="M{x} {y}{_MARKS[what]}" stroke="#fff" stroke-width="1.4" fill="none"/>')
        if what in (FAILED, BLOCKED, STALE):
            above.append(f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill-opacity="0"><title>{day} {what}</title></rect>')
        if day.day == 1 and day.month in (1, 4, 7, 10):
            months.append(f'<text x="{x}" y="9">{day:%Y-%m}</text>')
    drawn = "".join(
        f'<path class="{escape(what.split(":")[0])}" d="{"".join(d)}" fill="{color_of(what)}" stroke="#c3cad4" stroke-width=".5"/>'
        for what, d in paths.items()
    )
    width, height = _WEEKS * step + 40, top + 7 * step
    label = f"{min(days)} to {max(days)}: {sum(w == FAILED for w in days.values())} of {len(days)} days failed"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg role="img" aria-label="{label}" {size}>{"".join(months)}{drawn}{"".join(above)}</svg>'


def _coverage(report: Report) -> str:
    def row(c: Coverage) -> list[str]:
        percent = f"{c.percent:.2f} %"
        shown = percent if c.percent >= COVERAGE_TARGET_PCT else f'<span class="bad">{percent}</span>'
        return [c.month, f"{c.rows:,}", f"{c.with_usage:,}", shown]

    intro = f"<h2>usage_rate coverage</h2><p>Players with minutes &gt; 0; target {COVERAGE_TARGET_PCT:g} %.</p>"
    return intro + _table(("month", "rows", "with usage_rate", "coverage"), map(row, report.coverage), 1)


def _throughput(report: Report) -> str:
    rows = (
        [escape(name), str(m.runs), str(m.days), f"{m.seconds:.1f}", f"{60 * m.days / m.seconds:,.0f}" if m.seconds else ""]
        for name, m in report.throughput.items()
    )
    intro = "<h2>Throughput</h2><p>The newest backfill of each table on this machine.</p>"
    return intro + _table(("table", "runs", "days", "seconds", "days per minute"), rows, 1)


def _quarantine(report: Report) -> str:
    if not report.rejected:
        return "<h2>Quarantine</h2><p>The quarantine is empty.</p>"
    shown = report.rejected[:50]
    rows = ([str(r.day), escape(r.table), escape(r.failure_class), escape(r.message)] for r in shown)
    more = f"<p>and {len(report.rejected) - 50} more: <code>nba-pipeline rejected list</code></p>" if len(report.rejected) > 50 else ""
    return f"<h2>Quarantine: {len(report.rejected)} row(s)</h2>" + _table(("day", "table", "class", "why"), rows) + more
