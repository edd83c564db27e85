"""What a day's rows *are*, independent of how they are stored: canonical row order and the content hash.

Belongs here: ``sort_rows``, ``content_hash`` and ``content_hashes``. Does not belong here: conversion
(``arrow.py``).

The hash is taken over bytes that this module lays out itself (little-endian integers and doubles, UTF-8 text
with its lengths), never over Arrow's own buffers, which differ by chunking, slicing, padding and version.
Changing anything here makes every stored day look changed once; a golden test guards against doing so by
accident.

Numbers are hashed as what they are, not as how they are declared: 7 is the same in an INT64, a NUMERIC(5,2)
and a NUMERIC(6,3). So a column that is made wider leaves every hash as it was, and nothing behind it looks
changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.tables.spec import Column, Kind, Table

_DIGEST_BYTES = 16
_NUMBERS = (Kind.INT64, Kind.NUMERIC)
_MOST_SCALE = 9  # spec.ColumnType


def sort_rows(table: Table, arrow: pa.Table) -> pa.Table:
    """Rows by day, then key. Rows that share a key are ordered by their other columns, so the order is always
    defined."""
    arrow = arrow.combine_chunks()
    if arrow.num_rows < 2:
        return arrow
    keys = [table.partition_column, *(k for k in table.key if k != table.partition_column)]
    ordered = _sorted_by(arrow, keys)
    if _repeats(ordered, keys):
        ordered = _sorted_by(arrow, [*keys, *sorted(set(arrow.column_names) - set(keys))])
    return ordered


def _sorted_by(arrow: pa.Table, names: list[str]) -> pa.Table:
    indices = pc.sort_indices(arrow, sort_keys=[(n, "ascending") for n in names]).to_numpy()  # NULLs last
    if (indices == np.arange(len(indices))).all():
        return arrow
    return arrow.take(pa.array(indices)).combine_chunks()


def _repeats(ordered: pa.Table, keys: list[str]) -> bool:
    same = np.ones(ordered.num_rows - 1, dtype=bool)
    for name in keys:
        codes = _single(ordered.column(name)).dictionary_encode().indices.fill_null(-1).to_numpy()
        same &= codes[1:] == codes[:-1]
    return bool(same.any())


def content_hash(table: Table, arrow_day: pa.Table) -> str:
    """The hash of these rows: the same for any chunking, slice, row order and column order of the same
    content."""
    ordered = sort_rows(table, arrow_day)
    return _Layout(table, ordered).digest(0, ordered.num_rows)


def content_hashes(
    table: Table, ordered: pa.Table, bounds: Mapping[date, tuple[int, int]]
) -> dict[date, str]:
    """``content_hash`` of every day of a sorted range: laid out once, because thousands of days are written
    at a time."""
    layout = _Layout(table, ordered)
    return {day: layout.digest(start, stop) for day, (start, stop) in bounds.items()}


def decimal_units(array: pa.Array) -> np.ndarray:
    """The unscaled integers of a decimal128 array with at most 18 digits (0 for NULL is not promised)."""
    pairs = np.frombuffer(array.buffers()[1] or b"", dtype="<i8").reshape(-1, 2)
    return pairs[array.offset : array.offset + len(array), 0]


def _single(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], type=column.type)


class _Layout:
    """The rows as canonical bytes, by column, so that any row range can be hashed without touching Arrow
    again."""

    def __init__(self, table: Table, ordered: pa.Table) -> None:
        columns = sorted(table.columns, key=lambda c: c.name)
        self._header = json.dumps(
            [[c.name, "NUMBER" if c.type.kind in _NUMBERS else c.type.kind] for c in columns]
        ).encode()
        self._fixed: list[tuple[memoryview, int]] = []  # bytes and bytes per row
        self._texts: list[tuple[np.ndarray, memoryview]] = []  # offsets and UTF-8 bytes
        for column in columns:
            self._add(column, _single(ordered.column(column.name)))

    def _add(self, column: Column, array: pa.Array) -> None:
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        if column.type.kind is Kind.STRING:
            self._add_text(array.cast(pa.large_string()), valid)
            return
        if column.type.kind in _NUMBERS:
            self._add_number(column, array, valid)
            return
        if column.type.kind is Kind.FLOAT64:
            floats = array.cast(pa.float64()).fill_null(0.0).to_numpy() + 0.0  # -0.0 becomes 0.0
            values = np.where(np.isnan(floats), np.nan, floats).astype("<f8")  # and every NaN the same NaN
        elif column.type.kind is Kind.DATE:
            values = array.cast(pa.date32()).cast(pa.int32()).fill_null(0).to_numpy().astype("<i4")
        else:
            values = array.fill_null(False).to_numpy(zero_copy_only=False).astype("u1")
        self._add_fixed(values)
        self._add_fixed(valid.astype("u1"))

    def _add_number(self, column: Column, array: pa.Array, valid: np.ndarray) -> None:
        """The whole part and the billionths beyond it: exact for every INT64 and every NUMERIC, whatever its
        digits."""
        if column.type.kind is Kind.INT64:
            whole, billionths = (
                array.cast(pa.int64()).fill_null(0).to_numpy(),
                np.zeros(len(array), dtype="<i4"),
            )
        else:
            scale = column.type.scale or 0
            units = np.where(valid, decimal_units(array.cast(pa.decimal128(column.type.precision, scale))), 0)
            whole = (
                units // 10**scale
            )  # not divmod, which is three times slower: only division by one number is made fast
            billionths = ((units - whole * 10**scale) * 10 ** (_MOST_SCALE - scale)).astype("<i4")
        self._add_fixed(whole.astype("<i8"))
        self._add_fixed(billionths)
        self._add_fixed(valid.astype("u1"))

    def _add_fixed(self, values: np.ndarray) -> None:
        contiguous = np.ascontiguousarray(values)
        self._fixed.append((memoryview(contiguous.tobytes()), contiguous.itemsize))

    def _add_text(self, array: pa.Array, valid: np.ndarray) -> None:
        array = pa.concat_arrays([array.fill_null("")])  # no bytes are left behind NULLs
        _, offset_buffer, data = array.buffers()
        offsets = np.frombuffer(offset_buffer or b"", dtype="<i8")[
            array.offset : array.offset + len(array) + 1
        ]
        lengths = np.diff(offsets) if len(offsets) else np.zeros(0, dtype="<i8")
        self._add_fixed(np.where(valid, lengths, -1).astype("<i8"))
        self._texts.append((offsets, memoryview(data) if data is not None else memoryview(b"")))

    def digest(self, start: int, stop: int) -> str:
        digest = hashlib.blake2b(self._header, digest_size=_DIGEST_BYTES)
        digest.update((stop - start).to_bytes(8, "little"))
        for view, width in self._fixed:
            digest.update(view[start * width : stop * width])
        if stop > start:
            for offsets, data in self._texts:
                digest.update(data[offsets[start] : offsets[stop]])
        return digest.hexdigest()
