"""Tables as DuckDB: types, and a view that shows the days of a table as they are declared.

Belongs here: texts of SQL. Does not belong here: running them, finding files (``warehouse/``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nba_pipeline.tables.spec import Column, ColumnType, Kind, Table

_SQL_TYPES = {
    Kind.STRING: "VARCHAR",
    Kind.INT64: "BIGINT",
    Kind.FLOAT64: "DOUBLE",
    Kind.BOOL: "BOOLEAN",
    Kind.DATE: "DATE",
}


def sql_type(column_type: ColumnType) -> str:
    if column_type.kind is Kind.NUMERIC:
        return f"DECIMAL({column_type.precision},{column_type.scale})"
    return _SQL_TYPES[column_type.kind]


def quoted(identifier: str) -> str:
    return f'"{identifier}"'  # identifiers are [a-z][a-z0-9_]*; quoted because some are words of SQL


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def schema_statement(dataset: str) -> str:
    return f"CREATE SCHEMA IF NOT EXISTS {quoted(dataset)}"


def view_statement(table: Table, files: str, stored: Sequence[Mapping[str, ColumnType | None]]) -> str:
    """A view ``<dataset>.<table>`` over the Parquet files that ``files`` matches.

    ``stored``: the columns of each declaration under which days are stored; without any the view is empty.
    """
    return (
        f"CREATE OR REPLACE VIEW {quoted(table.dataset)}.{quoted(table.name)}"
        f" AS\n{_select(table, files, stored)}"
    )


def _select(table: Table, files: str, stored: Sequence[Mapping[str, ColumnType | None]]) -> str:
    if not stored:
        return f"SELECT {', '.join(_null(c) for c in table.columns)} WHERE false"
    columns = ", ".join(_column(c, stored) for c in table.columns)
    # Days of different declarations are matched by name, for which DuckDB opens every footer first: only
    # where needed.
    by_name = ", union_by_name=true" if len(stored) > 1 else ""
    day = f"hive_partitioning=true, hive_types={{{text(table.partition_column)}: DATE}}"
    return f"SELECT {columns} FROM read_parquet({text(files)}, {day}{by_name})"


def _column(column: Column, stored: Sequence[Mapping[str, ColumnType | None]]) -> str:
    """The column as declared: cast where days hold it otherwise, NULL where none holds it."""
    types = {kept[column.name] for kept in stored if column.name in kept}
    if not types:
        return _null(column)
    name = quoted(column.name)
    return name if types == {column.type} else f"{name}::{sql_type(column.type)} AS {name}"


def _null(column: Column) -> str:
    return f"NULL::{sql_type(column.type)} AS {quoted(column.name)}"
