"""Days of a backfill that nobody asked for: what Dagster adds to the selected range because a look-back
reaches it.

Belongs here: telling those days from the selected ones. Does not belong here: what happens to them
(``partitioned.py``).

Why they exist: a backfill of several assets over a range of partitions, as the UI starts it, takes the range
at the selection's roots and everything that the partition mappings make of it downstream. With look-backs of
a year, seven days of March become 372 days of the slate (or stay seven, when Dagster's walk over a set of
children happens to meet the slate by its identity dependency first). Where those days are stored, restating
them is right: their history has changed. Where their own day was never made there is nothing to restate, and
a year of red cells would hide the one that matters.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import dagster as dg

from nba_pipeline.orchestration.dagster_private import BACKFILL_ID_TAG


def outside_the_selection(
    context: dg.AssetExecutionContext, same_day: Collection[dg.AssetKey]
) -> frozenset[date]:
    """The days of this step that are in its backfill only because a look-back reaches them; none outside a
    backfill.

    ``same_day``: the inputs of which a day needs the same day. A day counts as selected if it is selected for
    each of them that the backfill makes as well; if the backfill makes none, the days were chosen for this
    table itself.
    """
    backfill_id = context.run.tags.get(BACKFILL_ID_TAG)
    backfill = context.instance.get_backfill(backfill_id) if backfill_id else None
    if backfill is None or not backfill.is_asset_backfill:
        return frozenset()
    graph = context.op_execution_context.repository_def.asset_graph
    target = backfill.get_asset_backfill_data(graph).target_subset
    made_too = [target.get_partitions_subset(key) for key in same_day if key in target.asset_keys]
    return frozenset(
        date.fromisoformat(day)
        for day in context.partition_keys
        if any(day not in subset for subset in made_too)
    )
