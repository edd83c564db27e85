"""How each column of each table comes about: what `explain` shows of a value. One declaration per column.

Belongs here: the kinds of declarations and looking one up. Does not belong here: the declarations
(``formulas_games.py``: raw and analytics, ``formulas_slate.py``: what is known before a slate), working a
formula out (``arithmetic.py``). The tables are made by ``metrics/`` and ``transforms/``; a test holds every
declaration here against what those made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from nba_pipeline.formulas.arithmetic import names_in
from nba_pipeline.formulas.windows import Window


class Relation(Enum):
    """Which rows of another table belong to a row."""

    ROW = "the row itself"
    PLAYER = "the player"
    TEAM = "the team"
    OPPONENT = "the opponent"
    PAIR = "the player against this opponent"
    BLOCKER = "shots that the player blocked"


@dataclass(frozen=True)
class Ref:
    """A value from another row: of the player, team or opponent in ``table`` on the same day.

    ``unrounded``: not as it is stored but worked out by its own declaration, because the transform had it
    before it was rounded. ``chosen_by``: (table, column, value -> word): the word for the player's value
    there fills ``{}`` in ``column``.
    """

    table: str
    column: str
    whose: Relation
    unrounded: bool = False
    chosen_by: tuple[str, str, tuple[tuple[str, str], ...]] | None = None


@dataclass(frozen=True)
class Past:
    """The games of a window, strictly before the day. ``with_team``: with the team's totals of the same games
    beside them."""

    table: str
    whose: Relation
    window: Window
    with_team: bool = False


@dataclass(frozen=True)
class Lines:
    """Rows of a table of the same day. ``null_without``: without any row of the game nothing is known, and
    the count is no 0."""

    table: str
    whose: Relation
    null_without: bool = False


@dataclass(frozen=True)
class Formula:
    """Arithmetic over columns of the row, over ``refs`` (names that are no columns of it) and over
    ``rows``."""

    text: str
    rows: Past | Lines | None = None
    refs: Mapping[str, Ref] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """A column of another table, as it is stored there."""

    ref: Ref


@dataclass(frozen=True)
class AsStored:
    """Nothing to work out, and why."""

    reason: str


How = Formula | Taken | AsStored


def taken(table: str, column: str, whose: Relation) -> Taken:
    return Taken(Ref(table, column, whose))


def formula_of(table: str, column: str) -> How:
    """The declaration of a column. KeyError if there is none, which a test rules out."""
    from nba_pipeline.formulas.games import GAMES_HOW  # they are written with the kinds above
    from nba_pipeline.formulas.slate import SLATE_HOW

    return {**GAMES_HOW, **SLATE_HOW}[table][column]


@dataclass
class Behind:
    """What of a table a value rests on: these columns of these rows."""

    columns: set[str] = field(default_factory=set)
    whose: set[Relation] = field(default_factory=set)


def behind(table: str, column: str) -> dict[str, Behind]:
    """What the value rests on, by table: what its formula names, and what stands behind the columns of its
    own row, those that are taken over and those that are worked out again."""
    found: dict[str, Behind] = {}
    waiting, seen = [(table, column, Relation.ROW)], set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for source, name, whose, follow in _directly_behind(*at[:2]):
            theirs = _seen_from(at[2], whose)
            here = found.setdefault(source, Behind())
            here.columns.add(name)
            here.whose.add(theirs)
            if follow:
                waiting.append((source, name, theirs))
    return found


def _seen_from(whose: Relation, theirs: Relation) -> Relation:
    """Relation rows they are for the row that asks, if they are ``theirs`` for a row that is ``whose`` for
    it."""
    if theirs is Relation.ROW:
        return whose
    if whose is Relation.OPPONENT:
        return {Relation.TEAM: Relation.OPPONENT, Relation.OPPONENT: Relation.TEAM}.get(theirs, theirs)
    return theirs


def _directly_behind(table: str, column: str) -> list[tuple[str, str, Relation, bool]]:
    """(table, column, whose, whether what stands behind that one stands behind this one too)"""
    how = formula_of(table, column)
    if isinstance(how, AsStored):
        return []
    if isinstance(how, Taken):
        return [(how.ref.table, how.ref.column, how.ref.whose, True)]
    outside, inside = names_in(how.text)
    found = [(table, name, Relation.ROW, True) for name in outside if name not in how.refs and name != "day"]
    for ref in how.refs.values():
        found += [(ref.table, name, ref.whose, ref.unrounded) for name in _columns_of(ref)]
        if ref.chosen_by:
            found.append((ref.chosen_by[0], ref.chosen_by[1], Relation.PLAYER, False))
    if how.rows is not None:
        found += [(how.rows.table, name, how.rows.whose, False) for name in inside]
    return found


def _columns_of(ref: Ref) -> list[str]:
    return (
        sorted({ref.column.format(word) for _, word in ref.chosen_by[2]}) if ref.chosen_by else [ref.column]
    )


def unrounded(table: str, *columns: str) -> dict[str, Ref]:
    """The row's own columns as they were before they were rounded."""
    return {name: Ref(table, name, Relation.ROW, unrounded=True) for name in columns}


def resolved(ref: Ref, word: str) -> Ref:
    """The reference with its ``{}`` filled in."""
    return replace(ref, column=ref.column.format(word), chosen_by=None)
