"""What a value was read from: the raw days behind it, and the files of the source as they were read and as
they are now.

Belongs here: tracing days to runs, runs to payloads. Does not belong here: reading rows
(``explain_rows.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from nba_pipeline.orchestration.instance.provenance_reader import ProvenanceReader
from nba_pipeline.rangerun.lineage import is_raw, readable_entry
from nba_pipeline.sources.base import Source, Traceable
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store


def traced(
    store: Store,
    tables: TableRegistry,
    table: str,
    days: Sequence[date],
    recall: ProvenanceReader | None,
    source: Source | None,
) -> dict[str, Any]:
    """The source's name; ``days``: the content hash of the first day's rows in each raw table; ``files``: of
    each file that the raw tables were read from on any of the days, the SHA-256 as it was read (None: not
    recorded) and as it is now (None: gone).
    """
    raw = [table] if is_raw(table) else [name for name in tables if is_raw(name)]
    entries = {name: readable_entry(store, tables[name], days[0]) for name in raw}
    read: set[tuple[str, str | None]] = set()
    for name in raw:
        read |= _read(name, days, recall, source)
    known = {file for file, digest in read if digest}
    files = sorted((file, digest or "") for file, digest in read if digest or file not in known)
    return {
        "name": source.name if source else None,
        "days": {name: entry.content_hash for name, entry in entries.items() if entry is not None},
        "files": [
            {"file": file, "as_read": digest or None, "now": _sha256(Path(file))} for file, digest in files
        ],
    }


def _read(
    table: str, days: Sequence[date], recall: ProvenanceReader | None, source: Source | None
) -> set[tuple[str, str | None]]:
    """(file, SHA-256 as it was read) of a raw table's days; without what was recorded, the files as they are
    now."""
    here = [str(p) for p in source.payload_files(table, days)] if isinstance(source, Traceable) else None
    recorded: set[tuple[str, str]] = set()
    if recall:
        recorded = recall.payloads(table, {made.run_id for made in recall.made(table, days).values()})
    # A run reads the files of many days: this value does not rest on those of other seasons.
    names = {Path(h).name for h in here or ()}
    ours = {(file, digest) for file, digest in recorded if here is None or Path(file).name in names}
    return {*ours} or {(file, None) for file in here or ()}


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
