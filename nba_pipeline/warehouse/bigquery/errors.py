"""What BigQuery's errors mean: which may be tried again, and what a person is told about the others.

Belongs here: ``Trouble``, ``trouble_of`` and ``explained``. Does not belong here: waiting
(``bigquery_jobs.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from enum import Enum, auto
from typing import Any

import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth

from nba_pipeline.failures import ConfigurationError, FailureClass, PipelineError, SchemaDrift
from nba_pipeline.tables.spec import Table


class Trouble(Enum):
    TRANSIENT = auto()  # try again soon: 429, 5xx, a lost connection, a transaction that lost against another
    QUOTA = auto()  # try again much later: a quota is used up
    CONFLICT = auto()  # a job of this id exists
    STAGING_GONE = auto()
    FINAL = auto()


class JobFailed(Exception):
    """A job that ended with an error, as BigQuery words it."""

    def __init__(self, job_id: str, error: dict[str, Any]) -> None:
        super().__init__(str(error.get("message") or error))
        self.job_id = job_id
        self.reason = str(error.get("reason") or "")


class JobOverdue(Exception):
    """A job that did not end in time; ``stopped``: whether it ended after it was told to stop."""

    def __init__(self, job_id: str, seconds: float, stopped: bool) -> None:
        super().__init__(f"job {job_id} did not end within {seconds:g} seconds")
        self.job_id, self.stopped = job_id, stopped


class WarehouseMisconfigured(PipelineError, ConfigurationError):
    """Credentials, permissions, project, dataset or location: nothing that trying again would mend."""

    failure_class = FailureClass.WRITE_FAILED


REMOTE_ERRORS = (
    api.GoogleAPIError,
    auth.GoogleAuthError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
    JobFailed,
    JobOverdue,
)
"""Everything that talking to BigQuery raises."""

_TRANSIENT_REASONS = {
    "backendError",
    "internalError",
    "rateLimitExceeded",
    "badGateway",
    "jobBackendError",
    "jobInternalError",
}
_LOST_RACE = re.compile(
    r"transaction is aborted|could not serialize access|due to concurrent update|too many DML statements",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"NUMERIC\((\d+), ?(\d+)\) has precision", re.IGNORECASE)
_REQUEST = re.compile(
    r"^(GET|POST|PUT|PATCH|DELETE) \S+: "
)  # the library begins messages with the call's address
_NOT_FOUND = re.compile(r"not found: (\w+)", re.IGNORECASE)


def reason_of(error: BaseException) -> str:
    if isinstance(error, JobFailed):
        return error.reason
    found = getattr(error, "errors", None) or [{}]
    return str(found[0].get("reason", "")) if isinstance(found[0], dict) else ""


def trouble_of(error: BaseException) -> Trouble:
    """What may be done about an error. Anything unknown is FINAL: it is reported, not repeated."""
    reason, text = reason_of(error), str(error)
    if isinstance(error, api.Conflict):
        return Trouble.CONFLICT
    if reason == "quotaExceeded" or (isinstance(error, api.Forbidden) and "quota exceeded" in text.lower()):
        return Trouble.QUOTA
    if reason in _TRANSIENT_REASONS or _LOST_RACE.search(text):
        return Trouble.TRANSIENT
    if isinstance(error, (JobFailed, api.NotFound)):
        gone = reason == "notFound" or isinstance(error, api.NotFound)
        return (
            Trouble.STAGING_GONE
            if gone and "nba_staging." in text and missing_kind(error) == "table"
            else Trouble.FINAL
        )
    if isinstance(error, auth.TransportError):
        return Trouble.TRANSIENT
    if isinstance(
        error,
        (api.TooManyRequests, api.ServerError, ConnectionError, TimeoutError, urllib3.exceptions.HTTPError),
    ):
        return Trouble.TRANSIENT if not isinstance(error, api.MethodNotImplemented) else Trouble.FINAL
    if isinstance(
        error, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    ):
        return Trouble.TRANSIENT
    return Trouble.FINAL


def missing_kind(error: BaseException) -> str | None:
    """ "table", "dataset", "project" or "job" where the error says that something does not exist."""
    if not isinstance(error, api.NotFound) and reason_of(error) != "notFound":
        return None
    found = _NOT_FOUND.search(str(error))
    return found.group(1).lower() if found else "thing"


def overflow_digits(error: BaseException) -> tuple[int, int] | None:
    """(precision, scale) of the type that a value did not fit, where the error speaks of that."""
    found = _DIGITS.search(str(error))
    return (int(found.group(1)), int(found.group(2))) if found else None


def explained(
    error: BaseException, table: Table | None, days: Sequence[date], *, writing: bool, where: str
) -> PipelineError:
    """The error for a person: what happened to which table and days, why, and what to do. ``where``: project
    and location."""
    what = f"{table.full_name} ({_span(days)})" if table else "the warehouse"
    lead = f"{what} could not be {'written to' if writing else 'read from'} BigQuery ({where})"
    kept = " What was stored before is still stored, whole." if writing else ""
    general = FailureClass.WRITE_FAILED if writing else FailureClass.SOURCE_UNAVAILABLE
    said = _first_line(error)
    if advice := _configuration(error):
        return WarehouseMisconfigured(f"{lead}: {said}.{kept} {advice}", failure_class=general, days=days)
    if trouble_of(error) is Trouble.QUOTA:
        advice = (
            "Daily quotas start again at midnight Pacific time; wait for that, or ask Google for a larger"
            " quota where it can be raised (IAM & Admin > Quotas), then materialize these days again"
        )
        return PipelineError(
            f"{lead}: a quota is used up: {said}.{kept} {advice}.", failure_class=general, days=days
        )
    if digits := overflow_digits(error):
        text = (
            f"{lead}: a value does not fit: {said}.{_declared_so(table, digits)}{kept} Widen the column, then"
            " `nba-pipeline schema apply`."
        )
        return PipelineError(text, failure_class=FailureClass.TYPE_OVERFLOW, days=days)
    if isinstance(error, JobOverdue):
        state = (
            "It was stopped."
            if error.stopped
            else "It was told to stop but has not confirmed: it may end well."
        )
        advice = "Materialize the days again: the same content is never written twice"
        text = f"{lead}: {said}. {state}{kept if error.stopped else ''} {advice}."
        return PipelineError(text, failure_class=general, days=days)
    if reason_of(error) in ("invalid", "invalidQuery") or isinstance(error, api.BadRequest):
        advice = "Compare the table with its declaration: `nba-pipeline schema diff --warehouse bigquery`"
        return SchemaDrift(f"{lead}: it refused the request: {said}.{kept} {advice}.", days=days)
    advice = "Trying again did not help; see the state of the service, then materialize these days again"
    return PipelineError(f"{lead}: {said}.{kept} {advice}.", failure_class=general, days=days)


def _declared_so(table: Table | None, digits: tuple[int, int]) -> str:
    columns = table.columns if table else ()
    fitting = ", ".join(c.name for c in columns if (c.type.precision, c.type.scale) == digits)
    if fitting:
        return f" Columns declared so: {fitting}."
    return " No column is declared so: the stored table differs (schema diff)."


def _configuration(error: BaseException) -> str | None:
    """What to correct outside of this program, if that is the cause."""
    if isinstance(
        error, (auth.RefreshError, auth.DefaultCredentialsError, api.Unauthenticated, api.Unauthorized)
    ):
        return (
            "The credentials are missing or expired: run `gcloud auth application-default login`, or attach a"
            " service account."
        )
    if trouble_of(error) is Trouble.FINAL and (
        isinstance(error, api.Forbidden) or reason_of(error) == "accessDenied"
    ):
        return (
            "The account lacks a permission: docs/bigquery.md lists the roles that are needed and where to"
            " grant them."
        )
    kind = missing_kind(error)
    if kind == "dataset" or (kind and "location" in str(error)):
        return (
            "The dataset does not exist in this location: check NBA_PIPELINE_BIGQUERY_PROJECT,"
            " NBA_PIPELINE_BIGQUERY_LOCATION and NBA_PIPELINE_BIGQUERY_DATASET_PREFIX, or make the datasets"
            " with `nba-pipeline schema apply --warehouse bigquery`."
        )
    if kind == "project":
        return (
            "The project does not exist, or this account cannot see it: check NBA_PIPELINE_BIGQUERY_PROJECT."
        )
    return None


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    text = _REQUEST.sub("", text)
    return text.strip().splitlines()[0].rstrip(".")[:600]


def _span(days: Sequence[date]) -> str:
    if not days:
        return "its manifest"
    return f"{days[0]}" if len(days) == 1 else f"{len(days)} days, {min(days)} .. {max(days)}"
