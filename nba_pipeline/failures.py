"""The failure vocabulary: one enum of classes and the errors that carry it.

Belongs here: ``FailureClass``, what each class means and what a person does about it, and ``PipelineError``.
Does not belong here: finding failures (``checks/``) or showing them (``cli/``, ``assets/``). Standard library
only, because tables, sources, warehouses and checks all speak this vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum


class FailureClass(StrEnum):
    """Why a day failed. The order is the order of causes: when a day shows several, the first here is its
    class, because it explains the others (a missing player also breaks the sum of points)."""

    SOURCE_UNAVAILABLE = "source_unavailable"
    UNPARSEABLE_SOURCE = "unparseable_source"
    SCHEMA_DRIFT = "schema_drift"
    DUPLICATE_KEY = "duplicate_key"
    INCOMPLETE_INPUT = "incomplete_input"
    IMPOSSIBLE_VALUE = "impossible_value"
    TYPE_OVERFLOW = "type_overflow"
    WRITE_FAILED = "write_failed"
    CODE_ERROR = "code_error"

    @property
    def rank(self) -> int:
        return list(FailureClass).index(self)

    @property
    def remedy(self) -> str:
        return _REMEDY[self]


_REMEDY = {
    FailureClass.SOURCE_UNAVAILABLE: (
        "make the source reachable (or cover the day), then `nba-pipeline retry`"
    ),
    FailureClass.UNPARSEABLE_SOURCE: "replace the damaged source file or payload, then `nba-pipeline retry`",
    FailureClass.SCHEMA_DRIFT: (
        "what is stored: `nba-pipeline schema diff` compares it with the declaration, `nba-pipeline schema"
        " apply` changes it where that can be done in place; what was delivered: correct it at the source;"
        " then `nba-pipeline retry`"
    ),
    FailureClass.DUPLICATE_KEY: "remove the repeated rows at the source, then `nba-pipeline retry`",
    FailureClass.INCOMPLETE_INPUT: (
        "complete the named input, then `nba-pipeline retry`; what will never come of a game is declared with"
        " `nba-pipeline gaps accept`"
    ),
    FailureClass.IMPOSSIBLE_VALUE: "correct the input row at the source, then `nba-pipeline retry`",
    FailureClass.TYPE_OVERFLOW: (
        "the value is true and the column too small: widen the column, `nba-pipeline schema apply`, then"
        " `nba-pipeline retry`"
    ),
    FailureClass.WRITE_FAILED: "look at the warehouse named in the message, then `nba-pipeline retry`",
    FailureClass.CODE_ERROR: "fix the defect in the traceback of the run, then `nba-pipeline retry`",
}


def worst(classes: Iterable[FailureClass]) -> FailureClass:
    """The class that explains the others: the first in the order of ``FailureClass``."""
    return min(classes, key=lambda c: c.rank)


class PipelineError(Exception):
    """An error with a failure class; ``days`` are the days it concerns (none: every day that was asked
    for)."""

    failure_class = FailureClass.CODE_ERROR

    def __init__(
        self, message: str, *, failure_class: FailureClass | None = None, days: Iterable[date] = ()
    ) -> None:
        super().__init__(message)
        if failure_class is not None:
            self.failure_class = failure_class
        self.days = tuple(days)


class SourceUnavailable(PipelineError):
    """The source could not be reached or does not cover the day."""

    failure_class = FailureClass.SOURCE_UNAVAILABLE


class UnparseableSource(PipelineError):
    """The source answered with something that cannot be read (truncated, corrupt, not what it says it is)."""

    failure_class = FailureClass.UNPARSEABLE_SOURCE


class SchemaDrift(PipelineError):
    """Columns or types differ from the declaration."""

    failure_class = FailureClass.SCHEMA_DRIFT


class WriteFailed(PipelineError):
    """The warehouse refused or lost a write; what was stored before is still there."""

    failure_class = FailureClass.WRITE_FAILED


class ConfigurationError(Exception):
    """A setting or an option is wrong: exit code 2, before anything runs."""
