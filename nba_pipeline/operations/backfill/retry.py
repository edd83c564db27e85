"""What a retry has to do: exactly the failed days and what they blocked. Pure functions over the state.

Belongs here: turning a state into a request. Does not belong here: reading the state or executing the
request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import DAYS_PER_RUN

INPUT_TO_BLAME = frozenset(
    (
        FailureClass.INCOMPLETE_INPUT,
        FailureClass.IMPOSSIBLE_VALUE,
        FailureClass.DUPLICATE_KEY,
        FailureClass.SCHEMA_DRIFT,
        FailureClass.UNPARSEABLE_SOURCE,
    )
)
"""Classes whose cure is at the source: a missing player is found when teams are summed, from a raw day that
was stored in good faith. Unless that raw day is fetched again, the retry would meet the same rows for ever.
"""


def retry_request(
    recipes: Sequence[Recipe],
    states: Mapping[str, TableState],
    on_invalid_rows: str = "fail",
    days_per_run: int = DAYS_PER_RUN["parquet"],
    asked: Mapping[str, Collection[date]] = MappingProxyType({}),
    refused: Mapping[str, Collection[date]] = MappingProxyType({}),
) -> Backfill:
    """The failed and the blocked days of each table, and days that were ``asked`` for and are still missing,
    because somebody else healed what had blocked them. Nothing that is green and nothing that was never asked
    for, except what a failed day was made from when its class blames the input: the raw days (they are
    fetched again) and green days that lack ``refused`` rows, or the failed day would lack them for ever."""
    days: dict[str, set[date]] = {
        name: {*state.failed, *state.blocked, *state.missing.intersection(asked.get(name, ()))}
        for name, state in states.items()
    }
    for raw, blamed in blamed_inputs(recipes, states).items():
        days.setdefault(raw, set()).update(blamed)
    by_name = {recipe.table: recipe for recipe in recipes}
    for name in by_name:
        blaming = _blaming(states[name])
        for table in same_day_parents(by_name, name) if blaming else ():
            days.setdefault(table, set()).update(blaming & set(refused.get(table, ())))
    return Backfill([p for p in recipes if days.get(p.table)], days, on_invalid_rows, days_per_run)


def blamed_inputs(recipes: Sequence[Recipe], states: Mapping[str, TableState]) -> dict[str, set[date]]:
    """The raw days to fetch again, because a day of these plans that is made from them failed with a class
    that blames the input."""
    by_name = {recipe.table: recipe for recipe in recipes}
    found: dict[str, set[date]] = {}
    for name in by_name:
        blaming = _blaming(states[name])
        for raw in raw_parents(by_name, name) if blaming else ():
            found.setdefault(raw, set()).update(blaming)
    return found


def _blaming(state: TableState) -> set[date]:
    """The failed days whose class blames the input."""
    return {f.day for f in state.failed.values() if f.failure_class in INPUT_TO_BLAME}


def raw_parents(recipes: Mapping[str, Recipe], name: str) -> set[str]:
    """The tables that are read from the source and that the same day of this table is made from, directly or
    not."""
    return {table for table in same_day_parents(recipes, name) if table.startswith("nba_raw.")}


def same_day_parents(recipes: Mapping[str, Recipe], name: str) -> set[str]:
    """The tables among ``recipes`` that the same day of this table is made from, directly or not."""
    direct = {given.table for given in recipes[name].same_day} & recipes.keys()
    return direct.union(*(same_day_parents(recipes, table) for table in direct))
