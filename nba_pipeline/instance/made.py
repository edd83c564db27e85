"""How each stored day was made: code version, schema version, inputs, source and run, kept in the Dagster instance.

Belongs here: remembering and recalling, one value per table and day. Does not belong here: computing versions
(``assets/lineage.py``) or judging them (``operations/staleness.py``).

Why not tags of the materialization: Dagster stores and queries only tags of its own, and the materialization that the
framework adds for an output carries no tags per partition. One value per day needs no reading before writing, so two
processes that make days of one table never lose each other's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

import dagster as dg

_KEY = "nba_pipeline/made/"
_AT_ONCE = 300  # days per statement: SQLite allows 999 parameters in its oldest builds


@dataclass(frozen=True)
class Made:
    """What a day of a table was made with.

    ``code``: digest of its formulas; ``schema``: of its declared columns; ``inputs``: of the contents of all days it was
    made from; ``source``: the source's name, for tables that are read from it; ``run_id``: the run that made it.
    """

    code: str
    schema: str
    inputs: str
    source: str = ""
    run_id: str = ""


def remember_made(instance: dg.DagsterInstance, table: str, made: Mapping[date, Made]) -> None:
    """Record how these days of the table were made; replaces what was known of them."""
    for days in _pieces(sorted(made)):
        values = {_name(table, day): json.dumps([*asdict(made[day]).values()]) for day in days}
        instance.daemon_cursor_storage.set_cursor_values(values)


def recall_made(instance: dg.DagsterInstance, table: str, days: Iterable[date]) -> dict[date, Made]:
    """How the days were made; days of which nothing was recorded are left out."""
    found: dict[date, Made] = {}
    for piece in _pieces(sorted(days)):
        names = {_name(table, day): day for day in piece}
        for name, text in instance.daemon_cursor_storage.get_cursor_values(set(names)).items():
            found[names[name]] = Made(*json.loads(text))
    return found


def _name(table: str, day: date) -> str:
    return f"{_KEY}{table}/{day.isoformat()}"


def _pieces(days: list[date]) -> Iterable[list[date]]:
    return (days[n : n + _AT_ONCE] for n in range(0, len(days), _AT_ONCE))
