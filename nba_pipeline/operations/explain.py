"""Where a stored value comes from: its row, its formula with the numbers filled in, the input rows, how it was made.

Belongs here: finding the row and what stands behind it. Does not belong here: the games of windows
(``explain_window.py``), the text of formulas (``formulas.py``), printing (``cli/``). Reads only, and as little as one
value needs: the day's partitions of the table and of its inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.assets.lineage import is_raw, readable_manifest
from nba_pipeline.assets.plan import TablePlan
from nba_pipeline.assets.range_run import RangeJob, would_make
from nba_pipeline.checks.model import plain
from nba_pipeline.failures import ConfigurationError, PipelineError
from nba_pipeline.instance.made import Made
from nba_pipeline.operations import formulas
from nba_pipeline.operations.explain_window import WindowGames, window_games
from nba_pipeline.operations.failed import Failed
from nba_pipeline.sources.base import Source
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.render.frames import round_half_even
from nba_pipeline.tables.spec import Kind, Table
from nba_pipeline.warehouse.base import ManifestEntry, Store

_MATCHED_ON = ("nba_game_id", "game_id", "player_id", "team_abbr")
"""Columns by which a row's inputs of the same day are found, as far as both tables have them."""
_MOST_ROWS = 30
_ALIASES = {"player": ("player_full_name", "player_name", "player_lookup"), "team": ("team_abbr",)}


@dataclass
class Explanation:
    """One value and everything behind it."""

    table: str
    day: date
    column: str
    description: str
    value: Any
    key: dict[str, Any]
    formula: str = ""
    numbers: str = ""
    worked_out: float | None = None
    agrees: bool | None = None
    """Whether the formula, worked out and rounded to the column's scale, is the stored value; None without a formula."""
    inputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    window: WindowGames | None = None
    stored: dict[str, Any] = field(default_factory=dict)
    made: Made | None = None
    source: dict[str, Any] = field(default_factory=dict)
    failed: Failed | None = None
    """How the newest attempt at the day failed, if it did. Without ``stored`` the value is what that attempt computed."""


def find_row(table: Table, rows: pd.DataFrame, wanted: Mapping[str, str], day: date) -> pd.Series:
    """The one row that the ``wanted`` texts name: equal to a column's value or, for names, a part of it.

    ``player`` and ``team`` stand for the columns of names. ConfigurationError when none or several match.
    """
    found = rows
    for name, text in wanted.items():
        columns = [c for c in _ALIASES.get(name, (name,)) if table.has(c)]
        if not columns:
            raise ConfigurationError(f"{table.full_name} has no column {name!r}; its key is {', '.join(table.key)}")
        texts = found[columns].astype(object).astype(str)
        exact = (texts == text).any(axis=1)
        part = texts.apply(lambda c, text=text: c.str.casefold().str.contains(text.casefold(), regex=False)).any(axis=1)
        found = found[(exact if exact.any() else part).to_numpy(dtype=bool)]
    if len(found) == 1:
        return found.iloc[0]
    shown = [", ".join(str(row[k]) for k in _names(table)) for _, row in found.head(5).iterrows()]
    asked = ", ".join(f"{k}={v}" for k, v in wanted.items()) or "no key"
    which = f"{len(found)} rows match: {'; '.join(shown)}{' ...' if len(found) > 5 else ''}" if len(found) else "no row matches"
    raise ConfigurationError(f"{table.full_name} {day}, --key {asked}: {which}. Name one row, by {', '.join(_names(table))}")


def _names(table: Table) -> list[str]:
    return [*table.key, *(c for c in ("player_full_name", "player_name", "player_lookup") if table.has(c))][:4]


def explain(
    store: Store,
    tables: TableRegistry,
    plan: TablePlan,
    day: date,
    wanted: Mapping[str, str],
    column: str,
    *,
    made: Made | None = None,
    source: Source | None = None,
    failed: Failed | None = None,
    start: date | None = None,
) -> Explanation:
    """Explain one value: the stored one or, of a day that was refused, the one that a run computes from the stored inputs.

    ``failed``: the newest attempt, if it failed; ``start``: the first day of the pipeline. ConfigurationError when the day,
    the row or the column is not there.
    """
    table = tables[plan.table]
    if not table.has(column):
        raise ConfigurationError(f"{table.full_name} has no column {column!r}; see docs/tables.md")
    entry = readable_manifest(store, table).get(day)
    if entry is not None:
        rows = store.read(table, [day])
    elif failed is not None and source is not None and start is not None and not is_raw(plan.table):
        rows = _refused(RangeJob(plan, tables, store, source, start), failed)
    else:
        raise ConfigurationError(f"{table.full_name} has no stored day {day}: `nba-pipeline status` says why")
    row = find_row(table, rows, wanted, day)
    declared = table.column(column)
    found = Explanation(table.full_name, day, column, declared.description, plain(row[column]), {k: plain(row[k]) for k in table.key})
    found.failed = failed
    found.inputs = {i.table: _matching(store, tables[i.table], i.columns, row, day) for i in plan.same_day}
    _work_out(store, tables, table, row, found)
    if plan.history:
        found.window = window_games(store, tables, plan, row, column)
    found.stored = {} if entry is None else _stored(store, table, entry)
    found.made = made
    found.source = _source(source, day, plan.table)
    return found


def _refused(job: RangeJob, failed: Failed) -> pd.DataFrame:
    """The rows of a day that was not written, rounded as they would have been."""
    try:
        rows = would_make(job, failed.day)
    except PipelineError as error:
        raise ConfigurationError(f"{job.table.full_name} {failed.day} failed and cannot be computed: {error}") from error
    for column in job.table.columns:
        if column.type.kind is Kind.NUMERIC and column.type.scale is not None and column.name in rows:
            rows[column.name] = round_half_even(rows[column.name].to_numpy(dtype="float64", na_value=np.nan), column.type.scale)
    return rows


def _matching(store: Store, table: Table, columns: Sequence[str] | None, row: pd.Series, day: date) -> list[dict[str, Any]]:
    """The rows of an input of the same day that belong to the row: of its player, else of its team, else of its game."""
    rows = store.read(table, [day], columns)
    for name in _MATCHED_ON:
        if name in rows.columns and name in row.index:
            rows = rows[(rows[name].astype(object) == row[name]).to_numpy(dtype=bool)]
    if "home_team_abbr" in rows.columns and "team_abbr" in row.index:
        rows = rows[(rows["home_team_abbr"].eq(row["team_abbr"]) | rows["away_team_abbr"].eq(row["team_abbr"])).to_numpy(dtype=bool)]
    return [{str(k): plain(v) for k, v in record.items()} for record in rows.head(_MOST_ROWS).to_dict("records")]


def _work_out(store: Store, tables: TableRegistry, table: Table, row: pd.Series, found: Explanation) -> None:
    formula = formulas.FORMULAS.get(table.full_name, {}).get(found.column)
    if formula is None:
        return
    found.formula = formula
    names = formulas.names_in(formula)
    values = {name: row[name] for name in names if name in row.index}
    if set(names) - set(values):
        values |= _team_values(store, tables[formulas.OFFENSE], table, row, found.day)
    if any(pd.isna(values.get(name)) for name in names):
        return
    numbers = {name: float(values[name]) for name in names}
    found.numbers, found.worked_out = formulas.filled(formula, numbers), formulas.worked_out(formula, numbers)
    if found.worked_out is None or found.value is None:
        found.agrees = found.worked_out is None and found.value is None
    else:
        declared = table.column(found.column).type
        step = 10.0 ** -(declared.scale or 0) if declared.kind is Kind.NUMERIC else 1e-9
        found.agrees = abs(found.worked_out - float(found.value)) <= step * 0.5 + 1e-9 * max(1.0, abs(found.worked_out))


def _team_values(store: Store, offense: Table, table: Table, row: pd.Series, day: date) -> dict[str, Any]:
    """Columns of the row's team as ``team_...`` (for a player) and of its opponent as ``opponent_...``."""
    teams = store.read(offense, [day])
    teams = teams[(teams["game_id"] == row["game_id"]).to_numpy(dtype=bool)].set_index("team_abbr")
    values: dict[str, Any] = {}
    if table.has("player_id") and row["team_abbr"] in teams.index:
        own = teams.loc[row["team_abbr"]]
        values |= {"team_plays_used": own["plays_used"], "team_minutes": own["team_minutes"]}
    if row["opponent_team_abbr"] in teams.index:
        values |= {f"opponent_{name}": value for name, value in teams.loc[row["opponent_team_abbr"]].items()}
    return values


def _stored(store: Store, table: Table, entry: ManifestEntry) -> dict[str, Any]:
    return {
        "location": f"{store.location(table)}",
        "content_hash": entry.content_hash,
        "schema_version": entry.schema_version,
        "written_at": entry.written_at.isoformat(timespec="seconds"),
        "rows": entry.row_count,
    }


def _source(source: Source | None, day: date, table: str) -> dict[str, Any]:
    """The source's name and, where it reads files, those of the day with the SHA-256 that they have now."""
    if source is None:
        return {}
    folder = getattr(source, "folder", None)
    if not isinstance(folder, Path):
        return {"name": source.name, "files": {}}
    first = day.year if day.month >= 10 else day.year - 1
    names = ("games.parquet", "player_box.parquet", f"shots_{first}-{(first + 1) % 100:02d}.parquet")
    wanted = [folder / name for name in names if (folder / name).is_file()]
    if is_raw(table):
        own = {"nba_raw.games": "games", "nba_raw.player_boxscores": "player_box", "nba_raw.shot_attempts": "shots"}[table]
        wanted = [path for path in wanted if path.name.startswith(own)]
    return {"name": source.name, "files": {str(path): _sha256(path) for path in wanted}}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_json(found: Explanation) -> dict[str, Any]:
    """The documented JSON of `nba-pipeline explain --json`."""
    return {
        "table": found.table,
        "date": found.day.isoformat(),
        "key": found.key,
        "column": found.column,
        "value": found.value,
        "description": found.description,
        "formula": found.formula or None,
        "numbers": found.numbers or None,
        "worked_out": found.worked_out,
        "agrees": found.agrees,
        "inputs": found.inputs,
        "window": None if found.window is None else found.window.as_json(),
        "stored": found.stored or None,
        "failed": None if found.failed is None else {"class": found.failed.failure_class, "message": found.failed.message},
        "code_version": found.made.code if found.made else None,
        "run_id": found.made.run_id if found.made else None,
        "source": found.source,
    }
