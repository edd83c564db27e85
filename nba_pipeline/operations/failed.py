"""A failed day as operations speak of it. Plain data: it travels between processes and belongs to states and results alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Failed:
    """A failed day: class and message as recorded by its run."""

    day: date
    failure_class: str
    message: str
