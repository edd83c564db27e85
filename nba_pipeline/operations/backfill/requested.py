"""All that was requested: on the command line, and by backfills of the UI that fell short.

Belongs here: ``requested``. Does not belong here: keeping the command line's requests (``requests.py``), what
a retry makes of them (``retry.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from nba_pipeline.operations.backfill.requests import load_requests
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.orchestration.history import asked_of_the_daemon
from nba_pipeline.tables.names import GAMES


def requested(w: Workspace, states: Mapping[str, TableState]) -> dict[str, set[date]]:
    """The days of each table that somebody wanted.

    What a backfill of the UI was widened to by look-back, and of which no schedule is stored, nobody did.
    """
    of_ui = asked_of_the_daemon(w.instance, w.defs, states, fell_short=True)
    known = of_ui[GAMES] | set(states[GAMES].materialized)
    return {name: (load_requests(w.instance, name) or set()) | (of_ui[name] & known) for name in states}
