"""Counts that several processes add to, in the Dagster instance's key-value table.

Belongs here: adding without losing what another process adds at the same moment, and reading. Does not belong
here: what is counted (``warehouse/bigquery/quota.py``).

Dagster's own methods set values and cannot add, so two processes that read, add and write would lose one of
the two. Here the database adds: one UPDATE, which SQLite and PostgreSQL carry out one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import sqlalchemy as db
from sqlalchemy.exc import IntegrityError

from nba_pipeline.orchestration.dagster_private import KeyValueStoreTable
from nba_pipeline.orchestration.instance.values import read_values


class InstanceCounts:
    """Whole numbers by name, shared by every process of an instance."""

    def __init__(self, instance: dg.DagsterInstance, prefix: str) -> None:
        self._instance, self._prefix = instance, f"nba_pipeline/counts/{prefix}/"

    def read(self, names: Iterable[str]) -> dict[str, int]:
        """The counts of these names; a name that nothing was added to has none."""
        found = read_values(self._instance, (self._prefix + name for name in names))
        return {name.removeprefix(self._prefix): int(value) for name, value in found.items()}

    def add(self, amounts: Mapping[str, int]) -> None:
        """Add to the counts; a new one begins at 0."""
        for name, amount in sorted(amounts.items()):
            if amount and not self._added(self._prefix + name, amount):
                self._insert(self._prefix + name)
                self._added(self._prefix + name, amount)

    def _added(self, key: str, amount: int) -> bool:
        column = KeyValueStoreTable.c.value
        total = db.cast(db.cast(column, db.Integer) + amount, db.Text)
        storage: Any = self._instance.run_storage
        with storage.connect() as connection:
            done = connection.execute(
                KeyValueStoreTable.update().where(KeyValueStoreTable.c.key == key).values(value=total)
            )
            return bool(done.rowcount)

    def _insert(self, key: str) -> None:
        storage: Any = self._instance.run_storage
        try:
            with storage.connect() as connection:
                connection.execute(KeyValueStoreTable.insert().values(key=key, value="0"))
        except IntegrityError:
            return  # another process was first; nothing is lost, because it too began at 0
