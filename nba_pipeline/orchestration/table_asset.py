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
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.checks.suite import checks_of
from nba_pipeline.clock import results_due, today
from nba_pipeline.failures import PipelineError
from nba_pipeline.orchestration.backfill_scope import outside_the_selection
from nba_pipeline.orchestration.column_schema import asset_metadata
from nba_pipeline.orchestration.day_events import (
    asset_key,
    evaluation_events,
    failure_summary,
    newest_materializations,
    provenance_tags,
    stored_and_failed_events,
)
from nba_pipeline.orchestration.instance.events import record_events
from nba_pipeline.orchestration.instance.gaps import load_gaps, save_used
from nba_pipeline.orchestration.instance.identity import identity_of, refuse_another, remember_identity
from nba_pipeline.orchestration.instance.provenance import save_payloads, save_provenance
from nba_pipeline.orchestration.instance.source_state import held_by
from nba_pipeline.orchestration.io_manager import Stored
from nba_pipeline.orchestration.partitions import backfill_policy, lookback_mapping
from nba_pipeline.orchestration.processes import PROCESS, this_process
from nba_pipeline.rangerun.job import InvalidRows, RangeJob
from nba_pipeline.rangerun.lineage import code_version_of, expected_provenance, input_manifests, is_raw
from nba_pipeline.rangerun.outcome import (
    RangeOutcome,
    group_message,
)
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.rangerun.range_run import run_range
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS, Recipe
from nba_pipeline.sources.base import Traceable
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.spec import Table

SOURCE, STORE, IO_MANAGER = "source", "store", "io_manager"
OUTPUT = "table"

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
    gaps_after_days: int | None = None,
) -> dg.AssetsDefinition:
    """The asset of one table: everything but the plan comes from the table's declaration.

    ``condition``: when it runs by itself; ``stored_as``: the warehouse's name, one of the kinds that the UI
    shows; ``gaps_after_days``: after how many days a game without a box score is a gap by itself.
    """
    table = tables[recipe.table]

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
        # One writer per table: the run queue lets a second run of it wait (limit in dagster.yaml).
        pool=op_name(table),
        can_subset=True,
        required_resource_keys={SOURCE, STORE, IO_MANAGER},
        config_schema=RUN_CONFIG,
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from _materialize(context, _job(context, recipe, tables, days.start.date(), gaps_after_days))

    return asset


def _job(
    context: dg.AssetExecutionContext,
    recipe: Recipe,
    tables: TableRegistry,
    start: date,
    gaps_after_days: int | None,
) -> RangeJob:
    return RangeJob(
        recipe,
        tables,
        store=getattr(context.resources, STORE),
        source=getattr(context.resources, SOURCE),
        start=start,
        on_invalid_rows=InvalidRows(context.op_execution_context.op_config["on_invalid_rows"]),
        results_due=results_due(),
        gaps=load_gaps(context.instance, gaps_after_days),
    )


def _materialize(context: dg.AssetExecutionContext, job: RangeJob) -> Iterator[Any]:
    """Materialize the step's days, record what became of each, and raise if any failed."""
    recipe, table = job.recipe, job.table
    _agree_with_the_home(context, job)
    if PROCESS not in context.run.tags:  # so that a run whose process dies can be closed
        context.instance.add_run_tags(context.run.run_id, {PROCESS: this_process()})
    days = _days_to_materialize(context, job)
    # Before the run reads: what is written in between then makes the day stale, and not wrongly up to date.
    newest_event = context.instance.event_log_storage.get_maximum_record_id() or 0
    held = _held_by_the_source(context, job) if is_raw(table.full_name) else {}
    made = expected_provenance(
        recipe, job.tables, input_manifests(job.store, job.tables, recipe), _source_name(job.source), days
    )
    made = {day: replace(how, fingerprint=held.get(day, "")) for day, how in made.items()}
    outcome = run_range(job, days)
    _record(context, job, outcome, made, newest_event)
    if outcome.failed:
        message = group_message(table.full_name, len(outcome.failed) + len(outcome.stored), outcome.failed)
        raise dg.Failure(message, metadata=failure_summary(outcome), allow_retries=False)
    if _feeds_another_step(context):
        # Without an output Dagster would skip the steps of this run that depend on this one (fact F4).
        yield dg.Output(Stored(table, {day: stored.entry for day, stored in outcome.stored.items()}), OUTPUT)


def _held_by_the_source(context: dg.AssetExecutionContext, job: RangeJob) -> dict[date, str]:
    """The source's fingerprints before the run reads; none of a source that is down or damaged: the run says
    so itself, of the days that it concerns."""
    try:
        return held_by(context.instance, job.source, job.start, today())
    except PipelineError:
        return {}


def _agree_with_the_home(context: dg.AssetExecutionContext, job: RangeJob) -> None:
    """Whoever stores the first day decides from which source and where the home's tables are."""
    if refuse_another(context.instance, job.source, job.store, job.tables) is None:
        ours = identity_of(context.instance, _source_name(job.source), job.store, job.tables)
        remember_identity(context.instance, ours)


def _days_to_materialize(context: dg.AssetExecutionContext, job: RangeJob) -> list[date]:
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
        context,
        stored_and_failed_events(table, outcome, made, provenance_tags(job.recipe, made, newest_event)),
    )
    save_used(context.instance, job.gaps, table.full_name, outcome.stored.keys(), outcome.gaps)
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
        context, evaluation_events(table, outcome, newest_materializations(context, table, outcome))
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
