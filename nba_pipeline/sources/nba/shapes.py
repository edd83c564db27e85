"""The words of a verdict, and reading a parsed answer with the path of whatever is not as it should be.

Belongs here: ``Verdict``, ``KnownGame`` and typed access to JSON. Does not belong here: particular endpoints
(``boxes.py``, ``plays.py``, ``seasons.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nba_pipeline.failures import FailureClass


class Kind(StrEnum):
    """What an answer is."""

    OK = "ok"
    NOT_PLAYED = "not_played"
    IN_PROGRESS = "in_progress"
    EMPTY_FOR_FINAL = "empty_for_final"
    WRONG_GAME = "wrong_game"
    NOT_JSON = "not_json"
    DRIFT = "drift"
    TRUNCATED = "truncated"
    DISAGREES = "disagrees"


_CLASSES = {
    Kind.NOT_PLAYED: FailureClass.INCOMPLETE_INPUT,
    Kind.IN_PROGRESS: FailureClass.INCOMPLETE_INPUT,
    Kind.EMPTY_FOR_FINAL: FailureClass.INCOMPLETE_INPUT,
    Kind.DISAGREES: FailureClass.INCOMPLETE_INPUT,
    Kind.WRONG_GAME: FailureClass.UNPARSEABLE_SOURCE,
    Kind.NOT_JSON: FailureClass.UNPARSEABLE_SOURCE,
    Kind.TRUNCATED: FailureClass.UNPARSEABLE_SOURCE,
    Kind.DRIFT: FailureClass.SCHEMA_DRIFT,
}


@dataclass(frozen=True)
class Verdict:
    """``kind``; for drift the ``path`` of what is missing or of another type; ``detail`` in words; ``totals``
    of an accepted box, for ``KnownGame.totals`` when the plays of its game are examined."""

    kind: Kind
    path: str = ""
    detail: str = ""
    totals: Mapping[int, tuple[int, ...]] | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the answer belongs into the archive as a version; all others are rejected."""
        return self.kind is Kind.OK

    @property
    def failure_class(self) -> FailureClass | None:
        """The class of the failure; None for ``ok``."""
        return _CLASSES.get(self.kind)

    def __str__(self) -> str:
        name = f"{self.kind.value}({self.path})" if self.path else self.kind.value
        return f"{name}: {self.detail}" if self.detail else name


@dataclass(frozen=True)
class KnownGame:
    """What is known of a game before its answer is examined: from the schedule whether it is final
    (gameStatus 3) and its points; from its box (``Verdict.totals``) each player's counts."""

    final: bool
    home_points: int | None = None
    away_points: int | None = None
    totals: Mapping[int, tuple[int, ...]] | None = None


class Found(Exception):
    """Ends an examination with its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


def at(value: Any, key: str, path: str, *types: type) -> Any:
    """``value[key]`` if it is of one of the types (a bool is no int). Raises Found with ``drift(path)``."""
    where = f"{path}.{key}" if path else key
    if not isinstance(value, dict) or key not in value:
        raise Found(Verdict(Kind.DRIFT, where, "missing"))
    held = value[key]
    if type(held) not in types:
        raise Found(Verdict(Kind.DRIFT, where, f"{type(held).__name__} {str(held)[:40]!r}"))
    return held


def count(value: Any, key: str, path: str) -> int:
    """A whole number from 0 on. Raises Found with ``drift(path)``."""
    held: int = at(value, key, path, int)
    if held < 0:
        raise Found(Verdict(Kind.DRIFT, f"{path}.{key}", f"negative: {held}"))
    return held


def require_game(value: Any, key: str, path: str) -> None:
    """Raises Found with ``wrong_game`` if the answer is another game's."""
    held = at(value, "gameId", path, str)
    if held != key:
        raise Found(Verdict(Kind.WRONG_GAME, f"{path}.gameId", f"{held} instead of {key}"))


def disagrees(detail: str) -> Found:
    """The end of an examination of sums that contradict each other."""
    return Found(Verdict(Kind.DISAGREES, detail=detail))


def empty(game: KnownGame | None, detail: str) -> Verdict:
    """Nothing in the answer: an error for a final game, and only then."""
    return Verdict(Kind.EMPTY_FOR_FINAL if game and game.final else Kind.NOT_PLAYED, detail=detail)
