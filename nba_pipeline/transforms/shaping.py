"""The last step of a look-back transform: computed arrays become the table's frame.

Belongs here: dtypes and row order of a result, and small array helpers that have no meaning of their own.
Does not belong here: rounding and validation (done at the boundary), selecting history (``windows.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import Kind, Table


def shaped(table: Table, values: Mapping[str, Any]) -> pd.DataFrame:
    """A frame with exactly the table's columns and dtypes, in key order, NUMERIC unrounded.

    ``values`` has one aligned sequence per column of the table; KeyError names a column that is missing.
    """
    frame = pd.DataFrame({c.name: _cast(values[c.name], c.type.kind, pandas_dtype(c)) for c in table.columns})
    order = [table.partition_column, *(k for k in table.key if k != table.partition_column)]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _cast(values: Any, kind: Kind, dtype: Any) -> pd.Series:
    if kind is Kind.STRING:
        return pd.Series(pd.array(np.asarray(values, dtype=object), dtype=dtype))
    if kind is Kind.DATE:
        return pd.Series(np.asarray(values, dtype="datetime64[s]"))
    series = pd.Series(values).reset_index(drop=True)
    if kind is Kind.BOOL and not isinstance(dtype, np.dtype) and series.dtype == np.float64:
        return (series == 1).astype("boolean").mask(series.isna())
    if not isinstance(dtype, np.dtype):
        return series.astype(dtype)
    return pd.Series(
        series.to_numpy(dtype=dtype, na_value=np.nan)
        if kind in (Kind.NUMERIC, Kind.FLOAT64)
        else series.astype(dtype)
    )


def floats(values: Any) -> np.ndarray:
    """A column as float64 with NaN for NULL; booleans become 0 and 1."""
    return pd.Series(values).to_numpy(dtype="float64", na_value=np.nan)


def texts(values: Any) -> np.ndarray:
    """A string column as an object array with None for NULL."""
    series = pd.Series(values).astype(object)
    return series.where(series.notna(), None).to_numpy(dtype=object)


def null_where(unknown: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Texts as an object array with None where ``unknown``."""
    result = names.astype(object)
    result[unknown] = None
    return result
