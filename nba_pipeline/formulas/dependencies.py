"""What columns rest on, read from their statements: for `explain`, for the columns that a table reads, for
versions.

Belongs here: following statements from column to column. Does not belong here: the statements (``tables/``),
what they come to (``arrays.py``, ``worked.py``), reading any row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from nba_pipeline.formulas.language import names_in
from nba_pipeline.tables.formula import (
    IDENTIFIES,
    PUBLISHED,
    AsStored,
    Formula,
    Past,
    Ref,
    Relation,
    Statement,
    Taken,
    Window,
)
from nba_pipeline.tables.names import OFFENSE
from nba_pipeline.tables.registry import TABLES

TEAM_TOTALS = {
    "usage_plays": "plays_used",
    "usage_seconds": "seconds_played",
    "team_plays_used": "plays_used",
    "team_minutes": "team_minutes",
}
"""Names that ``Past(with_team=True)`` adds -> the column that each is made from; the last two are the team's.
"""


def statement_of(table: str, column: str) -> Statement:
    """How the column of a table comes about. KeyError if there is no such column."""
    declared = TABLES[table]
    return declared.column(column).formula or (PUBLISHED if declared.phase == "raw" else IDENTIFIES)


def resolved(ref: Ref, word: str) -> Ref:
    """The reference with its ``{}`` filled in."""
    return replace(ref, column=ref.column.format(word), chosen_by=None)


# -------------------------------------------------------------------------------------- one value, all the
# way back


@dataclass
class Dependency:
    """What of a table a value rests on: these columns of these rows."""

    columns: set[str] = field(default_factory=set)
    relations: set[Relation] = field(default_factory=set)


def depends_on(table: str, column: str) -> dict[str, Dependency]:
    """What the value rests on, by table: what its formula names, and what the columns of its own row rest on,
    those that are taken over and those that are worked out again."""
    found: dict[str, Dependency] = {}
    waiting, seen = [(table, column, Relation.ROW)], set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for source, name, relation, follow in _direct(*at[:2]):
            theirs = _seen_from(at[2], relation)
            here = found.setdefault(source, Dependency())
            here.columns.add(name)
            here.relations.add(theirs)
            if follow:
                waiting.append((source, name, theirs))
    return found


@cache
def windows_behind(table: str) -> frozenset[tuple[Relation, Window]]:
    """The windows that the table's rows rest on, with whose games they hold as seen from the row; those of
    rows of other tables that values are taken from included."""
    found: set[tuple[Relation, Window]] = set()
    waiting, seen = [(table, c.name, Relation.ROW) for c in TABLES[table].columns], set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        statement = statement_of(*at[:2])
        rows = statement.rows if isinstance(statement, Formula) else None
        if isinstance(rows, Past):
            found.add((_seen_from(at[2], rows.relation), rows.window))
        for source, name, relation, follow in _direct(*at[:2]):
            if rows is None or follow:
                waiting.append((source, name, _seen_from(at[2], relation)))
    return frozenset(found)


def _seen_from(mine: Relation, theirs: Relation) -> Relation:
    """What ``theirs`` of a row that is ``mine`` to the asking row is to the asking row."""
    if theirs is Relation.ROW:
        return mine
    if mine is Relation.OPPONENT:
        return {Relation.TEAM: Relation.OPPONENT, Relation.OPPONENT: Relation.TEAM}.get(theirs, theirs)
    return theirs


def _direct(table: str, column: str) -> list[tuple[str, str, Relation, bool]]:
    """(table, column, relation, whether what that one rests on counts for this one too)"""
    statement = statement_of(table, column)
    if isinstance(statement, AsStored):
        return []
    if isinstance(statement, Taken):
        return [(statement.ref.table, statement.ref.column, statement.ref.relation, True)]
    outside, inside = names_in(statement.text)
    found = [
        (table, name, Relation.ROW, True) for name in outside if name not in statement.refs and name != "day"
    ]
    for ref in statement.refs.values():
        found += [(ref.table, name, ref.relation, ref.unrounded) for name in _columns_of(ref)]
        if ref.chosen_by:
            found.append((ref.chosen_by[0], ref.chosen_by[1], Relation.PLAYER, False))
    if statement.rows is not None:
        found += [(statement.rows.table, name, statement.rows.relation, False) for name in inside]
    return found


def _columns_of(ref: Ref) -> list[str]:
    return (
        sorted({ref.column.format(word) for _, word in ref.chosen_by[2]}) if ref.chosen_by else [ref.column]
    )


# ------------------------------------------------------------------------------------------ a table, one step
# back


@dataclass(frozen=True)
class Reads:
    """Columns that the formulas of a table look at, by table: of the same day, and of history before it; and
    the windows of that history."""

    same_day: dict[str, set[str]] = field(default_factory=dict)
    history: dict[str, set[str]] = field(default_factory=dict)
    windows: dict[str, set[Window]] = field(default_factory=dict)


def statements_behind(table: str) -> Iterator[tuple[str, str, Statement]]:
    """(table, column, statement) of every column that is worked out with the table: its own, and those of
    other tables that are needed before they are rounded."""
    waiting = [(table, c.name) for c in TABLES[table].columns]
    seen = set(waiting)
    while waiting:
        at = waiting.pop(0)
        statement = statement_of(*at)
        yield *at, statement
        again = _unrounded(statement)
        if at[0] != table and isinstance(statement, Formula):
            outside, _ = names_in(statement.text)
            again += [(at[0], name) for name in outside if name not in statement.refs and name != "day"]
        for other in again:
            if other not in seen:
                seen.add(other)
                waiting.append(other)


def _unrounded(statement: Statement) -> list[tuple[str, str]]:
    refs = statement.refs.values() if isinstance(statement, Formula) else ()
    return [(ref.table, name) for ref in refs if ref.unrounded for name in _columns_of(ref)]


def reads_of(table: str) -> Reads:
    """What the formulas of a table look at in other tables."""
    reads = Reads()
    for _, _, statement in statements_behind(table):
        if isinstance(statement, AsStored):
            continue
        refs = [statement.ref] if isinstance(statement, Taken) else [*statement.refs.values()]
        for ref in refs:
            if ref.table == table or ref.unrounded:
                continue
            reads.same_day.setdefault(ref.table, set()).update(_columns_of(ref))
            if ref.chosen_by:
                reads.same_day.setdefault(ref.chosen_by[0], set()).add(ref.chosen_by[1])
        if isinstance(statement, Formula) and statement.rows is not None:
            _add_rows(reads, statement)
    return reads


def _add_rows(reads: Reads, formula: Formula) -> None:
    assert formula.rows is not None
    _, inside = names_in(formula.text)
    if not isinstance(formula.rows, Past):
        reads.same_day.setdefault(formula.rows.table, set()).update(inside)
        return
    own = reads.history.setdefault(formula.rows.table, set())
    reads.windows.setdefault(formula.rows.table, set()).add(formula.rows.window)
    if not formula.rows.with_team:
        own.update(inside)
        return
    reads.windows.setdefault(OFFENSE, set()).add(formula.rows.window)
    own.update(TEAM_TOTALS[n] if n.startswith("usage_") else n for n in inside if not n.startswith("team_"))
    reads.history.setdefault(OFFENSE, set()).update(TEAM_TOTALS[n] for n in inside if n.startswith("team_"))
