"""What a table *is*: the frozen vocabulary in which every table is declared.

Belongs here: column types, bounds, ``Column``, ``Table`` and the questions they answer about themselves. Does
not belong here: the declarations (``columns.py``, ``raw.py``, ``analytics.py``), anything that turns one into
another system's schema (``render/``), and any import beyond the standard library and
``formula.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from nba_pipeline.tables.formula import Statement

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,127}")
REJECTED_SUFFIX = "__rejected"


class Kind(StrEnum):
    """The BigQuery type names this project uses; every other system's type is derived from them."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    NUMERIC = "NUMERIC"
    BOOL = "BOOL"
    DATE = "DATE"


@dataclass(frozen=True)
class ColumnType:
    """A type; ``precision`` and ``scale`` are set for NUMERIC only."""

    kind: Kind
    precision: int | None = None
    scale: int | None = None

    def __post_init__(self) -> None:
        if self.kind is Kind.NUMERIC:
            if self.precision is None or self.scale is None:
                raise ValueError("NUMERIC needs a precision and a scale")
            # BigQuery: 0 <= s <= 9 and max(1, s) <= p <= s + 29. This project keeps p <= 15, because frames
            # hold NUMERIC values as float64, which carries 15 significant decimal digits exactly.
            if not (0 <= self.scale <= 9 and max(1, self.scale) <= self.precision <= 15):
                raise ValueError(
                    f"NUMERIC({self.precision},{self.scale}) is outside what this project supports"
                )
        elif self.precision is not None or self.scale is not None:
            raise ValueError(f"{self.kind} takes no precision or scale")

    @property
    def physical_max(self) -> Decimal | None:
        """The largest magnitude NUMERIC(p,s) can hold, ``10^(p-s) - 10^-s``; None for other types."""
        if self.kind is not Kind.NUMERIC:
            return None
        assert self.precision is not None and self.scale is not None
        return Decimal(10) ** (self.precision - self.scale) - Decimal(10) ** -self.scale

    def widened_for(self, value: float) -> ColumnType:
        """The NUMERIC with this scale and just enough precision for ``value``, at least this one's."""
        assert self.precision is not None and self.scale is not None
        digits = len(str(int(abs(value) + 0.5 * 10.0**-self.scale)))
        return replace(self, precision=max(self.precision, digits + self.scale))

    def __str__(self) -> str:
        return f"NUMERIC({self.precision},{self.scale})" if self.kind is Kind.NUMERIC else str(self.kind)


STRING = ColumnType(Kind.STRING)
INT64 = ColumnType(Kind.INT64)
FLOAT64 = ColumnType(Kind.FLOAT64)
BOOL = ColumnType(Kind.BOOL)
DATE = ColumnType(Kind.DATE)


def numeric(precision: int, scale: int) -> ColumnType:
    return ColumnType(Kind.NUMERIC, precision, scale)


@dataclass(frozen=True)
class Column:
    """One column.

    ``formula``: how its values come about; None where the row comes with them (published, or saying what the
    row is about). ``minimum``/``maximum`` are *semantic* bounds (outside them a value is impossible); the
    physical range of a NUMERIC column is derived from its type and is never declared. ``allowed`` lists the
    values of a code column, ``pattern`` is a regular expression that the whole string must match.
    """

    name: str
    type: ColumnType
    description: str
    unit: str = ""
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    source: str = ""
    formula: Statement | None = None

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a column name ([a-z][a-z0-9_]*)")
        if not self.description:
            raise ValueError(f"column {self.name} has no description")


@dataclass(frozen=True)
class Table:
    """One table: its address, its grain, its key and its columns in storage order.

    ``key`` identifies a row within the whole table. ``phase`` is the group shown in the UI and the order of
    the pipeline. Every table is partitioned by day on ``game_date``.
    """

    dataset: str
    name: str
    description: str
    grain: str
    phase: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    kinds: tuple[str, ...] = ("pandas",)
    owners: tuple[str, ...] = ("team:nba-data",)

    partition_column = "game_date"

    def __post_init__(self) -> None:
        for part in (self.dataset, self.name):
            if not _IDENTIFIER.fullmatch(part):
                raise ValueError(f"{part!r} is not an identifier ([a-z][a-z0-9_]*)")
        names = self.column_names
        repeated = {n for n in names if names.count(n) > 1}
        if repeated:
            raise ValueError(f"{self.full_name} declares {sorted(repeated)} twice")
        absent = [n for n in (*self.key, self.partition_column) if n not in names]
        if absent:
            raise ValueError(f"{self.full_name} has no column {absent}, which its key or partitioning names")

    @property
    def full_name(self) -> str:
        return f"{self.dataset}.{self.name}"

    @property
    def asset_key(self) -> tuple[str, str]:
        return (self.dataset, self.name)

    @property
    def column_names(self) -> list[str]:
        return [c.name for c in self.columns]

    def column(self, name: str) -> Column:
        for c in self.columns:
            if c.name == name:
                return c
        raise KeyError(f"{self.full_name} has no column {name}")

    def has(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)

    def columns_of(self, *kinds: Kind) -> list[Column]:
        return [c for c in self.columns if c.type.kind in kinds]

    def with_column(self, name: str, **changes: object) -> Table:
        """This table with one column's declaration changed (used by tests, demonstrations and migrations)."""
        self.column(name)
        changed = tuple(replace(c, **changes) if c.name == name else c for c in self.columns)  # type: ignore[arg-type]
        return replace(self, columns=changed)

    def rejected(self) -> Table:
        """The quarantine table of this table: the key of the refused row, why, and the row with its inputs as
        JSON."""
        return Table(
            dataset=self.dataset,
            name=f"{self.name}{REJECTED_SUFFIX}",
            description=(
                f"Rows of {self.full_name} that its contract refused under `on_invalid_rows: quarantine`."
            ),
            grain="one row per refused row",
            phase=self.phase,
            key=(self.partition_column, "row_number"),
            columns=REJECTED_COLUMNS,
            kinds=self.kinds,
            owners=self.owners,
        )


REJECTED_COLUMNS: tuple[Column, ...] = (
    Column("game_date", DATE, "US Eastern calendar date of the slate.", nullable=False),
    Column(
        "row_number",
        INT64,
        "Position of the row among the refused rows of its day.",
        nullable=False,
        minimum=0,
    ),
    Column("failure_class", STRING, "Why the row was refused: one of the failure classes.", nullable=False),
    Column(
        "check_name", STRING, "The check that refused the row (the first, when several did).", nullable=False
    ),
    Column("column_name", STRING, "The offending column, where one column is to blame."),
    Column("message", STRING, "What was wrong, in words, with the value and the bound.", nullable=False),
    Column("row_key", STRING, "The row's key as JSON.", nullable=False),
    Column("row_values", STRING, "The whole row as JSON, as it was computed.", nullable=False),
    Column("inputs", STRING, "The inputs of the computation as JSON."),
)


def pick(
    dictionary: dict[str, Column],
    names: Iterable[str],
    *,
    nullable: Iterable[str] = (),
    required: Iterable[str] = (),
    formulas: Mapping[str, Statement] | None = None,
) -> tuple[Column, ...]:
    """Columns of the dictionary by name, in that order.

    ``nullable``, ``required``: names whose nullability differs in this table. ``formulas``: how columns come
    about in this table, for names that several tables have (points of a player, points of a team).
    """
    loosened, tightened, stated = set(nullable), set(required), dict(formulas or {})
    chosen = []
    for name in names:
        column = dictionary[name]
        if name in loosened:
            column = replace(column, nullable=True)
        if name in tightened:
            column = replace(column, nullable=False)
        if name in stated:
            column = replace(column, formula=stated[name])
        chosen.append(column)
    unknown = (loosened | tightened | set(stated)) - {c.name for c in chosen}
    if unknown:
        raise ValueError(f"nullability or formula given for columns that are not picked: {sorted(unknown)}")
    return tuple(chosen)
