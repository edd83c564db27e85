"""Errors as the REST API words them: an HTTP status, a reason and a message.

Belongs here: the error class and one constructor per kind of failure.
Does not belong here: deciding when something is an error.
"""

from __future__ import annotations

from typing import Any

STATUS = {
    # DOC: "Error messages" page, table of reasons and HTTP codes.
    "accessDenied": 403,
    "backendError": 503,
    "conditionNotMet": 412,
    "duplicate": 409,
    "internalError": 500,
    "invalid": 400,
    "invalidQuery": 400,
    "notFound": 404,
    "notImplemented": 501,
    "quotaExceeded": 403,
    "rateLimitExceeded": 429,
    "resourceInUse": 400,
    "resourcesExceeded": 400,
    "stopped": 200,
}


class BigQueryError(Exception):
    """One failure; ``reason`` is one of Google's words and decides the HTTP status unless ``status`` says
    otherwise."""

    def __init__(self, reason: str, message: str, *, status: int | None = None, location: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.location = reason, message, location
        self.status = status or STATUS.get(reason, 400)

    def proto(self) -> dict[str, str]:
        """The ErrorProto of a job's ``status``."""
        found = {"reason": self.reason, "message": self.message}
        return found | {"location": self.location} if self.location else found

    def body(self) -> dict[str, Any]:
        """The body of a failed HTTP call."""
        detail = self.proto() | {"domain": "global"}
        return {"error": {"code": self.status, "message": self.message, "errors": [detail]}}


def not_found(what: str) -> BigQueryError:
    return BigQueryError("notFound", f"Not found: {what}")


def duplicate(what: str) -> BigQueryError:
    return BigQueryError("duplicate", f"Already Exists: {what}")


def invalid(message: str) -> BigQueryError:
    return BigQueryError("invalid", message)


def invalid_query(message: str) -> BigQueryError:
    return BigQueryError("invalidQuery", message, location="query")


def quota_exceeded(message: str) -> BigQueryError:
    return BigQueryError("quotaExceeded", message)


def not_modelled(what: str) -> BigQueryError:
    """What production may well do and this server does not: a test that meets it must not pass by
    accident."""
    return BigQueryError("notImplemented", f"This server does not model {what}.")
