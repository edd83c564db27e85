"""One archived answer as one file: two gzip members, a line of metadata and then the exact bytes.

Belongs here: the file's format, writing it so that it is whole or absent, and checking it when it is read.
Does not belong here: which file belongs to what (``archive.py``).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nba_pipeline.failures import UnparseableSource
from nba_pipeline.sources.archive.content import content_digest

OWN_METADATA = frozenset({"sha256", "length", "content"})
"""What the file says about its bytes; everything else in the line is the writer's."""


def encode(metadata: Mapping[str, Any], body: bytes, content: str) -> bytes:
    """The bytes of the file."""
    own = {"sha256": hashlib.sha256(body).hexdigest(), "length": len(body), "content": content}
    line = json.dumps({**metadata, **own}, sort_keys=True) + "\n"
    return gzip.compress(line.encode(), mtime=0) + gzip.compress(body, mtime=0)


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    """(metadata, exact bytes) of a file.

    Raises UnparseableSource, naming the path, if the file is damaged in any way.
    """
    try:
        line, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
        metadata = json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UnparseableSource(f"the archived answer {path} cannot be read: {error}") from error
    if not isinstance(metadata, dict) or not metadata.keys() >= OWN_METADATA:
        raise UnparseableSource(f"the archived answer {path} does not begin with its metadata")
    if metadata["length"] != len(body) or metadata["sha256"] != hashlib.sha256(body).hexdigest():
        raise UnparseableSource(f"the archived answer {path} is damaged: its bytes are not those archived")
    return metadata, body


def problem(path: Path) -> str | None:
    """What is wrong with a file, in words; None if nothing is."""
    try:
        metadata, body = read(path)
    except UnparseableSource as error:
        return str(error)
    content = content_digest(body)
    if metadata["content"] != content or path.name.split("-")[-1].split(".")[0] != content[:8]:
        return f"the archived answer {path} is damaged: its name or metadata give another content digest"
    return None


def write_whole(path: Path, data: bytes, partial: Path) -> None:
    """Write a file that is there completely or not at all, also after kill -9 or a power cut.

    ``partial`` is a folder of the same file system for the unfinished file.
    """
    partial.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = partial / f"{os.getpid()}-{uuid.uuid4().hex}"
    with unfinished.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
