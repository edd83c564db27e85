"""What the instance remembers of days, read without loading Dagster where that can be done.

Belongs here: ``ProvenanceReader`` (values by name -> what they mean), and ``EmbeddedStorage``: the files of
the embedded storage, opened for reading. Does not belong here: writing (``provenance.py``), anything that
Dagster itself must be asked (``operations/status/state.py``).

Loading Dagster takes a second and a half; one value is looked up in a millisecond. ``EmbeddedStorage`` knows
the two databases of ``PipelineInstance``'s SQLite storage, reads a table of each, and answers with certainty
or not at all.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nba_pipeline.orchestration.instance.provenance import (
    payloads_from,
    payloads_key,
    provenance_from,
    provenance_keys,
)
from nba_pipeline.rangerun.provenance import Provenance

_AT_ONCE = 300
_OWN_INSTANCE = re.compile(
    r"^instance_class:\n +module: nba_pipeline\.(?:orchestration\.)?instance\.pipeline_instance\n +class:"
    r" PipelineInstance$",
    re.MULTILINE,
)
_OTHER_STORAGE = re.compile(r"storage\b.*:")
_BEGUN = ("ASSET_MATERIALIZATION_PLANNED", "ASSET_OBSERVATION", "ASSET_FAILED_TO_MATERIALIZE")
_OF_DAY = "SELECT max(id) FROM event_logs WHERE asset_key = ? AND dagster_event_type = ? AND partition = ?"
_OF_SOME_DAYS = (
    "SELECT max(id) FROM event_logs WHERE asset_key = ? AND dagster_event_type = ? AND partition IS NULL"
)


@dataclass(frozen=True)
class ProvenanceReader:
    """What is remembered of days, by way of ``values``: names -> the values of those that have one."""

    values: Callable[[Iterable[str]], dict[str, str]]

    def made(self, table: str, days: Iterable[date]) -> dict[date, Provenance]:
        """How the days were made; days of which nothing was recorded are left out."""
        names = provenance_keys(table, days)
        return provenance_from(names, self.values(names))

    def payloads(self, table: str, run_ids: Iterable[str]) -> set[tuple[str, str]]:
        """What these runs read the table's days from: (name of the file or payload, SHA-256 of what was
        read)."""
        return payloads_from(self.values([payloads_key(table, run_id) for run_id in set(run_ids)]))


@dataclass(frozen=True)
class EmbeddedStorage:
    """The databases of an instance whose storage is the project's own."""

    runs: Path
    events: Path

    @classmethod
    def at(cls, home: Path) -> EmbeddedStorage | None:
        """None where the home stores its history in another way, or nothing yet: then Dagster must be
        asked."""
        found = cls(home / "history" / "runs.db", home / "history" / "runs" / "index.db")
        try:
            lines = (
                line.split("#")[0].rstrip()
                for line in (home / "dagster.yaml").read_text(encoding="utf-8").splitlines()
            )
        except OSError:
            return None
        config = "\n".join(line for line in lines if line)
        own = _OWN_INSTANCE.search(config) and not _OTHER_STORAGE.search(config)
        return found if own and found.runs.is_file() and found.events.is_file() else None

    def values(self, names: Iterable[str]) -> dict[str, str]:
        """The values of those names that have one."""
        wanted, found = sorted(set(names)), dict[str, str]()
        with _opened(self.runs) as database:
            for n in range(0, len(wanted), _AT_ONCE):
                some = wanted[n : n + _AT_ONCE]
                found |= dict(
                    database.execute(
                        f"SELECT key, value FROM kvs WHERE key IN ({', '.join('?' * len(some))})", some
                    )
                )
        return found

    def certainly_good(self, table: str, day: date) -> bool:
        """Whether the newest thing that happened to the day is that it was made. Of a day that is being made,
        failed or was never made this is not so, and why is for Dagster to say."""
        key, partition = json.dumps(table.split(".")), day.isoformat()
        with _opened(self.events) as database:

            def newest(query: str, event: str, *more: str) -> int:
                return database.execute(query, (key, event, *more)).fetchone()[0] or 0

            made = newest(_OF_DAY, "ASSET_MATERIALIZATION", partition)
            begun = [newest(_OF_DAY, event, partition) for event in _BEGUN]
            return made > max(0, *begun, *(newest(_OF_SOME_DAYS, event) for event in _BEGUN))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database for reading. As patient as Dagster with a writer."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as database:
        yield database
