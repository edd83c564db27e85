"""One day of one table as one Parquet file: how it is encoded, verified and put in place.

Belongs here: ``encode``, ``decode``, ``read_entry`` and ``write_atomically``; a file is known here by its
bytes and path. Does not belong here: which files there are and what to do about damage (``parquet.py``), the
manifest cache (``parquet_manifest.py``).

The file is the manifest entry: row count, content hash, schema version, time and reason are a JSON value in
the footer's key-value metadata, so rows and entry change in one rename. The partition column is not in the
file: its folder says the day, as every reader of such folders expects (with both, pyarrow and pandas refuse
to read the table). Parquet has checksums for pages but none for its footer, where a flipped bit can point a
column at another column's (intact) pages. The entry therefore ends with a CRC-32 of the whole file, taken
with the CRC's own digits set to zero; every read checks it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import sys
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import ManifestEntry

ENTRY_KEY = b"nba_pipeline"
TEMPORARY_PREFIX = ".part-"
TEMPORARY_SUFFIX = ".tmp"
# Files of different codecs can be mixed, so this may change at any time.
COMPRESSION = "zstd"
# a writer holds its temporary file for seconds; after an hour it is dead, on whatever machine it was
STALE_SECONDS = 3600.0
# Stands in the entry. Files of before 27 November 2026 name no layout and hold the day as a column.
_LAYOUT = "day in the folder's name"
_UNKNOWN = "unknown"
_CRC_MARK = b'"crc32": "'
_CRC_ZERO = b"00000000"


class DamagedFile(Exception):
    """The bytes are not a whole, intact file of this store; the message says what is wrong with them."""


@dataclass(frozen=True)
class FileKey:
    """What identifies one version of a file without opening it."""

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileKey:
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


# ---------------------------------------------------------------------------------------------- bytes


def encode(table: Table, entry: ManifestEntry, data: pa.Table) -> bytes:
    """The file's bytes. No statistics: the folder's day is what prunes, and 45 columns of them are most of a
    small footer."""
    data = _without_day(table, data)
    bare = pa.schema([pa.field(f.name, f.type, f.nullable) for f in data.schema])
    sink = pa.BufferOutputStream()
    writer = pq.ParquetWriter(
        sink,
        bare,
        compression=COMPRESSION,
        compression_level=1,
        write_page_checksum=True,
        write_statistics=False,
        use_dictionary=[f.name for f in bare if pa.types.is_string(f.type)],
        store_decimal_as_integer=True,
    )
    try:
        writer.write_table(pa.Table.from_arrays(data.columns, schema=bare))
        writer.add_key_value_metadata({ENTRY_KEY.decode(): _entry_json(table, entry)})
    finally:
        writer.close()
    content = bytearray(sink.getvalue())
    start = content.rindex(_CRC_MARK) + len(_CRC_MARK)
    content[start : start + len(_CRC_ZERO)] = f"{zlib.crc32(content):08x}".encode()
    return bytes(content)


def _without_day(table: Table, data: pa.Table) -> pa.Table:
    return data.drop_columns([table.partition_column])


def _entry_json(table: Table, entry: ManifestEntry) -> str:
    return json.dumps(
        {
            "table": table.full_name,
            "day": entry.day.isoformat(),
            "row_count": entry.row_count,
            "content_hash": entry.content_hash,
            "schema_version": entry.schema_version,
            "written_at": entry.written_at.isoformat(),
            "reason": entry.reason,
            "layout": _LAYOUT,
            "crc32": _CRC_ZERO.decode(),  # last, so that its mark is the last occurrence in the file
        }
    )


def check_intact(content: bytes) -> None:
    """Raises DamagedFile unless the bytes are exactly those that were written."""
    if not content:
        raise DamagedFile("the file is empty (0 bytes)")
    if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
        raise DamagedFile("the file is truncated or not Parquet (its PAR1 marks are missing)")
    start = content.rfind(_CRC_MARK)
    if start < 0:
        raise DamagedFile(
            "the file carries no manifest entry, so this store did not write it, or its footer is damaged"
        )
    start += len(_CRC_MARK)
    stop = start + len(_CRC_ZERO)
    crc = zlib.crc32(
        memoryview(content)[stop:], zlib.crc32(_CRC_ZERO, zlib.crc32(memoryview(content)[:start]))
    )
    if content[start:stop] != f"{crc:08x}".encode():
        raise DamagedFile("its checksum does not match its content")


def is_current(content: bytes) -> bool:
    """Whether the bytes are intact and laid out as this version writes them."""
    try:
        check_intact(content)
    except DamagedFile:
        return False
    return _LAYOUT.encode() in content[content.rfind(ENTRY_KEY) :]


def open_part(content: bytes, table: Table, day: date) -> tuple[ManifestEntry, pq.ParquetFile]:
    """The verified entry and the file, ready to be read. The file must be of this table and day."""
    check_intact(content)
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        stored = json.loads(file.metadata.metadata[ENTRY_KEY])
        if (stored["table"], stored["day"]) != (table.full_name, day.isoformat()):
            raise DamagedFile(
                f"it is the file of {stored['table']} on {stored['day']}, put in the wrong place"
            )
        entry = ManifestEntry(
            day=day,
            row_count=stored["row_count"],
            content_hash=stored["content_hash"],
            schema_version=stored["schema_version"],
            written_at=datetime.fromisoformat(stored["written_at"]),
            reason=stored["reason"],
            size_bytes=len(content),
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedFile(f"its footer cannot be read: {error}") from error
    if entry.row_count != file.metadata.num_rows:
        raise DamagedFile(
            f"its entry promises {entry.row_count} rows but the file holds {file.metadata.num_rows}"
        )
    return entry, file


def written_under(rows: pa.Table) -> str:
    """The schema version of the declaration under which rows that ``decode`` returned were written."""
    return json.loads(rows.schema.metadata[ENTRY_KEY])["schema_version"]


def decode(content: bytes, table: Table, day: date, columns: Sequence[str]) -> pa.Table:
    """The rows, with the day as their partition column and those of the other columns that the file has."""
    _, file = open_part(content, table, day)
    other = [name for name in columns if name != table.partition_column]
    try:
        rows = file.read(columns=other, use_threads=False)  # the store reads many files at once instead
    except (pa.ArrowException, OSError) as error:
        raise DamagedFile(f"its pages cannot be read: {error}") from error
    if len(other) == len(columns):
        return rows
    days = pa.repeat(pa.scalar(day, pa.date32()), file.metadata.num_rows)
    # Without any other column, rows know no number of their own: begin with the days.
    rows = (
        rows.add_column(0, _partition_field(table), days)
        if rows.num_columns
        else (pa.Table.from_arrays([days], schema=pa.schema([_partition_field(table)], rows.schema.metadata)))
    )
    return rows.select([name for name in columns if name in rows.column_names])


def stored_schema(file: pq.ParquetFile, table: Table) -> pa.Schema:
    """The columns of the rows, the partition column among them (files of earlier versions hold it)."""
    schema = file.schema_arrow
    return schema if table.partition_column in schema.names else schema.insert(0, _partition_field(table))


def _partition_field(table: Table) -> pa.Field:
    column = table.column(table.partition_column)
    return pa.field(column.name, pa.date32(), column.nullable)


# ---------------------------------------------------------------------------------------------- files


def load(path: Path) -> tuple[FileKey, bytes] | None:
    """A file's version and bytes, both of the same version even while it is being replaced; None if there is
    none."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs as much as the read itself
            return FileKey.of(os.fstat(file.fileno())), file.readall()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> FileKey:
    """Put the content in place of the file, so that any reader, and any crash, finds the old file or the new
    one."""
    temporary, key = stage(path, content, durable=durable)
    publish(temporary, path)
    if durable:
        sync_folder(path.parent)
    return key


def stage(path: Path, content: bytes, *, durable: bool) -> tuple[Path, FileKey]:
    """Write the content beside the file, under a name that no reader looks at."""
    temporary = (
        path.parent / f"{TEMPORARY_PREFIX}{_processes()}-{os.getpid()}-{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
    )
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            return temporary, FileKey.of(os.fstat(file.fileno()))
    except BaseException:
        discard(temporary)
        raise


def publish(temporary: Path, path: Path) -> None:
    """Give what was staged the name that readers look at; what stood there before is gone."""
    try:
        temporary.replace(path)
    except BaseException:
        discard(temporary)
        raise


def discard(temporary: Path) -> None:
    """Remove what was staged. Failing to is no error: it is found as stale later."""
    with contextlib.suppress(OSError):
        temporary.unlink()


def can_sync_filesystem() -> bool:
    """Whether one call can make everything that was written to a file system durable (Linux: syncfs)."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "syncfs")


def sync_filesystem(folder: Path) -> None:
    """Make everything written so far to the folder's file system durable: files, names and all."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames and new entries in the folder survive a power cut (where the system can sync folders at
    all)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_stale(folder: Path) -> None:
    """Remove temporary files that dead writers left. Failing to is no error: readers never look at them."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX) and entry.name.endswith(TEMPORARY_SUFFIX):
                with contextlib.suppress(OSError):
                    if _writer_is_gone(entry.name) or time.time() - entry.stat().st_mtime > STALE_SECONDS:
                        os.unlink(entry.path)  # noqa: PTH108 - scandir hands out strings


def _writer_is_gone(name: str) -> bool:
    """Whether a temporary file's name says that its writer was one of the processes seen from here, and it no
    longer runs."""
    processes, _, rest = name.removeprefix(TEMPORARY_PREFIX).partition("-")
    if processes in ("", _UNKNOWN) or processes != _processes():
        return False
    try:
        state = Path(f"/proc/{int(rest.partition('-')[0])}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    except ValueError:
        return False
    return state in "ZX"  # killed, but its parent has not asked how it ended


@functools.cache
def _processes() -> str:
    """Names the set of processes whose numbers mean the same as here: this boot and this PID namespace (a
    container has its own).

    The kernel gives a namespace's number to another one only when no process is left in it, so no living
    writer of another container is ever taken for a dead one of this.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        return f"{zlib.crc32(boot + str(Path('/proc/self/ns/pid').stat().st_ino).encode()):08x}"
    except OSError:  # not Linux
        return _UNKNOWN
