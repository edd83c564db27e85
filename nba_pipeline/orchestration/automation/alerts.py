"""Alerts as text: what went wrong, grouped by cause, without what has been said already. Pure functions.

Belongs here: grouping, folding, wording. Does not belong here: reading the instance (``alert_sensor.py``),
sending (``channels.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from nba_pipeline.failures import FailureClass
from nba_pipeline.orchestration.automation.inventory import in_words

STANDING_CHECK, QUARANTINED, DECLARED_GAP = "standing_check", "quarantined_rows", "declared_gap"
_STANDING = (STANDING_CHECK, DECLARED_GAP)
"""What is so until somebody changes it: said in its own words, and again after a week."""
DAY_SECONDS = 86_400.0
REMEMBERED_DAYS, REMEMBERED_CHECKS = DAY_SECONDS, 7 * DAY_SECONDS
"""How long the same is not said again: a day that failed for the same reason, and a standing check with the
same counts."""
FIRST_DAYS = 5


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong: a failed day of a table, a run that died (``day`` None), a failed standing
    check, or a day of which ``rows`` went to the quarantine."""

    table: str
    failure_class: str
    message: str
    run_id: str
    day: date | None = None
    rows: int = 0


@dataclass(frozen=True)
class Cause:
    """Findings of one class in one table."""

    failure_class: str
    table: str
    findings: Sequence[Finding]

    @property
    def key(self) -> str:
        return f"{self.failure_class} {self.table}"

    @property
    def days(self) -> list[date]:
        return sorted({f.day for f in self.findings if f.day is not None})

    @property
    def rows(self) -> int:
        """Refused rows; a day that was made more than once counts with its newest run (findings are in the
        order of runs)."""
        return sum({f.day: f.rows for f in self.findings}.values())


@dataclass
class Said:
    """What has been said: per cause the days (or the words) and when it may be said again; how often it was
    held back."""

    until: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    held_back: dict[str, int] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        self.until = {key: value for key, value in self.until.items() if value[0] > now}
        self.held_back = {key: n for key, n in self.held_back.items() if key in self.until}

    def to_json(self) -> dict[str, object]:
        return {"until": self.until, "held_back": self.held_back}

    @classmethod
    def from_json(cls, value: Mapping[str, dict[str, object]]) -> Said:
        until = {k: (float(v[0]), list(v[1])) for k, v in value.get("until", {}).items()}  # type: ignore[index]
        return cls(until, {k: int(str(n)) for k, n in value.get("held_back", {}).items()})


def causes_of(findings: Iterable[Finding]) -> list[Cause]:
    """Findings by class and table, the classes that explain the others first."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.failure_class, finding.table), []).append(finding)
    causes = [Cause(failure_class, table, found) for (failure_class, table), found in grouped.items()]
    return sorted(causes, key=lambda c: (_rank(c.failure_class), c.table))


def news(causes: Sequence[Cause], said: Said, now: float) -> list[Cause]:
    """The causes with something that was not said lately; ``said`` is brought up to date. A cause keeps all
    its findings."""
    said.forget(now)
    fresh = []
    for cause in causes:
        words = sorted({f.day.isoformat() if f.day else f.message for f in cause.findings})
        before = said.until.get(cause.key, (0.0, []))[1]
        if set(words) <= set(before):
            said.held_back[cause.key] = said.held_back.get(cause.key, 0) + 1
            continue
        fresh.append(cause)
        lasting = REMEMBERED_CHECKS if cause.failure_class in _STANDING else REMEMBERED_DAYS
        kept = words if cause.failure_class in _STANDING else sorted({*before, *words})
        said.until[cause.key] = (now + lasting, kept)
    return fresh


def worded(title: str, causes: Sequence[Cause], said: Said, links: Sequence[str] = ()) -> tuple[str, str]:
    """(subject, text) of one message about some causes."""
    failed = sum(len(c.days) or 1 for c in causes if c.failure_class not in (*_STANDING, QUARANTINED))
    gaps = sum(len(c.findings) for c in causes if c.failure_class == DECLARED_GAP)
    checks = sum(len(c.findings) for c in causes if c.failure_class == STANDING_CHECK)
    rows = sum(c.rows for c in causes if c.failure_class == QUARANTINED)
    counts = [f"{failed} failed days or runs"] * bool(failed) + [f"{checks} standing checks failed"] * bool(
        checks
    )
    counts += [f"{rows} rows in quarantine"] * bool(rows)
    counts += [f"{gaps} declared gaps in use"] * bool(gaps)
    lines = [f"{title}: {', '.join(counts)}"]
    for cause in causes:
        lines += ["", *_cause_lines(cause, said.held_back.pop(cause.key, 0))]
    lines += ["", *links] if links else []
    return lines[0], "\n".join(lines)


def _cause_lines(cause: Cause, held_back: int) -> list[str]:
    first = min(cause.findings, key=lambda f: (f.day or date.max, f.message))
    if cause.failure_class in _STANDING:
        return [f.message for f in cause.findings]
    days = (
        f"{len(cause.days)} day(s): {_first_days(cause.days)}"
        if cause.days
        else f"{len(cause.findings)} run(s)"
    )
    again = f" (the same was found {held_back} more time(s) since it was last said)" if held_back else ""
    lines = [
        f"{cause.failure_class} in {cause.table}, {days}{again}",
        f"  {first.day or 'run'}: {_short(first.message)}",
    ]
    if cause.failure_class == QUARANTINED:
        lines[0] = lines[0].replace(f"in {cause.table}, ", f"in {cause.table}, {cause.rows} row(s) of ", 1)
        lines.append(
            f"  what to do: `nba-pipeline rejected list --tables {cause.table} --start {cause.days[0]} --end"
            f" {cause.days[-1]}`"
        )
    if cause.failure_class in set(FailureClass):
        lines.append(f"  what to do: {FailureClass(cause.failure_class).remedy}")
    return lines


def _first_days(days: Sequence[date]) -> str:
    more = f" and {len(days) - FIRST_DAYS} more" if len(days) > FIRST_DAYS else ""
    return in_words(days[:FIRST_DAYS]) + more


def _short(message: str, most: int = 500) -> str:
    return message if len(message) <= most else message[: most - 3] + "..."


def _rank(failure_class: str) -> int:
    return FailureClass(failure_class).rank if failure_class in set(FailureClass) else len(FailureClass)


def as_cursor(after: float, waiting: Iterable[str], said: Said) -> str:
    """The sensor's cursor: runs that ended up to ``after`` are dealt with, those of the backfills ``waiting``
    are not."""
    return json.dumps({"after": after, "waiting": sorted(waiting), "said": said.to_json()})
