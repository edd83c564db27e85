"""Tables as Markdown: docs/tables.md, written by ``python -m nba_pipeline.tables.render.markdown >
docs/tables.md``.

Belongs here: the rendering and the words around it. Does not belong here: facts about a column (its
declaration has them).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from nba_pipeline.tables.formula import Formula, Past, Ref, Relation, Statement, Taken
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import Column, Kind, Table

_INTRODUCTION = """\
# Tables

Generated from the declarations in `nba_pipeline/tables/`; do not edit. `python -m
nba_pipeline.tables.render.markdown` prints it.

Every table is partitioned by day on `game_date`, the US Eastern date of the slate. NULL means unknown or
undefined, 0 means zero; a rate with a zero denominator is NULL. NUMERIC(p,s) columns are rounded half-even to
s digits when a frame is conformed to its table, after all computation; their physical range ±(10^(p−s) −
10^−s) follows from the type, and the bounds below are semantic: outside them a value is impossible. *Too big
for the type* and *impossible* are different failure classes.

`formula` is what the column's values are computed from; `nba-pipeline explain` fills it in with the numbers
of one row. A name in it is a column of the row before rounding; `sum`, `mean` and the like run over the
rows that are named beside it, `D` is the row's day. NULL: arithmetic with it and division by zero give
NULL, a comparison with it is false, functions over rows skip it.

## Decisions that are easy to miss

- `zone` and `zone_method` are stored in `nba_raw.shot_attempts`, so that every table counts the same zones
  and the method of each shot can be seen; they are the only computed columns of the raw tables.
- A day without rows is stored as an empty partition with a reason: `off_day`, `off_season`, `exhibition_only`
  or `postponed`; also `not_published` (games were played, but the source publishes nothing of this kind for
  them, such as shots of play-in games), `not_played_yet` (today's games, whose results are not due before
  06:00 in New York the next morning), `declared_gap` (all games of the day are declared gaps: what is missing
  of them will never come) and `no_history` (games are scheduled, but nothing before the day is known: the
  first days of the pipeline).
- `is_back_to_back` is FALSE, not NULL, at a season's first game: `days_rest` is unknown there, but the player
  certainly did not play the day before.
"""


def registry_markdown(tables: Iterable[Table]) -> str:
    """The whole document: introduction, contents, one section per table."""
    tables = list(tables)
    contents = [f"- [{t.full_name}](#{t.full_name.replace('.', '')}): {t.grain}" for t in tables]
    return "\n".join([_INTRODUCTION, "## Contents", "", *contents, "", *(table_markdown(t) for t in tables)])


def table_markdown(table: Table) -> str:
    """One table: description, grain, key and its columns in storage order. Ends with a newline."""
    head = [
        f"## {table.full_name}",
        "",
        table.description,
        "",
        f"Grain: {table.grain}. Key: {', '.join(f'`{name}`' for name in table.key)}.",
        "",
        "| column | type | unit | NULL | bounds | description | formula | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(column) for column in table.columns)]) + "\n"


def _row(column: Column) -> str:
    nullable = "yes" if column.nullable else "no"
    cells = [
        f"`{column.name}`",
        str(column.type),
        column.unit,
        nullable,
        _bounds(column),
        column.description,
        _formula(column.formula),
        column.source,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _formula(statement: Statement | None) -> str:
    """How the values come about: the formula, over which rows, and what its names mean that are no
    columns."""
    if isinstance(statement, Taken):
        return f"{_place(statement.ref)} as it is stored"
    if not isinstance(statement, Formula):
        return ""
    said = [f"`{statement.text}`"]
    if isinstance(statement.rows, Past):
        said.append(f"over {statement.rows.relation.value}, {statement.rows.window.words} D")
    elif statement.rows is not None:
        said.append(f"over {statement.rows.table} of {statement.rows.relation.value}")
    said += [
        f"`{name}`: {_place(ref)}" for name, ref in statement.refs.items() if ref.relation is not Relation.ROW
    ]
    return "; ".join([*said, *([statement.note] if statement.note else [])])


def _place(ref: Ref) -> str:
    chosen = f", {{}} chosen by {ref.chosen_by[1]}" if ref.chosen_by else ""
    return f"{ref.table}.{ref.column} of {ref.relation.value}{chosen}"


def _bounds(column: Column) -> str:
    """What the values may be, in words; nothing where every value of the type may occur."""
    if column.allowed:
        return ", ".join(f"`{value}`" for value in column.allowed)
    if column.pattern:
        return f"`{column.pattern}`"
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"≥ {low:g}"
    if high is not None:
        return f"≤ {high:g}"
    return "any decimal of the type" if column.type.kind is Kind.NUMERIC else ""


if __name__ == "__main__":
    sys.stdout.write(registry_markdown(TABLES.values()))
