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
) -> Backfill:
    """The failed and the blocked days of each table, and days that were ``asked`` for and are still missing,
    because somebody else healed what had blocked them. Nothing that is green and nothing that was never asked
    for, except the raw days that a failed day was made from when its class blames the input (they are fetched
    again)."""
    days: dict[str, set[date]] = {
        name: {*state.failed, *state.blocked, *state.missing.intersection(asked.get(name, ()))}
        for name, state in states.items()
    }
    for raw, blamed in blamed_inputs(recipes, states).items():
        days.setdefault(raw, set()).update(blamed)
    return Backfill([p for p in recipes if days.get(p.table)], days, on_invalid_rows, days_per_run)


def blamed_inputs(recipes: Sequence[Recipe], states: Mapping[str, TableState]) -> dict[str, set[date]]:
    """The raw days to fetch again, because a day of these plans that is made from them failed with a class
    that blames the input."""
    by_name = {recipe.table: recipe for recipe in recipes}
    found: dict[str, set[date]] = {}
    for name in by_name:
        blaming = {f.day for f in states[name].failed.values() if f.failure_class in INPUT_TO_BLAME}
        for raw in raw_parents(by_name, name) if blaming else ():
            found.setdefault(raw, set()).update(blaming)
    return found


def raw_parents(recipes: Mapping[str, Recipe], name: str) -> set[str]:
    """The tables that are read from the source and that the same day of this table is made from, directly or
    not."""
    found: set[str] = set()
    for given in recipes[name].same_day:
        if given.table in recipes:
            found |= {given.table} if given.table.startswith("nba_raw.") else set()
            found |= raw_parents(recipes, given.table)
    return found
