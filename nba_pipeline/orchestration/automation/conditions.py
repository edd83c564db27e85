"""When a day of a table runs by itself: small named conditions, and the one rule that joins them.

Belongs here: conditions, each with the failure that it prevents. Does not belong here: which days are out of
date (``currency.py``), what fetches new raw days (``source_sensor.py``), switching anything on
(``sensors.py``).

Dagster's ``eager()`` sees only the latest partition, and its triggers are events since the last tick: an
input that changes while a day is being made is forgotten when the day is done. These conditions look at what
is stored instead.
"""

# No `from __future__ import annotations`: Dagster reads the types of a condition's fields.
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.automation.currency import Currency, Snapshot
from nba_pipeline.orchestration.dagster_private import AutomationContext, EntitySubset
from nba_pipeline.orchestration.day_events import asset_key

Condition = dg.AutomationCondition[Any]


def restate_what_changed(currency: Currency) -> Condition:
    """The rule of every table that is made from others: out of date, inputs complete and at rest, and not
    running.

    Prevents: history that stays wrong after a correction, a phase that starts on half of its inputs, and a
    flood.
    """
    return OldestFirst(
        currency,
        (out_of_date(currency) | failed())
        & ~running()
        & ~results_to_come(currency)
        & ~any_input_not_stored(currency)
        & ~any_input_out_of_date(currency)
        & ~any_input_about_to_run(currency)
        & ~any_input_running(currency)
        & ~any_input_failed(currency),
    )


def out_of_date(currency: Currency) -> Condition:
    """The day is missing, or what it was made from has other contents now.

    Prevents: runs without a reason (content that was fetched again unchanged starts nothing) and corrections
    that reach only the day they are about, because the look-back of later days counts as what these are made
    from.
    """
    return OutOfDate(currency)


def failed() -> Condition:
    """The newest attempt at the day failed, whatever is stored of it. (Once for the same inputs:
    ``OldestFirst``.)

    Prevents: a day that stays red, and everything behind it, after the source has gone back to what it said
    before.
    """
    return dg.AutomationCondition.execution_failed()


def running() -> Condition:
    """A run or a backfill is making the day.

    Prevents: two runs of one day side by side, and a request per tick for as long as the first takes.
    """
    return dg.AutomationCondition.in_progress()


def results_to_come(currency: Currency) -> Condition:
    """Games of a day in the look-back were still to be played when that day was fetched.

    Prevents: today's features made at midnight, when the last games of the night are still on, and made again
    after each of them.
    """
    return BeforeResults(currency)


def any_input_not_stored(currency: Currency) -> Condition:
    """A day that this one is made from, of the same date or in a window of its own, is not in the warehouse.

    Prevents: starting a run that can only fail with incomplete_input, and a cold start in every phase at
    once. And a year without features behind one missing day: a table waits only as far as its windows reach.
    """
    return AnyInput(currency, NotStored(currency))


def any_input_out_of_date(currency: Currency) -> Condition:
    """A day that this one is made from is itself due.

    Prevents: making a year of later days twice, because the tables they read were restated one tick apart.
    """
    return AnyInput(currency, OutOfDate(currency))


def any_input_about_to_run(currency: Currency) -> Condition:
    """A day that this one is made from is requested in this very tick.

    Prevents: reading yesterday's content of a day whose new run has been decided on. Dagster's
    ``any_deps_missing()`` counts such a day as present, which holds only when both are made in one run; with
    a look-back they never are.
    """
    return AnyInput(currency, RequestedInThisTick())


def any_input_running(currency: Currency) -> Condition:
    """A run or a backfill is making a day that this one is made from.

    Prevents: features from inputs that are replaced while they are read.
    """
    return AnyInput(currency, dg.AutomationCondition.in_progress())


def any_input_failed(currency: Currency) -> Condition:
    """The newest attempt at a day that this one is made from failed (its checks, or the run); an older
    content may be stored.

    Prevents: phase 4 on a day whose checks said no.
    """
    return AnyInput(currency, dg.AutomationCondition.execution_failed())


# -----------------------------------------------------------------------------------------------------------
# operands


class _OfOperand(dg.AutomationCondition[dg.AssetKey]):
    """Says something of what another condition holds for."""

    def __init__(self, currency: Currency, operand: Condition) -> None:
        self.currency = currency
        self.operand = operand

    @property
    def children(self) -> list[Condition]:
        return [self.operand]


class AnyInput(_OfOperand):
    """Days that are made from a day of an input for which the operand holds.

    Dagster's ``any_deps_match()`` knows one partition mapping for a table: 365 days back. What a table's
    windows hold is less for most (a season, 30 days), and so is what it has to wait for.
    """

    @property
    def name(self) -> str:
        return "ANY_INPUT"

    @property
    def description(self) -> str:
        return "Holds for a day that this one is made from, as far as its own windows reach"

    @property
    def requires_cursor(self) -> bool:
        return False

    async def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:  # type: ignore[override]
        found, results = context.get_empty_subset(), []
        if context.candidate_subset.is_empty:
            return dg.AutomationResult(context, found)
        recipe = self.currency.recipe(".".join(context.key.path))
        for table in dict.fromkeys(given.table for given in recipe.inputs):
            result = await context.for_child_condition(
                InputMatches(self.currency, table, self.operand),
                child_indices=[None],  # its name tells it apart, wherever it stands among the inputs
                candidate_subset=context.candidate_subset,
            ).evaluate_async()
            found = found.compute_union(result.true_subset)
            results.append(result)
        return dg.AutomationResult(context, found, child_results=results)


class InputMatches(_OfOperand):
    """Days that are made from a day of one input for which the operand holds."""

    def __init__(self, currency: Currency, table: str, operand: Condition) -> None:
        super().__init__(currency, operand)
        self.table = table

    @property
    def name(self) -> str:
        return self.table

    @property
    def requires_cursor(self) -> bool:
        return False

    async def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:  # type: ignore[override]
        everything = context.asset_graph_view.get_full_subset(key=asset_key(self.table))
        result = await context.for_child_condition(
            self.operand, child_indices=[0], candidate_subset=everything
        ).evaluate_async()
        if result.true_subset.is_empty:
            return dg.AutomationResult(context, context.get_empty_subset(), child_results=[result])
        candidates, theirs = days_of(context.candidate_subset), days_of(result.true_subset)
        recipe = self.currency.recipe(".".join(context.key.path))
        found = subset_of(self.currency, context, recipe.made_from(self.table, candidates, theirs))
        return dg.AutomationResult(context, found, child_results=[result])


class _OfSnapshot(dg.AutomationCondition[dg.AssetKey]):
    """Days of a table that a snapshot names."""

    def __init__(self, currency: Currency) -> None:
        self.currency = currency

    @property
    def requires_cursor(self) -> bool:
        return False

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        if context.candidate_subset.is_empty:
            return dg.AutomationResult(context, context.get_empty_subset())
        days = self.days(snapshot_of(self.currency, context), ".".join(context.key.path))
        return dg.AutomationResult(
            context,
            subset_of(self.currency, context, days).compute_intersection(context.candidate_subset),
        )

    def days(self, snapshot: Snapshot, table: str) -> Iterable[date]:
        raise NotImplementedError


class OutOfDate(_OfSnapshot):
    """Days that are missing or were made from other inputs. Of a table that is read from the source alone
    only missing days are known to be due; whether the source has something else for a day is the source
    sensor's question."""

    @property
    def description(self) -> str:
        return "Missing, or made from inputs whose content has changed since"

    def days(self, snapshot: Snapshot, table: str) -> Iterable[date]:
        return snapshot.outdated.get(table, frozenset())


class BeforeResults(_OfSnapshot):
    """Days of a table with a look-back that holds games whose results were not there when they were
    fetched."""

    @property
    def description(self) -> str:
        return "Results of a day in its look-back are to come"

    def days(self, snapshot: Snapshot, table: str) -> Iterable[date]:
        return snapshot.before_results.get(table, frozenset())


class NotStored(_OfSnapshot):
    """Days that the warehouse does not hold."""

    @property
    def description(self) -> str:
        return "Not in the warehouse"

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        stored = snapshot_of(self.currency, context).stored.get(".".join(context.key.path), frozenset())
        held = subset_of(self.currency, context, stored)
        return dg.AutomationResult(context, context.candidate_subset.compute_difference(held))


class RequestedInThisTick(dg.AutomationCondition[dg.AssetKey]):
    """Days that this tick has decided to request. Tables are judged in dependency order, so inputs come
    first.

    Dagster's own ``will_be_requested()`` is the same where two assets could share a run; here it holds for
    all.
    """

    @property
    def requires_cursor(self) -> bool:
        return False

    @property
    def description(self) -> str:
        return "Requested in this tick"

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        requested = context.request_subsets_by_key.get(context.key) or context.get_empty_subset()
        return dg.AutomationResult(context, requested.compute_intersection(context.candidate_subset))


class OldestFirst(_OfOperand):
    """The oldest days of the operand, as many as the tick's budget allows, and none twice for the same
    inputs.

    Prevents: a flood (a year of restated days is spread over ticks) and a loop (a day that fails, or whose
    run dies, is out of date for ever; it is requested again when its inputs change, and otherwise left to a
    person and ``nba-pipeline retry``). What was asked for is kept in the cursor, day by day with the digest
    of its inputs, and forgotten when the day is up to date. A day that is red when it is first seen was tried
    by somebody else: it counts as asked for.
    """

    @property
    def name(self) -> str:
        return "OLDEST_FIRST"

    @property
    def description(self) -> str:
        return (
            f"The oldest, at most {self.currency.limit} days of all tables in a tick, once for the same"
            " inputs"
        )

    async def evaluate(self, context: AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:  # type: ignore[override]
        everything = context.candidate_subset
        child = await context.for_child_condition(
            self.operand, child_indices=[0], candidate_subset=everything
        ).evaluate_async()
        red = await context.asset_graph_view.compute_execution_failed_subset(
            key=context.key, from_subset=everything
        )
        snapshot, table = snapshot_of(self.currency, context), ".".join(context.key.path)
        failed, inputs = set(days_of(red)), snapshot.inputs[table]
        asked = {
            day: i
            for day, i in _asked(context.cursor).items()
            if day in failed or day in snapshot.outdated[table]
        }
        for day in failed - set(asked):
            asked[day] = inputs[day]
        due = sorted(day for day in days_of(child.true_subset) if asked.get(day) != inputs[day])
        chosen = due[: max(0, snapshot.budget)]
        snapshot.budget -= len(chosen)
        asked |= {day: inputs[day] for day in chosen}
        return dg.AutomationResult(
            context, subset_of(self.currency, context, chosen), cursor=_cursor(asked), child_results=[child]
        )


def snapshot_of(currency: Currency, context: AutomationContext[Any]) -> Snapshot:
    """The snapshot of the tick that the context belongs to."""
    return currency.of_tick(context.asset_graph_view, context.asset_graph_view.instance)


def days_of(subset: EntitySubset[Any]) -> list[date]:
    """The days of a subset of daily partitions."""
    return [date.fromisoformat(key) for key in subset.expensively_compute_partition_keys()]


def subset_of(currency: Currency, context: AutomationContext[Any], days: Iterable[date]) -> EntitySubset[Any]:
    """Days of the context's table as a subset; days that are no partition are left out.

    The partitions come from the snapshot: Dagster works out all keys anew each time it is asked for them or
    for a subset, and over five years without a warehouse that was most of a tick.
    """
    view, key = context.asset_graph_view, context.key
    known = snapshot_of(currency, context).days
    wanted = known.intersection(days)
    partitions = view.asset_graph.get(key).partitions_def
    if not wanted or partitions is None:
        return view.get_empty_subset(key=key)
    if len(wanted) == len(known):
        return view.get_full_subset(key=key)
    return view.get_subset_from_partition_keys(key, partitions, {day.isoformat() for day in wanted})


def _asked(cursor: str | None) -> dict[date, str]:
    return {date.fromisoformat(day): inputs for day, inputs in json.loads(cursor).items()} if cursor else {}


def _cursor(asked: Mapping[date, str]) -> str:
    return json.dumps({day.isoformat(): inputs for day, inputs in sorted(asked.items())})
