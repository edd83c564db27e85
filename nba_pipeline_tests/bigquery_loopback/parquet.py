"""Parquet files and column types: which Parquet type loads into which column, and what a file's rows must
satisfy.

Belongs here: rules about the contents of one file for one table.
Does not belong here: dispositions, jobs, storage.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nba_pipeline_tests.bigquery_loopback import fields
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field

_WIDE = Context(prec=80)
_HEAD = "Error while reading data, error message: "


def read(payload: bytes) -> pa.Table:
    try:
        return pq.ParquetFile(io.BytesIO(payload)).read()
    except pa.ArrowInvalid as broken:
        raise invalid(_HEAD + f"Input file is not in Parquet format. {broken}") from broken


def inferred(column: pa.Field) -> Field:
    """The field BigQuery makes of a Parquet column. DOC: the conversion table; ASSUMED: NUMERIC gets no
    parameters."""
    kind, mode = column.type, "NULLABLE" if column.nullable else "REQUIRED"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return {"name": column.name, "type": _scalar(column.name, kind.value_type), "mode": "REPEATED"}
    return {"name": column.name, "type": _scalar(column.name, kind), "mode": mode}


def _scalar(name: str, kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return "NUMERIC" if kind.scale <= 9 and kind.precision - kind.scale <= 29 else "BIGNUMERIC"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "DATETIME"
    tests = {
        "INTEGER": pa.types.is_integer,
        "FLOAT": pa.types.is_floating,
        "BOOLEAN": pa.types.is_boolean,
        "DATE": pa.types.is_date,
        "TIME": pa.types.is_time,
        "STRING": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
        "BYTES": lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
    }
    for found, test in tests.items():
        if test(kind):
            return found
    raise not_modelled(f"the Parquet type {kind} (column {name})")


# DOC for DECIMAL -> NUMERIC (and nothing else into it); the rest of the cross loads is ASSUMED.
_ALSO = {
    ("DATETIME", "TIMESTAMP"),
    ("BYTES", "STRING"),
    ("NUMERIC", "BIGNUMERIC"),
    ("BIGNUMERIC", "NUMERIC"),
    ("STRING", "JSON"),
}
_PHYSICAL = {
    "FLOAT": "DOUBLE",
    "INTEGER": "INT64",
    "STRING": "BYTE_ARRAY",
    "BYTES": "BYTE_ARRAY",
    "BOOLEAN": "BOOLEAN",
    "DATE": "INT32",
}


def check_type(column: pa.Field, wanted: Field) -> None:
    found = inferred(column)
    same = found["type"] == wanted["type"] or (found["type"], wanted["type"]) in _ALSO
    if not same or (found["mode"] == "REPEATED") != (wanted["mode"] == "REPEATED"):
        physical = _PHYSICAL.get(found["type"], found["type"])
        raise invalid(  # publicly reported
            f"{_HEAD}Parquet column '{column.name}' has type {physical} which does not match the target"
            f" cpp_type {wanted['type']}."
        )


def fitted(rows: pa.Table, table: Table) -> pa.Table:
    """The rows under the table's own column names, types checked, REQUIRED and NUMERIC(p, s) kept; or
    Google's error."""
    names, arrays = [], []
    for column, array in zip(rows.schema, rows.columns, strict=True):
        wanted = table.column(column.name)
        assert wanted is not None, column.name
        check_type(column, wanted)
        if wanted["mode"] == "REQUIRED" and array.null_count:
            raise invalid(f"{_HEAD}Required field {wanted['name']} cannot be null")
        if wanted["type"] == "NUMERIC":
            check_range(array, wanted)
        if wanted["type"] == "BIGNUMERIC":
            array = _plain_text(array)
        if wanted["type"] == "STRING" and pa.types.is_binary(column.type):
            array = array.cast(pa.string())
        names.append(wanted["name"])
        arrays.append(array)
    absent = [f["name"] for f in table.schema if f["mode"] == "REQUIRED" and f["name"] not in names]
    if absent and rows.num_rows:
        raise invalid(f"{_HEAD}Required field {absent[0]} cannot be null")
    return pa.table(arrays, names=names) if names else pa.table({})


def check_range(array: pa.ChunkedArray, wanted: Field) -> None:
    """DOC: more digits after the point are rounded half away from zero, more before it are an error."""
    precision, scale = fields.digits(wanted)
    most = Decimal(10) ** (precision - scale) - Decimal(10) ** -scale
    ends = pc.min_max(array)
    for end in (ends["min"].as_py(), ends["max"].as_py()):
        if end is not None and abs(end.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)) > most:
            raise invalid(f"{_HEAD}{fields.out_of_range(precision, scale)} Column: {wanted['name']}")


def _plain_text(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array(
        [
            pa.array(
                [None if v is None else format(v.normalize(_WIDE), "f") for v in array.to_pylist()],
                pa.string(),
            )
        ]
    )


def distinct_days(rows: pa.Table, table: Table) -> list[date | None]:
    """The partitions that rows belong to."""
    day = table.day_column
    if day is None or day not in rows.column_names:
        return [None] if rows.num_rows else []
    return list(pc.unique(rows[day]).to_pylist())


def check_decorator(rows: pa.Table, table: Table, partition: str, day: date) -> None:
    """DOC: rows of another day in a load to ``table$day`` are an error; the words are publicly reported."""
    strangers = [d for d in distinct_days(rows, table) if d != day]
    if strangers:
        raise BigQueryError(
            "invalid",
            f"Some rows belong to different partitions rather than destination partition {partition}. "
            f"Table: {table.full_name}, first of them: {strangers[0]}",
        )
