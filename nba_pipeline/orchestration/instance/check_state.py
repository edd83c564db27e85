"""The state of partitioned checks, kept by each process and brought up to date with what is new.

Belongs here: `get_asset_check_state` of the event log storage. Does not belong here: how events are stored
(`event_log.py`).

Why: Dagster builds the state of a check anew at every call, one subset union per day. With five seasons and
62 checks that is 95,000 unions, 7 to 17 seconds, and the UI asks on every page of a table and again every few
seconds (measured; an idle tab kept half a core busy). Here the days of a status become one subset, and only
the checks of tables that have new events since the last call are built again.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from dagster import AssetCheckKey, DagsterInstance, PartitionsDefinition, RunsFilter
from sqlalchemy.engine import Connection

from nba_pipeline.orchestration.dagster_private import (
    FINISHED_STATUSES,
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionResolvedStatus,
    AssetCheckExecutionsTable,
    AssetCheckPartitionInfo,
    AssetCheckState,
    SerializableEntitySubset,
    SqlEventLogStorageTable,
)

Key = tuple[AssetCheckKey, PartitionsDefinition | None]

_SUCCEEDED, _FAILED = AssetCheckExecutionResolvedStatus.SUCCEEDED, AssetCheckExecutionResolvedStatus.FAILED
_IN_PROGRESS = AssetCheckExecutionResolvedStatus.IN_PROGRESS
_PLANNED = AssetCheckExecutionRecordStatus.PLANNED


class CheckStates:
    """What this process knows of the checks' states, up to an event."""

    def __init__(self) -> None:
        self._states: dict[AssetCheckKey, tuple[PartitionsDefinition | None, AssetCheckState]] = {}
        self._seen, self._rows = 0, 0
        self._lock = threading.Lock()  # the webserver answers in several threads

    def read(self, storage: Any, keys: Sequence[Key]) -> Mapping[AssetCheckKey, AssetCheckState]:
        """The states of these checks as they are now."""
        with self._lock:
            states = self._read(storage, keys)
        return _resolved(storage._instance, keys, states)

    def _read(self, storage: Any, keys: Sequence[Key]) -> Mapping[AssetCheckKey, AssetCheckState]:
        with storage.index_connection() as connection:
            self._forget(connection)
        unknown = [key for key in keys if not self._known(key)]
        if unknown:
            subsets = Subsets()
            infos = storage.get_asset_check_partition_info([check for check, _ in unknown])
            by_check: dict[AssetCheckKey, list[AssetCheckPartitionInfo]] = defaultdict(list)
            for info in infos:
                by_check[info.check_key].append(info)
            for check, days in unknown:
                self._states[check] = (days, _state(check, days, by_check[check], subsets))
        return {check: self._states[check][1] for check, _ in keys}

    def _known(self, key: Key) -> bool:
        check, days = key
        return check in self._states and self._states[check][0] == days

    def _forget(self, connection: Connection) -> None:
        """Forget the checks of tables with events since the last time; all, if a run was deleted."""
        newest = connection.execute(sa.select(sa.func.max(SqlEventLogStorageTable.c.id))).scalar() or 0
        rows = connection.execute(sa.select(sa.func.count()).select_from(AssetCheckExecutionsTable)).scalar()
        if newest < self._seen or (rows or 0) < self._rows:
            self._states = {}
        elif newest > self._seen and self._states:
            changed = _assets_with_events(connection, self._seen)
            self._states = {
                check: state
                for check, state in self._states.items()
                if check.asset_key.to_string() not in changed
            }
        self._seen, self._rows = newest, rows or 0


def _assets_with_events(connection: Connection, after: int) -> set[str]:
    """Which assets have events with a higher id: by the column, or by the event where that is of a check."""
    table = SqlEventLogStorageTable.c
    kinds = sa.select(table.asset_key).where(table.id > after, table.asset_key.isnot(None)).distinct()
    found = {row[0] for row in connection.execute(kinds)}
    checks = sa.select(table.event).where(
        table.id > after, table.dagster_event_type.like("ASSET_CHECK_EVALUATION%")
    )
    for (text,) in connection.execute(checks):
        path = json.loads(text)["dagster_event"]["event_specific_data"]["asset_key"]["path"]
        found.add(json.dumps(path))
    return found


def _state(
    check: AssetCheckKey,
    days: PartitionsDefinition | None,
    infos: Iterable[AssetCheckPartitionInfo],
    subsets: Subsets,
) -> AssetCheckState:
    """Dagster's `AssetCheckState.with_updates` on an empty state: one subset per status, not one union per
    day. Runs that have ended are not looked at yet."""
    keys: dict[Any, set[str | None]] = defaultdict(set)
    runs: dict[str, set[str | None]] = defaultdict(set)
    latest = 0
    for info in infos:
        latest = max(latest, info.latest_check_event_storage_id, info.latest_materialization_storage_id or 0)
        if info.latest_execution_status == _PLANNED:
            keys[_IN_PROGRESS].add(info.partition_key)
            runs[info.latest_planned_run_id].add(info.partition_key)
        elif info.is_current:
            passed = info.latest_execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED
            keys[_SUCCEEDED if passed else _FAILED].add(info.partition_key)

    def subset(partitions: set[str | None]) -> SerializableEntitySubset[AssetCheckKey]:
        value = None in partitions if days is None else subsets(days, partitions)
        return SerializableEntitySubset(key=check, value=value)

    return AssetCheckState(
        latest_storage_id=latest,
        subsets={status: subset(keys[status]) for status in AssetCheckExecutionResolvedStatus},
        in_progress_runs={run: subset(partitions) for run, partitions in runs.items()},
    )


class Subsets:
    """Subsets of partitions by their keys. Most checks have the same days of a status, and to read 1,538 keys
    takes longer than everything else here."""

    def __init__(self) -> None:
        self._days: PartitionsDefinition | None = None
        self._known: dict[frozenset[str | None], Any] = {}
        self._exist: frozenset[str] = frozenset()

    def __call__(self, days: PartitionsDefinition, keys: set[str | None]) -> Any:
        """The keys that are partitions, as a subset."""
        if days != self._days:
            self._days, self._known, self._exist = days, {}, frozenset(days.get_partition_keys())
        wanted = frozenset(keys)
        if wanted not in self._known:
            self._known[wanted] = days.subset_with_partition_keys(sorted(self._exist & wanted))
        return self._known[wanted]


def _resolved(
    instance: DagsterInstance, keys: Sequence[Key], states: Mapping[AssetCheckKey, AssetCheckState]
) -> Mapping[AssetCheckKey, AssetCheckState]:
    """The states with what became of the runs that had planned an evaluation and ended without it."""
    waiting = sorted({run for state in states.values() for run in state.in_progress_runs})
    if not waiting:
        return states
    ended = instance.get_runs(filters=RunsFilter(run_ids=waiting, statuses=FINISHED_STATUSES))
    statuses = {run.run_id: run.status for run in ended}
    days = dict(keys)
    return {
        check: (state.with_updates(check, days[check], [], statuses) if state.in_progress_runs else state)
        for check, state in states.items()
    }
