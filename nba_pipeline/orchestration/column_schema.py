"""Tables as Dagster metadata: the column schema that the UI shows.

Belongs here: rendering declarations into Dagster's vocabulary. Does not belong here: assets (``assets/``).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from nba_pipeline.tables.spec import Column, Table


def table_schema(table: Table) -> dg.TableSchema:
    """The columns tab: names, BigQuery types, descriptions with unit and bounds, nullability, key columns
    marked."""
    return dg.TableSchema(columns=[_column(table, c) for c in table.columns])


def _column(table: Table, column: Column) -> dg.TableColumn:
    other = [f"unit: {column.unit}"] if column.unit else []
    if column.minimum is not None:
        other.append(f"≥ {column.minimum:g}")
    if column.maximum is not None:
        other.append(f"≤ {column.maximum:g}")
    if column.allowed:
        other.append(f"one of {', '.join(column.allowed)}")
    if column.name in table.key:
        other.append("key")
    return dg.TableColumn(
        name=column.name,
        type=str(column.type),
        description=column.description,
        constraints=dg.TableColumnConstraints(
            nullable=column.nullable, unique=table.key == (column.name,), other=other
        ),
    )


def asset_metadata(table: Table) -> dict[str, Any]:
    """Definition metadata of a table's asset."""
    return {
        "dagster/column_schema": table_schema(table),
        "dagster/table_name": table.full_name,
        "grain": table.grain,
        "key": ", ".join(table.key),
    }
