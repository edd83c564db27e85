"""Rows as the API's JSON: ``{"f": [{"v": "1"}, ...]}``.

Belongs here: values to text, column by column (a million values take a second).
Does not belong here: paging, jobs.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline_tests.bigquery_loopback.errors import not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows(table: pa.Table, schema: list[Field], *, integer_timestamps: bool) -> list[dict[str, Any]]:
    """One ``{"f": [...]}`` per row; ``schema`` is that of the columns, in order."""
    columns = [
        _column(array, field, integer_timestamps) for array, field in zip(table.columns, schema, strict=True)
    ]
    return [{"f": [{"v": v} for v in row]} for row in zip(*columns, strict=True)] if columns else []


def _column(array: pa.ChunkedArray, field: Field, integer_timestamps: bool) -> list[Any]:
    kind = field["type"]
    if field["mode"] == "REPEATED":
        element = {**field, "mode": "NULLABLE"}
        return [
            # DOC: a NULL array is an empty one in results.
            [
                {"v": v}
                for v in _column(
                    pa.chunked_array([pa.array(values or [], array.type.value_type)]),
                    element,
                    integer_timestamps,
                )
            ]
            for values in array.to_pylist()
        ]
    if kind in {"STRING", "JSON", "BIGNUMERIC"}:
        return array.to_pylist()
    if kind == "BYTES":
        return [None if v is None else base64.b64encode(v).decode() for v in array.to_pylist()]
    if kind == "TIMESTAMP":
        return [None if v is None else _timestamp(v, integer_timestamps) for v in array.to_pylist()]
    if kind in {"DATETIME", "TIME"}:
        return [None if v is None else v.isoformat() for v in array.to_pylist()]
    if kind == "FLOAT":
        return [None if v is None else _float(v) for v in array.to_pylist()]
    text = pc.cast(array, pa.string())
    if kind == "NUMERIC" and pa.types.is_decimal(array.type) and array.type.scale > 0:
        # Production writes 9.5, not 9.500000000.
        text = pc.replace_substring_regex(
            pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1"), r"\.$", ""
        )
    return text.to_pylist()


def _timestamp(value: datetime, integer: bool) -> str:
    delta = value - _EPOCH
    microseconds = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return str(microseconds) if integer else f"{microseconds / 1e6:.6f}"


def _float(value: float) -> str:
    if value != value:
        return "NaN"
    return repr(value) if abs(value) != float("inf") else ("Infinity" if value > 0 else "-Infinity")


_RESULT = {
    "VARCHAR": "STRING",
    "BLOB": "BYTES",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    '"NULL"': "INTEGER",  # DOC: an untyped NULL is an INT64
    **{
        f"{sign}{name}": "INTEGER"
        for sign in ("", "U")
        for name in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
    },
}


def result_field(name: str, duck_type: str, position: int) -> Field:
    """The field of a query's result from DuckDB's type. ASSUMED: NUMERIC parameters do not survive a
    query."""
    mode = "NULLABLE"
    if duck_type.endswith("[]"):
        duck_type, mode = duck_type[:-2], "REPEATED"
    kind = "NUMERIC" if duck_type.startswith("DECIMAL") else _RESULT.get(duck_type)
    if kind is None:
        raise not_modelled(f"a result of type {duck_type} (column {position + 1})")
    return {"name": name or f"f{position}_", "type": kind, "mode": mode}
