"""Column types: the API's field resources, their DuckDB types, and Google's words about NUMERIC ranges.

Belongs here: everything that is known about a type from a field resource alone.
Does not belong here: tables, rows, SQL.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from nba_pipeline_tests.bigquery_loopback.errors import invalid, not_modelled

Field = dict[str, Any]

# DOC: TableFieldSchema.type accepts the standard names and the API answers with the older ones.
LEGACY = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
# GoogleSQL spellings of a column's type in DDL and CAST (DOC: data types and their aliases).
SQL_NAMES = {
    **dict.fromkeys(("INT64", "INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT"), "INTEGER"),
    **{
        name: name
        for name in (
            "STRING",
            "BYTES",
            "DATE",
            "DATETIME",
            "TIME",
            "TIMESTAMP",
            "NUMERIC",
            "BIGNUMERIC",
            "JSON",
        )
    },
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "BOOLEAN": "BOOLEAN",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
DUCK = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMPTZ",
    "JSON": "VARCHAR",
    # DuckDB's decimals end at 38 digits: a BIGNUMERIC is kept as text, loaded and listed exactly, and never
    # queried.
    "BIGNUMERIC": "VARCHAR",
}
WIDTH = {
    "INTEGER": 8,
    "FLOAT": 8,
    "BOOLEAN": 1,
    "DATE": 8,
    "DATETIME": 8,
    "TIME": 8,
    "TIMESTAMP": 8,
    "NUMERIC": 16,
    "BIGNUMERIC": 32,
}
"""DOC: bytes of one value in the calculation of query costs; STRING and BYTES take 2 (BYTES 2) plus their
UTF-8 length."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")


def normalized(field: Field) -> Field:
    """A field resource with the API's own type name and an explicit mode; unknown types and names are
    refused."""
    kind = str(field.get("type", "")).upper()
    kind = LEGACY.get(kind, kind)
    name = str(field.get("name", ""))
    if not _NAME.fullmatch(name):
        raise invalid(
            f'Invalid field name "{name}". Fields must contain only letters, numbers, and underscores.'
        )
    if kind in {"RECORD", "GEOGRAPHY", "INTERVAL", "RANGE"}:
        raise not_modelled(f"columns of type {kind} (column {name})")
    if kind not in DUCK and kind != "NUMERIC":
        raise invalid(f"Invalid value for type: {field.get('type')} is not a valid value")
    found = {"name": name, "type": kind, "mode": str(field.get("mode") or "NULLABLE").upper()}
    if found["mode"] not in {"NULLABLE", "REQUIRED", "REPEATED"}:
        raise invalid(f"Invalid value for mode: {found['mode']} is not a valid value")
    for extra in ("description", "policyTags", "defaultValueExpression"):
        if field.get(extra):
            found[extra] = field[extra]
    if field.get("precision") is not None or field.get("scale") is not None:
        found |= _parameters(field, kind)
    return found


def _parameters(field: Field, kind: str) -> dict[str, str]:
    """Precision and scale as the strings the API carries. DOC: max(1, s) <= p <= s + 29 and 0 <= s <= 9 for
    NUMERIC."""
    if kind not in {"NUMERIC", "BIGNUMERIC"}:
        raise invalid(f"Field {field['name']} of type {kind} cannot have a precision or a scale")
    precision, scale = int(field.get("precision") or 0), int(field.get("scale") or 0)
    most, room = (9, 29) if kind == "NUMERIC" else (38, 38)
    if not (0 <= scale <= most and max(1, scale) <= precision <= scale + room):
        raise invalid(
            f"Invalid {kind} parameters for field {field['name']}: precision {precision}, scale {scale}"
        )
    return {"precision": str(precision)} | ({"scale": str(scale)} if field.get("scale") is not None else {})


def digits(field: Field) -> tuple[int, int]:
    """(precision, scale) of a NUMERIC; (38, 9) where the field names none."""
    if "precision" not in field:
        return 38, 9
    return int(field["precision"]), int(field.get("scale") or 0)


def duck_type(field: Field) -> str:
    base = "DECIMAL({},{})".format(*digits(field)) if field["type"] == "NUMERIC" else DUCK[field["type"]]
    return f"{base}[]" if field["mode"] == "REPEATED" else base


def standard_type(field: Field) -> str:
    """The type as GoogleSQL writes it: ``INT64``, ``NUMERIC(5, 2)``."""
    name: str = STANDARD.get(str(field["type"]), str(field["type"]))
    if "precision" in field:
        name += f"({field['precision']}" + (f", {field['scale']})" if "scale" in field else ")")
    return f"ARRAY<{name}>" if field["mode"] == "REPEATED" else name


def out_of_range(precision: int, scale: int) -> str:
    """Google's words (publicly reported) for a value that NUMERIC(p, s) cannot hold."""
    most = format(Decimal(10) ** (precision - scale) - Decimal(10) ** -scale, "f")
    head = f"NUMERIC({precision}, {scale}) has precision {precision} and scale {scale}"
    return f"{head} but got a value that is not in range of [-{most}, {most}]"


def widened(old: Field, new: Field) -> bool:
    """Whether SET DATA TYPE may turn ``old`` into ``new``.

    DOC: INT64 -> NUMERIC, BIGNUMERIC, FLOAT64; NUMERIC -> BIGNUMERIC, FLOAT64; NUMERIC(p, s) to one with at
    least as many digits before and after the point, or to the unparameterised type; never the other way.
    """
    coerce = {"INTEGER": {"NUMERIC", "BIGNUMERIC", "FLOAT"}, "NUMERIC": {"BIGNUMERIC", "FLOAT"}}
    if old["mode"] == "REPEATED":
        return False
    if old["type"] != new["type"]:
        return new["type"] in coerce.get(old["type"], set())
    (p, s), (q, r) = digits(old), digits(new)
    return old["type"] != "NUMERIC" or (r >= s and q - r >= p - s)
