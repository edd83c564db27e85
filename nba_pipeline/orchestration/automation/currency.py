"""Which days are not what a run would make of them now: missing, or made from other contents than today's
inputs.

Belongs here: one answer per tick for all tables, from the warehouse's manifests and what is recorded of how
days were made. Does not belong here: what is done about it (``conditions.py``), computing versions
(``rangerun/lineage.py``).

The answer comes from what is stored and not from what happened since the last tick. So a sensor that was off
for a week, a cursor that was lost and a change that arrives while a day is being made all give the right
list, a warehouse that is up to date gives an empty one, and content that was written again unchanged is no
change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from weakref import WeakKeyDictionary

import dagster as dg

from nba_pipeline.orchestration.instance.gaps import load_gaps
from nba_pipeline.orchestration.instance.provenance import load_provenance
from nba_pipeline.rangerun.lineage import expected_provenance, readable_manifest
from nba_pipeline.rangerun.schedule import history_holes
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store


@dataclass
class Snapshot:
    """What one tick knows of each table. ``stored``: its days; ``outdated``: those that are missing or were
    made from other inputs; ``inputs``: for every day a digest of what it would be made from now;
    ``before_results``: the days whose windows reach a day that was read from the source before its games
    were over. ``budget``: days that may still be requested. ``days``: all partitions.
    """

    stored: Mapping[str, frozenset[date]]
    outdated: Mapping[str, frozenset[date]]
    inputs: Mapping[str, Mapping[date, str]]
    budget: int
    before_results: Mapping[str, frozenset[date]]
    days: frozenset[date]


@dataclass(frozen=True)
class Currency:
    """Reads snapshots. ``days``: every partition up to now; ``limit``: how many days of all tables a tick may
    request."""

    recipes: Sequence[Recipe]
    tables: TableRegistry
    store: Store
    partitions: dg.DailyPartitionsDefinition
    limit: int
    _ticks: WeakKeyDictionary[object, Snapshot] = field(
        default_factory=WeakKeyDictionary, repr=False, compare=False
    )

    def recipe(self, table: str) -> Recipe:
        """The recipe of a table."""
        return next(recipe for recipe in self.recipes if recipe.table == table)

    def of_tick(self, tick: object, instance: dg.DagsterInstance) -> Snapshot:
        """The snapshot of a tick, read when first asked for, so that every table is judged by the same
        one."""
        if tick not in self._ticks:
            self._ticks[tick] = self.read(instance)
        return self._ticks[tick]

    def read(self, instance: dg.DagsterInstance) -> Snapshot:
        """A snapshot of now. Raises what the store raises: a warehouse that cannot be reached is not an empty
        one."""
        days = [date.fromisoformat(key) for key in self.partitions.get_partition_keys()]
        manifests = {
            recipe.table: readable_manifest(self.store, self.tables[recipe.table]) for recipe in self.recipes
        }
        inputs = {
            recipe.table: {
                day: made.inputs
                for day, made in expected_provenance(recipe, self.tables, manifests, "", days).items()
            }
            for recipe in self.recipes
        }
        outdated, awaited, gaps = {}, set[date](), load_gaps(instance)
        for recipe in self.recipes:
            stored, now = manifests[recipe.table], inputs[recipe.table]
            recorded = load_provenance(instance, recipe.table, [day for day in days if day in stored])
            # Of a day from before inputs were recorded nothing can be said; restating history on a guess
            # would be a flood.
            changed = {day for day, made in recorded.items() if made.inputs != now[day]}
            changed |= gaps.withdrawn(recipe.table).keys() & stored.keys()
            outdated[recipe.table] = frozenset(changed | {day for day in days if day not in stored})
            awaited |= {day for day, made in recorded.items() if made.awaits_results}
        return Snapshot(
            stored={name: frozenset(held) for name, held in manifests.items()},
            outdated=outdated,
            inputs=inputs,
            budget=self.limit,
            before_results={
                recipe.table: frozenset(history_holes(days, awaited, (), recipe.first_needed(days)))
                for recipe in self.recipes
            },
            days=frozenset(days),
        )
