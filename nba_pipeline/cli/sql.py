"""`nba-pipeline sql`: the result of a query over the local warehouse, for people and for programs.

Belongs here: opening and printing. Does not belong here: the connection (``warehouse/parquet/duck.py``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from nba_pipeline.cli.show import out
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.duck import query as run_query

ROWS_SHOWN = 50
FORMATS = ("table", "csv", "json", "markdown", "parquet")


def print_query(query: str, form: str, limit: int | None, to: Path | None) -> None:
    """Run a read-only query and write its rows in one of FORMATS, to a file or to the terminal.

    ``limit``: how many rows, 0 for all; None: the first ROWS_SHOWN of a table, all for a program.
    """
    if form not in FORMATS:
        raise ConfigurationError(f"--format {form!r} is unknown; it is one of {', '.join(FORMATS)}")
    if form == "parquet" and to is None:
        raise ConfigurationError("--format parquet needs --out FILE: a terminal cannot show it")
    settings = Settings.from_environment()
    if settings.warehouse != "parquet":
        raise ConfigurationError(
            "`nba-pipeline sql` queries the parquet warehouse; NBA_PIPELINE_WAREHOUSE names another"
        )
    tables = [table for declared in TABLES.values() for table in (declared, declared.rejected())]
    result = run_query(settings.warehouse_dir, tables, query)
    if limit is None:
        limit = ROWS_SHOWN if form == "table" and to is None else 0
    shown = result.slice(0, limit) if limit else result
    if form == "parquet":
        pa.parquet.write_table(shown, to)
    elif form == "csv":
        with pa.output_stream(to) if to else pa.PythonFile(sys.stdout.buffer, mode="w") as stream:
            pa.csv.write_csv(shown, stream)
    else:
        width = 10_000 if to or not out.is_terminal else out.width
        text = "\n".join(_text(shown, form, width))
        if to:
            to.write_text(f"{text}\n", encoding="utf-8")
        else:
            print(text)
    if shown.num_rows < result.num_rows:
        more = result.num_rows - shown.num_rows
        print(f"... {more} more rows (--limit 0 gives all)", file=sys.stderr)


def _text(result: pa.Table, form: str, width: int) -> Iterator[str]:
    if form == "json":
        yield json.dumps([{k: _plain(v) for k, v in row.items()} for row in result.to_pylist()], indent=2)
        return
    names = result.column_names
    cells = [["NULL" if v is None else str(v) for v in column.to_pylist()] for column in result.columns]
    if form == "markdown":
        yield _markdown(names)
        yield _markdown(["---"] * len(names))
        yield from (_markdown([cell.replace("|", "\\|") for cell in row]) for row in zip(*cells, strict=True))
        return
    sizes = [max(map(len, (name, *column))) for name, column in zip(names, cells, strict=True)]
    if sum(sizes) + 2 * len(sizes) > width and result.num_rows <= 100:
        yield from _records(names, cells)
        return
    yield "  ".join(name.ljust(size) for name, size in zip(names, sizes, strict=True)).rstrip()
    yield "  ".join("-" * size for size in sizes)
    for row in zip(*cells, strict=True):
        yield "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()


def _records(names: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """One block per row, for results that are wider than the terminal."""
    longest = max(map(len, names))
    for number, row in enumerate(zip(*cells, strict=True), 1):
        yield f"--- row {number} ---"
        yield from (f"{name.ljust(longest)}  {cell}" for name, cell in zip(names, row, strict=True))


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(value: Any) -> Any:
    """A JSON value: NUMERIC as a number, dates and times as text."""
    if isinstance(value, Decimal):
        return (
            int(value)
            if value == value.to_integral_value() and value.as_tuple().exponent == 0
            else float(value)
        )
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value)
