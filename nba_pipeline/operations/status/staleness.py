"""Stale days: stored and green, but not what a run would make of them now.

Belongs here: comparing what a day was made with with what it would be made with. Does not belong here:
computing versions (``rangerun/lineage.py``), deciding what to run (``plan.py``).

A day is stale when its formulas changed, when its declared columns changed, when the content of a day that it
is made from changed, or, for a table read from the source, when the pipeline now reads another one, when the
day was read before its games were over, when the source has changed since, or when it was made without a game
whose declared gap holds no more. Fixed formulas that give the
same rows leave later tables alone: a day whose content is unchanged makes nothing behind it stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nba_pipeline.clock import results_due
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.orchestration.instance.provenance import load_provenance
from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.rangerun.lineage import expected_provenance, is_raw, readable_manifest
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.ranges import contiguous
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.warehouse.base import ManifestEntry, Store

if TYPE_CHECKING:
    import dagster as dg


class Stale(StrEnum):
    """Why a day is stale; when several hold, the first in this order is the one that is named."""

    SCHEMA = "stale_schema"
    CODE = "stale_code"
    SOURCE = "other_source"
    RESULTS = "results_due"
    SOURCE_CHANGED = "source_changed"
    GAP_WITHDRAWN = "gap_withdrawn"
    UPSTREAM = "upstream_changed"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Stale.CODE: "made with other formulas or bounds than today's (or before versions were recorded)",
    Stale.SCHEMA: (
        "stored under another declaration of the columns than today's: see `nba-pipeline schema diff`"
    ),
    Stale.SOURCE: "read from another source than the one that is set now",
    Stale.RESULTS: "read from the source before the day's games were over, and their results are due now",
    Stale.SOURCE_CHANGED: "the source has changed since it was read: corrections, or what came late",
    Stale.GAP_WITHDRAWN: "made without a game whose declared gap holds no more",
    Stale.UPSTREAM: "a day that it was made from has changed since",
}

StaleDays = Mapping[str, Mapping[date, Stale]]


def stale_days(
    instance: dg.DagsterInstance,
    store: Store,
    tables: TableRegistry,
    recipes: Sequence[Recipe],
    states: Mapping[str, TableState],
    source: str | None = None,
    held: Mapping[date, str] | None = None,
    gaps: Gaps | None = None,
) -> dict[str, dict[date, Stale]]:
    """The stale days among the materialized ones of each table, with the reason. ``source``: the name of the
    source that a run would read; without it that a day came from another source is not asked. ``held``: the
    source's fingerprints of now; days without one are not compared. ``gaps``: what is declared."""
    manifests = {recipe.table: readable_manifest(store, tables[recipe.table]) for recipe in recipes}
    for name in {i.table for recipe in recipes for i in recipe.inputs} - set(manifests):
        manifests[name] = readable_manifest(store, tables[name])
    found = {}
    for recipe in recipes:
        entries = states[recipe.table].materialized
        recorded = load_provenance(instance, recipe.table, entries)
        now = expected_provenance(recipe, tables, manifests, source or "", list(entries))
        due = results_due()
        reasons = {
            day: why_stale(
                recorded.get(day),
                replace(now[day], fingerprint=(held or {}).get(day, "") if is_raw(recipe.table) else ""),
                entry,
                ask_source=source is not None,
                results_due=day <= due,
            )
            for day, entry in entries.items()
        }
        withdrawn = gaps.withdrawn(recipe.table) if gaps else {}
        reasons |= {
            day: Stale.GAP_WITHDRAWN
            for day in withdrawn
            if day in reasons and reasons[day] in (None, Stale.UPSTREAM)
        }
        found[recipe.table] = {day: why for day, why in sorted(reasons.items()) if why is not None}
    return found


def why_stale(
    recorded: Provenance | None,
    now: Provenance,
    entry: ManifestEntry,
    *,
    ask_source: bool = True,
    results_due: bool = True,
) -> Stale | None:
    """Why a stored day is stale; None if it is what a run would make now. ``results_due``: the day's games
    must be over."""
    if entry.schema_version != now.schema:  # first, because an added column is a changed formula too
        return Stale.SCHEMA
    if recorded is None or recorded.code != now.code:
        return Stale.CODE
    if ask_source and recorded.source != now.source:
        return Stale.SOURCE
    if recorded.awaits_results and results_due:
        return Stale.RESULTS
    if recorded.fingerprint and now.fingerprint and recorded.fingerprint != now.fingerprint:
        return Stale.SOURCE_CHANGED
    return Stale.UPSTREAM if recorded.inputs != now.inputs else None


def as_json(stale: Mapping[date, Stale]) -> dict[str, dict[str, object]]:
    """Per reason the number of days and their ranges, for the JSON of `status`."""
    return {
        why.value: {
            "days": len(days),
            "ranges": [[a.isoformat(), b.isoformat()] for a, b in contiguous(days)],
        }
        for why in Stale
        if (days := [day for day, reason in stale.items() if reason is why])
    }


def with_stale(answer: dict[str, Any], stale: StaleDays) -> dict[str, Any]:
    """The answer of `status --json` with ``stale`` added to every table; stale days are among the
    materialized ones."""
    return {
        **answer,
        "tables": {
            name: {**table, "stale": as_json(stale.get(name, {}))} for name, table in answer["tables"].items()
        },
    }
