"""`nba-pipeline explain`: printing where a value comes from. Finding it out is
``operations/explain/explain.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as RichTable

from nba_pipeline.cli.console import out
from nba_pipeline.deployment import RECIPES, make_source, make_store
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.formulas.worked import shown
from nba_pipeline.operations.explain.explain import Explanation, as_json, explain
from nba_pipeline.operations.explain.rows import EVERY_TEAM, Record, Rows
from nba_pipeline.operations.graph import select
from nba_pipeline.orchestration.instance.provenance_reader import EmbeddedStorage, ProvenanceReader
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import Settings, parse_day
from nba_pipeline.tables.registry import TABLES

if TYPE_CHECKING:
    from nba_pipeline.operations.workspace import Workspace

_LABEL = 12
_MOST_LINES = 20
_LABELS = ("player_name", "event_id")
"""Columns by which a row of the same game is known."""
_INPUT_LABELS = ("game_id", "team_abbr", "player_name", "player_full_name", "event_id")


def print_explanation(table: str, day_text: str, key: str, column: str, asked_json: bool) -> None:
    """Explain one value of the environment's pipeline and print it."""
    settings, day, wanted = Settings.from_environment(), parse_day(day_text, "DAY"), _parsed(key)
    (recipe,) = select(RECIPES, [table])
    found = _at_a_glance(settings, recipe, day, wanted, column)
    if found is None:
        from nba_pipeline.operations.workspace import (
            open_with,
        )  # this loads Dagster, which takes longer than most answers

        with open_with(settings) as w:
            found = explanation(w, recipe.table, day, wanted, column)
    if asked_json:
        print(json.dumps(as_json(found), indent=2, default=str))
    else:
        show(found)


def _at_a_glance(
    settings: Settings, recipe: Recipe, day: date, key: Mapping[str, str], column: str
) -> Explanation | None:
    """The explanation of a value of a day that is certainly good; None where Dagster must be asked what
    became of the day."""
    glance = EmbeddedStorage.at(settings.dagster_home or Path.cwd())
    if glance is None or not glance.certainly_good(recipe.table, day):
        return None
    store, source = make_store(settings), make_source(settings)
    recall = ProvenanceReader(glance.values)
    return explain(
        store, TABLES, recipe, day, key, column, recall=recall, source=source, start=settings.start_date
    )


def explanation(w: Workspace, table: str, day: date, key: Mapping[str, str], column: str) -> Explanation:
    """What is known of one value of an opened pipeline."""
    from nba_pipeline.orchestration.instance.values import read_values

    (recipe,) = select(w.recipes, [table])
    failed = w.states([day], [recipe])[recipe.table].failed.get(day)
    recall = ProvenanceReader(lambda names: read_values(w.instance, names))
    return explain(
        w.store,
        w.tables,
        recipe,
        day,
        key,
        column,
        recall=recall,
        source=w.source,
        failed=failed,
        start=w.settings.start_date,
    )


def _parsed(key: str) -> dict[str, str]:
    """``player=Quinones,team=GSW`` as a mapping."""
    parts = [part.partition("=") for part in key.split(",") if part]
    if any(not sign or not value for _, sign, value in parts):
        raise ConfigurationError(f"--key {key!r} is not column=value[,column=value]")
    return {name.strip(): value.strip() for name, _, value in parts}


def show(found: Explanation) -> None:
    """Print an explanation."""
    out.print(
        f"[bold]{found.table}.{found.column}[/] on {found.day}:"
        f" {escape(', '.join([*found.known_as, _pairs(found.key)]))}"
    )
    grid = _grid()
    grid.add_row(
        "value",
        f"[bold]{escape(_cell(found.value))}[/]"
        f"{'' if found.stored else ', as a run computes it now; not stored'}",
    )
    if found.failed:
        grid.add_row("[bold red]refused[/]", escape(f"{found.failed.failure_class}: {found.failed.message}"))
    grid.add_row("meaning", escape(found.description))
    if found.history_gaps:
        games = f"{found.history_gaps} game(s) in the row's windows are declared gaps"
        grid.add_row("[yellow]gaps[/]", f"{games}: `nba-pipeline gaps list` says which and why")
    _add_how(grid, found)
    out.print(grid)
    for one in found.behind:
        _show_behind(one, 1)
    for rows in _windows(found):
        _show_rows(rows)
    _show_inputs(found)
    _show_making(found)


def _grid(indent: int = 0) -> RichTable:
    """Two columns: what it is, and the text, which wraps beneath itself."""
    grid = RichTable.grid(padding=(0, 0, 0, 2))
    grid.add_column(no_wrap=True, width=_LABEL + 2 * indent, justify="right")
    grid.add_column(overflow="fold")
    return grid


def _add_how(grid: RichTable, found: Explanation) -> None:
    """The formula with its numbers, or where the value is taken over from, or why there is nothing to work
    out."""
    if found.taken_from:
        grid.add_row("taken from", found.taken_from)
    if found.reason:
        grid.add_row("as stored" if not found.taken_from else "but", escape(found.reason))
    if found.formula:
        grid.add_row("formula", escape(found.formula))
        for words in dict.fromkeys(found.names.values()):
            names = ", ".join(name for name, w in found.names.items() if w == words)
            grid.add_row("", f"[dim]{names}{' ' if words.startswith('of ') else ': '}{escape(words)}[/]")
        if found.numbers not in (found.formula, shown(found.worked_out)):
            grid.add_row("=", escape(found.numbers))
        rounded = found.agrees and _cell(found.worked_out) != _cell(found.value)
        grid.add_row(
            "=", escape(_cell(found.worked_out) + (f", rounded {_cell(found.value)}" if rounded else ""))
        )
    if found.agrees is False:
        grid.add_row(
            "[bold red]differs[/]",
            f"the stored value is {escape(_cell(found.value))}: it was made with other inputs or other code,"
            " see `nba-pipeline status`",
        )


def _show_behind(found: Explanation, depth: int) -> None:
    """A value that another one is made of."""
    grid = _grid(depth)
    value = found.worked_out if found.value is None else found.value
    unrounded = ", unrounded," if found.value is None and isinstance(found.worked_out, float) else ""
    grid.add_row(
        "[bold]because[/]",
        f"[bold]{_short(found.table)}.{found.column}[/]{unrounded} is {escape(_cell(value))}",
    )
    _add_how(grid, found)
    out.print(grid)
    for one in found.behind:
        _show_behind(one, depth + 1)


def _windows(found: Explanation) -> list[Rows]:
    """The games and lines behind the value and behind what it is made of; of two of the same kind one with
    the columns of both."""
    merged: dict[tuple[str, str, str], Rows] = {}
    waiting = [found]
    while waiting:
        one = waiting.pop(0)
        waiting.extend(one.behind)
        for rows in (one.window, one.league):
            if rows is not None:
                name = (rows.table, rows.words, rows.of)
                merged[name] = _both(merged[name], rows) if name in merged else rows
    return list(merged.values())


def _both(one: Rows, other: Rows) -> Rows:
    columns = tuple(dict.fromkeys((*one.columns, *other.columns)))
    if one.records is None or other.records is None:
        return replace(one, columns=columns)
    return replace(
        one, columns=columns, records=[a | b for a, b in zip(one.records, other.records, strict=True)]
    )


def _show_rows(rows: Rows) -> None:
    if rows.records is None:
        out.print(
            f"\n{_short(rows.table)} has no row of {escape(rows.of)}: what is counted over them is unknown,"
            " not 0"
        )
        return
    what = ": ".join(part for part in (rows.words, rows.of) if part)
    out.print(f"\n[bold]{_many(len(rows.records), 'row')}[/] of {rows.table}: {escape(what)}")
    if rows.of == EVERY_TEAM:
        sums = {name: sum(r[name] or 0 for r in rows.records) for name in rows.columns}
        out.print(Padding(f"in total {escape(_pairs(sums))}; --json has each game", (0, 0, 0, 2)))
        return
    one_by_one, left_out = _listed(rows)
    if one_by_one:
        out.print(Padding(_table(one_by_one, rows.columns, windowed=bool(rows.words)), (0, 0, 0, 2)))
    if left_out:
        out.print(Padding(f"[dim]{left_out}; --json has all[/]", (0, 0, 0, 2)))


def _listed(rows: Rows) -> tuple[list[Record], str]:
    """The rows to print, and what is left out: rows that are not counted, players who did not play, what is
    too long."""
    records, words = rows.records or [], []
    if rows.words:  # the games of a window are all printed
        return records, ""
    some = (
        [r for r in records if any(r[c] is not None for c in rows.columns)]
        if rows.counted is None
        else rows.counted
    )
    if len(some) < len(records):
        words.append(f"{len(some)} of them {'count' if rows.counted is not None else 'have a value'}")
    if len(some) > _MOST_LINES:
        words.append(f"the first {_MOST_LINES} are shown")
    return some[:_MOST_LINES], ", ".join(words)


def _table(records: list[Record], columns: Sequence[str], *, windowed: bool) -> RichTable:
    labels = [c for c in ("game_id",) if windowed] or [c for c in _LABELS if c in records[0]]
    table = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in dict.fromkeys((*labels, *columns)):
        numeric = any(isinstance(r[name], (int, float)) and not isinstance(r[name], bool) for r in records)
        right = numeric and not name.endswith("_id")
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=name in labels)
    for record in records:
        table.add_row(*(escape(_cell(record[name])) for name in dict.fromkeys((*labels, *columns))))
    return table


def _show_inputs(found: Explanation) -> None:
    """Of the day's input rows what the value rests on, unless it has been shown as what a function runs
    over."""
    listed = {rows.table for rows in _windows(found)} | _taken_from(found)
    quiet = []
    for table, rows in found.inputs.items():
        used = [c for c in found.used[table] if rows and c in rows[0]]
        if not used or table in listed:
            if not used:
                quiet.append(f"{_short(table)} {len(rows)}")
            continue
        out.print(f"\n[bold]{_many(len(rows), 'row')}[/] of {table}, the same day")
        for row in rows[:_MOST_LINES]:
            labels = _pairs({k: row[k] for k in _INPUT_LABELS if k in row and k not in used})
            out.print(
                Padding(f"[dim]{escape(labels)}[/] {escape(_pairs({c: row[c] for c in used}))}", (0, 0, 0, 2))
            )
    if quiet:
        out.print(f"\n[dim]Other input rows of the day, in no formula above: {', '.join(quiet)}[/]")


def _taken_from(found: Explanation) -> set[str]:
    """Tables that the value was taken over from: what they say is shown already."""
    own = {found.taken_from.rpartition(".")[0]} if found.taken_from else set()
    return own.union(*(_taken_from(one) for one in found.behind))


def _show_making(found: Explanation) -> None:
    out.print()
    grid = _grid()
    if found.stored:
        grid.add_row(
            "stored",
            escape(
                f"{found.stored['location']}, written {found.stored['written_at']}, content"
                f" {found.stored['content_hash']}"
            ),
        )
    if found.made and found.stored:
        grid.add_row(
            "made by",
            f"run {found.made.run_id}, code {found.made.code}, schema {found.stored['schema_version']}",
        )
    folders = {str(Path(one["file"]).parent) for one in found.source["files"]}
    grid.add_row(
        "source", escape(f"{found.source['name']}: {', '.join(sorted(folders)) or 'it reads no files'}")
    )
    for one in found.source["files"]:
        name = Path(one["file"]).name if len(folders) == 1 else one["file"]
        grid.add_row("", escape(f"{name} sha256 {_read_and_now(one['as_read'], one['now'])}"))
    for table, content in found.source["days"].items():
        if table != found.table:
            grid.add_row("", f"[dim]{_short(table)} of the day: content {content}[/]")
    out.print(grid)


def _read_and_now(as_read: str | None, now: str | None) -> str:
    """What a file held when it was read, and whether it still does."""
    if as_read is None:
        return f"{(now or '')[:16]}… now; what the run read was not recorded"
    if now == as_read:
        return f"{as_read[:16]}… when it was read, and still"
    return f"{as_read[:16]}… when it was read; now {'it is gone' if now is None else f'{now[:16]}…'}"


def _short(table: str) -> str:
    return table.split(".")[1]


def _many(n: int, what: str) -> str:
    return f"{n or 'no'} {what}{'' if n == 1 else 's'}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={_cell(v)}" for k, v in values.items())


def _cell(value: Any) -> str:
    return value if isinstance(value, str) and value else shown(value)
