"""What a statement answers, and DuckDB's errors in Google's words.

Belongs here: the answer of one statement and the translation of errors.
Does not belong here: running statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from nba_pipeline_tests.bigquery_loopback import fields
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid_query
from nba_pipeline_tests.bigquery_loopback.fields import Field


@dataclass
class Answer:
    """What one statement gave: a type for the statistics, and rows or a count of changed rows."""

    statement_type: str
    schema: list[Field] | None = None
    rows: pa.Table | None = None
    affected: int | None = None
    dml: dict[str, str] = field(default_factory=dict)


_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)")


def query_error(wrong: duckdb.Error) -> BigQueryError:
    """DuckDB's error in Google's words, where they are known; the reason is invalidQuery in any case."""
    text = str(wrong).split("\n")[0]
    text = re.sub(r"^[A-Z][A-Za-z ]*Error: ", "", text)
    if isinstance(wrong, duckdb.ConversionException | duckdb.OutOfRangeException) and (
        found := _DECIMAL.search(text)
    ):
        return invalid_query(fields.out_of_range(int(found[1]), int(found[2])))
    if found := re.search(r'NOT NULL constraint failed: (\w+)\."?(\w+)"?', text):
        return invalid_query(f"Required field {found[2]} cannot be null")
    return invalid_query(text)
