"""The generated contract of every table: conforming a computed frame to its declaration, and validating it.

Belongs here: casting with a name for every value that cannot be cast, and running the pandera schema.
Does not belong here: rules about particular tables (``conservation.py``, ``usage.py``, ...).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from nba_pipeline.checks.model import Evidence, combined, no_violations, row_labels, violations
from nba_pipeline.failures import FailureClass, SchemaDrift
from nba_pipeline.tables.render.frames import pandas_dtype, round_half_even
from nba_pipeline.tables.render.pandera import CLASS_OF_CHECK, expectation, pandera_schema
from nba_pipeline.tables.spec import Column, Kind, Table

SCHEMA_CONTRACT = "schema_contract"
_INT64_LIMIT = 2.0**63


def conform(table: Table, computed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(conformed, violations): the table's columns with declared dtypes, NUMERIC rounded half-even.

    A value that cannot be cast (text in a number, 3.5 in an INT64) becomes NULL in the conformed frame and a
    violation that names its row. A column that is absent concerns every row, and a row whose day cannot be
    read concerns no day that could be named, so both raise ``SchemaDrift``.
    """
    missing = [c for c in table.column_names if c not in computed.columns]
    if missing:
        raise SchemaDrift(
            f"{table.full_name}: the column(s) {', '.join(missing)} are declared but were not delivered"
        )
    casts = {}
    found = [no_violations()]
    for column in table.columns:
        cast, bad = _cast(column, computed[column.name])
        casts[column.name] = cast
        if bad.any() and column.name == table.partition_column:
            raise SchemaDrift(
                f"{table.full_name}: {computed[column.name][bad].iloc[0]!r} is no day, so {bad.sum()} row(s)"
                " belong to none"
            )
        if bad.any():
            found.append(_uncastable(table, column, computed, np.flatnonzero(bad)))
    return pd.DataFrame(casts, index=computed.index), combined(found)


def _cast(column: Column, values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """(values with the column's conformed dtype but nullable, mask of those that could not be cast)."""
    kind = column.type.kind
    if kind in (Kind.INT64, Kind.FLOAT64, Kind.NUMERIC):
        return _cast_number(column, values)
    null = values.isna().to_numpy()
    if kind is Kind.STRING:
        if isinstance(values.dtype, pd.StringDtype):
            return values.astype(pandas_dtype(column)), np.zeros(len(values), dtype=bool)
        text = _instances(values, (str,)) | null
        return values.where(text).astype(pandas_dtype(column)), ~text
    if kind is Kind.DATE:
        dates = pd.to_datetime(values, errors="coerce").dt.normalize().astype("datetime64[s]")
        return dates, dates.isna().to_numpy() & ~null
    return _cast_boolean(column, values, null)


def _cast_boolean(column: Column, values: pd.Series, null: np.ndarray) -> tuple[pd.Series, np.ndarray]:
    if values.dtype == bool or isinstance(values.dtype, pd.BooleanDtype):
        good = np.ones(len(values), dtype=bool)
    else:
        good = _instances(values, (bool, np.bool_)) | null
    cast = values.where(good).astype("boolean")
    return (cast if cast.isna().any() else cast.astype(pandas_dtype(column))), ~good


def _instances(values: pd.Series, types: tuple[type, ...]) -> np.ndarray:
    return np.fromiter((isinstance(v, types) for v in values.tolist()), dtype=bool, count=len(values))


def _cast_number(column: Column, values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    null = values.isna().to_numpy()
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        booleans = _instances(values, (bool, np.bool_))  # pandas would make 1 and 0 of them
        numbers = pd.to_numeric(values.astype(object).mask(booleans), errors="coerce").astype("float64")
    elif values.dtype == bool or isinstance(values.dtype, pd.BooleanDtype):
        numbers = pd.Series(np.nan, index=values.index)
    elif column.type.kind is Kind.INT64 and (pd.api.types.is_integer_dtype(values.dtype)):
        cast = values.astype("Int64") if null.any() or column.nullable else values.astype("int64")
        return cast, np.zeros(len(values), dtype=bool)
    else:
        numbers = (
            values.astype("float64")
            if not null.any()
            else pd.Series(values.to_numpy("float64", na_value=np.nan), index=values.index)
        )
    array = numbers.to_numpy()
    bad = (np.isnan(array) & ~null) | np.isinf(array)
    if column.type.kind is Kind.INT64:
        with np.errstate(invalid="ignore"):
            bad |= (~np.isnan(array)) & ((array != np.rint(array)) | (np.abs(array) >= _INT64_LIMIT))
        cast = numbers.where(~bad).astype("Int64")
        return (cast if column.nullable or cast.isna().any() else cast.astype("int64")), bad
    clean = np.where(bad, np.nan, array)
    if column.type.scale is not None:
        clean = round_half_even(clean, column.type.scale)
    return pd.Series(clean, index=values.index), bad


def _uncastable(table: Table, column: Column, computed: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    values = computed[column.name].iloc[rows].tolist()
    labels = row_labels(computed, computed.index[rows])
    messages = [
        f"{table.full_name}.{column.name} is {value!r} in {label}, which is no {column.type}"
        for label, value in zip(labels, values, strict=True)
    ]
    return violations(
        SCHEMA_CONTRACT,
        computed["game_date"].iloc[rows],
        FailureClass.SCHEMA_DRIFT,
        messages,
        rows=computed.index[rows],
        column=column.name,
        values=values,
    )


@lru_cache(maxsize=64)
def _schema(table: Table) -> pa.DataFrameSchema:
    return pandera_schema(table)


def find_contract_violations(evidence: Evidence, uncastable: pd.DataFrame | None = None) -> pd.DataFrame:
    """Violations of the table's pandera schema, one per offending value, with its row.

    ``uncastable``: what ``conform`` found; those values are NULL by now and are not reported a second time.
    """
    try:
        _schema(evidence.table).validate(evidence.conformed, lazy=True)
    except pa.errors.SchemaErrors as errors:
        known = (
            set() if uncastable is None else set(zip(uncastable["row"], uncastable["column"], strict=True))
        )
        return _as_violations(evidence, errors.failure_cases, known)
    return no_violations()


def _as_violations(
    evidence: Evidence, cases: pd.DataFrame, known: set[tuple[object, object]]
) -> pd.DataFrame:
    """pandera's failure cases as violations; a failure of a whole column concerns every day."""
    cases = cases.assign(name=cases["check"].map(_check_name))
    cases = cases[[pair not in known for pair in zip(cases["index"], cases["column"], strict=True)]]
    # A required column that holds a NULL has a masked dtype as well; the NULL is the finding, not the dtype.
    with_nulls = set(cases.loc[cases["name"] == "not_nullable", "column"])
    cases = cases[~((cases["name"] == "dtype") & cases["column"].isin(with_nulls))]
    whole = cases[cases["index"].isna()]
    if len(whole):
        case = whole.iloc[0]
        raise SchemaDrift(
            f"{evidence.table.full_name}: {case['name']} failed for column {case['column']}:"
            f" {case['failure_case']}"
        )
    found = []
    for (name, column_name), group in cases.groupby(["name", "column"], sort=False):
        column = evidence.table.column(str(column_name))
        rows = group["index"].astype("int64").to_numpy()
        values = group["failure_case"].tolist()
        labels = row_labels(evidence.computed, rows)
        messages = [
            f"{evidence.table.full_name}.{column.name} is {_shown(v)} in {label};"
            f" {_verb(name)}{expectation(column, str(name), v)}"
            for v, label in zip(values, labels, strict=True)
        ]
        found.append(
            violations(
                SCHEMA_CONTRACT,
                evidence.computed.loc[rows, "game_date"],
                CLASS_OF_CHECK[str(name)],
                messages,
                rows=rows,
                column=column.name,
                values=values,
            )
        )
    return combined(found)


def _verb(name: object) -> str:
    return "" if name == "physical_range" else "expected "


def _shown(value: object) -> str:
    return "NULL" if value is None or pd.isna(value) else str(value)


def _check_name(check: object) -> str:
    text = str(check)
    for name in CLASS_OF_CHECK:
        if text == name or text.startswith((f"{name}(", f"{name}:")):
            return name
    return "dtype" if text.startswith(("dtype", "coerce")) else text
