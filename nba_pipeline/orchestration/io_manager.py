"""The IO manager: Dagster's view of a store, for ordinary assets and for the range protocol alike.

Belongs here: ``WarehouseIOManager`` (partition keys to days, frames in and out, metadata) and ``Stored``,
with which an asset that has already written hands over the entries. Does not belong here: storage (the
stores), validation (``checks/``), the range protocol itself (``orchestration/table_asset.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import pandas as pd

from nba_pipeline.failures import FailureClass, PipelineError
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, Store
from nba_pipeline.warehouse.prepare import as_days

ALLOW_MISSING = (  # the name Dagster's own IO managers use for the same input metadata
    "allow_missing_partitions"
)
COLUMNS = "columns"


@dataclass(frozen=True)
class Stored:
    """An output that is in the store already: the IO manager describes it and writes nothing."""

    table: Table
    entries: Mapping[date, ManifestEntry]


class WarehouseIOManager(dg.IOManager):
    """Outputs and inputs of partitioned assets as daily partitions of declared tables.

    An asset may return one frame with the rows of all its partitions (partitions without rows are stored as
    empty), a mapping from each day to its frame, or ``Stored``. An input is one frame with the rows of all
    the partitions that are mapped to it; its metadata may hold ``columns`` (read only these) and
    ``allow_missing_partitions``.
    """

    def __init__(self, store: Store, tables: Iterable[Table]) -> None:
        self.store = store
        self._tables = {table.asset_key: table for table in tables}

    # ------------------------------------------------------------------------------------------ outputs

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        table = self._table(context.asset_key)
        if isinstance(obj, Stored):
            if obj.table.asset_key != table.asset_key:
                raise dg.DagsterInvariantViolationError(
                    f"asset {table.full_name} handed over entries of {obj.table.full_name}"
                )
            entries = dict(obj.entries)
        else:
            entries = self._write(table, self._days(context, table), obj)
        context.add_output_metadata(output_metadata(table, entries, self.store.location(table)))

    def _write(self, table: Table, days: list[date], obj: object) -> dict[date, ManifestEntry]:
        if isinstance(obj, pd.DataFrame):
            return dict(self.store.replace_range(table, obj, days).entries)
        if isinstance(obj, Mapping):
            frames = {_day(table, key): frame for key, frame in obj.items()}
            if sorted(frames) != days:
                wrong = sorted(set(frames) ^ set(days))
                raise dg.DagsterInvariantViolationError(
                    f"asset {table.full_name} must return a frame for each day of its run and for no other;"
                    f" wrong: {_list(wrong)}. For a day without rows return an empty frame."
                )
            return dict(self.store.replace(table, frames).entries)
        raise dg.DagsterInvariantViolationError(
            f"asset {table.full_name} returned {type(obj).__name__}; return a pandas DataFrame, "
            "a mapping from days to DataFrames, or Stored."
        )

    # ------------------------------------------------------------------------------------------ inputs

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        table = self._table(context.asset_key)
        options = context.definition_metadata or {}
        stored = self._present(table)
        days = self._days(context, table) if context.has_asset_partitions else sorted(stored)
        absent = [day for day in days if day not in stored]
        if absent and not options.get(ALLOW_MISSING):
            raise PipelineError(
                f"{table.full_name} lacks {len(absent)} of the {len(days)} days that this asset reads:"
                f" {_list(absent)}. Materialize them first, or set the input's metadata {ALLOW_MISSING!r} to"
                " true if their rows are not needed.",
                failure_class=FailureClass.INCOMPLETE_INPUT,
                days=absent,
            )
        return self.store.read(table, days, options.get(COLUMNS))

    def _present(self, table: Table) -> set[date]:
        """Days that have something stored. Damaged ones count: reading them names the damage, and only if
        they are read."""
        try:
            return set(self.store.manifest(table))
        except CorruptPartition as error:
            return {*error.readable, *error.paths}

    # ------------------------------------------------------------------------------------------ keys

    def _table(self, key: dg.AssetKey) -> Table:
        table = self._tables.get(tuple(key.path))  # type: ignore[arg-type]
        if table is None:
            raise dg.DagsterInvariantViolationError(
                f"asset {key.to_user_string()} has no declared table, so the warehouse cannot store or load"
                " it. Declare a table with this dataset and name in nba_pipeline/tables, or give the asset"
                " another io_manager_key."
            )
        return table

    @staticmethod
    def _days(context: dg.OutputContext | dg.InputContext, table: Table) -> list[date]:
        if not context.has_asset_partitions:
            raise dg.DagsterInvariantViolationError(
                f"asset {table.full_name} has no partitions, but every table is stored by day: give it the"
                " daily ones."
            )
        return as_days(_day(table, key) for key in context.asset_partition_keys)


def output_metadata(table: Table, entries: Mapping[date, ManifestEntry], location: str) -> dict[str, Any]:
    """What the UI shows of an output: the one day's hash, or for a range a hash over the days' hashes."""
    days = sorted(entries)
    metadata: dict[str, Any] = {
        "dagster/row_count": sum(entries[day].row_count for day in days),
        "table": table.full_name,
        "location": location,
    }
    if len(days) == 1:
        metadata["content_hash"] = entries[days[0]].content_hash
        if entries[days[0]].reason:
            metadata["empty_because"] = entries[days[0]].reason
    elif days:
        hashes = "".join(f"{day}{entries[day].content_hash}" for day in days)
        metadata |= {
            "content_hash": hashlib.sha256(hashes.encode()).hexdigest()[:32],
            "days": len(days),
            "first_day": str(days[0]),
            "last_day": str(days[-1]),
        }
    return metadata


def _day(table: Table, key: object) -> date:
    if isinstance(key, date):
        return as_days([key])[0]
    try:
        return date.fromisoformat(str(key))
    except ValueError:
        raise dg.DagsterInvariantViolationError(
            f"{key!r} of {table.full_name} is not a day (YYYY-MM-DD); use daily partitions."
        ) from None


def _list(days: list[date]) -> str:
    return ", ".join(map(str, days[:3])) + (f" and {len(days) - 3} more" if len(days) > 3 else "")
