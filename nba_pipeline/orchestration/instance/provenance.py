"""How each stored day was made: code version, schema version, inputs, source and run, kept in the Dagster
instance.

Belongs here: remembering and recalling, one value per table and day. Does not belong here: computing versions
(``rangerun/lineage.py``) or judging them (``operations/status/staleness.py``).

Why not tags of the materialization: Dagster stores and queries only tags of its own, and the materialization
that the framework adds for an output carries no tags per partition. One value per day needs no reading before
writing, so two processes that make days of one table never lose each other's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

from nba_pipeline.orchestration.instance.values import read_values, write_values
from nba_pipeline.rangerun.provenance import Provenance

if TYPE_CHECKING:  # only named here
    import dagster as dg

_KEY, _PAYLOADS = "nba_pipeline/made/", "nba_pipeline/read/"


def save_provenance(instance: dg.DagsterInstance, table: str, made: Mapping[date, Provenance]) -> None:
    """Record how these days of the table were made; replaces what was known of them."""
    write_values(
        instance, {_name(table, day): json.dumps([*asdict(one).values()]) for day, one in made.items()}
    )


def load_provenance(instance: dg.DagsterInstance, table: str, days: Iterable[date]) -> dict[date, Provenance]:
    """How the days were made; days of which nothing was recorded are left out."""
    names = provenance_keys(table, days)
    return provenance_from(names, read_values(instance, names))


def provenance_keys(table: str, days: Iterable[date]) -> dict[str, date]:
    """Under which name each day is remembered."""
    return {_name(table, day): day for day in days}


def provenance_from(names: Mapping[str, date], values: Mapping[str, str]) -> dict[date, Provenance]:
    """What the values found under those names say."""
    return {names[name]: Provenance(*json.loads(text)) for name, text in values.items()}


def _name(table: str, day: date) -> str:
    return f"{_KEY}{table}/{day.isoformat()}"


def save_payloads(instance: dg.DagsterInstance, table: str, run_id: str, payloads: Mapping[str, str]) -> None:
    """Record what a run read the table's days from: name of each file or payload -> SHA-256 of what was
    read."""
    write_values(instance, {payloads_key(table, run_id): json.dumps(dict(payloads))})


def payloads_key(table: str, run_id: str) -> str:
    """Under which name the payloads of a run are remembered."""
    return f"{_PAYLOADS}{table}/{run_id}"


def payloads_from(values: Mapping[str, str]) -> set[tuple[str, str]]:
    """What all those values say together; a file that changed between two runs is there with what each of
    them read."""
    return {(name, digest) for text in values.values() for name, digest in json.loads(text).items()}
