"""How a stored table may become the declared one: the differences, and which of them can be made in place.

Belongs here: ``StoredTable`` (what a warehouse says it holds) and ``differences``. Pure: standard library
only. Does not belong here: asking a warehouse (``warehouse/``), the statements (``render/``) and carrying
them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from nba_pipeline.tables.spec import ColumnType, Kind, Table


class Action(StrEnum):
    """What has to happen to a table. The order is the order in which changes are told and made."""

    REFUSE = "refuse"
    CREATE = "create"
    ADD_COLUMN = "add_column"
    WIDEN = "widen"
    RELAX = "relax"
    DESCRIBE = "describe"
    RESTATE = "restate"


@dataclass(frozen=True)
class Change:
    """One difference. ``blocks``: days cannot be written or read before it is gone; ``column``: where one is
    concerned; ``rows``: stored rows that stand in the way, in words."""

    action: Action
    text: str
    column: str | None = None
    blocks: bool = True
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredColumn:
    """A column as a warehouse holds it. ``type`` is None for types that no declaration can have; ``words``
    names it."""

    type: ColumnType | None
    nullable: bool
    words: str
    description: str = ""


@dataclass(frozen=True)
class StoredTable:
    """A table as a warehouse holds it. ``partitioned_by``: the column of its daily partitions, or None."""

    columns: Mapping[str, StoredColumn]
    partitioned_by: str | None
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def differences(
    table: Table,
    stored: StoredTable | None,
    options: Mapping[str, str] | None = None,
    *,
    keeps_undeclared: bool = True,
) -> list[Change]:
    """What separates the stored table from the declared one, in the order in which it can be put right.

    ``options``: further properties (clustering, labels) as the declaration wants them. ``keeps_undeclared``:
    whether the warehouse keeps a column that nobody declares when a day is written again. A column that is
    stored as NULLABLE and declared required is no difference: no warehouse tightens a column in place, and
    every writer checks it anyway.
    """
    if stored is None:
        return [Change(Action.CREATE, f"{table.full_name} does not exist")]
    changes = []
    if stored.partitioned_by != table.partition_column:
        how = f"by {stored.partitioned_by}" if stored.partitioned_by else "not at all"
        changes.append(
            Change(
                Action.REFUSE,
                f"{table.full_name} is partitioned {how}, not by day on {table.partition_column}: it was not"
                " made by this project (or not by this version of it). Move it away under another name",
            )
        )
    for column in table.columns:
        kept = stored.columns.get(column.name)
        if kept is None:
            changes.append(_absent(table, column.name))
        else:
            changes += _column_changes(table, column.name, kept)
    changes += _strangers(table, stored) if keeps_undeclared else _losses(table, stored)
    changes += _wording(table, stored, options or {})
    return sorted(changes, key=lambda c: list(Action).index(c.action))


def blocking(changes: list[Change]) -> list[Change]:
    return [c for c in changes if c.blocks]


def widens(old: ColumnType, new: ColumnType) -> bool:
    """Whether every value of the old type is a value of the new one, and a warehouse can change it in
    place."""
    if old.kind is not Kind.NUMERIC or new.kind is not Kind.NUMERIC or old == new:
        return False
    assert old.precision is not None
    assert old.scale is not None
    assert new.precision is not None
    assert new.scale is not None
    return new.scale >= old.scale and new.precision - new.scale >= old.precision - old.scale


def narrows(old: ColumnType, new: ColumnType) -> bool:
    """Whether the new NUMERIC cannot hold every value of the old one, so that each value has to be looked
    at."""
    return old.kind is Kind.NUMERIC and new.kind is Kind.NUMERIC and old != new and not widens(old, new)


def _absent(table: Table, name: str) -> Change:
    column = table.column(name)
    if column.nullable:
        return Change(Action.ADD_COLUMN, f"column {name} ({column.type}) is declared but not stored", name)
    return Change(
        Action.REFUSE,
        f"column {name} ({column.type}) is declared required but not stored, and a required column cannot be"
        " added to rows that exist: declare it nullable first, or move the table away and materialize it"
        " again",
        name,
    )


def _column_changes(table: Table, name: str, kept: StoredColumn) -> list[Change]:
    column, changes = table.column(name), []
    if kept.type != column.type:
        if kept.type is not None and widens(kept.type, column.type):
            changes.append(
                Change(
                    Action.WIDEN, f"column {name} is stored as {kept.words} and declared {column.type}", name
                )
            )
        else:
            changes.append(
                Change(
                    Action.REFUSE,
                    f"column {name} is stored as {kept.words} and declared {column.type}, which cannot hold"
                    " all of its values: restore the declaration, or move the table away and materialize it"
                    " again",
                    name,
                )
            )
    if column.nullable and not kept.nullable:
        changes.append(
            Change(Action.RELAX, f"column {name} is stored as REQUIRED and declared nullable", name)
        )
    return changes


def _strangers(table: Table, stored: StoredTable) -> list[Change]:
    """Columns that nobody declares: harmless while they take NULL."""
    changes = []
    for name, kept in stored.columns.items():
        if not table.has(name):
            text = f"column {name} ({kept.words}) is stored but not declared"
            if kept.nullable:
                changes.append(
                    Change(
                        Action.DESCRIBE,
                        f"{text}; it is left alone and stays NULL in new rows",
                        name,
                        blocks=False,
                    )
                )
            else:
                changes.append(Change(Action.RELAX, f"{text} and REQUIRED, so no row could be written", name))
    return changes


def _losses(table: Table, stored: StoredTable) -> list[Change]:
    """Columns that nobody declares, where a day that is written again would lose them."""
    return [
        Change(
            Action.REFUSE,
            f"column {name} ({kept.words}) is stored but not declared, and days that are made again would"
            " lose it: restore the declaration, or move the table away and materialize it again",
            name,
        )
        for name, kept in stored.columns.items()
        if not table.has(name)
    ]


def _wording(table: Table, stored: StoredTable, options: Mapping[str, str]) -> list[Change]:
    found = []
    if stored.description != table.description:
        found.append("the description")
    words = [
        c.name
        for c in table.columns
        if c.name in stored.columns and stored.columns[c.name].description != c.description
    ]
    if words:
        found.append(f"the description of {len(words)} column(s)")
    found += [name for name, value in options.items() if stored.options.get(name, "") != value]
    return (
        [Change(Action.DESCRIBE, f"{', '.join(found)} differ(s) from the declaration", blocks=False)]
        if found
        else []
    )
