"""What a retry has to do: exactly the failed days and what they blocked. Pure functions over the state.

Belongs here: turning a state into a request. Does not belong here: reading the state or executing the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.operations.state import TableState
from nba_pipeline.operations.tasks import Backfill


def retry_request(plans: Sequence[TablePlan], states: Mapping[str, TableState], on_invalid_rows: str = "fail") -> Backfill:
    """The failed and the blocked days of each table; nothing that is green, nothing that was never asked for."""
    days: dict[str, set[date]] = {name: {*state.failed, *state.blocked} for name, state in states.items()}
    return Backfill([p for p in plans if days.get(p.table)], days, on_invalid_rows)
