"""Tables as Arrow: the schema of a declared table and exact conversion of frames, in both directions.

Belongs here: ``arrow_schema`` and ``column_type`` (the way back), ``to_arrow``, ``from_arrow``, ``widened``,
``schema_version`` (and ``version_of``), ``split_days`` (a whole range converted once, then sliced per day).
``content_hash`` lives in ``content.py`` and is offered here too, next to what it hashes. Does not belong
here: pandas dtypes (``frames.py``), semantic validation (``contract.py``), files or warehouses.

Arrow is what every warehouse stores. NUMERIC becomes ``decimal128(p, s)``: the only type that BigQuery loads
into NUMERIC, and the reason why a value that does not fit is found here, before anything is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline.tables.render.content import content_hash, content_hashes, decimal_units, sort_rows
from nba_pipeline.tables.render.frames import STRING_DTYPE
from nba_pipeline.tables.spec import Column, ColumnType, Kind, Table

__all__ = [
    "arrow_schema",
    "arrow_type",
    "column_type",
    "content_hash",
    "content_hashes",
    "day_bounds",
    "from_arrow",
    "schema_version",
    "sort_rows",
    "split_days",
    "to_arrow",
    "version_of",
    "widened",
]

_EPOCH = date(1970, 1, 1)
_INT64_DIGITS = 19
_WIDEST = 15  # spec.ColumnType: float64 carries no more decimal digits exactly
_SIMPLE_TYPES = {
    Kind.STRING: pa.string(),
    Kind.INT64: pa.int64(),
    Kind.FLOAT64: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.DATE: pa.date32(),
}


def arrow_type(column_type: ColumnType) -> pa.DataType:
    if column_type.kind is Kind.NUMERIC:
        return pa.decimal128(column_type.precision, column_type.scale)
    return _SIMPLE_TYPES[column_type.kind]


def column_type(stored: pa.DataType) -> ColumnType | None:
    """The declared type that is stored so; None where there is none."""
    if pa.types.is_decimal(stored):
        try:
            return ColumnType(Kind.NUMERIC, stored.precision, stored.scale)
        except ValueError:
            return None  # wider than this project declares columns
    return next((ColumnType(kind) for kind, known in _SIMPLE_TYPES.items() if stored == known), None)


def widened(values: pa.ChunkedArray, wider: pa.DataType) -> pa.ChunkedArray:
    """Stored values as a wider type. ``pa.ArrowInvalid`` where a value does not fit it: integers may not fit
    a NUMERIC."""
    if pa.types.is_integer(values.type) and pa.types.is_decimal(wider):
        values = values.cast(
            pa.decimal128(_INT64_DIGITS + wider.scale, wider.scale)
        )  # Arrow wants room for any integer
    return values.cast(wider)


def arrow_schema(table: Table, *, descriptions: bool = True) -> pa.Schema:
    """The table's schema, columns in declared order, each field carrying its description."""
    return pa.schema(
        pa.field(
            c.name,
            arrow_type(c.type),
            nullable=c.nullable,
            metadata={"description": c.description} if descriptions else None,
        )
        for c in table.columns
    )


def schema_version(table: Table) -> str:
    """A short hash of what is stored (names, types, nullability, key); wording and column order do not
    count."""
    return version_of(((c.name, c.type, c.nullable) for c in table.columns), table.key)


def version_of(columns: Iterable[tuple[str, ColumnType, bool]], key: Sequence[str]) -> str:
    """``schema_version`` of a table with these columns (name, type, nullable), declared anywhere or not."""
    ordered = sorted((name, str(type_), nullable) for name, type_, nullable in columns)
    return hashlib.sha256(json.dumps([ordered, list(key)]).encode()).hexdigest()[:12]


# ---------------------------------------------------------------------------------------------- frames to
# Arrow


def to_arrow(table: Table, frame: pd.DataFrame) -> pa.Table:
    """The frame with the declared columns, order and types; raises before anything could be lost or rounded
    away."""
    check_columns(table, frame)
    schema = arrow_schema(table)
    arrays = []
    for column, field in zip(table.columns, schema, strict=True):
        array = _convert(table, column, frame)
        if array.null_count and not column.nullable:
            raise _null_in_required(table, column, frame, array)
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def check_columns(table: Table, frame: pd.DataFrame) -> None:
    """Exactly the declared columns, each once, in any order."""
    given = list(frame.columns)
    if given == table.column_names:
        return
    repeated = sorted({str(c) for c in given if given.count(c) > 1})
    if repeated:
        raise SchemaDrift(
            f"{table.full_name}: the frame has column {', '.join(repeated)} more than once; keep one of each."
        )
    missing = [c for c in table.column_names if c not in set(given)]
    unknown = [str(c) for c in given if not isinstance(c, str) or not table.has(c)]
    if missing or unknown:
        parts = [f"lacks column {', '.join(missing)}"] if missing else []
        parts += [f"has column {', '.join(unknown)}, which is not declared"] if unknown else []
        raise SchemaDrift(
            f"{table.full_name}: the frame {' and '.join(parts)}; correct the frame or the table's"
            " declaration."
        )


def _convert(table: Table, column: Column, frame: pd.DataFrame) -> pa.Array:
    series = frame[column.name]
    if column.type.kind is Kind.NUMERIC:
        return _numeric(table, column, frame, _floats(table, column, series))
    if column.type.kind is Kind.FLOAT64:
        values = _floats(table, column, series)
        return pa.array(
            values + 0.0, from_pandas=True
        )  # + 0.0 turns -0.0 into 0.0: equal values, one representation
    if column.type.kind is Kind.DATE and np.issubdtype(_numpy_dtype(series), np.datetime64):
        return _dates(table, column, frame)
    if column.type.kind in (Kind.INT64, Kind.BOOL):
        # Arrow would parse the texts of a text column (pandas 3 makes one of any list of texts).
        _refuse(table, column, series, isinstance(series.dtype, pd.StringDtype))
    if column.type.kind is Kind.INT64:
        _refuse(table, column, series, pd.api.types.is_bool_dtype(series.dtype))
        if pd.api.types.is_float_dtype(series.dtype):
            return _integers(table, column, frame)
    if column.type.kind is Kind.BOOL:
        _refuse(
            table,
            column,
            series,
            pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype),
        )
    return _generic(table, column, series)


def _generic(table: Table, column: Column, series: pd.Series) -> pa.Array:
    """Conversion by Arrow, which refuses what does not fit the type without loss."""
    try:
        array = pa.array(series, from_pandas=True, type=arrow_type(column.type))
        return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SchemaDrift(
            f"{table.full_name}.{column.name} is declared {column.type}, but the frame's values (dtype"
            f" {series.dtype}) are not: {str(error).splitlines()[0]}. Convert them where the frame is made,"
            " or change the declaration."
        ) from error


def _refuse(table: Table, column: Column, series: pd.Series, wrong: bool) -> None:
    if wrong:
        raise SchemaDrift(
            f"{table.full_name}.{column.name} is declared {column.type}, but the frame holds dtype"
            f" {series.dtype}. Convert the values where the frame is made, or change the declaration."
        )


def _numpy_dtype(series: pd.Series) -> np.dtype:
    return series.dtype if isinstance(series.dtype, np.dtype) else np.dtype(object)


def _floats(table: Table, column: Column, series: pd.Series) -> np.ndarray:
    """The column as float64 with NaN for NULL; text and booleans are refused, never parsed."""
    if series.dtype == np.float64:
        return series.to_numpy()
    if series.dtype == object:
        types = {type(value) for value in series.dropna()}
        _refuse(
            table,
            column,
            series,
            any(issubclass(t, bool) or not issubclass(t, (Real, Decimal)) for t in types),
        )
    else:
        _refuse(
            table,
            column,
            series,
            not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype),
        )
    return series.astype(object).where(series.notna(), np.nan).to_numpy(dtype="float64", na_value=np.nan)


def _numeric(table: Table, column: Column, frame: pd.DataFrame, values: np.ndarray) -> pa.Array:
    """decimal128 from doubles through exact integers: with p <= 15, rint(value * 10^s) recovers the
    decimal."""
    precision, scale = column.type.precision, column.type.scale
    assert precision is not None
    assert scale is not None
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.rint(values * 10.0**scale)
        null = np.isnan(values)
        outside = ~null & ~(np.abs(units) < 10**precision)
    if outside.any():
        raise _overflow(table, column, frame, values, outside)
    pairs = np.empty(
        (len(units), 2), dtype="<i8"
    )  # decimal128 is a little-endian 128-bit integer: low word, sign extension
    pairs[:, 0] = np.where(null, 0, units).astype("int64")
    pairs[:, 1] = pairs[:, 0] >> 63
    validity = pa.array(~null).buffers()[1] if null.any() else None
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(units), [validity, pa.py_buffer(pairs)])


def _integers(table: Table, column: Column, frame: pd.DataFrame) -> pa.Array:
    """Whole numbers that pandas holds as floats, as it does when a plain column has missing values."""
    values = frame[column.name].to_numpy(dtype="float64", na_value=np.nan)
    null = np.isnan(values)
    outside = ~null & ~(np.abs(values) < 2.0**63)
    if outside.any():
        raise _overflow(table, column, frame, values, outside)
    fraction = ~null & (np.rint(values) != values)
    if fraction.any():
        where = int(np.flatnonzero(fraction)[0])
        raise SchemaDrift(
            f"{table.full_name}.{column.name} on {_day_of(frame, where)} is {values[where]!r}, but the column"
            " is declared INT64: round it where it is computed, or declare the column NUMERIC."
        )
    return pa.array(np.where(null, 0, values).astype("int64"), mask=null)


def _dates(table: Table, column: Column, frame: pd.DataFrame) -> pa.Array:
    values = frame[column.name].to_numpy()
    null = np.isnat(values)
    days = values.astype("datetime64[D]")
    timed = ~null & (days != values)
    if timed.any():
        where = int(np.flatnonzero(timed)[0])
        raise SchemaDrift(
            f"{table.full_name}.{column.name} is declared DATE, but row {where} holds {values[where]}: drop"
            " the time of day first."
        )
    return pa.array(np.where(null, 0, days.astype("int64")).astype("int32"), mask=null).cast(pa.date32())


def _day_of(frame: pd.DataFrame, where: int) -> str:
    """The day of a row, for messages: never fails, because it runs while another error is being told."""
    day = pd.to_datetime(frame[Table.partition_column].iloc[where], errors="coerce")
    return "an unknown day" if pd.isna(day) else f"{day:%Y-%m-%d}"


def _days_at(frame: pd.DataFrame, wrong: np.ndarray) -> list[date]:
    days = pd.to_datetime(frame.loc[wrong, Table.partition_column], errors="coerce").dropna()
    return sorted({d.date() for d in days})


def _overflow(
    table: Table, column: Column, frame: pd.DataFrame, values: np.ndarray, outside: np.ndarray
) -> PipelineError:
    """What did not fit, where, what the column can hold and the type that would hold it."""
    where = int(np.flatnonzero(outside)[0])
    limit = column.type.physical_max if column.type.kind is Kind.NUMERIC else Decimal(2**63 - 1)
    others = int(outside.sum()) - 1
    more = f" ({others} more of its values do not fit either)" if others else ""
    return PipelineError(
        f"{table.full_name}.{column.name} on {_day_of(frame, where)} is {float(values[where])!r}, which"
        f" {column.type} cannot hold (from -{limit} to {limit}){more}. If the value is true,"
        f" {_wider(column.type, values[outside])}; nothing was written.",
        failure_class=FailureClass.TYPE_OVERFLOW,
        days=_days_at(frame, outside),
    )


def _wider(column_type: ColumnType, values: np.ndarray) -> str:
    largest = float(np.max(np.abs(values)))
    if column_type.kind is Kind.NUMERIC and np.isfinite(largest):
        units = int(np.rint(largest * 10.0 ** (column_type.scale or 0)))
        if len(str(units)) <= _WIDEST:
            return f"declare the column NUMERIC({len(str(units))},{column_type.scale})"
    return "declare the column FLOAT64"


def _null_in_required(table: Table, column: Column, frame: pd.DataFrame, array: pa.Array) -> PipelineError:
    null = array.is_null().to_numpy(zero_copy_only=False)
    where = int(np.flatnonzero(null)[0])
    key = ", ".join(f"{k}={frame[k].iloc[where]}" for k in table.key)
    return PipelineError(
        f"{table.full_name}.{column.name} is required but NULL in {int(null.sum())} row(s), first on"
        f" {_day_of(frame, where)} ({key}). Complete the input that feeds it, or declare the column nullable;"
        " nothing was written.",
        failure_class=FailureClass.INCOMPLETE_INPUT,
        days=_days_at(frame, null),
    )


# ---------------------------------------------------------------------------------------------- Arrow to
# frames


def from_arrow(table: Table, arrow: pa.Table, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows as a frame with the declared dtypes; ``columns`` chooses columns and their order."""
    names = table.column_names if columns is None else list(columns)
    return pd.DataFrame({name: _restore(table.column(name), arrow.column(name)) for name in names})


def _restore(column: Column, chunked: pa.ChunkedArray) -> object:
    array = pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], type=chunked.type)
    declared = arrow_type(column.type)
    if array.type != declared:
        array = array.cast(declared)
    kind = column.type.kind
    if kind is Kind.STRING:
        return pd.array(array, dtype=STRING_DTYPE)
    null = array.is_null().to_numpy(zero_copy_only=False)
    if kind is Kind.NUMERIC:  # both operands are exact, so the quotient is the decimal's nearest double
        return np.where(null, np.nan, decimal_units(array) / 10.0 ** (column.type.scale or 0))
    if kind is Kind.FLOAT64:
        return np.where(null, np.nan, array.fill_null(0.0).to_numpy())
    if kind is Kind.DATE:
        days = array.cast(pa.int32()).fill_null(0).to_numpy().astype("datetime64[D]").astype("datetime64[s]")
        return np.where(null, np.datetime64("NaT", "s"), days)
    if kind is Kind.INT64:
        integers = array.fill_null(0).to_numpy().copy()
        return pd.arrays.IntegerArray(integers, null) if column.nullable else integers
    booleans = array.fill_null(False).to_numpy(zero_copy_only=False)
    return pd.arrays.BooleanArray(booleans, null) if column.nullable else booleans


# ---------------------------------------------------------------------------------------------- days of a
# range


def day_bounds(table: Table, ordered: pa.Table) -> dict[date, tuple[int, int]]:
    """First and last-plus-one row of each day of a table whose rows are sorted by day."""
    if not ordered.num_rows:
        return {}
    days = pc.cast(ordered.column(table.partition_column), pa.int32()).to_numpy()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])
    stops = np.append(starts[1:], len(days))
    return {
        _EPOCH + timedelta(days=int(days[a])): (int(a), int(b)) for a, b in zip(starts, stops, strict=True)
    }


def split_days(table: Table, frame: pd.DataFrame) -> dict[date, pa.Table]:
    """A frame of many days, converted once, as one Arrow table per day that has rows (rows sorted by key)."""
    ordered = sort_rows(table, to_arrow(table, frame))
    return {
        day: ordered.slice(start, stop - start) for day, (start, stop) in day_bounds(table, ordered).items()
    }
