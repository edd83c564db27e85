"""Faults on purpose: what goes wrong with which HTTP call, before its work is done or after.

Belongs here: the faults and their selection.
Does not belong here: the sockets on which they are played (``server``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

WHEN = ("before", "after")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Either an HTTP ``status`` with a ``reason`` (and ``message``), or ``reset`` (the connection is torn down
    without an answer), or ``hang_seconds`` (the answer is late by so much). ``when="before"``: the server did
    nothing; ``"after"``: it did its work and the answer was lost.
    """

    when: str = "before"
    status: int = 0
    reason: str = "backendError"
    message: str = "injected fault"
    reset: bool = False
    hang_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.when not in WHEN:
            raise ValueError(f"when is one of {WHEN}, not {self.when!r}")
        if not (self.status or self.reset or self.hang_seconds):
            raise ValueError("a fault needs a status, reset or hang_seconds")


def unavailable(when: str = "before") -> Fault:
    return Fault(when, status=503, reason="backendError", message="Service unavailable. Please try again.")


def server_error(when: str = "before") -> Fault:
    return Fault(
        when,
        status=500,
        reason="internalError",
        message="An internal error occurred and the request could not be completed.",
    )


def rate_limited(when: str = "before") -> Fault:
    return Fault(
        when,
        status=429,
        reason="rateLimitExceeded",
        message="Exceeded rate limits: too many api requests per user per method.",
    )


def quota_exceeded(when: str = "before") -> Fault:
    return Fault(
        when,
        status=403,
        reason="quotaExceeded",
        message="Quota exceeded: Your project exceeded quota for this operation.",
    )


def reset(when: str = "before") -> Fault:
    return Fault(when, reset=True)


def hang(seconds: float, when: str = "before") -> Fault:
    return Fault(when, hang_seconds=seconds)


@dataclass
class _Rule:
    fault: Fault
    applies: Callable[[int, str, str], bool]
    left: int


class Faults:
    """The faults to come. ``at(n, fault)``: the n-th call from now; ``on(pattern, fault)``: the next matching
    calls."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._calls = 0
        self.played: list[tuple[str, str, Fault]] = []
        """(method, path, fault) of each fault that happened: a test asserts that its fault was met at all."""

    def at(self, index: int, fault: Fault) -> None:
        """``index`` counts the HTTP calls from now on, from 0."""
        with self._lock:
            wanted = self._calls + index
            self._rules.append(_Rule(fault, lambda n, method, path: n == wanted, 1))

    def on(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """``pattern`` is a regular expression searched in ``"METHOD /path"``."""
        compiled = re.compile(pattern)
        with self._lock:
            self._rules.append(
                _Rule(fault, lambda n, method, path: bool(compiled.search(f"{method} {path}")), times)
            )

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()
            self.played.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of this call, if it has one (the server asks once per call)."""
        with self._lock:
            number, self._calls = self._calls, self._calls + 1
            for rule in self._rules:
                if rule.left > 0 and rule.applies(number, method, path):
                    rule.left -= 1
                    self.played.append((method, path, rule.fault))
                    return rule.fault
        return None
