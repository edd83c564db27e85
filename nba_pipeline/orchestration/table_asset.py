"""The protocol of every table's asset: one step for a set of days, green and red cell by cell.

Belongs here: the asset factory and the translation of ``RangeOutcome`` into Dagster events; the only loop
over partitions. Does not belong here: what happens to the days (``range_run.py``), which tables there are
(``raw.py``, ``analytics.py``).

Why not plain ``@asset`` functions that return a frame: for a range run the framework marks *every* partition
materialized when an output is returned and *every* one failed when an error is raised. A step that records
one materialization per good day and then raises leaves exactly the bad days red (framework tests, fact F1).
"""

# No `from __future__ import annotations` here: Dagster looks at the type of `context`, not at its name.
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.checks.suite import checks_of
from nba_pipeline.clock import results_due
from nba_pipeline.orchestration.backfill_scope import outside_the_selection
from nba_pipeline.orchestration.column_schema import asset_metadata
from nba_pipeline.orchestration.dagster_private import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from nba_pipeline.orchestration.dagster_private import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from nba_pipeline.orchestration.instance.events import record_events
from nba_pipeline.orchestration.instance.provenance import save_payloads, save_provenance
from nba_pipeline.orchestration.io_manager import Stored
from nba_pipeline.orchestration.partitions import backfill_policy, lookback_mapping
from nba_pipeline.rangerun.lineage import code_version_of, expected_provenance, input_manifests, is_raw
from nba_pipeline.rangerun.outcome import (
    CheckResult,
    DayFailure,
    RangeOutcome,
    StoredDay,
    group_message,
    markdown_table,
)
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.rangerun.range_run import InvalidRows, RangeJob, run_range
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS, Recipe
from nba_pipeline.sources.base import Traceable
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.spec import Table

SOURCE, STORE, IO_MANAGER = "source", "store", "io_manager"
OUTPUT = "table"
FAILURE_CLASS, FAILURE_MESSAGE, REJECTED_ROWS = "failure_class", "failure_message", "rejected_rows"

RUN_CONFIG = {
    "on_invalid_rows": dg.Field(
        dg.Enum("OnInvalidRows", [dg.EnumValue(p.value) for p in InvalidRows]),
        default_value=InvalidRows.FAIL.value,
        description=(
            "fail: a day with rows that break the contract is not written, what was there stays. quarantine:"
            " its valid rows are written, the others go to <dataset>.<table>__rejected; findings that no row"
            " can be blamed for still fail the day."
        ),
    )
}


def asset_key(table: Table | str) -> dg.AssetKey:
    """The asset key [dataset, table] of a table or of its full name."""
    return dg.AssetKey(list(table.asset_key) if isinstance(table, Table) else table.split("."))


def op_name(table: Table | str) -> str:
    """The op's name of a table's asset, as run config addresses it."""
    return (table.full_name if isinstance(table, Table) else table).replace(".", "__")


def table_asset(
    recipe: Recipe,
    tables: TableRegistry,
    days: dg.DailyPartitionsDefinition,
    days_per_run: int,
    condition: dg.AutomationCondition[Any] | None = None,
    stored_as: str | None = None,
) -> dg.AssetsDefinition:
    """The asset of one table: everything but the plan comes from the table's declaration.

    ``condition``: when it runs by itself; ``stored_as``: the warehouse's name, one of the kinds that the UI
    shows.
    """
    table = tables[recipe.table]
    start = days.start.date()

    @dg.multi_asset(
        name=op_name(table),
        outs={OUTPUT: _output(table, recipe, condition, stored_as)},
        deps=[
            dg.AssetDep(asset_key(i.table), partition_mapping=lookback_mapping() if i.history else None)
            for i in recipe.inputs
        ],
        check_specs=_check_specs(table, days),
        partitions_def=days,
        backfill_policy=backfill_policy(recipe.level, days_per_run),
        pool=op_name(
            table
        ),  # one writer per table: the run queue lets a second run of it wait (limit in dagster.yaml)
        can_subset=True,
        required_resource_keys={SOURCE, STORE, IO_MANAGER},
        config_schema=RUN_CONFIG,
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        job = RangeJob(
            recipe,
            tables,
            store=getattr(context.resources, STORE),
            source=getattr(context.resources, SOURCE),
            start=start,
            on_invalid_rows=InvalidRows(context.op_execution_context.op_config["on_invalid_rows"]),
            results_due=results_due(),
        )
        yield from _make(context, job)

    return asset


def _make(context: dg.AssetExecutionContext, job: RangeJob) -> Iterator[Any]:
    """Make the step's days, record what became of each, and raise if any failed."""
    recipe, table = job.recipe, job.table
    days = _days_to_make(context, job)
    # Before the run reads: what is written in between then makes the day stale, and not wrongly up to date.
    newest_event = context.instance.event_log_storage.get_maximum_record_id() or 0
    made = expected_provenance(
        recipe, job.tables, input_manifests(job.store, job.tables, recipe), _source_name(job.source), days
    )
    outcome = run_range(job, days)
    _record(context, job, outcome, made, newest_event)
    if outcome.failed:
        message = group_message(table.full_name, len(outcome.failed) + len(outcome.stored), outcome.failed)
        raise dg.Failure(message, metadata=_failure_summary(outcome), allow_retries=False)
    if _feeds_another_step(context):
        # Without an output Dagster would skip the steps of this run that depend on this one (fact F4).
        yield dg.Output(Stored(table, {day: stored.entry for day, stored in outcome.stored.items()}), OUTPUT)


def _days_to_make(context: dg.AssetExecutionContext, job: RangeJob) -> list[date]:
    """The step's days, without those that the backfill only reaches by look-back and that have no inputs of
    their own."""
    days = [date.fromisoformat(day) for day in context.partition_keys]
    beyond = outside_the_selection(context, [asset_key(i.table) for i in job.recipe.same_day])
    if not beyond:
        return days
    present = [job.store.manifest(job.tables[i.table]) for i in job.recipe.same_day]
    left = sorted(day for day in beyond if any(day not in manifest for manifest in present))
    if left:
        context.log.warning(
            f"{job.table.full_name}: {len(left)} days from {left[0]} to {left[-1]} stay missing. The backfill"
            " reaches them only because their history does; their own day was never made, so there is"
            " nothing to restate."
        )
    return sorted(set(days) - set(left))


def _record(
    context: dg.AssetExecutionContext,
    job: RangeJob,
    outcome: RangeOutcome,
    made: Mapping[date, Provenance],
    newest_event: int,
) -> None:
    """Tell the event log, the instance, this process and the run's log what became of the days."""
    table, source = job.table, job.source
    record_events(
        context, stored_and_failed_events(table, outcome, made, _provenance(job.recipe, made, newest_event))
    )
    early = outcome.awaiting if is_raw(table.full_name) else frozenset[date]()
    how = {d: replace(made[d], run_id=context.run.run_id, awaits_results=d in early) for d in outcome.stored}
    save_provenance(context.instance, table.full_name, how)
    if is_raw(table.full_name) and isinstance(source, Traceable):
        save_payloads(
            context.instance,
            table.full_name,
            context.run.run_id,
            source.payloads(table.full_name, sorted(outcome.stored)),
        )
    # Only now: an evaluation counts as current in the UI, and for automation, if it names its day's newest
    # materialization.
    record_events(
        context, evaluation_events(table, outcome, _newest_materializations(context, table, outcome))
    )
    _report(table, outcome)
    _log(context, table, outcome)


OutcomeListener = Callable[[Table, RangeOutcome], None]
outcome_listener: ContextVar[OutcomeListener | None] = ContextVar("outcome_listener", default=None)
"""Who, in this process, wants to know what became of the days: the command line, which executes runs in
process and would otherwise have to read from the event log what has just been written to it."""


def _report(table: Table, outcome: RangeOutcome) -> None:
    listener = outcome_listener.get()
    if listener is not None:
        listener(table, outcome)


def _output(
    table: Table, recipe: Recipe, condition: dg.AutomationCondition[Any] | None, stored_as: str | None
) -> dg.AssetOut:
    return dg.AssetOut(
        key=asset_key(table),
        is_required=False,
        io_manager_key=IO_MANAGER,
        group_name=table.phase,
        description=table.description,
        metadata={**asset_metadata(table), **_made_from(recipe)},
        kinds={*table.kinds, *([stored_as] if stored_as else [])},
        code_version=code_version_of(recipe, table),
        owners=list(table.owners),
        tags={"dataset": table.dataset},
        automation_condition=condition,
    )


def _made_from(recipe: Recipe) -> dict[str, dg.MetadataValue]:
    """Links to the tables that this one reads, with the days and columns it reads of them."""
    lines = [
        f"- [{i.table}](/assets/{i.table.replace('.', '/')}),"
        f" {f'{LOOKBACK_DAYS} days before the day' if i.history else 'the same day'}"
        f"{': ' + ', '.join(i.columns) if i.columns else ''}"
        for i in recipe.inputs
    ]
    return {"made_from": dg.MetadataValue.md("\n".join(lines))} if lines else {}


def _check_specs(table: Table, days: dg.DailyPartitionsDefinition) -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        # Partitioned checks are a preview API; the framework tests pin what we rely on, users need not be
        # told 30 times.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=asset_key(table),
                description=f"{check.description} Enforced before the write.",
                partitions_def=days,
            )
            for check in checks_of(table)
        ]


def _feeds_another_step(context: dg.AssetExecutionContext) -> bool:
    op = context.op_execution_context
    return bool(op.job_def.dependency_structure.output_to_downstream_inputs_for_node(op.op_handle.name))


def _source_name(source: Any) -> str:
    return str(getattr(source, "name", type(source).__name__))


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
            | _versions(made, day),
            tags={DATA_VERSION_TAG: stored.entry.content_hash, **(provenance or {}).get(day, {})},
        )


def _provenance(
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


def _newest_materializations(
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
    metadata: dict[str, Any] = {"compared": result.compared, "violations": result.violations}
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
        "unchanged": not stored.changed,
    }
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
    return {"code_version": made[day].code, "schema_version": made[day].schema} if made else {}


def _failure_summary(outcome: RangeOutcome) -> dict[str, Any]:
    first = min(outcome.failed.values(), key=lambda f: (f.failure_class.rank, f.day))
    classes: dict[str, int] = {}
    for failure in outcome.failed.values():
        classes[failure.failure_class.value] = classes.get(failure.failure_class.value, 0) + 1
    return {
        "failed_days": ", ".join(str(d) for d in sorted(outcome.failed)[:50]),
        "classes": dg.MetadataValue.json(classes),
        "offending_rows": dg.MetadataValue.md(markdown_table(first.sample)),
    }


def _log(context: dg.AssetExecutionContext, table: Table, outcome: RangeOutcome) -> None:
    rows = sum(s.entry.row_count for s in outcome.stored.values())
    written = sum(s.changed for s in outcome.stored.values())
    seconds = ", ".join(f"{phase} {value:.1f} s" for phase, value in outcome.seconds.items())
    context.log.info(
        f"{table.full_name}: {len(outcome.stored)} days stored ({written} of them changed), {rows} rows, "
        f"{len(outcome.failed)} days failed; {seconds}"
    )
    for _, failure in sorted(outcome.failed.items())[:20]:
        context.log.error(
            f"{table.full_name} {failure.day} {failure.failure_class.value}: {failure.message}\n"
            f"{json.dumps(failure.sample.to_dict('records'), default=str)}"
        )
