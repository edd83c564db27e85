"""tabledata.insertAll: JSON rows, checked one by one.

Belongs here: streaming inserts. Does not belong here: load jobs (the pipeline uses only those; streaming is
here because users of the tables may not).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nba_pipeline_tests.bigquery_loopback import parquet
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.service import Service


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


def _timestamp(value: Any) -> datetime:
    found = datetime.fromisoformat(str(value).replace(" UTC", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_TYPES: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "STRING": (pa.string(), str),
    "JSON": (pa.string(), str),
    "BYTES": (pa.binary(), lambda v: base64.b64decode(v, validate=True)),
    "INTEGER": (pa.int64(), int),
    "FLOAT": (pa.float64(), float),
    "BOOLEAN": (pa.bool_(), _boolean),
    "NUMERIC": (pa.decimal128(38, 9), Decimal),
    "DATE": (pa.date32(), lambda v: date.fromisoformat(str(v))),
    "DATETIME": (pa.timestamp("us"), lambda v: datetime.fromisoformat(str(v))),
    "TIMESTAMP": (pa.timestamp("us", tz="UTC"), _timestamp),
    "TIME": (pa.time64("us"), lambda v: time.fromisoformat(str(v))),
}


def insert_all(service: Service, table: Table, body: dict[str, Any]) -> dict[str, Any]:
    """DOC: one invalid row keeps all rows out unless ``skipInvalidRows``; the others are then reported as
    ``stopped``."""
    good, errors = [], {}
    for index, row in enumerate(body.get("rows") or []):
        try:
            good.append(_row(table, row["json"], ignore=bool(body.get("ignoreUnknownValues"))))
        except BigQueryError as error:
            errors[index] = {
                "reason": "invalid",
                "location": error.location,
                "message": error.message,
                "debugInfo": "",
            }
    if errors and not body.get("skipInvalidRows"):
        stopped = {"reason": "stopped", "location": "", "message": "", "debugInfo": ""}
        errors = {i: errors.get(i, stopped) for i in range(len(body["rows"]))}
        good = []
    if good:
        with service.writers.writing(table.full_name, f"insertAll {id(body)}"):
            service.storage.put(table, pa.concat_tables(good), delete=None)
            table.streamed = True
    response: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
    return response | (
        {"insertErrors": [{"index": i, "errors": [e]} for i, e in sorted(errors.items())]} if errors else {}
    )


def _row(table: Table, values: dict[str, Any], *, ignore: bool) -> pa.Table:
    known = {f["name"].lower() for f in table.schema}
    strangers = [] if ignore else [n for n in values if n.lower() not in known]
    if strangers:
        raise BigQueryError("invalid", f"no such field: {strangers[0]}.", location=strangers[0])
    given = {name.lower(): value for name, value in values.items()}
    arrays = [_value(field, given.get(field["name"].lower())) for field in table.schema]
    return parquet.fitted(pa.table(arrays, names=[f["name"] for f in table.schema]), table)


def _value(field: Field, value: Any) -> pa.Array:
    if field["mode"] == "REPEATED" or field["type"] not in _TYPES:
        raise not_modelled(f"streaming into the column {field['name']} ({field['mode']} {field['type']})")
    kind, convert = _TYPES[field["type"]]
    try:
        return pa.array([None if value is None else convert(value)], kind)
    except (ValueError, KeyError, TypeError, InvalidOperation, binascii.Error, pa.ArrowException) as wrong:
        raise invalid(
            f"Cannot convert value to {field['type']} (bad value): {value}. Field: {field['name']}"
        ) from wrong
