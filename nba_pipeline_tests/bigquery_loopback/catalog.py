"""Datasets and tables: their metadata, and what may be changed about it.

Belongs here: the resources of datasets and tables and the rules of insert, patch and schema change.
Does not belong here: rows (``storage``), loads and statements.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Any

from nba_pipeline_tests.bigquery_loopback import fields
from nba_pipeline_tests.bigquery_loopback.errors import (
    BigQueryError,
    duplicate,
    invalid,
    not_found,
    not_modelled,
)
from nba_pipeline_tests.bigquery_loopback.fields import Field

_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")  # DOC
_TABLE = re.compile(r"[\w\- ]{1,1024}")  # DOC: letters, marks, numbers, connectors, dashes, spaces
DECORATOR = re.compile(r"(?P<table>[^$]+)\$(?P<partition>.+)")
MUTABLE = ("description", "friendlyName", "labels", "expirationTime", "requirePartitionFilter", "clustering")
CLUSTER_TYPES = {
    "BIGNUMERIC",
    "BOOLEAN",
    "DATE",
    "DATETIME",
    "INTEGER",
    "NUMERIC",
    "STRING",
    "TIMESTAMP",
}  # DOC (top level only)


def milliseconds() -> str:
    return str(int(time.time() * 1000))


@dataclass
class Table:
    """One table's metadata. ``version`` grows with every change of it and makes the etag."""

    project: str
    dataset: str
    name: str
    schema: list[Field]
    partitioning: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    created: str = field(default_factory=milliseconds)
    modified: str = field(default_factory=milliseconds)
    version: int = 0
    streamed: bool = False
    """Whether it has rows in the streaming buffer (here: from the first insertAll on)."""

    @property
    def full_name(self) -> str:
        """As error messages write it."""
        return f"{self.project}:{self.dataset}.{self.name}"

    @property
    def sql_name(self) -> str:
        return f"{self.project}.{self.dataset}.{self.name}"

    @property
    def duck_name(self) -> str:
        return f'"{self.project}.{self.dataset}"."{self.name}"'

    @property
    def day_column(self) -> str | None:
        """The column it is partitioned by, if it is partitioned."""
        return str(self.partitioning["field"]) if self.partitioning else None

    @property
    def etag(self) -> str:
        """ASSUMED: it changes with the metadata and not with the rows."""
        return hashlib.sha256(f"{self.full_name}/{self.created}/{self.version}".encode()).hexdigest()[:22]

    @property
    def expired(self) -> bool:
        """DOC: a table whose expiration time has passed is deleted."""
        return int(self.extra.get("expirationTime") or 2**62) <= time.time() * 1000

    def column(self, name: str) -> Field | None:
        """DOC: column names are case-insensitive."""
        return next((f for f in self.schema if f["name"].lower() == name.lower()), None)

    def touch(self) -> None:
        self.version += 1
        self.modified = milliseconds()

    def resource(self, rows: int, size: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "kind": "bigquery#table",
            "id": self.full_name,
            "etag": self.etag,
            "tableReference": {"projectId": self.project, "datasetId": self.dataset, "tableId": self.name},
            "type": "TABLE",
            "schema": {"fields": self.schema},
            "numRows": str(rows),
            "numBytes": str(size),
            "creationTime": self.created,
            "lastModifiedTime": self.modified,
            **self.extra,
        }
        return found | ({"timePartitioning": self.partitioning} if self.partitioning else {})


@dataclass
class Dataset:
    project: str
    name: str
    body: dict[str, Any]
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def location(self) -> str:
        return str(self.body["location"])

    @property
    def schema_name(self) -> str:
        return f'"{self.project}.{self.name}"'


class Catalog:
    """All datasets; lookups raise Google's 404s and 409s."""

    def __init__(self) -> None:
        self.datasets: dict[tuple[str, str], Dataset] = {}

    def new_dataset(self, project: str, body: dict[str, Any]) -> Dataset:
        """A dataset from its resource, not yet in the catalog; 409 when it exists."""
        name = body["datasetReference"]["datasetId"]
        if not _DATASET.fullmatch(name):
            raise invalid(
                f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric (plus underscores).'
            )
        if (project, name) in self.datasets:
            raise duplicate(f"Dataset {project}:{name}")
        body = {
            **body,
            "kind": "bigquery#dataset",
            "id": f"{project}:{name}",
            "datasetReference": {"projectId": project, "datasetId": name},
            "location": body.get("location") or "US",  # DOC: US when none is given
            "etag": hashlib.sha256(f"{project}:{name}".encode()).hexdigest()[:22],
            "creationTime": milliseconds(),
            "lastModifiedTime": milliseconds(),
        }
        return Dataset(project, name, body)

    def dataset(self, project: str, name: str, location: str | None = None) -> Dataset:
        found = self.datasets.get((project, name))
        if found is None:
            raise not_found(f"Dataset {project}:{name}")
        # DOC: a job reaches only the datasets of its location. The words are publicly reported.
        if location and found.location.upper() != location.upper():
            raise not_found(f"Dataset {project}:{name} was not found in location {location}")
        return found

    def table(self, project: str, dataset: str, name: str, location: str | None = None) -> Table:
        tables = self.dataset(project, dataset, location).tables
        if name not in tables:
            raise not_found(f"Table {project}:{dataset}.{name}")
        return tables[name]

    def drop_table(self, table: Table) -> None:
        del self.dataset(table.project, table.dataset).tables[table.name]

    def add_dataset(self, dataset: Dataset) -> None:
        self.datasets[dataset.project, dataset.name] = dataset

    def add_table(self, table: Table) -> None:
        self.dataset(table.project, table.dataset).tables[table.name] = table

    def new_table(self, project: str, dataset: str, body: dict[str, Any]) -> Table:
        """A table from its resource, not yet in the catalog; 409 when it exists."""
        home = self.dataset(project, dataset)
        name = body["tableReference"]["tableId"]
        if not _TABLE.fullmatch(name):
            raise invalid(f'Invalid table ID "{name}".')
        if name in home.tables:
            raise duplicate(f"Table {project}:{dataset}.{name}")
        for unknown in ("view", "materializedView", "externalDataConfiguration", "rangePartitioning"):
            if body.get(unknown):
                raise not_modelled(f"a table with {unknown}")
        table = Table(project, dataset, name, schema_of(body.get("schema")))
        table.partitioning = partitioning_of(body.get("timePartitioning"), table)
        table.extra = {key: body[key] for key in MUTABLE if body.get(key) not in (None, {}, [])}
        expiry = home.body.get("defaultTableExpirationMs")
        if expiry and "expirationTime" not in table.extra:  # DOC
            table.extra["expirationTime"] = str(int(milliseconds()) + int(expiry))
        days_expire = home.body.get("defaultPartitionExpirationMs")
        if days_expire and table.partitioning and "expirationMs" not in table.partitioning:  # DOC
            table.partitioning["expirationMs"] = str(days_expire)
        check_clustering(table, table.extra.get("clustering"))
        return table


def schema_of(body: dict[str, Any] | None) -> list[Field]:
    found = [fields.normalized(f) for f in (body or {}).get("fields") or []]
    names = [f["name"].lower() for f in found]
    repeated = {n for n in names if names.count(n) > 1}
    if repeated:
        raise invalid(f"Field {sorted(repeated)[0]} already exists in schema")
    return found


def partitioning_of(body: dict[str, Any] | None, table: Table) -> dict[str, Any] | None:
    if not body:
        return None
    if body.get("type") != "DAY":
        raise not_modelled(f"time partitioning by {body.get('type')}")
    if not body.get("field"):
        raise not_modelled("partitioning by ingestion time")
    column = table.column(body["field"])
    if column is None:
        raise invalid(f"The field specified for partitioning cannot be found in the schema: {body['field']}")
    if column["type"] != "DATE":
        if column["type"] in {"TIMESTAMP", "DATETIME"}:
            raise not_modelled(f"partitioning by a {column['type']} column")
        raise invalid(
            "The field specified for time partitioning must be of type DATE, TIMESTAMP or DATETIME."
        )
    return {"type": "DAY", "field": column["name"]} | (
        {"expirationMs": str(body["expirationMs"])} if body.get("expirationMs") else {}
    )


def check_clustering(table: Table, clustering: dict[str, Any] | None) -> None:
    names = (clustering or {}).get("fields") or []
    if len(names) > 4:  # DOC
        raise invalid("Clustering fields are limited to 4")
    for name in names:
        column = table.column(name)
        if column is None:
            raise invalid(f"The field specified for clustering cannot be found in the schema: {name}")
        if column["type"] not in CLUSTER_TYPES or column["mode"] == "REPEATED":
            raise invalid(f"Clustering is not supported on column {name} of type {column['type']}")


def patch(table: Table, body: dict[str, Any], if_match: str | None) -> list[Field]:
    """Apply a tables.patch; returns the fields that it added. Nothing is changed when any part is refused."""
    if if_match and if_match not in {"*", table.etag}:  # DOC
        raise BigQueryError("conditionNotMet", "Precondition check failed.")
    schema, added = table.schema, []
    if body.get("schema") is not None:
        schema = schema_of(body["schema"])
        added = check_schema_change(table, schema, add=True, relax=True)
    partitioning = table.partitioning
    if "timePartitioning" in body:
        wanted = body["timePartitioning"] or {}
        if (
            not partitioning or wanted.get("type") != "DAY" or wanted.get("field") != partitioning["field"]
        ):  # DOC: only its expiration changes
            raise invalid(f"Cannot change partitioning spec for a partitioned table {table.full_name}.")
        partitioning = partitioning_of(wanted, table)
    check_clustering(table, body.get("clustering"))
    table.schema, table.partitioning = schema, partitioning
    for key in MUTABLE:
        if key in body:
            _set(table.extra, key, body[key])
    table.touch()
    return added


def _set(extra: dict[str, Any], key: str, value: Any) -> None:
    """DOC: null removes a property; a label set to null is removed and the other labels stay."""
    if key == "labels" and value:
        value = {k: v for k, v in {**extra.get("labels", {}), **value}.items() if v is not None}
    if value in (None, {}, []):
        extra.pop(key, None)
    else:
        extra[key] = value


def check_schema_change(table: Table, new: list[Field], *, add: bool, relax: bool) -> list[Field]:
    """The fields of ``new`` that ``table`` lacks, if the change is allowed; the words are publicly reported.

    DOC: columns may be added (NULLABLE or REPEATED) and REQUIRED relaxed; a column is not removed, retyped or
    tightened here. ASSUMED: a change of NUMERIC's parameters through the API is refused (undocumented; DDL is
    the documented way).
    """
    head = f"Provided Schema does not match Table {table.full_name}."
    given = {f["name"].lower(): f for f in new}
    for old in table.schema:
        found = given.get(old["name"].lower())
        if found is None:
            raise invalid(f"{head} Field {old['name']} is missing in new schema")
        if found["type"] != old["type"] or fields.digits(found) != fields.digits(old):
            raise invalid(
                f"{head} Field {old['name']} has changed type from {fields.standard_type(old)} to"
                f" {fields.standard_type(found)}"
            )
        if found["mode"] != old["mode"] and not (
            relax and old["mode"] == "REQUIRED" and found["mode"] == "NULLABLE"
        ):
            raise invalid(
                f"{head} Field {old['name']} has changed mode from {old['mode']} to {found['mode']}"
            )
    added = [f for f in new if table.column(f["name"]) is None]
    if added and not add:
        raise invalid(f"{head} Cannot add fields (field: {added[0]['name']})")
    for extra in added:
        if extra["mode"] == "REQUIRED":
            raise invalid(
                f"{head} Cannot add required fields to an existing schema. (field: {extra['name']})"
            )
    return added
