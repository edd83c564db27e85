"""Tables as pandera schemas: dtype, nullability, physical range, semantic bounds, code lists and patterns.

Belongs here: the rendering, and what each kind of pandera check means as a failure class. Does not belong
here: running the schema and reporting (``checks/contract.py``), keys (``checks/keys.py``: a duplicate is a
defect of two rows, which pandera reports as one column's).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pandera.pandas as pa

from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import Column, Table

CLASS_OF_CHECK = {
    "physical_range": FailureClass.TYPE_OVERFLOW,
    "minimum": FailureClass.IMPOSSIBLE_VALUE,
    "maximum": FailureClass.IMPOSSIBLE_VALUE,
    "allowed": FailureClass.IMPOSSIBLE_VALUE,
    "pattern": FailureClass.IMPOSSIBLE_VALUE,
    "not_nullable": FailureClass.INCOMPLETE_INPUT,
    "dtype": FailureClass.SCHEMA_DRIFT,
    "column_in_dataframe": FailureClass.SCHEMA_DRIFT,
    "column_in_schema": FailureClass.SCHEMA_DRIFT,
}


def pandera_schema(table: Table) -> pa.DataFrameSchema:
    """The contract of a conformed frame: exactly the declared columns, each with its dtype and checks."""
    columns = {
        c.name: pa.Column(pandas_dtype(c), checks=_checks(c), nullable=c.nullable, description=c.description)
        for c in table.columns
    }
    return pa.DataFrameSchema(columns, strict=True, name=table.full_name, description=table.description)


def _checks(column: Column) -> list[pa.Check]:
    # pandera reports a failed check by its `error` text; the text is the name by which the class is found.
    checks = []
    most = column.type.physical_max
    if most is not None:
        checks.append(pa.Check.in_range(-float(most), float(most), error="physical_range"))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error="minimum"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error="maximum"))
    if column.allowed:
        checks.append(pa.Check.isin(list(column.allowed), error="allowed"))
    if column.pattern:
        checks.append(pa.Check(_matches(column.pattern), error="pattern"))
    return checks


def _matches(pattern: str) -> Callable[[pd.Series], pd.Series]:
    """Whether the whole text matches, by Python: what ``$`` says of a last newline differs between
    pandas 2, pandas 3 and Arrow."""
    compiled = re.compile(pattern)

    def matches(texts: pd.Series) -> pd.Series:
        codes, kinds = pd.factorize(texts)
        good = np.array([compiled.fullmatch(str(kind)) is not None for kind in kinds] or [True], dtype=bool)
        return pd.Series(good[codes] | (codes < 0), index=texts.index)

    return matches


def expectation(column: Column, check: str, value: float) -> str:
    """What the check asks of the column, in words, and what to do where the column is too small for
    ``value``."""
    if check == "physical_range":
        most = column.type.physical_max
        return (
            f"the range of {column.type} is [-{most}, {most}]; widen the column to"
            f" {column.type.widened_for(value)}"
        )
    return {
        "minimum": f"at least {column.minimum}",
        "maximum": f"at most {column.maximum}",
        "allowed": f"one of {', '.join(column.allowed)}",
        "pattern": f"the pattern {column.pattern}",
        "not_nullable": "a value (the column is REQUIRED)",
    }.get(check, str(column.type))
