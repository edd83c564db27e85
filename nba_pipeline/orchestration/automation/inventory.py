"""The standing checks: is any day of a table failed, missing or stale, and is its newest day there?

Belongs here: counting days and putting the count into an asset check. Does not belong here: per-day checks
(``checks/``).

Dagster's own freshness policies look at an asset's newest materialization *event*, whichever partition it is
of: a backfill of 2021 turns them green while yesterday is missing (pinned by a test). ``newest_day_is_there``
asks for the day itself.
"""

# No `from __future__ import annotations`: Dagster looks at the type of a check's `context`.
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.automation.currency import Currency, Snapshot
from nba_pipeline.orchestration.dagster_private import get_and_update_asset_status_cache_value
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.table_asset import STORE
from nba_pipeline.ranges import contiguous

NO_PARTITIONS_LEFT_FAILED, NEWEST_DAY_IS_THERE = "no_partitions_left_failed", "newest_day_is_there"
JOB, OP = "inventory", "standing_checks"
SAMPLE = 20

_WHAT_TO_DO = {
    "failed": "read the red day's message, remove its cause, then `nba-pipeline retry`",
    "missing": "`nba-pipeline backfill` for these days (or start the sensor `continue_and_restate`)",
    "stale": (
        "an input changed after the day was made: start the sensor `continue_and_restate`, or backfill these"
        " days"
    ),
}


_PROTECTS = {
    NO_PARTITIONS_LEFT_FAILED: (
        "No day up to today is failed, missing or stale. Protects against red days that everybody has got"
        " used to, and against holes that a green newest day hides. Taken every morning by the job"
        " `inventory`."
    ),
    NEWEST_DAY_IS_THERE: (
        "The newest day of the calendar is stored and up to date. Protects against serving yesterday's"
        " features today; unlike a freshness policy it does not turn green because an old day was backfilled."
    ),
}


@dataclass(frozen=True)
class Inventory:
    """The days of one table that are not as they should be; a day is in one of the three."""

    table: str
    days: int
    failed: Sequence[date]
    missing: Sequence[date]
    stale: Sequence[date]

    @property
    def clean(self) -> bool:
        return not (self.failed or self.missing or self.stale)


def take_inventory(
    instance: dg.DagsterInstance,
    table: str,
    partitions: dg.DailyPartitionsDefinition,
    snapshot: Snapshot,
    days: Collection[date],
) -> Inventory:
    """The days of a table, judged by the instance (red) and the warehouse (missing, stale); running days
    count as neither."""
    cache = get_and_update_asset_status_cache_value(
        instance, asset_key(table), partitions, dynamic_partitions_loader=instance
    )
    red, running = set[date](), set[date]()
    if cache is not None:
        red = {
            date.fromisoformat(k)
            for k in cache.deserialize_failed_partition_subsets(partitions).get_partition_keys()
        }
        running = {
            date.fromisoformat(k)
            for k in cache.deserialize_in_progress_partition_subsets(partitions).get_partition_keys()
        }
    stored, outdated = snapshot.stored[table], snapshot.outdated[table]
    rest = sorted(set(days) - red - running)
    return Inventory(
        table,
        len(days),
        failed=sorted(red & set(days) - running),
        missing=[day for day in rest if day not in stored],
        stale=[day for day in rest if day in stored and day in outdated],
    )


def standing_checks(currency: Currency, serving: Sequence[str]) -> dg.AssetChecksDefinition:
    """One op for all tables: ``no_partitions_left_failed`` of each, ``newest_day_is_there`` of the serving
    tables.

    The op takes no input from the tables, so in a run that also makes a table it is neither skipped nor
    blocked by a bad day.
    """
    names = [recipe.table for recipe in currency.recipes]
    specs = {
        _output(NO_PARTITIONS_LEFT_FAILED, name): _spec(NO_PARTITIONS_LEFT_FAILED, name) for name in names
    }
    specs |= {_output(NEWEST_DAY_IS_THERE, name): _spec(NEWEST_DAY_IS_THERE, name) for name in serving}

    @dg.op(
        name=OP,
        out={name: dg.Out(dg.Nothing, is_required=False) for name in specs},
        required_resource_keys={STORE},
    )
    def op(context: dg.OpExecutionContext) -> Iterator[Any]:
        yield from _results(context, currency, specs)

    return dg.AssetChecksDefinition.create(
        keys_by_input_name={},
        node_def=op,
        check_specs_by_output_name=specs,
        can_subset=True,
        resource_defs={},
    )


def _results(
    context: dg.OpExecutionContext, currency: Currency, specs: Mapping[str, dg.AssetCheckSpec]
) -> Iterator[dg.AssetCheckResult]:
    """The answers of the selected checks. Not of a table whose days this very run makes: this step may come
    first and would count none of the days that fail in it."""
    days = [date.fromisoformat(key) for key in currency.partitions.get_partition_keys()]
    snapshot = currency.read(context.instance)
    being_made = context.run.asset_selection or frozenset()
    for output, spec in specs.items():
        table = ".".join(spec.asset_key.path)
        if output not in context.selected_output_names:
            continue
        if spec.asset_key in being_made:
            context.log.info(f"{table}: not counted by the run that makes its days")
        elif spec.name == NEWEST_DAY_IS_THERE:
            yield newest_result(table, snapshot, days)
        else:
            yield inventory_result(
                take_inventory(context.instance, table, currency.partitions, snapshot, days)
            )


def inventory_result(found: Inventory) -> dg.AssetCheckResult:
    """The check's answer: exact counts, the first days of each kind, and what to do about them."""
    metadata: dict[str, Any] = {"days": found.days}
    for kind, what_to_do in _WHAT_TO_DO.items():
        of_kind: Sequence[date] = getattr(found, kind)
        metadata[kind] = len(of_kind)
        if of_kind:
            metadata[f"{kind}_days"] = in_words(of_kind)
            metadata[f"{kind}_what_to_do"] = what_to_do
    counts = ", ".join(f"{len(getattr(found, kind))} {kind}" for kind in _WHAT_TO_DO)
    return dg.AssetCheckResult(
        asset_key=asset_key(found.table),
        check_name=NO_PARTITIONS_LEFT_FAILED,
        passed=found.clean,
        severity=dg.AssetCheckSeverity.ERROR if found.failed else dg.AssetCheckSeverity.WARN,
        description=f"{found.table}: of {found.days} days {counts}",
        metadata=metadata,
    )


def newest_result(table: str, snapshot: Snapshot, days: Sequence[date]) -> dg.AssetCheckResult:
    """Whether the newest partition of the calendar is stored and up to date, whenever other days were
    made."""
    last = days[-1] if days else None
    held = max(snapshot.stored[table], default=None)
    there = last is None or (last in snapshot.stored[table] and last not in snapshot.outdated[table])
    late = (last - held).days if last and held else len(days)
    metadata: dict[str, Any] = {"expected": str(last), "newest_stored": str(held), "days_late": max(late, 0)}
    if not there:
        metadata["what_to_do"] = (
            "look at the newest day of its inputs first: a table waits for what it is made from"
        )
    return dg.AssetCheckResult(
        asset_key=asset_key(table),
        check_name=NEWEST_DAY_IS_THERE,
        passed=there,
        description=(
            f"{table}: the newest day should be {last}, it is {held}"
            if not there
            else f"{table} is there up to {last}"
        ),
        metadata=metadata,
    )


def in_words(days: Sequence[date]) -> str:
    """The first days as ranges, with the number of the others."""
    shown = list(contiguous(days))
    words = [f"{a}" if a == b else f"{a} .. {b}" for a, b in shown[:SAMPLE]]
    left = sum((b - a + timedelta(days=1)).days for a, b in shown[SAMPLE:])
    return ", ".join(words) + (f" and {left} more days" if left else "")


def _output(check: str, table: str) -> str:
    return f"{table.replace('.', '__')}__{check}"


def _spec(check: str, table: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(check, asset=asset_key(table), description=_PROTECTS[check])
