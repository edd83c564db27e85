"""The manifest cache of a Parquet table: ``_manifest.json``, which spares opening a thousand footers.

Belongs here: loading and saving the cache. Does not belong here: the truth, which is in the files' footers
(``parquet_files.py``). An entry counts only while the file's modification time, size and inode are those it
was read from, so a lost, damaged or outdated cache (two writers may overwrite each other's) costs time and
nothing else.
"""

from __future__ import annotations

import contextlib
import json
import time
import zlib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline.warehouse.parquet.files import FileKey, write_atomically

FILE_NAME = "_manifest.json"
# File systems stamp times in ticks of some milliseconds and reuse inodes, so two versions written within one
# tick can look alike. An entry is cached only when its file is older than that, as git does with its index.
_SETTLED_NS = 20_000_000

Cached = dict[date, tuple[FileKey, ManifestEntry]]


def is_settled(key: FileKey) -> bool:
    """Whether a file's version can be told from its successor's by its key."""
    return time.time_ns() - key.mtime_ns >= _SETTLED_NS


def load_cache(folder: Path) -> Cached:
    """The cached entries; none if the cache is missing or not exactly what was saved."""
    try:
        stored = json.loads((folder / FILE_NAME).read_bytes())
        if stored["crc32"] != _checksum(stored["days"]):
            return {}
        return {
            (day := date.fromisoformat(text)): (FileKey(*row[:3]), _entry(day, row))
            for text, row in stored["days"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save_cache(folder: Path, entries: Mapping[date, tuple[FileKey, ManifestEntry]]) -> None:
    """Replace the cache; not being able to (a read-only warehouse, a full disk) is no error."""
    days = {
        day.isoformat(): [
            key.mtime_ns,
            key.size,
            key.inode,
            e.row_count,
            e.content_hash,
            e.schema_version,
            e.written_at.isoformat(),
            e.reason,
        ]
        for day, (key, e) in sorted(entries.items())
        if is_settled(key)
    }
    content = json.dumps({"crc32": _checksum(days), "days": days}).encode()
    with contextlib.suppress(OSError):
        write_atomically(folder / FILE_NAME, content, durable=False)


def _entry(day: date, row: list) -> ManifestEntry:
    _, size, _, row_count, content_hash, schema_version, written_at, reason = row
    return ManifestEntry(
        day, row_count, content_hash, schema_version, datetime.fromisoformat(written_at), reason, size
    )


def _checksum(days: object) -> str:
    return f"{zlib.crc32(json.dumps(days).encode()):08x}"
