"""Which source and warehouse a home's history speaks of.

Belongs here: remembering them with the first stored day, and refusing others. Does not belong here: choosing
them (``settings.py``).

Why: a shell without NBA_PIPELINE_SOURCE (cron, a new tab) read the simulated league in a home of real data,
and ``retry`` turned red days green with invented players.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.instance.provenance import load_provenance
from nba_pipeline.orchestration.instance.values import read_values, write_values
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.names import GAMES
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import Store

if TYPE_CHECKING:  # only named here
    import dagster as dg

_KEY = "nba_pipeline/home"
_HOME = "HOME"
_NOT_KEPT = "memory"  # a warehouse that ends with its process: nothing to remember


@dataclass(frozen=True)
class Identity:
    """The source's name, the warehouse's name and where its first table is (a home may be moved or copied, so
    a place in it begins with ``HOME``)."""

    source: str
    warehouse: str
    place: str


def identity_of(instance: dg.DagsterInstance, source: str, store: Store, tables: TableRegistry) -> Identity:
    """What a process with this source and warehouse would make."""
    place, home = store.location(tables[GAMES]), instance.root_directory if instance.is_persistent else ""
    if home and Path(place).is_relative_to(home):
        place = f"{_HOME}/{Path(place).relative_to(home)}"
    return Identity(source, store.name, place)


def known_identity(instance: dg.DagsterInstance, store: Store, tables: TableRegistry) -> Identity | None:
    """What the home's days were made with; None in a home without days. A home of an earlier version did not
    record it: its newest day of games says which source it was read from."""
    text = read_values(instance, [_KEY]).get(_KEY)
    if text:
        return Identity(**json.loads(text))
    days = sorted(store.manifest(tables[GAMES]))[-1:]
    made = load_provenance(instance, GAMES, days) if days else {}
    return next(
        (
            Identity(one.source, store.name, store.location(tables[GAMES]))
            for one in made.values()
            if one.source
        ),
        None,
    )


def remember_identity(instance: dg.DagsterInstance, identity: Identity) -> None:
    """From now on the home is made from these."""
    if identity.warehouse != _NOT_KEPT:
        write_values(instance, {_KEY: json.dumps(asdict(identity))})


def refuse_another(
    instance: dg.DagsterInstance, source: Source, store: Store, tables: TableRegistry
) -> Identity | None:
    """What the home is made from, or None if nothing is stored yet.

    Raises ConfigurationError where this process has another source or warehouse.
    """
    ours = identity_of(instance, source.name, store, tables)
    if ours.warehouse == _NOT_KEPT:
        return None
    known = known_identity(instance, store, tables)
    if known is None:
        return None
    if known.source != ours.source:
        raise ConfigurationError(
            f"the tables of this home were made from the source {known.source}, and this process has"
            f" {ours.source}: nothing was done. Set NBA_PIPELINE_SOURCE={known.source} and its settings, or"
            f' put `source = "{known.source}"` into nba_pipeline.toml in the home, which every process reads.'
            f" `nba-pipeline backfill --source {ours.source} --switch-source` says what a change would do"
        )
    if known.warehouse != ours.warehouse or _elsewhere(instance, known, ours):
        raise ConfigurationError(
            f"the tables of this home are in the {known.warehouse} warehouse, {known.place}, and this process"
            f" has {ours.warehouse}, {ours.place}: nothing was done. Set NBA_PIPELINE_WAREHOUSE and its"
            " settings to the former, or use another DAGSTER_HOME for the latter"
        )
    return known


def _elsewhere(instance: dg.DagsterInstance, known: Identity, ours: Identity) -> bool:
    """Whether there are two places. A folder that is gone was moved."""
    if known.place == ours.place or known.warehouse != "parquet":
        return known.place != ours.place
    inside = known.place.startswith(f"{_HOME}/")
    folder = Path(instance.root_directory, known.place.removeprefix(f"{_HOME}/")) if inside else known.place
    return Path(folder).exists()
