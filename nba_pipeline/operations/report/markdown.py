"""The report as Markdown, for a ticket or a chat. Belongs here: the page. What it says is ``report.py``."""

from __future__ import annotations

from collections.abc import Iterable

from nba_pipeline.operations.report.content import (
    COVERAGE_TARGET_PCT,
    EMPTY,
    Cause,
    Report,
    about,
    in_words,
    next_steps,
    time_left,
)
from nba_pipeline.rangerun.failed import DAYS_SHOWN
from nba_pipeline.ranges import described

_MARKS = {"good": "█", "stale": "▒", "failed": "✗", "blocked": "○", "running": "…", "missing": "?"}
_EMPTY_MARK = "·"
_ROWS_SHOWN = 50


def as_markdown(report: Report) -> str:
    """The report; calendars as a line of one mark per day for each month."""
    sections = {
        "What to do": _next(report),
        "Days by state": _states(report),
        "Failures by cause": (
            [line for cause in report.causes for line in _cause(cause)] or ["No day has failed.", ""]
        ),
        "Not started": _not_started(report),
        f"usage_rate coverage (minutes > 0, target {COVERAGE_TARGET_PCT:g} %)": _coverage(report),
        "Validation": _validation(report),
        "Throughput": _throughput(report),
        "Quarantine": _quarantine(report),
        **({"Declared gaps": _gaps(report)} if report.gaps else {}),
        **({"Quota": _quota(report)} if report.quota is not None else {}),
        "Calendar": _calendars(report),
    }
    lines = [f"# nba_pipeline: {report.days[0]} to {report.days[-1]}", "", about(report), "", *_facts(report)]
    for name, inside in sections.items():
        lines += [f"## {name}", "", *inside]
    return "\n".join(lines)


def _facts(report: Report) -> list[str]:
    usage, passed = report.whole_coverage, sum(a.passed for a in report.answers)
    days = ", ".join(f"{report.total(what):,} {what}" for what in ("failed", "blocked", "stale", "missing"))
    covered = f"{usage.percent:g} %" if usage else "no rows"
    asked = (
        f"{passed} of {len(report.answers)} validation answers right; {len(report.rejected)} row(s) in"
        " quarantine."
    )
    return [
        (
            f"**{report.complete():g} % of all table-days are complete**; {days}; usage_rate coverage"
            f" {covered}; {asked}"
        ),
        "",
    ]


def _next(report: Report) -> list[str]:
    steps = [f"{n}. {words}: `{command}`" for n, (words, command) in enumerate(next_steps(report), 1)]
    return [*(steps or ["Nothing: every day of every table is there, up to date and as it should be."]), ""]


def _states(report: Report) -> list[str]:
    rows = (
        (n, f"{report.complete(n):g} %", _counted(report, n), f"{report.rows[n]:,}") for n in report.cells
    )
    return _table(("table", "complete", "days", "rows"), rows)


def _cause(cause: Cause) -> list[str]:
    """A line per day, each with its class and its own words; days beyond the first ones as ranges."""
    rest = cause.days[DAYS_SHOWN:]
    return [
        f"### {cause.failure_class} in `{cause.table}`: {len(cause.failed)} day(s)",
        "",
        f"What to do: {cause.remedy}",
        "",
        *_table(
            ("day", "class", "why"),
            ((str(f.day), f.failure_class, f.message) for f in cause.failed[:DAYS_SHOWN]),
        ),
        *(
            [
                (
                    f"and {len(rest)} more: {described(rest, 12)}; `nba-pipeline status --json` has the words"
                    " of each"
                ),
                "",
            ]
            if rest
            else []
        ),
    ]


def _not_started(report: Report) -> list[str]:
    if not report.left:
        return ["Nothing: a backfill of these days would find nothing to make.", ""]
    rows = (
        (
            one.table,
            str(one.days),
            str(one.runs),
            "?" if one.rows is None else f"{one.rows:,}",
            "?" if one.seconds is None else in_words(one.seconds),
            ", ".join(f"{n} {reason}" for reason, n in one.why.items()),
        )
        for one in report.left
    )
    lines = [f"What a backfill of these days would make: {time_left(report)}.", ""]
    lines += _table(("table", "days to make", "runs", "rows", "time", "why"), rows)
    if report.waiting:
        lines += ["### What waits, and for what", ""]
        shown = report.waiting[:_ROWS_SHOWN]
        lines += _table(
            ("waits for", "days", "which", "of"),
            ((w.what, f"{len(w.days):,}", described(w.days), ", ".join(w.short_names)) for w in shown),
        )
    rest = len(report.waiting) - _ROWS_SHOWN
    return [*lines, f"and {rest} more", ""] if rest > 0 else lines


def _coverage(report: Report) -> list[str]:
    if not report.coverage:
        return ["No player has a row yet.", ""]
    rows = (
        (
            c.month,
            f"{c.rows:,}",
            f"{c.with_usage:,}",
            f"{c.percent:.2f} %" + ("" if c.met else " (below the target)"),
        )
        for c in report.coverage
    )
    return _table(("month", "rows", "with usage_rate", "coverage"), rows)


def _validation(report: Report) -> list[str]:
    rows = (
        ("ok" if a.passed else "**differs**", a.question, a.expected, "; ".join((a.found, *a.exceptions)))
        for a in report.answers
    )
    return _table(("", "question", "expected", "found"), rows)


def _throughput(report: Report) -> list[str]:
    if not report.throughput:
        return ["No backfill of the command line has been measured on this machine yet.", ""]

    def row(name: str) -> tuple[str, ...]:
        runs, days, seconds = (
            sum(getattr(m, unit) for m in report.throughput[name]) for unit in ("runs", "days", "seconds")
        )
        speed = f"{60 * days / seconds:,.0f}" if seconds else ""
        return name, str(len(report.throughput[name])), str(runs), f"{days:,}", f"{seconds:,.1f}", speed

    return _table(
        ("table", "backfills", "runs", "days", "seconds", "days per minute"), map(row, report.throughput)
    )


def _quarantine(report: Report) -> list[str]:
    if not report.rejected:
        return ["The quarantine is empty.", ""]
    rest = len(report.rejected) - _ROWS_SHOWN
    rows = ((str(r.day), r.failure_class, r.table, r.message) for r in report.rejected[:_ROWS_SHOWN])
    more = [f"and {rest} more: `nba-pipeline rejected list`", ""] if rest > 0 else []
    return [*_table(("day", "class", "table", "why"), rows), *more]


def _gaps(report: Report) -> list[str]:
    return [*(f"- {standing.words}" for standing in report.gaps), ""]


def _quota(report: Report) -> list[str]:
    quota = report.quota
    assert quota is not None
    units = vars(quota.limits)
    rows = ((name, *(f"{getattr(used, unit):,}" for unit in units)) for name, used in quota.used.items())
    limits = ", ".join(f"{limit:,} {unit}" for unit, limit in units.items())
    again = (
        f"Used today, per table; limits: {limits}. Quotas start again at {quota.resets_at:%Y-%m-%d %H:%M %Z}."
    )
    return [again, "", *_table(("table", *units), rows)]


def _calendars(report: Report) -> list[str]:
    lines = [
        ", ".join(f"`{m}` {w}" for w, m in _MARKS.items()) + f", `{_EMPTY_MARK}` empty with a reason",
        "",
    ]
    for name in report.cells:
        lines += [f"### {name}", "", "```", *_calendar(report, name), "```", ""]
    return lines


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
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(map(_plain, row))} |" for row in rows),
        "",
    ]


def _plain(text: str) -> str:
    """One line without bars, which would end a cell."""
    return " ".join(text.replace("|", "/").split())
