"""What the source holds for each day, as fingerprints kept in the instance, so asking is cheap.

Belongs here: ``Seen`` (fingerprints of days, packed) and ``held_by``, the source's fingerprints of now. Does
not belong here: the fingerprints themselves (``sources/``), what follows from a change
(``operations/status/staleness.py``, ``automation/source_sensor.py``).
"""

# No `from __future__ import annotations`: a class with a method that returns it is used by a sensor's module.
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from nba_pipeline.orchestration.instance.values import read_values, write_values
from nba_pipeline.ranges import span
from nba_pipeline.sources.base import Polled, Source

if TYPE_CHECKING:
    import dagster as dg

_UNKNOWN = b"\xff\xff\xff\xff"
_KEY = "nba_pipeline/source/"


@dataclass(frozen=True)
class Seen:
    """A source's revision, and the fingerprint of each day as of then."""

    revision: str = ""
    days: Mapping[date, str] = field(default_factory=dict)

    def to_cursor(self) -> str:
        """Four bytes per day from the first one on: every tick is stored with its cursor, so it has to be
        small."""
        if not self.days:
            return json.dumps({"revision": self.revision})
        first = min(self.days)
        every = span(first, max(self.days))
        packed = b"".join(bytes.fromhex(self.days[day]) if day in self.days else _UNKNOWN for day in every)
        return json.dumps(
            {"revision": self.revision, "first": first.isoformat(), "days": base64.b64encode(packed).decode()}
        )

    @classmethod
    def from_cursor(cls, cursor: str) -> "Seen":
        known = json.loads(cursor)
        packed = base64.b64decode(known.get("days", ""))
        pieces = [packed[n : n + 4] for n in range(0, len(packed), 4)]
        first = date.fromisoformat(known["first"]) if pieces else date.min
        return cls(
            known["revision"],
            {first + timedelta(days=n): p.hex() for n, p in enumerate(pieces) if p != _UNKNOWN},
        )


def held_by(instance: "dg.DagsterInstance", source: Source, first: date, last: date) -> dict[date, str]:
    """The source's fingerprints of the days from ``first`` to ``last``; none where it cannot say.

    The source works them out once per revision, whoever asks. Raises what the source raises: a source that is
    down has not "no changes".
    """
    if not isinstance(source, Polled) or last < first:
        return {}
    revision, name = f"{source.revision()} {first} {last}", f"{_KEY}{source.name}"
    stored = read_values(instance, [name]).get(name)
    if stored is not None:
        seen = Seen.from_cursor(stored)
        if seen.revision == revision:
            return dict(seen.days)
    held = source.fingerprints(span(first, last))
    write_values(instance, {name: Seen(revision, held).to_cursor()})
    return held
