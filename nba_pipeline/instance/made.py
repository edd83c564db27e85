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

from nba_pipeline.instance.values import read_values, write_values

_KEY = "nba_pipeline/made/"


@dataclass(frozen=True)
class Made:
    """What a day of a table was made with.

    ``code``: digest of its formulas; ``schema``: of its declared columns; ``inputs``: of the contents of all days it was
    made from; ``source``: the source's name, for tables that are read from it; ``run_id``: the run that made it;
    ``awaits_results``: it was read from the source while games of the day were still to be played.
    """

    code: str
    schema: str
    inputs: str
    source: str = ""
    run_id: str = ""
    awaits_results: bool = False


def remember_made(instance: dg.DagsterInstance, table: str, made: Mapping[date, Made]) -> None:
    """Record how these days of the table were made; replaces what was known of them."""
    write_values(instance, {_name(table, day): json.dumps([*asdict(one).values()]) for day, one in made.items()})


def recall_made(instance: dg.DagsterInstance, table: str, days: Iterable[date]) -> dict[date, Made]:
    """How the days were made; days of which nothing was recorded are left out."""
    names = {_name(table, day): day for day in days}
    return {names[name]: Made(*json.loads(text)) for name, text in read_values(instance, names).items()}


def _name(table: str, day: date) -> str:
    return f"{_KEY}{table}/{day.isoformat()}"
