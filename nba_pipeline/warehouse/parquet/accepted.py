"""What `nba-pipeline schema apply` has accepted of a Parquet table: which days of older declarations may stay
as they are.

Belongs here: ``Accepted``, loading and saving it (``_schema.json``). Does not belong here: deciding what may
be accepted (``parquet_schema.py``), the days' own schemas, which are in their files.

Every file carries the declaration it was written under, so nothing here says what is stored. Without this
file, or with one that is not exactly what was saved, nothing is accepted: days of other declarations are
stale until `apply` is run again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from nba_pipeline.failures import SourceUnavailable
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline.warehouse.parquet.files import write_atomically

FILE_NAME = "_schema.json"


@dataclass(frozen=True)
class Accepted:
    """``version``: the declaration that was applied. ``as_declared``: older ones whose days hold all that it
    asks for; ``lacking``: those whose days lack columns that were added, which are NULL there until the days
    are made again.
    """

    version: str
    as_declared: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.as_declared | self.lacking | {self.version}

    def presented(self, entries: Mapping[date, ManifestEntry]) -> dict[date, ManifestEntry]:
        """The entries, with the applied version where a day holds all that it asks for."""
        return {
            day: (
                replace(entry, schema_version=self.version)
                if entry.schema_version in self.as_declared
                else entry
            )
            for day, entry in entries.items()
        }


def load_accepted(folder: Path, version: str) -> Accepted:
    """What was accepted for this version; nothing if another one was applied last, or none."""
    try:
        stored = json.loads((folder / FILE_NAME).read_bytes())
        given = stored["accepted"]
        if stored["crc32"] == _checksum(given) and given["version"] == version:
            return Accepted(version, frozenset(given["as_declared"]), frozenset(given["lacking"]))
    except (FileNotFoundError, NotADirectoryError):
        return Accepted(version)
    except OSError as error:
        raise SourceUnavailable(
            f"{folder / FILE_NAME} cannot be read: {error.strerror or error}. Correct its permissions."
        ) from error
    except (
        ValueError,
        KeyError,
        TypeError,
    ):  # damaged: asking for `apply` again is safe, believing half a file is not
        return Accepted(version)
    return Accepted(version)


def save_accepted(folder: Path, accepted: Accepted) -> None:
    """Replace what was accepted before."""
    given = {
        "version": accepted.version,
        "as_declared": sorted(accepted.as_declared),
        "lacking": sorted(accepted.lacking),
    }
    write_atomically(folder / FILE_NAME, json.dumps({"crc32": _checksum(given), "accepted": given}).encode())


def _checksum(given: object) -> str:
    return f"{zlib.crc32(json.dumps(given).encode()):08x}"
