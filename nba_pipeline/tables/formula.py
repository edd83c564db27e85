"""How a column comes about, as a declaration: the kinds of statements that a ``Column`` can hold.

Belongs here: ``Formula``, ``Taken`` and ``AsStored``, which rows a formula may look at (``Past``, ``Lines``,
``Ref``), and how far back a window of history reaches (``Window``). Does not belong here: what a formula's
text may say and what it comes to (``formulas/``), the statements themselves (``columns/`` and the tables),
and any import beyond the standard library.

A statement is written once. The table's values, `explain`, docs/tables.md, the columns that a table reads,
its level in the graph and its version are all derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Relation(Enum):
    """Which rows of another table belong to a row."""

    ROW = "the row itself"
    PLAYER = "the player"
    TEAM = "the team"
    OPPONENT = "the opponent"
    PAIR = "the player against this opponent"
    BLOCKER = "shots that the player blocked"


@dataclass(frozen=True)
class Window:
    """How far back a window of history reaches; its end is always the day before D. Every limit that is set
    applies."""

    games: int | None = None
    days: int | None = None
    this_season: bool = False

    def __post_init__(self) -> None:
        for limit in (self.games, self.days):
            if limit is not None and limit < 1:
                raise ValueError(f"a window reaches back at least one game or day, not {limit}")

    @property
    def words(self) -> str:
        """The window in words, up to the day that follows: `up to 10 games of the season before`."""
        if self.games is not None:
            which = "the last game" if self.games == 1 else f"up to {self.games} games"
            return f"{which} {'of the season' if self.this_season else f'in the {self.days} days'} before"
        return "games of the season before" if self.this_season else f"games in the {self.days} days before"


def last_games(n: int) -> Window:
    """Up to n games of the entity in the season of D."""
    return Window(games=n, this_season=True)


def season_to_date() -> Window:
    """The entity's games in the season of D (Oct 1 .. Sep 30)."""
    return Window(this_season=True)


def last_days(n: int) -> Window:
    """The entity's games in [D−n, D−1], whatever the season."""
    return Window(days=n)


def last_appearance(within_days: int | None = None) -> Window:
    """The entity's latest game before D, optionally only if it is in [D−within_days, D−1]."""
    return Window(games=1, days=within_days)


HEAD_TO_HEAD_DAYS = 365


def head_to_head() -> Window:
    """Games in [D−365, D−1]; the entity is then the pair (player, opponent)."""
    return last_days(HEAD_TO_HEAD_DAYS)


@dataclass(frozen=True)
class Ref:
    """A value from another row: of the player, team or opponent in ``table`` on the same day.

    ``unrounded``: not as it is stored but as its own statement gives it, because rounding first would change
    the result. ``chosen_by``: (table, column, value -> word): the word for the player's value there fills
    ``{}`` in ``column``.
    """

    table: str
    column: str
    relation: Relation
    unrounded: bool = False
    chosen_by: tuple[str, str, tuple[tuple[str, str], ...]] | None = None


@dataclass(frozen=True)
class Past:
    """The games of a window, strictly before the day. ``with_team``: with the totals of the player's team in
    the same games beside them, as usage_plays, usage_seconds, team_plays_used and team_minutes."""

    table: str
    relation: Relation
    window: Window
    with_team: bool = False


@dataclass(frozen=True)
class Lines:
    """Rows of a table of the same game. ``null_without``: where the game has no row at all, nothing is known,
    and a count is NULL and not 0."""

    table: str
    relation: Relation
    null_without: bool = False


@dataclass(frozen=True)
class Formula:
    """Arithmetic over columns of the row, over ``refs`` (names that are no columns of it) and over ``rows``.

    ``text`` is written in the language of ``formulas/language.py``. ``note``: what a reader must know to not
    undo it, such as why an order of operations matters.
    """

    text: str
    rows: Past | Lines | None = None
    refs: Mapping[str, Ref] = field(default_factory=dict, hash=False)
    note: str = ""


@dataclass(frozen=True)
class Taken:
    """A column of another table, as it is stored there."""

    ref: Ref


@dataclass(frozen=True)
class AsStored:
    """Nothing to work out, and why."""

    reason: str


Statement = Formula | Taken | AsStored

PUBLISHED = AsStored("as the source publishes it, typed; nothing is computed")
IDENTIFIES = AsStored(
    "says which game, team or player the row is about; it comes with the row and is not computed from values"
)


def taken(table: str, column: str, relation: Relation) -> Taken:
    """The column of the player's, team's or opponent's row in another table of the same day."""
    return Taken(Ref(table, column, relation))


def unrounded(table: str, *columns: str) -> dict[str, Ref]:
    """The row's own columns as they were before they were rounded."""
    return {name: Ref(table, name, Relation.ROW, unrounded=True) for name in columns}
