"""`nba-pipeline sql`: printing the result of a query over the local warehouse.

Belongs here: opening and printing. Does not belong here: the connection (``warehouse/parquet/duck.py``).
"""

from __future__ import annotations

import json

from rich.markup import escape
from rich.table import Table as RichTable

from nba_pipeline.cli.show import out
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.duck import query as run_query


def print_query(query: str, as_json: bool, limit: int) -> None:
    """Run a read-only query and print its rows as a table or as JSON."""
    settings = Settings.from_environment()
    if settings.warehouse != "parquet":
        raise ConfigurationError(
            "`nba-pipeline sql` queries the parquet warehouse; NBA_PIPELINE_WAREHOUSE names another"
        )
    tables = [table for declared in TABLES.values() for table in (declared, declared.rejected())]
    result = run_query(settings.warehouse_dir, tables, query)
    if as_json:
        print(json.dumps(result.to_pylist(), indent=2, default=str))
        return
    shown = RichTable(show_edge=False)
    for name in result.column_names:
        shown.add_column(escape(name))
    rows = result.slice(0, limit) if limit else result
    for row in rows.to_pylist():
        shown.add_row(*("NULL" if v is None else escape(str(v)) for v in row.values()))
    out.print(shown)
    if limit and result.num_rows > limit:
        out.print(f"... {result.num_rows - limit} more rows (--limit 0 prints all)")
