"""Tables as pandas frames: the one dtype of each column type, and empty frames.

Belongs here: the mapping from declared types to pandas dtypes, rounding of NUMERIC at the boundary.
Does not belong here: validation (``render/contract.py``), Arrow (``render/arrow.py``).

NUMERIC(p,s) is held as float64 holding the decimal's nearest double (p <= 15, so the decimal can be recovered
exactly) with NaN for NULL; whole numbers and booleans use pandas' masked dtypes where NULL is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nba_pipeline.tables.spec import Column, Kind, Table

STRING_DTYPE = pd.StringDtype("pyarrow")


def pandas_dtype(column: Column) -> object:
    """The dtype of the column in a conformed frame."""
    kind = column.type.kind
    if kind is Kind.STRING:
        return STRING_DTYPE
    if kind is Kind.INT64:
        return pd.Int64Dtype() if column.nullable else np.dtype("int64")
    if kind is Kind.BOOL:
        return pd.BooleanDtype() if column.nullable else np.dtype("bool")
    if kind is Kind.DATE:
        return np.dtype("datetime64[s]")
    return np.dtype("float64")


def empty_frame(table: Table, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """A frame of the table with no rows and the declared dtypes."""
    chosen = table.columns if columns is None else [table.column(c) for c in columns]
    return pd.DataFrame({c.name: pd.Series(dtype=pandas_dtype(c)) for c in chosen})


def round_half_even(values: np.ndarray, scale: int) -> np.ndarray:
    """Float values rounded to ``scale`` digits, ties to even, as every NUMERIC is at the boundary.

    The tie is judged on ``value * 10^scale`` in double precision, so 2469/200 = 12.345 counts as a tie
    (12.34) although its nearest double lies a hair above it.
    """
    factor = 10.0**scale
    return np.rint(values * factor) / factor
