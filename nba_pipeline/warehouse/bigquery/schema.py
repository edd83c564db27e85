"""Tables in BigQuery: looking at them, making them, and altering them when a person asks for it.

Belongs here: ``SchemaKeeper``. Does not belong here: what differs (``tables/evolution.py``), texts of
statements (``tables/render/bigquery.py``). Nothing here is called while days are written, but ``get`` and
``create``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.api_core import exceptions as api
from google.cloud import bigquery

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.tables.evolution import Action, Change, StoredTable, blocking, differences
from nba_pipeline.tables.render.arrow import schema_version, version_of
from nba_pipeline.tables.render.bigquery import (
    STAGING_DATASET,
    STAGING_HOURS,
    Address,
    change_statements,
    create_statements,
    dataset_statements,
    keep_days_statement,
    manifest_resource,
    options,
    relabel_statement,
    stored_table,
    table_resource,
)
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.bigquery.errors import missing_kind
from nba_pipeline.warehouse.bigquery.jobs import Runner


class SchemaKeeper:
    """The tables of one project and prefix."""

    def __init__(self, runner: Callable[[], Runner], address: Address, location: str) -> None:
        self._connected, self._address, self._location = runner, address, location

    @property
    def _runner(self) -> Runner:
        """Provenance on first use: rendering DDL needs no credentials."""
        return self._connected()

    # ------------------------------------------------------------------------------------------ looking

    def get(self, table: Table) -> bigquery.Table | None:
        """The table as it is; None when it does not exist. A dataset that does not exist is an error."""
        client, seconds = self._runner.client, self._runner.patience.call
        try:
            return self._runner.call(
                lambda: client.get_table(self._address.data(table), retry=None, timeout=seconds)
            )
        except api.NotFound as error:
            if missing_kind(error) == "table":
                return None
            raise

    def stored(self, table: Table) -> StoredTable | None:
        found = self.get(table)
        return None if found is None else stored_table(found)

    def changes(self, table: Table) -> list[Change]:
        """What separates the table from its declaration; a missing dataset means that the table is missing
        too."""
        try:
            return differences(table, self.stored(table), options(table))
        except api.NotFound as error:
            if missing_kind(error) == "dataset":
                return differences(table, None, options(table))
            raise

    def ddl(self, table: Table, changes: Sequence[Change] | None = None) -> list[str]:
        """The statements that make the table, or that make these changes to it."""
        return (
            create_statements(self._address, table)
            if changes is None
            else change_statements(self._address, table, changes)
        )

    def dataset_ddl(self, tables: Iterable[Table]) -> list[str]:
        return dataset_statements(self._address, [t.dataset for t in tables], self._location)

    # ------------------------------------------------------------------------------------------ making

    def create_datasets(self, tables: Iterable[Table]) -> None:
        """Make the datasets that do not exist, staging included, in the configured location."""
        for name in [*dict.fromkeys(t.dataset for t in tables), STAGING_DATASET]:
            made = bigquery.Dataset(self._address.dataset(name))
            made.location = self._runner.location
            if name == STAGING_DATASET:
                made.default_table_expiration_ms = STAGING_HOURS * 3_600_000
            self._create(
                lambda made=made: self._runner.client.create_dataset(
                    made, retry=None, timeout=self._runner.patience.call
                )
            )

    def create(self, table: Table) -> bigquery.Table:
        """Make the table and its manifest, as far as they do not exist, and return the table."""
        client, seconds = self._runner.client, self._runner.patience.call
        for made in (manifest_resource(self._address, table), table_resource(self._address, table)):
            self._create(lambda made=made: client.create_table(made, retry=None, timeout=seconds))
        found = self._runner.call(
            lambda: client.get_table(self._address.data(table), retry=None, timeout=seconds)
        )
        self._never_expire(table, stored_table(found))
        return found

    def _never_expire(self, table: Table, stored: StoredTable) -> None:
        """A dataset's default partition expiration would delete history without a word."""
        if stored.options.get("partition_expiration"):
            self._execute(table, keep_days_statement(self._address, table))

    def _create(self, work: Any) -> None:
        try:
            self._runner.call(work)
        except api.Conflict:
            return  # it exists: made by somebody else just now, or by us before an answer was lost

    # ------------------------------------------------------------------------------------------ altering

    def apply(self, table: Table, changes: Sequence[Change]) -> list[Change]:
        """Make the changes, read the table back, and return what still separates it from its declaration.

        Raises SchemaDrift before anything is done when one of them is refused.
        """
        refused = [c for c in changes if c.action is Action.REFUSE]
        if refused:
            raise SchemaDrift(f"{table.full_name}: {refused[0].text}. Nothing of this table was changed.")
        if any(c.action is Action.CREATE for c in changes):
            self.create(table)
            return self.changes(table)
        before = self.stored(table)
        for statement in self.ddl(table, changes):
            self._execute(table, statement)
        if changes:
            self._describe(table)
        if before is not None:
            self._never_expire(table, before)
        if (
            before is not None
            and {c.action for c in changes} & _IN_PLACE
            and not any(c.action is Action.ADD_COLUMN for c in changes)
        ):
            self._keep_days(table, before)
        left = self.changes(table)
        if blocking(left):
            raise SchemaDrift(
                f"{table.full_name}: after the change it still differs: {blocking(left)[0].text}."
            )
        return left

    def _keep_days(self, table: Table, before: StoredTable) -> None:
        """Days written under the declaration that the table had hold all that the new one asks for, so they
        are not stale.

        If this is lost (the alteration is made, then a call fails) these days are made again by the next
        backfill, unchanged.
        """
        given = set(before.columns), set(before.columns) & set(table.column_names)
        known = sorted(
            {version for names in given if (version := _version(table, before, names)) is not None}
        )
        client, seconds = self._runner.client, self._runner.patience.call
        try:
            self._runner.call(
                lambda: client.get_table(self._address.manifest(table), retry=None, timeout=seconds)
            )
        except api.NotFound:
            return  # no manifest: no day is stored
        if known:
            self._execute(table, relabel_statement(self._address, table, known, schema_version(table)))

    def _execute(self, table: Table, statement: str) -> None:
        def start(job_id: str) -> Any:
            return self._runner.client.query(
                statement,
                job_id=job_id,
                location=self._runner.location,
                retry=None,
                job_retry=None,
                timeout=self._runner.patience.call,
            )

        self._runner.run(f"nba_ddl_{table.dataset}__{table.name}_{uuid.uuid4().hex}", start)

    def _describe(self, table: Table) -> None:
        """Descriptions, labels, clustering and the filter rule: metadata that no row depends on."""
        found = self.get(table)
        assert found is not None
        wanted = table_resource(self._address, table)
        words = {f.name: f.description for f in wanted.schema}
        found.schema = [_described(f, words.get(f.name, f.description)) for f in found.schema]
        found.description, found.labels = wanted.description, {**(found.labels or {}), **wanted.labels}
        found.clustering_fields, found.require_partition_filter = (
            wanted.clustering_fields,
            wanted.require_partition_filter,
        )
        named = ["schema", "description", "labels", "clustering_fields", "require_partition_filter"]
        client, seconds = self._runner.client, self._runner.patience.call
        self._runner.call(lambda: client.update_table(found, named, retry=None, timeout=seconds))


_IN_PLACE = {Action.WIDEN, Action.RELAX}


def _version(table: Table, stored: StoredTable, names: set[str]) -> str | None:
    """The schema version of a declaration with these of the stored columns; None if no declaration can have
    one of them."""
    columns = [(name, stored.columns[name].type, stored.columns[name].nullable) for name in names]
    typed = [(name, type_, nullable) for name, type_, nullable in columns if type_ is not None]
    return version_of(typed, table.key) if len(typed) == len(columns) else None


def _described(field: bigquery.SchemaField, words: str | None) -> bigquery.SchemaField:
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": words})
