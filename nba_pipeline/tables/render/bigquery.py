"""Tables as BigQuery: schema fields, table resources and DDL from the declarations.

Belongs here: names, ``schema_fields``, ``table_resource``, the DDL texts and ``stored_table`` (the way back).
Does not belong here: sending anything (``warehouse/bigquery*.py``).

Importing this module needs google-cloud-bigquery; nothing that the local warehouses use imports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import bigquery

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.evolution import Action, Change, StoredColumn, StoredTable
from nba_pipeline.tables.spec import REJECTED_SUFFIX, Column, ColumnType, Kind, Table

MANIFEST_SUFFIX = "__manifest"
STAGING_DATASET = "nba_staging"
STAGING_HOURS = 24
"""A staging table that a crash left behind is deleted by BigQuery after so long (the dataset's default
expiration)."""

LABELS = {"managed-by": "nba-pipeline"}
_CLUSTER_KINDS = {
    Kind.STRING,
    Kind.INT64,
    Kind.NUMERIC,
    Kind.BOOL,
    Kind.DATE,
}  # FLOAT64 cannot be clustered by
_MOST_CLUSTER_COLUMNS = 4
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_]{0,64}")
# The API's old names and the standard ones mean the same types.
_KINDS = {
    "INTEGER": Kind.INT64,
    "INT64": Kind.INT64,
    "FLOAT": Kind.FLOAT64,
    "FLOAT64": Kind.FLOAT64,
    "BOOLEAN": Kind.BOOL,
    "BOOL": Kind.BOOL,
    "STRING": Kind.STRING,
    "DATE": Kind.DATE,
}

MANIFEST_FIELDS: tuple[bigquery.SchemaField, ...] = (
    bigquery.SchemaField("game_date", "DATE", "REQUIRED", description="The day."),
    bigquery.SchemaField(
        "row_count",
        "INTEGER",
        "REQUIRED",
        description="Rows of the day; 0 for a day that is empty for a reason.",
    ),
    bigquery.SchemaField(
        "content_hash",
        "STRING",
        "REQUIRED",
        description="Hash of the day's rows, the same in every warehouse.",
    ),
    bigquery.SchemaField(
        "schema_version",
        "STRING",
        "REQUIRED",
        description="Hash of the declaration the day was written under.",
    ),
    bigquery.SchemaField(
        "written_at", "TIMESTAMP", "REQUIRED", description="When the writer prepared the day."
    ),
    bigquery.SchemaField("reason", "STRING", description="Why the day has no rows."),
)
"""The manifest of a table: one row per day, changed in the same transaction as the day's rows."""


@dataclass(frozen=True)
class Address:
    """Where the tables are. ``prefix`` is put before every dataset's name (``dev_`` gives
    ``dev_nba_raw``)."""

    project: str
    prefix: str = ""

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise ConfigurationError(
                f"NBA_PIPELINE_BIGQUERY_PROJECT={self.project!r} is not a project id (like my-project-123)"
            )
        if not _PREFIX.fullmatch(self.prefix):
            raise ConfigurationError(
                f"NBA_PIPELINE_BIGQUERY_DATASET_PREFIX={self.prefix!r} may hold letters, digits and"
                " underscores only (at most 64)"
            )

    def dataset(self, name: str) -> str:
        return f"{self.project}.{self.prefix}{name}"

    def data(self, table: Table) -> str:
        return f"{self.dataset(table.dataset)}.{table.name}"

    def manifest(self, table: Table) -> str:
        return f"{self.data(table)}{MANIFEST_SUFFIX}"

    def staging(self, write_id: str) -> str:
        return f"{self.dataset(STAGING_DATASET)}.{write_id}"


def quoted(name: str) -> str:
    """A name in SQL. Every part was checked against a pattern without backticks when it was declared or
    configured."""
    if "`" in name or "\\" in name:
        raise ValueError(f"{name!r} is not a name")
    return f"`{name}`"


# ---------------------------------------------------------------------------------------------- resources


def schema_fields(table: Table, *, staging: bool = False) -> list[bigquery.SchemaField]:
    """The columns. ``staging``: everything NULLABLE, without descriptions (see ``bigquery_write``)."""
    return [_field(c, staging) for c in table.columns]


def _field(column: Column, staging: bool) -> bigquery.SchemaField:
    described: dict[str, Any] = {} if staging else {"description": column.description}
    if column.type.kind is Kind.NUMERIC:
        described |= {"precision": column.type.precision, "scale": column.type.scale}
    mode = "NULLABLE" if staging or column.nullable else "REQUIRED"
    return bigquery.SchemaField(column.name, str(column.type.kind), mode, **described)


def clustering(table: Table) -> list[str]:
    """The key without the day, as far as BigQuery clusters by it: how a day's rows are usually looked up."""
    names = [
        k for k in table.key if k != table.partition_column and table.column(k).type.kind in _CLUSTER_KINDS
    ]
    return names[:_MOST_CLUSTER_COLUMNS]


def requires_filter(table: Table) -> bool:
    """Tables whose accidental full scan would cost something: all but the small quarantine tables."""
    return not table.name.endswith(REJECTED_SUFFIX)


def labels(table: Table) -> dict[str, str]:
    return LABELS | {"phase": re.sub(r"[^a-z0-9_-]+", "-", table.phase.lower())[:63]}


def options(table: Table) -> dict[str, str]:
    """What ``evolution.differences`` compares besides columns and descriptions."""
    return {
        "clustering": ",".join(clustering(table)),
        "require_partition_filter": str(requires_filter(table)).lower(),
        "partition_expiration": "",  # days never expire, whatever the dataset's default says
    } | {f"label {k}": v for k, v in labels(table).items()}


def table_resource(address: Address, table: Table) -> bigquery.Table:
    """The table as ``tables.insert`` and ``tables.patch`` take it."""
    made = bigquery.Table(address.data(table), schema=schema_fields(table))
    made.time_partitioning = bigquery.TimePartitioning(
        type_=bigquery.TimePartitioningType.DAY, field=table.partition_column
    )
    made.clustering_fields = clustering(table) or None
    made.description = table.description
    made.labels = labels(table)
    made.require_partition_filter = requires_filter(table)
    return made


def manifest_resource(address: Address, table: Table) -> bigquery.Table:
    made = bigquery.Table(address.manifest(table), schema=MANIFEST_FIELDS)
    made.description = (
        f"One row per stored day of {table.full_name}, written together with its rows. Do not edit."
    )
    made.labels = labels(table)
    return made


def stored_table(found: bigquery.Table) -> StoredTable:
    """What BigQuery says it holds, in the neutral words that ``evolution`` compares."""
    partitioning = found.time_partitioning
    by_day = partitioning is not None and partitioning.type_ == bigquery.TimePartitioningType.DAY
    said = {
        "clustering": ",".join(found.clustering_fields or ()),
        "require_partition_filter": str(bool(found.require_partition_filter)).lower(),
        "partition_expiration": str((partitioning and partitioning.expiration_ms) or ""),
    }
    return StoredTable(
        {
            f.name: StoredColumn(_type(f), f.mode == "NULLABLE", _words(f), f.description or "")
            for f in found.schema
        },
        partitioning.field if by_day else None,
        found.description or "",
        said | {f"label {k}": v for k, v in (found.labels or {}).items()},
    )


def _type(field: bigquery.SchemaField) -> ColumnType | None:
    if field.mode == "REPEATED" or field.max_length:
        return None
    if field.field_type == "NUMERIC" and field.precision is not None:
        try:
            return ColumnType(Kind.NUMERIC, int(field.precision), int(field.scale or 0))
        except ValueError:
            return None  # wider than this project declares columns
    kind = _KINDS.get(field.field_type)
    return ColumnType(kind) if kind else None


def _words(field: bigquery.SchemaField) -> str:
    digits = f"({field.precision},{field.scale or 0})" if field.precision is not None else ""
    length = f"({field.max_length})" if field.max_length else ""
    name = f"{_KINDS.get(field.field_type, field.field_type)}{digits}{length}"
    return f"ARRAY<{name}>" if field.mode == "REPEATED" else name


# ---------------------------------------------------------------------------------------------- DDL


def text(value: str) -> str:
    """A string literal. JSON's escapes are GoogleSQL's too, but for the slash, which JSON does not escape
    here."""
    return json.dumps(value, ensure_ascii=False)


def column_ddl(column: Column) -> str:
    required = "" if column.nullable else " NOT NULL"
    return f"{quoted(column.name)} {column.type}{required} OPTIONS(description={text(column.description)})"


def create_statements(address: Address, table: Table) -> list[str]:
    """CREATE TABLE for the table and its manifest; what ``table_resource`` says, as SQL for people and for
    review."""
    columns = ",\n  ".join(column_ddl(c) for c in table.columns)
    clustered = f"\nCLUSTER BY {', '.join(map(quoted, clustering(table)))}" if clustering(table) else ""
    given = [
        f"description={text(table.description)}",
        f"labels=[{', '.join(f'({text(k)}, {text(v)})' for k, v in labels(table).items())}]",
        f"require_partition_filter={str(requires_filter(table)).lower()}",
    ]
    data = (
        f"CREATE TABLE IF NOT EXISTS {quoted(address.data(table))} (\n  {columns}\n)\n"
        f"PARTITION BY {quoted(table.partition_column)}{clustered}\nOPTIONS({', '.join(given)})"
    )
    fields = ",\n  ".join(_field_ddl(f) for f in MANIFEST_FIELDS)
    made = manifest_resource(address, table)
    manifest = (
        f"CREATE TABLE IF NOT EXISTS {quoted(address.manifest(table))} (\n "
        f" {fields}\n)\nOPTIONS(description={text(made.description)})"
    )
    return [data, manifest]


def _field_ddl(field: bigquery.SchemaField) -> str:
    standard = "INT64" if field.field_type == "INTEGER" else field.field_type
    required = "" if field.mode == "NULLABLE" else " NOT NULL"
    return f"{quoted(field.name)} {standard}{required} OPTIONS(description={text(field.description)})"


def dataset_statements(address: Address, datasets: Sequence[str], location: str) -> list[str]:
    """CREATE SCHEMA for the datasets and for the staging dataset, whose tables expire by themselves."""
    here = f"location={text(location)}"
    made = [
        f"CREATE SCHEMA IF NOT EXISTS {quoted(address.dataset(name))} OPTIONS({here})"
        for name in dict.fromkeys(datasets)
    ]
    days = STAGING_HOURS / 24
    staging = f"{here}, default_table_expiration_days={days:g}"
    return [
        *made,
        f"CREATE SCHEMA IF NOT EXISTS {quoted(address.dataset(STAGING_DATASET))} OPTIONS({staging})",
    ]


def change_statements(address: Address, table: Table, changes: Sequence[Change]) -> list[str]:
    """The ALTER TABLE statements of the changes that can be made in place (descriptions and labels go through
    the API)."""
    name = quoted(address.data(table))
    statements = []
    for change in changes:
        if change.action is Action.CREATE:
            statements += create_statements(address, table)
        elif change.column is not None and change.action in _ALTERATIONS:
            statements.append(f"ALTER TABLE {name} {_ALTERATIONS[change.action](table, change.column)}")
    return statements


def keep_days_statement(address: Address, table: Table) -> str:
    """Takes back an expiration of days, such as a table inherits from its dataset's default."""
    return f"ALTER TABLE {quoted(address.data(table))} SET OPTIONS(partition_expiration_days=NULL)"


def relabel_statement(address: Address, table: Table, versions: Sequence[str], now: str) -> str:
    """The manifest's days of these schema versions, said to be of another one."""
    older = ", ".join(map(text, versions))
    return (
        f"UPDATE {quoted(address.manifest(table))} SET schema_version = {text(now)} WHERE schema_version IN"
        f" ({older})"
    )


_ALTERATIONS = {
    Action.ADD_COLUMN: lambda table, name: f"ADD COLUMN {column_ddl(table.column(name))}",
    Action.WIDEN: lambda table, name: f"ALTER COLUMN {quoted(name)} SET DATA TYPE {table.column(name).type}",
    Action.RELAX: lambda table, name: f"ALTER COLUMN {quoted(name)} DROP NOT NULL",
}
