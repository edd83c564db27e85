"""The report as Markdown, for a ticket or a chat. Belongs here: the page. What it says is ``report.py``."""

from __future__ import annotations

from collections.abc import Iterable

from nba_pipeline.operations.report import COVERAGE_TARGET_PCT, EMPTY, Report
from nba_pipeline.ranges import described

_MARKS = {"good": "█", "stale": "▒", "failed": "✗", "blocked": "○", "running": "…", "missing": "?"}
_EMPTY_MARK = "·"


def as_markdown(report: Report) -> str:
    """The report; calendars as a line of one mark per day for each month."""
    lines = [f"# nba_pipeline: {report.days[0]} to {report.days[-1]}", "", f"As it was on {report.made_at:%Y-%m-%d %H:%M %Z}.", ""]
    lines += [
        "## Days by state",
        "",
        *_table(("table", "days", "rows"), ((n, _counted(report, n), f"{report.rows[n]:,}") for n in report.cells)),
    ]
    lines += ["## Failures by cause", ""]
    for cause in report.causes:
        lines.append(f"- **{cause.failure_class}** in `{cause.table}`: {len(cause.days)} day(s): {described(cause.days, 12)}")
        lines += [f"  - {_plain(cause.sample)}", f"  - what to do: {cause.remedy}"]
    lines += [] if report.causes else ["No day has failed."]
    lines += ["", "## Not started", "", *([f"- {line}" for line in report.waiting] or ["Nothing waits: every day was made or tried."])]
    lines += ["", f"## usage_rate coverage (minutes > 0, target {COVERAGE_TARGET_PCT:g} %)", ""]
    lines += _table(("month", "rows", "coverage"), ((c.month, f"{c.rows:,}", f"{c.percent:.2f} %") for c in report.coverage))
    lines += ["## Throughput", ""]
    speeds = (
        (n, str(m.days), f"{m.seconds:.1f}", f"{60 * m.days / m.seconds:,.0f}" if m.seconds else "") for n, m in report.throughput.items()
    )
    lines += _table(("table", "days", "seconds", "days per minute"), speeds)
    lines += [
        "## Quarantine",
        "",
        *([f"- {r.day} `{r.table}` {r.failure_class}: {_plain(r.message)}" for r in report.rejected] or ["Empty."]),
    ]
    lines += ["", "## Calendar", "", ", ".join(f"`{m}` {w}" for w, m in _MARKS.items()) + f", `{_EMPTY_MARK}` empty with a reason", ""]
    for name in report.cells:
        lines += [f"### {name}", "", "```", *_calendar(report, name), "```", ""]
    return "\n".join(lines)


def _calendar(report: Report, table: str) -> Iterable[str]:
    months: dict[str, str] = {}
    for day, what in report.cells[table].items():
        month = f"{day:%Y-%m}"
        start = " " * (day.day - 1)
        months[month] = months.get(month, start) + (_EMPTY_MARK if what.startswith(EMPTY) else _MARKS[what])
    return (f"{month} {marks}" for month, marks in months.items())


def _counted(report: Report, table: str) -> str:
    return ", ".join(f"{n} {what}" for what, n in report.counts(table).items())


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(columns)
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(map(_plain, row))} |" for row in rows), ""]


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
