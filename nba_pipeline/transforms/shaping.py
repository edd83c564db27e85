"""The last step of a transform: rows and their columns' formulas become the table's frame.

Belongs here: dtypes and row order of a result. Does not belong here: rounding and validation (done at the
boundary), which rows there are (``games.py``, ``slate.py``), what a column comes to (``formulas/``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.arrays import Evaluation
from nba_pipeline.tables.formula import AsStored, Formula
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import Column, Kind, Table
from nba_pipeline.transforms.inputs import TableInputs


def computed(
    table: Table,
    rows: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    *,
    carried: Mapping[str, Collection[str]] | None = None,
    constants: Mapping[str, str] | None = None,
    beside: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The table's frame: exactly its columns and dtypes, in key order, NUMERIC unrounded.

    Args:
        rows: one per row of the table, with the columns that say what it is about.
        frames: the input tables by name, what their formulas look at. None is modified.
        carried: table -> its columns that the rows carry already.
        constants: column -> the one text that all its rows have, such as a version.
        beside: column -> the name in its formula whose values are given beside the table's columns, for
        checks and
            messages.

    KeyError names a column that is missing. A column that is declared NOT NULL and is not known in some row
    gets a dtype that can hold NULL: refusing it is the contract's.
    """
    evaluation = Evaluation(table, rows, TableInputs(frames), carried)
    values: dict[str, pd.Series] = {}
    for column in table.columns:
        if constants and column.name in constants:
            given: Any = np.full(len(rows), constants[column.name], dtype=object)
        elif column.formula is None or isinstance(column.formula, AsStored):
            given = rows[column.name]
        else:
            given = evaluation.column(column.name)
        values[column.name] = _cast(given, column)
    for name, of in (beside or {}).items():
        values[name] = pd.Series(evaluation.reference(of, name))
    order = [table.partition_column, *(k for k in table.key if k != table.partition_column)]
    return pd.DataFrame(values).sort_values(order, kind="stable", ignore_index=True)


def with_computed(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """Published rows with the columns of the table that are worked out from them."""
    names = [c.name for c in table.columns if isinstance(c.formula, Formula)]
    if not names:
        return rows
    evaluation = Evaluation(table, rows, TableInputs({}))
    values = {name: _cast(evaluation.column(name), table.column(name)) for name in names}
    return rows.assign(**{name: series.array for name, series in values.items()})


def _cast(values: Any, column: Column) -> pd.Series:
    kind, dtype = column.type.kind, pandas_dtype(column)
    if kind is Kind.STRING:
        return pd.Series(pd.array(np.asarray(values, dtype=object), dtype=dtype))
    if kind is Kind.DATE:
        return pd.Series(np.asarray(values, dtype="datetime64[s]"))
    series = pd.Series(values).reset_index(drop=True)
    if kind in (Kind.NUMERIC, Kind.FLOAT64):
        return pd.Series(series.to_numpy(dtype="float64", na_value=np.nan))
    if isinstance(dtype, np.dtype) and series.isna().any():
        dtype = pd.Int64Dtype() if kind is Kind.INT64 else pd.BooleanDtype()
    if kind is Kind.BOOL and series.dtype == np.float64:
        flags = pd.Series(series == 1)
        return flags if isinstance(dtype, np.dtype) else flags.astype("boolean").mask(series.isna())
    return series.astype(dtype)
