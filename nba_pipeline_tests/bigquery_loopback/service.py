"""The state of the fake: catalog, storage, jobs and counters, and the few operations that need several of
them.

Belongs here: what HTTP calls, loads and statements share.
Does not belong here: HTTP (``server``, ``rest``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from nba_pipeline_tests.bigquery_loopback.catalog import Catalog, Dataset, Table
from nba_pipeline_tests.bigquery_loopback.errors import invalid_query, not_modelled
from nba_pipeline_tests.bigquery_loopback.jobs import Job, Jobs
from nba_pipeline_tests.bigquery_loopback.quotas import Counters
from nba_pipeline_tests.bigquery_loopback.storage import Storage, Writers


@dataclass(frozen=True)
class Kinds:
    """What a service can do with jobs, handed to it by the server: so that no kind of job has to be known
    here."""

    work: Mapping[str, Callable[[Service, Job], None]]
    dry_run: Callable[[Service, Job], dict[str, Any]]
    information_schema: Callable[[str, list[Table], Service], tuple[list[str], list[tuple[Any, ...]]]]


class Service:
    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self.catalog, self.storage = Catalog(), Storage()
        self.jobs, self.counters, self.writers = Jobs(), Counters(), Writers()
        self._definitions = threading.RLock()  # one change at a time of what exists
        self.on_statement: Callable[[Job, str], None] | None = None
        """Called before each statement of a script: a test stops here, or raises, to meet a job in its
        middle."""

    def between_statements(self, job: Job, text: str) -> None:
        if self.on_statement is not None:
            self.on_statement(job, text)
        job.check_cancelled()

    # --- tables
    # -------------------------------------------------------------------------------------------------------

    def create_dataset(self, project: str, body: dict[str, Any]) -> Dataset:
        with self._definitions:
            found = self.catalog.new_dataset(project, body)
            self.storage.create_dataset(found)
            self.catalog.add_dataset(found)
        return found

    def create_table(self, project: str, dataset: str, body: dict[str, Any]) -> Table:
        with self._definitions:
            table = self.catalog.new_table(project, dataset, body)
            self.counters.add(self.counters.metadata, table.full_name)
            self.storage.create(table)
            self.catalog.add_table(table)  # last: who finds it here may write to it at once
        return table

    def drop_table(self, table: Table) -> None:
        with self._definitions:
            self.catalog.drop_table(table)
            self.storage.drop(table)

    def drop_expired(self) -> None:
        """DOC: expired tables are deleted; here, before the next call looks."""
        for dataset in list(self.catalog.datasets.values()):
            for table in [t for t in dataset.tables.values() if t.expired]:
                self.drop_table(table)

    # --- jobs
    # ------------------------------------------------------------------------------------------------------

    def insert_job(self, project: str, body: dict[str, Any], payload: bytes | None = None) -> dict[str, Any]:
        job = Job(project, body, payload)
        job.location = job.location or self._location(job)
        if job.config.get("dryRun"):
            return self.kinds.dry_run(self, job)
        work = self.kinds.work.get(job.kind)
        if work is None:
            raise not_modelled(f"{job.kind} jobs")
        self.counters.add_job()
        self.jobs.start(job, lambda job: work(self, job))
        return job.resource()

    def _location(self, job: Job) -> str:
        """DOC: without a location, that of the datasets in the request; here of a load's or copy's
        destination, else US."""
        to = (
            job.config.get(job.kind, {}).get("destinationTable")
            or job.config.get(job.kind, {}).get("defaultDataset")
            or {}
        )
        home = self.catalog.datasets.get((to.get("projectId", job.project), to.get("datasetId", "")))
        return home.location if home else "US"

    # --- names in SQL
    # -------------------------------------------------------------------------------------------------

    def address(self, node: exp.Table, job: Job) -> tuple[str, str, str]:
        """(project, dataset, table) of a reference, with the job's default dataset."""
        default = job.config.get("query", {}).get("defaultDataset") or {}
        dataset = node.db or default.get("datasetId")
        if not dataset:
            raise invalid_query(f'Table "{node.name}" must be qualified with a dataset (e.g. dataset.table).')
        return node.catalog or default.get("projectId") or job.project, dataset, node.name

    def resolve(self, node: exp.Table, job: Job, cursor: duckdb.DuckDBPyConnection) -> Table | str:
        path = [p for p in (node.catalog, node.db, node.name) if p]
        parts = ".".join(path).split(".")
        if "INFORMATION_SCHEMA" in [p.upper() for p in parts]:
            return self._view(parts, job, cursor)
        project, dataset, name = self.address(node, job)
        if "$" in name:  # DOC: decorators are of legacy SQL and the API
            raise invalid_query(
                f"Invalid table name: `{project}.{dataset}.{name}`. Partition decorators are not supported in"
                " GoogleSQL."
            )
        return self.catalog.table(project, dataset, name, job.location)

    def _view(self, parts: list[str], job: Job, cursor: duckdb.DuckDBPyConnection) -> str:
        at = [p.upper() for p in parts].index("INFORMATION_SCHEMA")
        if at == 0 or at + 1 >= len(parts):
            raise not_modelled("INFORMATION_SCHEMA outside a dataset")
        project, dataset = (parts[at - 2] if at > 1 else job.project), parts[at - 1]
        home = self.catalog.dataset(project, dataset, job.location)
        names, rows = self.kinds.information_schema(parts[at + 1].upper(), list(home.tables.values()), self)
        view = f"_information_{dataset}_{parts[at + 1].lower()}"
        columns = [
            pa.array(
                [r[i] for r in rows], pa.int64() if n in {"total_rows", "ordinal_position"} else pa.string()
            )
            for i, n in enumerate(names)
        ]
        cursor.register(view, pa.table(columns, names=names))
        return view
