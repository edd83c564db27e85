"""What the days of a table are made with, as versions: its formulas, its declared columns, the contents of
its inputs.

Belongs here: computing ``Provenance`` for a plan and days from manifests, the same for a run and for whoever
asks later whether a day is stale. Does not belong here: keeping it
(``orchestration/instance/provenance.py``), judging it (``operations/status/staleness.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

import numpy as np

from nba_pipeline.formulas.versions import formula_version
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.render.arrow import schema_version
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, Store

Manifests = Mapping[str, Mapping[date, ManifestEntry]]


def code_version_of(recipe: Recipe, table: Table) -> str:
    """Ten hex digits: the code behind the plan's compute function, the bounds of its columns, and what it is
    made from."""
    inputs = " ".join(f"{i.table}{'<' if i.history else '='}" for i in recipe.inputs)
    code = formula_version(table, recipe.rows, recipe.read)
    constants = sorted(recipe.constants().items()) if recipe.constants else []
    parts = (code, inputs, str(recipe.empty_with_games), *(f"{name}={text}" for name, text in constants))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def readable_manifest(store: Store, table: Table) -> Mapping[date, ManifestEntry]:
    """The manifest without damaged days, which the run or the status names themselves."""
    try:
        return store.manifest(table)
    except CorruptPartition as error:
        return error.readable


def readable_entry(store: Store, table: Table, day: date) -> ManifestEntry | None:
    """One day of the manifest."""
    return store.entry(table, day)


def input_manifests(
    store: Store, tables: TableRegistry, recipe: Recipe
) -> dict[str, Mapping[date, ManifestEntry]]:
    """The manifests of the tables that the plan reads."""
    return {
        name: readable_manifest(store, tables[name]) for name in dict.fromkeys(i.table for i in recipe.inputs)
    }


def expected_provenance(
    recipe: Recipe, tables: TableRegistry, manifests: Manifests, source: str, days: Sequence[date]
) -> dict[date, Provenance]:
    """What each of the days would be made with now. ``source`` counts only for tables that are read from
    it."""
    table = tables[recipe.table]
    code, schema = code_version_of(recipe, table), schema_version(table)
    read_from = source if is_raw(recipe.table) else ""
    return {
        day: Provenance(code, schema, inputs, read_from)
        for day, inputs in zip(days, _inputs(recipe, manifests, days), strict=True)
    }


def is_raw(table: str) -> bool:
    """Whether the table is read from the source."""
    return table.startswith("nba_raw.")


def _inputs(recipe: Recipe, manifests: Manifests, days: Sequence[date]) -> list[str]:
    """For each day a digest of the contents of every day it is made from.

    A set's digest is the sum of its members' 64-bit digests, so the 365 days before each of 1,500 days cost
    one running sum and not half a million hashes. Days without rows do not count: an off day that becomes
    known changes nothing.
    """
    totals = np.zeros(len(days), dtype="uint64")
    asked = np.array(days, dtype="datetime64[D]")
    for given in recipe.inputs:
        entries = [e for _, e in sorted(manifests[given.table].items()) if e.row_count]
        stored = np.array([e.day for e in entries], dtype="datetime64[D]")
        values = [_member(given.table, given.history, e.day, e.content_hash) for e in entries]
        running = np.zeros(
            len(values) + 1, dtype="uint64"
        )  # not by concatenation: with a plain 0 it would become float64
        running[1:] = np.cumsum(np.array(values, dtype="uint64"), dtype="uint64")
        first = np.searchsorted(stored, given.first_needed(days))
        last = np.searchsorted(stored, asked, side="left" if given.history else "right")
        totals += running[last] - running[first]  # wraps at 2**64, as the running sum does
    return [f"{int(total):016x}" for total in totals]


@cache
def _member(table: str, history: bool, day: date, content_hash: str) -> int:
    return int.from_bytes(
        hashlib.sha256(f"{table} {history} {day} {content_hash}".encode()).digest()[:8], "big"
    )
