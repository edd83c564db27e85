"""Sentences for troubles of the machine: a full or read-only disk, a locked or damaged history.

Belongs here: recognizing them in what was raised. Does not belong here: failures of days (``failures.py``),
wrong settings (``ConfigurationError``).
"""

from __future__ import annotations

import errno
import sqlite3

_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EIO: "the disk reports an error",
    errno.EMFILE: "too many files are open",
}
_HISTORY = (
    ("locked", "another program holds Dagster's history (a backup, a database browser)"),
    ("full", "the disk is full, so Dagster's history cannot be written"),
    ("disk i/o error", "Dagster's history cannot be read or written (is the disk full?)"),
    ("readonly", "Dagster's history is read-only"),
    ("unable to open", "Dagster's history cannot be opened"),
    ("malformed", "Dagster's history is damaged; put a backup of $DAGSTER_HOME/history in its place"),
    ("not a database", "Dagster's history is damaged; put a backup of $DAGSTER_HOME/history in its place"),
)


def sentence(error: BaseException) -> str | None:
    """What happened and how to go on, or None if the error is no trouble of the machine."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        what = _of(cause)
        if what:
            return f"{what}. What was stored stays; when the cause is gone, the same command makes the rest"
        cause = getattr(cause, "orig", None) or cause.__cause__ or cause.__context__
    return None


def _of(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.DatabaseError):
        text = str(error).lower()
        return next((said for part, said in _HISTORY if part in text), None)
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"{_DISK[error.errno]}: {error.filename or error}"
    return None
