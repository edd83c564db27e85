"""Before a backfill: do its writes fit into today's quotas of the warehouse?

Belongs here: turning a request into runs per table and asking the warehouse. Does not belong here: what a write costs
(``warehouse/bigquery_quota.py``). Warehouses without quotas have no ``check_budget`` and are not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from nba_pipeline.operations.tasks import Backfill, tasks_of
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import Store


@runtime_checkable
class Budgeted(Protocol):
    """A warehouse with quotas per day."""

    def check_budget(self, runs: Mapping[Table, list[int]]) -> None: ...


def check_quota(store: Store, tables: Mapping[str, Table], request: Backfill) -> None:
    """Raise the warehouse's error when the request's writes would pass a daily quota; nothing has been written then.

    Days whose content turns out to be unchanged are counted although they will not be written: the plan is an upper bound.
    """
    if not isinstance(store, Budgeted):
        return
    sizes: dict[Table, list[int]] = {}
    for task in tasks_of(request):
        sizes.setdefault(tables[task.plan.table], []).append(len(task.days))
    store.check_budget(sizes)
