"""The folder of an export: ``training.parquet``, ``unmatched.parquet``, ``manifest.json``, ``README.md``.

Belongs here: writing these, each whole or not at all, the manifest last. Does not belong here: what is in
them (``training.py``, ``card.py``).
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.export.card import card
from nba_pipeline.operations.export.request import Export
from nba_pipeline.warehouse.parquet.files import TEMPORARY_PREFIX, remove_stale, write_atomically

NAMES = ("training.parquet", "unmatched.parquet", "README.md", "manifest.json")


def check_folder(folder: Path) -> None:
    """ConfigurationError where the folder holds anything but an export."""
    if folder.exists() and (not folder.is_dir() or any(_is_foreign(p.name) for p in folder.iterdir())):
        raise ConfigurationError(f"--out {folder} is there and holds other files; name a folder of its own")


def _is_foreign(name: str) -> bool:
    """Whether neither an export's file nor what a killed one has left."""
    return name not in NAMES and not name.startswith(TEMPORARY_PREFIX)


def write(export: Export, folder: Path) -> list[Path]:
    """Write the export into the folder, in place of an earlier one."""
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    # Without its manifest a folder is no export: a reader never takes old words for new rows.
    (folder / "manifest.json").unlink(missing_ok=True)
    contents = (
        _parquet(export.training.rows),
        _parquet(export.training.unmatched),
        card(export.manifest).encode(),
        (json.dumps(export.manifest, indent=2) + "\n").encode(),
    )
    paths = [folder / name for name in NAMES]
    for path, content in zip(paths, contents, strict=True):
        write_atomically(path, content)
    return paths


def _parquet(frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()
