"""Where a stored value comes from: its row, its formula with the numbers filled in, the input rows, how it
was made.

Belongs here: finding the row and what stands behind it. Does not belong here: which formula a column has
(``formulas.py``), the rows that it speaks of (``explain_rows.py``), printing (``cli/``). Reads only, and as
little as one value needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.failures import ConfigurationError, PipelineError
from nba_pipeline.formulas.dependencies import depends_on, resolved, statement_of
from nba_pipeline.formulas.language import names_in, uses_league
from nba_pipeline.formulas.worked import Scope, counted, work_out
from nba_pipeline.operations.explain.find import find_row, require_column, require_rows
from nba_pipeline.operations.explain.rows import Reader, Record, Rows, as_records
from nba_pipeline.operations.explain.source import traced
from nba_pipeline.orchestration.instance.provenance_reader import ProvenanceReader
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.rangerun.lineage import is_raw, readable_entry
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.formula import AsStored, Formula, Lines, Past, Ref, Relation, Taken
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.render.frames import round_half_even
from nba_pipeline.tables.spec import ColumnType, Kind, Table
from nba_pipeline.transforms.gaps import HISTORY_GAPS
from nba_pipeline.warehouse.base import ManifestEntry, Store

_NAMES = ("player_full_name", "player_name", "player_lookup")


@dataclass
class Explanation:
    """One value and everything behind it."""

    table: str
    day: date
    column: str
    description: str
    value: Any
    key: dict[str, Any]
    known_as: list[str] = field(default_factory=list)
    """Name and team of the row, for people."""
    reason: str = ""
    """Why there is nothing to work out, where there is not."""
    taken_from: str = ""
    """Table and column that the value is taken over from; ``behind`` explains that one."""
    formula: str = ""
    numbers: str = ""
    worked_out: Any = None
    agrees: bool | None = None
    """Whether the formula, worked out and rounded to the column's scale, is the stored value, or the value
    that was taken over still stands where it was taken from; None where there is nothing to compare."""
    names: dict[str, str] = field(default_factory=dict)
    """Names in the formula that are no columns of the row: what they are."""
    window: Rows | None = None
    league: Rows | None = None
    behind: list[Explanation] = field(default_factory=list)
    inputs: dict[str, list[Record]] = field(default_factory=dict)
    used: dict[str, list[str]] = field(default_factory=dict)
    """Of the inputs, the columns that the value rests on."""
    stored: dict[str, Any] = field(default_factory=dict)
    made: Provenance | None = None
    source: dict[str, Any] = field(default_factory=dict)
    history_gaps: int = 0
    """Of the row: declared gaps in its windows."""
    failed: Failed | None = None
    """How the newest attempt at the day failed, if it did. Without ``stored`` the value is what that attempt
    computed."""


def explain(
    store: Store,
    tables: TableRegistry,
    recipe: Recipe,
    day: date,
    wanted: Mapping[str, str],
    column: str,
    *,
    recall: ProvenanceReader | None = None,
    source: Source | None = None,
    failed: Failed | None = None,
    start: date | None = None,
) -> Explanation:
    """Explain one value: the stored one or, of a day that was refused, the one that a run computes from the
    stored inputs.

    ``recall``: what the instance remembers; ``failed``: the newest attempt, if it failed; ``start``: the
    first day of the pipeline. ConfigurationError when the day, the row or the column is not there.
    """
    table = tables[recipe.table]
    require_column(table, column)
    entry = readable_entry(store, table, day)
    known = failed is not None and source is not None and start is not None
    if entry is None and known and not is_raw(recipe.table):
        assert failed is not None and source is not None and start is not None
        rows = _refused(recipe, tables, store, source, start, failed)
    else:
        entry = require_rows(table, day, entry, start)
        rows = store.read(table, [day])
    (row,) = as_records(find_row(table, rows, wanted, day).to_frame().T)
    reader = Reader(store, tables, day, {table.full_name: rows})
    found = Explainer(reader, tables, day).stored(table.full_name, column, row)
    found.failed = failed
    names = [str(row[n]) for n in _NAMES if row.get(n)]
    found.known_as = [*names[:1], *(str(row[n]) for n in ("team_abbr",) if n in row and n not in found.key)]
    _add_inputs(found, reader, recipe, row)
    found.stored = {} if entry is None else _stored(store, table, entry)
    found.made = recall.made(recipe.table, [day]).get(day) if recall else None
    found.source = traced(store, tables, recipe.table, [day, *_days_behind(found)], recall, source)
    return found


def _add_inputs(found: Explanation, reader: Reader, recipe: Recipe, row: Record) -> None:
    """The input rows of the same day, which of their columns the value rests on, and gaps of the row."""
    found.history_gaps = int(row.get(HISTORY_GAPS) or 0)
    rests_on = depends_on(found.table, found.column)
    for given in recipe.same_day:
        rests = rests_on.get(given.table)
        relations = rests.relations if rests else {None}
        found.inputs[given.table] = [
            r for one in sorted(relations, key=str) for r in reader.rows_of(given.table, one, row)
        ]
        found.used[given.table] = sorted(rests.columns) if rests else []


def _days_behind(found: Explanation) -> set[date]:
    """The days of the games that the value rests on."""
    own = {r["game_date"] for r in (found.window.records if found.window else None) or ()}
    return own.union(*(_days_behind(one) for one in found.behind))


class Explainer:
    """Explains values of rows of one day, and what stands behind them."""

    def __init__(self, reader: Reader, tables: TableRegistry, day: date) -> None:
        self._reader, self._tables, self._day = reader, tables, day

    def stored(self, table: str, column: str, row: Record) -> Explanation:
        """A value as it is stored."""
        found = self._explained(table, column, row)
        found.value = row[column]
        if found.taken_from or found.formula:
            found.agrees = _agrees(self._tables[table].column(column).type, found.worked_out, found.value)
        return found

    def _explained(self, table: str, column: str, row: Record) -> Explanation:
        """A value of the row's entity in ``table``, worked out; the row itself may be one of another
        table."""
        declared, statement = self._tables[table], statement_of(table, column)
        key = {name: row[name] for name in declared.key if name in row}
        found = Explanation(table, self._day, column, declared.column(column).description, None, key)
        if isinstance(statement, AsStored):
            found.reason = statement.reason
        elif isinstance(statement, Taken):
            self._take(found, statement.ref, row)
        else:
            self._work_out(found, statement, row)
        return found

    def _take(self, found: Explanation, ref: Ref, row: Record) -> None:
        found.taken_from = f"{ref.table}.{ref.column}"
        partner = self._reader.partner(ref.table, ref.relation, row)
        if partner is None:
            found.reason = f"{ref.table} has no row of {ref.relation.value} on the day"
            return
        found.worked_out = partner[ref.column]
        found.behind.append(self.stored(ref.table, ref.column, partner))

    def _work_out(self, found: Explanation, statement: Formula, row: Record) -> None:
        found.formula = statement.text
        values: Record = {**row, "day": self._day}
        for name, ref in statement.refs.items():
            values[name] = self._referred(found, name, ref, row)
        _, columns = names_in(statement.text)
        if statement.rows is not None:
            found.window = self._reader.behind(statement.rows, row, columns)
        if isinstance(statement.rows, Past) and statement.rows.with_team:
            found.names["usage_plays, usage_seconds"] = (
                "plays_used and seconds_played of the games whose team totals are stored"
            )
        if isinstance(statement.rows, Past) and uses_league(statement.text):
            found.league = self._reader.league(statement.rows, columns)
        records, league = (() if rows is None else rows.records for rows in (found.window, found.league))
        scope = Scope(values, records, league or ())
        worked = work_out(statement.text, scope)
        found.worked_out, found.numbers = worked.value, worked.numbers
        if isinstance(statement.rows, Lines) and found.window is not None:
            found.window = replace(found.window, counted=counted(statement.text, scope))  # type: ignore[arg-type]  # the same records

    def _referred(self, found: Explanation, name: str, ref: Ref, row: Record) -> Any:
        """The value of a name that is no column of the row. An unrounded one is explained itself, behind this
        one."""
        if ref.unrounded:
            worked = self._explained(ref.table, ref.column, row)
            found.behind.append(worked)
            return worked.worked_out
        if ref.chosen_by is not None:
            table, column, words = ref.chosen_by
            chooser = self._reader.partner(table, Relation.PLAYER, row)
            word = None if chooser is None else dict(words).get(chooser[column])
            if word is None:
                found.names[name] = f"unknown, because {column} is"
                return None
            ref = resolved(ref, word)
        partner = self._reader.partner(ref.table, ref.relation, row)
        where = f"of {ref.relation.value} in {self._tables[ref.table].name}"
        found.names[name] = where if name == ref.column else f"{ref.column} {where}"
        return None if partner is None else partner[ref.column]


def _agrees(declared: ColumnType, worked: Any, stored: Any) -> bool:
    """Whether a value that was worked out is, rounded as the column rounds, the stored one."""
    if worked is None or stored is None or isinstance(worked, str) or isinstance(stored, str):
        return bool(worked == stored)
    step = 10.0 ** -(declared.scale or 0) * 0.5 if declared.kind is Kind.NUMERIC else 0.0
    return abs(float(worked) - float(stored)) <= step + 1e-9 * max(1.0, abs(float(worked)))


def _refused(
    recipe: Recipe, tables: TableRegistry, store: Store, source: Source, start: date, failed: Failed
) -> pd.DataFrame:
    """The rows of a day that was not written, rounded as they would have been."""
    from nba_pipeline.rangerun.job import RangeJob
    from nba_pipeline.rangerun.range_run import preview  # with all the checks: most explanations need neither

    table = tables[recipe.table]
    try:
        rows = preview(RangeJob(recipe, tables, store, source, start), failed.day)
    except PipelineError as error:
        raise ConfigurationError(
            f"{table.full_name} {failed.day} failed and cannot be computed: {error}"
        ) from error
    for column in table.columns:
        if column.type.kind is Kind.NUMERIC and column.type.scale is not None and column.name in rows:
            rows[column.name] = round_half_even(
                rows[column.name].to_numpy(dtype="float64", na_value=np.nan), column.type.scale
            )
    return rows[[c for c in table.column_names if c in rows]]


def _stored(store: Store, table: Table, entry: ManifestEntry) -> dict[str, Any]:
    return {
        "location": f"{store.location(table)}",
        "content_hash": entry.content_hash,
        "schema_version": entry.schema_version,
        "written_at": entry.written_at.isoformat(timespec="seconds"),
        "rows": entry.row_count,
    }


def as_json(found: Explanation) -> dict[str, Any]:
    """The documented JSON of `nba-pipeline explain --json`."""
    return {
        **_value_as_json(found),
        "inputs": found.inputs,
        "history_gaps": found.history_gaps,
        "stored": found.stored or None,
        "failed": (
            None
            if found.failed is None
            else {"class": found.failed.failure_class, "message": found.failed.message}
        ),
        "code_version": found.made.code if found.made else None,
        "run_id": found.made.run_id if found.made else None,
        "source": found.source,
    }


def _value_as_json(found: Explanation) -> dict[str, Any]:
    return {
        "table": found.table,
        "date": found.day.isoformat(),
        "key": found.key,
        "column": found.column,
        "value": found.value,
        "description": found.description,
        "as_stored": found.reason or None,
        "taken_from": found.taken_from or None,
        "formula": found.formula or None,
        "numbers": found.numbers or None,
        "names": found.names,
        "worked_out": found.worked_out,
        "agrees": found.agrees,
        "window": _rows_as_json(found.window),
        "league": _rows_as_json(found.league),
        "behind": [_value_as_json(one) for one in found.behind],
    }


def _rows_as_json(rows: Rows | None) -> dict[str, Any] | None:
    return (
        None
        if rows is None
        else {"table": rows.table, "of": rows.of, "window": rows.words, "games": rows.records}
    )
