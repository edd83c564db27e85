"""What a range run tells Dagster of each day: materializations, observations of failed days, check
evaluations.

Belongs here: turning outcomes into events and metadata. Does not belong here: recording them
(``instance/events.py``), the step that does so (``table_asset.py``), what became of the days (``rangerun/``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.dagster_private import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from nba_pipeline.orchestration.dagster_private import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from nba_pipeline.rangerun.outcome import CheckResult, DayFailure, RangeOutcome, StoredDay, markdown_table
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.spec import Table

FAILURE_CLASS, FAILURE_MESSAGE, REJECTED_ROWS = "failure_class", "failure_message", "rejected_rows"


def asset_key(table: Table | str) -> dg.AssetKey:
    """The asset key [dataset, table] of a table or of its full name."""
    return dg.AssetKey(list(table.asset_key) if isinstance(table, Table) else table.split("."))


def stored_and_failed_events(
    table: Table,
    outcome: RangeOutcome,
    made: Mapping[date, Provenance] | None = None,
    provenance: Mapping[date, Mapping[str, str]] | None = None,
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """A materialization of each stored day; an observation that explains each failed one."""
    key = asset_key(table)
    seconds = round(
        sum(outcome.seconds.values()) / max(len(outcome.stored) + len(outcome.failed), 1), 4
    )  # days are made together
    for day, failure in sorted(outcome.failed.items()):
        yield dg.AssetObservation(
            key, partition=day.isoformat(), description=failure.message, metadata=_failure_metadata(failure)
        )
    for day, stored in sorted(outcome.stored.items()):
        yield dg.AssetMaterialization(
            key,
            partition=day.isoformat(),
            metadata=_day_metadata(stored, outcome.statistics.get(day, {}), outcome.unusable.get(day, ()))
            | {"seconds": seconds}
            | ({"gap": "; ".join(gap.words for gap in outcome.gaps[day])} if day in outcome.gaps else {})
            | _versions(made, day),
            tags={DATA_VERSION_TAG: stored.entry.content_hash, **(provenance or {}).get(day, {})},
        )


def provenance_tags(
    recipe: Recipe, made: Mapping[date, Provenance], newest_event: int
) -> dict[date, dict[str, str]]:
    """What Dagster records of a day that it makes itself: with these tags the UI calls a day *unsynced* when
    the content of an input changed after ``newest_event``, and not whenever an input was fetched again (a
    tick test pins it).
    """
    keys = [asset_key(name) for name in dict.fromkeys(i.table for i in recipe.inputs)]
    read_at = {get_input_event_pointer_tag(key): str(newest_event) for key in keys}
    return {
        day: {
            CODE_VERSION_TAG: one.code,
            **read_at,
            **{get_input_data_version_tag(key): one.inputs for key in keys},
        }
        for day, one in made.items()
    }


def evaluation_events(
    table: Table, outcome: RangeOutcome, newest: Mapping[date, Target]
) -> Iterator[dg.AssetCheckEvaluation]:
    """What every check found on every day. ``newest``: each day's newest materialization, of this run or an
    earlier one."""
    key = asset_key(table)
    for result in outcome.checks:
        yield _evaluation(key, result, outcome.failed.get(result.day), newest.get(result.day))


def newest_materializations(
    context: dg.AssetExecutionContext, table: Table, outcome: RangeOutcome
) -> dict[date, Target]:
    """Each day's newest materialization. A failed day has the one that is still stored, if there is one."""
    key, storage = asset_key(table), context.instance.event_log_storage
    days = {day.isoformat() for day in (*outcome.stored, *outcome.failed)}
    ids = (
        storage.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION, days)
        if days
        else {}
    )
    earlier = [ids[day.isoformat()] for day in outcome.failed if day.isoformat() in ids]
    records = (
        context.instance.fetch_materializations(
            dg.AssetRecordsFilter(key, storage_ids=earlier), limit=len(earlier)
        ).records
        if earlier
        else ()
    )
    known = {
        r.storage_id: Target(storage_id=r.storage_id, run_id=r.run_id, timestamp=r.timestamp) for r in records
    }
    now = time.time()
    return {
        date.fromisoformat(day): (
            known.get(storage_id) or Target(storage_id=storage_id, run_id=context.run.run_id, timestamp=now)
        )
        for day, storage_id in ids.items()
    }


def _evaluation(
    key: dg.AssetKey, result: CheckResult, failure: DayFailure | None, newest: Target | None
) -> dg.AssetCheckEvaluation:
    metadata: dict[str, Any] = {"compared": result.compared}
    if result.violations:
        metadata["violations"] = result.violations
    if not result.passed and result.sample is not None:
        metadata[FAILURE_CLASS] = str(result.sample["failure_class"].iloc[0])
        metadata["first"] = str(result.sample["message"].iloc[0])
        metadata["offending_rows"] = dg.MetadataValue.md(markdown_table(result.sample))
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=result.check,
        passed=result.passed,
        partition=result.day.isoformat(),
        metadata=metadata,
        target_materialization_data=newest,
        # A refused row that went to the quarantine did not stop its day.
        severity=(
            dg.AssetCheckSeverity.ERROR
            if result.passed or failure is not None
            else dg.AssetCheckSeverity.WARN
        ),
    )


def _failure_metadata(failure: DayFailure) -> dict[str, Any]:
    return {
        FAILURE_CLASS: failure.failure_class.value,
        FAILURE_MESSAGE: failure.message,
        "offending": failure.count,
        "what_to_do": failure.failure_class.remedy,
        "offending_rows": dg.MetadataValue.md(markdown_table(failure.sample)),
    }


def _day_metadata(stored: StoredDay, statistics: Mapping[str, object], unusable: Any) -> dict[str, Any]:
    entry = stored.entry
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": entry.row_count,
        "row_count": entry.row_count,
    }
    if not stored.changed:
        metadata["unchanged"] = True
    if entry.reason:
        metadata["reason"] = entry.reason
    if stored.rejected_rows:
        metadata[REJECTED_ROWS] = stored.rejected_rows
    if unusable:
        metadata["unusable"] = dg.MetadataValue.json(list(unusable))
    if entry.size_bytes is not None:
        metadata["size_bytes"] = entry.size_bytes
    for name, value in statistics.items():
        if name != "null_counts":
            metadata[name] = value
        elif value:
            metadata[name] = dg.MetadataValue.json(value)  # type: ignore[arg-type]
    return metadata


def _versions(made: Mapping[date, Provenance] | None, day: date) -> dict[str, Any]:
    """The schema's version; the code's is one of Dagster's own tags."""
    return {"schema_version": made[day].schema} if made else {}


def failure_summary(outcome: RangeOutcome) -> dict[str, Any]:
    first = min(outcome.failed.values(), key=lambda f: (f.failure_class.rank, f.day))
    classes: dict[str, int] = {}
    for failure in outcome.failed.values():
        classes[failure.failure_class.value] = classes.get(failure.failure_class.value, 0) + 1
    return {
        "failed_days": ", ".join(str(d) for d in sorted(outcome.failed)[:50]),
        "classes": dg.MetadataValue.json(classes),
        "offending_rows": dg.MetadataValue.md(markdown_table(first.sample)),
    }
