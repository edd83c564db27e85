"""Bulk statements for the tables of Dagster's event log: many events in, the rows the parent class would
store out.

Belongs here: pure "events -> rows of one open connection" functions, each the bulk form of one method of
Dagster's `SqlEventLogStorage`, named beside it. Not here: connections, transactions and locks
(`event_log.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from dagster import AssetCheckEvaluation, DagsterEventType
from sqlalchemy.engine import Connection

from nba_pipeline.orchestration.dagster_private import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    AssetCheckEvaluationPlanned,
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionsTable,
    AssetKeyTable,
    DagsterInvariantViolationError,
    EventLogEntry,
    SqlEventLogStorageTable,
)

_CHECK_PLANNED = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value
_CHECK_EVALUATION = DagsterEventType.ASSET_CHECK_EVALUATION.value
_ASSET_TYPES = {
    DagsterEventType.ASSET_MATERIALIZATION.value,
    DagsterEventType.ASSET_OBSERVATION.value,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
}
_MIRRORED = (
    _ASSET_TYPES
    | {_CHECK_PLANNED, _CHECK_EVALUATION}
    | {kind.value for kind in EVENT_TYPE_TO_PIPELINE_RUN_STATUS}
)
_LEFT_TO_PARENT = {kind.value for kind in ASSET_EVENTS | ASSET_CHECK_EVENTS} - _MIRRORED

CheckKey = tuple[str, str, str]  # asset key, check name, run id
Row = dict[str, Any]


class Stored(NamedTuple):
    """An event with its row and its id in the index database."""

    entry: EventLogEntry
    row: Row
    id: int


def _type(entry: EventLogEntry) -> str | None:
    return entry.dagster_event.event_type_value if entry.dagster_event else None


def is_asset_event(entry: EventLogEntry) -> bool:
    return _type(entry) in _ASSET_TYPES


def is_mirrored(entry: EventLogEntry) -> bool:
    """Whether the event is copied to the index database, which serves queries across runs."""
    return _type(entry) in _MIRRORED


def can_batch(entry: EventLogEntry) -> bool:
    """Whether the bulk statements here cover the event; the rare rest (runless events, health and freshness
    changes, wipes) is left to the parent class."""
    return bool(entry.run_id) and _type(entry) not in _LEFT_TO_PARENT


def event_row(entry: EventLogEntry, serialized: str) -> Row:
    """The row of `event_logs` (`_event_to_row`)."""
    row: Row = {
        "run_id": entry.run_id,
        "event": serialized,
        "dagster_event_type": None,
        "timestamp": datetime.fromtimestamp(entry.timestamp, UTC).replace(tzinfo=None),
        "step_key": entry.step_key,
        "asset_key": None,
        "partition": None,
    }
    event = entry.dagster_event
    if event:
        row["dagster_event_type"] = event.event_type_value
        row["step_key"] = event.step_key
        if (
            event.event_type_value in _ASSET_TYPES
        ):  # others have neither, and asking is slow: ten look-ups of the type
            row["asset_key"] = event.asset_key.to_string() if event.asset_key else None
            row["partition"] = event.partition or None
    return row


def kept_in_log(entries: Sequence[EventLogEntry]) -> list[bool]:
    """Which events belong in the log itself: all but the evaluations of a check that passed, of which each
    run keeps the last of the batch. So the batch's last event is always kept, and with it the highest id."""
    last: dict[tuple[str, object], int] = {}
    kept = [True] * len(entries)
    for position, entry in enumerate(entries):
        if _type(entry) == _CHECK_EVALUATION and entry.dagster_event is not None:
            evaluation = cast(AssetCheckEvaluation, entry.dagster_event.event_specific_data)
            if evaluation.passed:
                check = (entry.run_id, evaluation.asset_check_key)
                if check in last:
                    kept[last[check]] = False
                last[check] = position
    return kept


def without_message(entry: EventLogEntry) -> EventLogEntry:
    """The entry without the sentence that a run's log shows."""
    assert entry.dagster_event is not None
    return entry._replace(dagster_event=entry.dagster_event._replace(message=None))


def insert_events(
    connection: Connection, rows: Sequence[Row], kept: Sequence[bool] | None = None
) -> list[int]:
    """Insert and return the ids: those SQLite would give, computed under the write lock because an insert of
    many rows reports none. Rows that are not ``kept`` get an id and no row."""
    if not rows:
        return []
    last = connection.execute(sa.select(sa.func.max(SqlEventLogStorageTable.c.id))).scalar() or 0
    ids = list(range(last + 1, last + 1 + len(rows)))
    inserted = zip(ids, rows, kept or [True] * len(rows), strict=True)
    connection.execute(
        SqlEventLogStorageTable.insert(), [{"id": id_, **row} for id_, row, keep in inserted if keep]
    )
    return ids


def last_of_each_kind(stored: Iterable[Stored]) -> list[Stored]:
    """The events that decide an asset's row: the last of each kind per asset, in order
    (`_store_asset_event`)."""
    last: dict[tuple[str, str | None], Stored] = {}
    for item in stored:
        last[(item.row["asset_key"], _type(item.entry))] = item
    return sorted(last.values(), key=lambda item: item.id)


def upsert_asset_keys(connection: Connection, values: Mapping[str, Row]) -> None:
    """One row per asset (`_store_asset_event`)."""
    for asset_key, columns in values.items():
        update = AssetKeyTable.update().values(**columns).where(AssetKeyTable.c.asset_key == asset_key)
        if columns and connection.execute(update).rowcount == 0:
            connection.execute(AssetKeyTable.insert().values(asset_key=asset_key, **columns))


def upsert_checks(connection: Connection, stored: Iterable[Stored]) -> None:
    """Rows of the check executions: planned ones inserted, evaluations put in the place of their planned
    row."""
    evaluations: list[Stored] = []
    for item in stored:
        if _type(item.entry) == _CHECK_PLANNED:
            _replace_planned(connection, evaluations)  # an evaluation cannot replace what is planned later
            evaluations = []
            connection.execute(AssetCheckExecutionsTable.insert(), _planned_rows(item))
        elif _type(item.entry) == _CHECK_EVALUATION:
            evaluations.append(item)
    _replace_planned(connection, evaluations)


def _planned_rows(item: Stored) -> list[Row]:
    """One row per partition (`_store_asset_check_evaluation_planned`), without the event, which the log has:
    the parent stores it once per partition, 1.6 kB that say nothing of the partition."""
    assert item.entry.dagster_event is not None
    planned = cast(AssetCheckEvaluationPlanned, item.entry.dagster_event.event_specific_data)
    partitions = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
    row = {
        "asset_key": planned.asset_key.to_string(),
        "check_name": planned.check_name,
        "run_id": item.entry.run_id,
        "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
        "evaluation_event": None,
        "evaluation_event_timestamp": item.row["timestamp"],
        "evaluation_event_storage_id": item.id,
    }
    return [{**row, "partition": partition} for partition in partitions]


def _evaluation_row(item: Stored) -> Row:
    assert item.entry.dagster_event is not None
    evaluation = cast(AssetCheckEvaluation, item.entry.dagster_event.event_specific_data)
    status = (
        AssetCheckExecutionRecordStatus.SUCCEEDED
        if evaluation.passed
        else AssetCheckExecutionRecordStatus.FAILED
    )
    target = evaluation.target_materialization_data
    return {
        "asset_key": evaluation.asset_key.to_string(),
        "check_name": evaluation.check_name,
        "partition": evaluation.partition,
        "run_id": item.entry.run_id,
        "execution_status": status.value,
        "evaluation_event": item.row["event"],
        "evaluation_event_timestamp": item.row["timestamp"],
        "evaluation_event_storage_id": item.id,
        "materialization_event_storage_id": target.storage_id if target else None,
    }


def _replace_planned(connection: Connection, evaluations: Sequence[Stored]) -> None:
    """The bulk form of `_update_asset_check_evaluation`: one read per check instead of one update per
    evaluation. A planned row is deleted and its evaluation inserted, because rows that grow in place leave
    half-empty pages (measured: 2.0 kB on disk for 1.3)."""
    last: dict[tuple[CheckKey, str | None], Row] = {}
    for row in map(_evaluation_row, evaluations):
        last[((row["asset_key"], row["check_name"], row["run_id"]), row["partition"])] = row
    existing = {
        check: _existing_ids(connection, check) for check in dict.fromkeys(check for check, _ in last)
    }
    replaced: list[Row] = []
    for check, partition in last:
        ids = existing[check].get(partition, [])
        if len(ids) > 1:  # the parent's message
            raise DagsterInvariantViolationError(
                f"Updated {len(ids)} rows for asset check evaluation {check} as a result of duplicate"
                " AssetCheckPlanned events."
            )
        replaced += [{"row_id": id_} for id_ in ids]
    table = AssetCheckExecutionsTable
    if replaced:
        connection.execute(table.delete().where(table.c.id == sa.bindparam("row_id")), replaced)
    if last:
        connection.execute(table.insert(), list(last.values()))


def _existing_ids(connection: Connection, check: CheckKey) -> dict[str | None, list[int]]:
    table = AssetCheckExecutionsTable.c
    query = sa.select(table.id, table.partition).where(
        table.asset_key == check[0], table.check_name == check[1], table.run_id == check[2]
    )
    ids: dict[str | None, list[int]] = defaultdict(list)
    for id_, partition in connection.execute(query):
        ids[partition].append(id_)
    return ids
