"""What became of each day of a range: stored or failed, with its class, its rows and its words.

Belongs here: ``DayFailure``, ``StoredDay``, ``RangeOutcome`` and the message that groups failures by cause.
Does not belong here: Dagster (``partitioned.py``), finding violations (``checks/``).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from nba_pipeline.checks.completeness import COMPLETENESS
from nba_pipeline.failures import FailureClass, worst
from nba_pipeline.rangerun.gaps import Gap
from nba_pipeline.warehouse.base import ManifestEntry

SAMPLE_ROWS = 5
_SAMPLE_COLUMNS = ["check", "failure_class", "column", "value", "message", "inputs"]


@dataclass(frozen=True)
class DayFailure:
    """Why nothing of a day was written: one class, how many rows or findings, one message, a sample of
    offending rows."""

    day: date
    failure_class: FailureClass
    count: int
    message: str
    sample: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_SAMPLE_COLUMNS))


@dataclass(frozen=True)
class StoredDay:
    """A day that is in the warehouse, and what is worth knowing of its content."""

    entry: ManifestEntry
    changed: bool
    rejected_rows: int = 0


@dataclass(frozen=True)
class CheckResult:
    """One check on one day."""

    check: str
    day: date
    passed: bool
    compared: int
    violations: int
    sample: pd.DataFrame | None = None


@dataclass(frozen=True)
class RangeOutcome:
    """All of a range. Every day asked for is in exactly one of ``stored`` and ``failed``."""

    stored: Mapping[date, StoredDay]
    failed: Mapping[date, DayFailure]
    checks: Sequence[CheckResult]
    statistics: Mapping[date, Mapping[str, object]] = field(default_factory=dict)
    unusable: Mapping[date, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    awaiting: frozenset[date] = frozenset()
    """Stored days with games that are still to be played: their results come later."""
    gaps: Mapping[date, tuple[Gap, ...]] = field(default_factory=dict)
    """Stored days that were made without games whose absence is declared."""


@dataclass
class OutcomeBuilder:
    """What is known of a range so far; ``outcome`` when all of it is."""

    stored: dict[date, StoredDay] = field(default_factory=dict)
    failed: dict[date, DayFailure] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    statistics: dict[date, Mapping[str, object]] = field(default_factory=dict)
    unusable: dict[date, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("read", "compute", "write"), 0.0)
    )
    awaiting: frozenset[date] = frozenset()
    gaps: dict[date, tuple[Gap, ...]] = field(default_factory=dict)

    def timed(self, phase: str, start: float) -> float:
        now = time.perf_counter()
        self.seconds[phase] += now - start
        return now

    def take(self, trial: OutcomeBuilder, days: Collection[date]) -> None:
        """What another builder knows of these days."""
        for name in ("stored", "failed", "statistics", "unusable"):
            known = getattr(trial, name)
            getattr(self, name).update({day: known[day] for day in days if day in known})
        self.checks.extend(result for result in trial.checks if result.day in days)
        self.awaiting |= trial.awaiting & set(days)

    def forget(self, days: Collection[date]) -> None:
        """As if these failed days had not been tried."""
        self.failed = {day: failure for day, failure in self.failed.items() if day not in days}
        self.checks = [result for result in self.checks if result.day not in days]

    def outcome(self) -> RangeOutcome:
        return RangeOutcome(**vars(self))


def warned_of(result: CheckResult, gaps: Sequence[Gap]) -> CheckResult:
    """The check of completeness, saying which games were left out; any other check as it is. A check that did
    not pass on a day that is stored is a warning."""
    if result.check != COMPLETENESS:
        return result
    said = {"failure_class": FailureClass.INCOMPLETE_INPUT.value, "message": [gap.words for gap in gaps]}
    return replace(result, passed=False, violations=len(gaps), sample=pd.DataFrame(said))


def failure_of_violations(day: date, violations: pd.DataFrame) -> DayFailure:
    """The failure that a day's violations amount to: the class that explains the others, and its first rows
    first."""
    failure_class = worst(FailureClass(c) for c in violations["failure_class"].unique())
    ordered = violations.assign(_first=violations["failure_class"] != failure_class.value).sort_values(
        "_first", kind="stable"
    )
    rows = violations["row"].nunique() + int(violations["row"].isna().sum())
    message = str(ordered["message"].iloc[0])
    if rows > 1:
        message += f" (and {rows - 1} more)"
    return DayFailure(
        day, failure_class, rows, message, ordered[_SAMPLE_COLUMNS].head(SAMPLE_ROWS).reset_index(drop=True)
    )


def markdown_table(sample: pd.DataFrame) -> str:
    """Offending rows as a Markdown table; bars inside a cell would end it, so they are replaced."""
    if sample.empty:
        return ""
    header = "| " + " | ".join(sample.columns) + " |\n|" + "---|" * len(sample.columns)
    lines = ["| " + " | ".join(_cell(v) for v in row) + " |" for row in sample.itertuples(index=False)]
    return "\n".join([header, *lines])


def _cell(value: object) -> str:
    return (
        ""
        if value is None or value is pd.NA or value != value
        else str(value).replace("|", "/").replace("\n", " ")
    )


def group_message(table: str, asked: int, failed: Mapping[date, DayFailure]) -> str:
    """One message for all bad days of a run, grouped by cause: class, days, what was wrong first, what to
    do."""
    lines = [f"{table}: {len(failed)} of {asked} days failed; the other {asked - len(failed)} are stored."]
    for failure_class in sorted({f.failure_class for f in failed.values()}, key=lambda c: c.rank):
        of_class = sorted(
            (f for f in failed.values() if f.failure_class is failure_class), key=lambda f: f.day
        )
        days = ", ".join(str(f.day) for f in of_class[:8]) + (
            f" and {len(of_class) - 8} more" if len(of_class) > 8 else ""
        )
        lines.append(f"{failure_class.value}: {len(of_class)} day(s): {days}")
        lines.append(f"  {of_class[0].day}: {of_class[0].message}")
        lines.append(f"  what to do: {failure_class.remedy}")
    return "\n".join(lines)
