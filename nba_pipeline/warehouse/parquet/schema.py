"""Declared tables against the files that hold them: what separates the two, and accepting what may stay as it
is.

Belongs here: ``ParquetSchema``. Does not belong here: what a difference means (``tables/evolution.py``), what
was accepted (``accepted.py``), reading and writing days (``store.py``).

A table is a file per day, and each carries the schema under which it was written. So nothing is ever altered:
a file of a narrower type reads as the wider one, and `apply` only records that such days need not be made
again. All files of one schema version have the same columns (the version is a digest of them), so one file
per version is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.tables.evolution import (
    Action,
    Change,
    StoredColumn,
    StoredTable,
    blocking,
    differences,
    narrows,
)
from nba_pipeline.tables.render.arrow import column_type, schema_version, widened
from nba_pipeline.tables.render.duckdb import schema_statement, view_statement
from nba_pipeline.tables.spec import INT64, ColumnType, Kind, Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry
from nba_pipeline.warehouse.parquet.accepted import Accepted, load_accepted, save_accepted
from nba_pipeline.warehouse.parquet.files import DamagedFile, decode, open_part, stored_schema
from nba_pipeline.warehouse.parquet.folder import ParquetFolder

_MOST_ROWS = 5
"""Rows that are named of those that stand in the way; the others are counted."""


class ParquetSchema:
    """The tables of one Parquet warehouse."""

    def __init__(self, folder: ParquetFolder) -> None:
        self._folder = folder

    # ------------------------------------------------------------------------------------------ looking

    def versions(self, table: Table) -> dict[str, list[date]]:
        """The days of each schema version, oldest first. Damaged files are left out: reading them names the
        damage."""
        try:
            entries = self._folder.entries(table)
        except CorruptPartition as error:
            entries = dict(error.readable)
        found: dict[str, list[date]] = {}
        for day, entry in sorted(entries.items()):
            found.setdefault(entry.schema_version, []).append(day)
        return found

    def changes(self, table: Table) -> list[Change]:
        """What separates the stored days from the declaration. A table without days is as declared: nothing
        has to be made."""
        declared = schema_version(table)
        accepted = load_accepted(self._folder.folder(table), declared)
        found = []
        for version, days in self.versions(table).items():
            if version != declared and version not in accepted.as_declared:
                found += self._changes_of(table, days, restate=version in accepted.lacking)
        return sorted(found, key=lambda c: list(Action).index(c.action))

    def _changes_of(self, table: Table, days: Sequence[date], *, restate: bool) -> list[Change]:
        stored = self._stored(table, days)
        found = [] if stored is None else differences(table, stored, keeps_undeclared=False)
        where = f"{len(days)} day(s), {days[0]} to {days[-1]}" if len(days) > 1 else f"on {days[0]}"
        if restate:
            names = ", ".join(c.column or "" for c in found if c.action is Action.ADD_COLUMN)
            text = (
                f"column(s) {names} are NULL in days that were stored without them; the next backfill makes"
                f" these again ({where})"
            )
            return [Change(Action.RESTATE, text, blocks=False)]
        if stored is None or not found:
            text = (
                "days were stored under another declaration (key, or required columns); the next backfill"
                f" makes them again ({where})"
            )
            return [Change(Action.RESTATE, text, blocks=False)]
        return [self._examined(table, stored, change, days, where) for change in found]

    def _stored(self, table: Table, days: Iterable[date]) -> StoredTable | None:
        """The columns of days of one version, from the first of their files that is intact."""
        for day in days:
            loaded = self._folder.load(table, day)
            try:
                schema = stored_schema(open_part(loaded[1], table, day)[1], table) if loaded else None
            except DamagedFile:
                continue  # reading it names the damage, and the day is made again as a whole
            if schema is not None:
                return StoredTable(
                    {f.name: _stored_column(table, f) for f in schema},
                    table.partition_column,
                    table.description,
                )
        return None

    def _examined(
        self, table: Table, stored: StoredTable, change: Change, days: Sequence[date], where: str
    ) -> Change:
        """The change with the days it concerns and, where values stand in its way, the rows that hold
        them."""
        told = replace(change, text=f"{change.text} ({where})")
        name = change.column
        if change.action is not Action.REFUSE or name is None or name not in stored.columns:
            return told
        kept, wanted = stored.columns[name].type, table.column(name).type if table.has(name) else None
        rows, count = self._misfits(table, stored, name, wanted, days)
        if kept == INT64 and wanted is not None and wanted.kind is Kind.NUMERIC and not count:
            return Change(
                Action.WIDEN,
                f"column {name} is stored as {kept} and declared {wanted}; every stored value fits ({where})",
                name,
            )
        values = (
            f"{count} value(s) stand in the way"
            if count
            else "every value that is stored would fit, but this is never done in place"
        )
        return replace(told, text=f"{told.text}; {values}", rows=rows)

    def _misfits(
        self, table: Table, stored: StoredTable, column: str, wanted: ColumnType | None, days: Sequence[date]
    ) -> tuple[tuple[str, ...], int]:
        """(the first rows whose value cannot be kept, in words, and how many there are)."""
        names = [
            c
            for c, s in stored.columns.items()
            if s.type is not None and s.type.kind is Kind.STRING and c.endswith("_name")
        ]
        labels = [
            c
            for c in dict.fromkeys([*table.key, *names])
            if c in stored.columns and c not in (column, table.partition_column)
        ]
        rows: list[str] = []
        count = 0
        for day in days:
            loaded = self._folder.load(table, day)
            try:
                part = decode(loaded[1], table, day, [*labels, column]) if loaded else None
            except DamagedFile:
                continue
            if part is None:
                continue
            found = part.filter(_does_not_fit(part.column(column), wanted))
            count += found.num_rows
            for record in found.slice(0, max(0, _MOST_ROWS - len(rows))).to_pylist():
                where = ", ".join(f"{label}={record[label]}" for label in labels)
                rows.append(f"{table.full_name} on {day}: {where}: {column}={record[column]}")
        return tuple(rows), count

    # ------------------------------------------------------------------------------------------ writing days

    def check_replaceable(
        self, table: Table, stored: Mapping[date, ManifestEntry], accepted: Accepted
    ) -> None:
        """SchemaDrift for stored days whose declaration nobody has migrated: a day that is made again changes
        no schema.

        Days that are not stored are written as declared. A narrower NUMERIC is let through: each of the day's
        new values has been checked against it, and the day is replaced as a whole.
        """
        versions: dict[str, list[date]] = {}
        for day, entry in stored.items():
            if entry.schema_version not in accepted.all:
                versions.setdefault(entry.schema_version, []).append(day)
        drifted: dict[date, str] = {}
        for days in versions.values():
            kept = self._stored(table, days)
            if kept and (found := _needs_apply(table, kept)):
                drifted |= dict.fromkeys(days, found[0].text)
        if drifted:
            first = min(drifted)
            more = f" ({len(drifted) - 1} more day(s) as well)" if len(drifted) > 1 else ""
            raise SchemaDrift(
                f"{table.full_name} on {first}: {drifted[first]}{more}. What is stored was left as it is."
                " `nba-pipeline schema diff` shows every difference, `nba-pipeline schema apply` makes those"
                " that can be made in place.",
                days=sorted(drifted),
            )

    # ------------------------------------------------------------------------------------------ statements

    def ddl(self, table: Table, changes: Sequence[Change] | None = None) -> list[str]:
        """The statement of the DuckDB view that shows the table as declared. Changes need no statement."""
        if changes is not None:
            return []
        stored = [
            kept.columns for days in self.versions(table).values() if (kept := self._stored(table, days))
        ]
        return [
            view_statement(
                table,
                self._folder.files(table),
                [{n: c.type for n, c in columns.items()} for columns in stored],
            )
        ]

    def dataset_ddl(self, tables: Iterable[Table]) -> list[str]:
        return [schema_statement(name) for name in dict.fromkeys(t.dataset for t in tables)]

    # ------------------------------------------------------------------------------------------ accepting

    def create_datasets(self, tables: Iterable[Table]) -> None:
        """Nothing: folders are made with the first day."""

    def apply(self, table: Table, changes: Sequence[Change]) -> list[Change]:
        """Record that days of older declarations may stay as they are, and return what still separates the
        table.

        Raises SchemaDrift before anything is done when one of the changes is refused. No day's file is
        touched.
        """
        if refused := [c for c in changes if c.action is Action.REFUSE]:
            raise SchemaDrift(f"{table.full_name}: {refused[0].text}. Nothing of this table was changed.")
        declared = schema_version(table)
        before = load_accepted(self._folder.folder(table), declared)
        as_declared, lacking = set(before.as_declared), set(before.lacking)
        for version, days in self.versions(table).items():
            stored = self._stored(table, days) if version not in before.all else None
            actions = (
                {c.action for c in differences(table, stored, keeps_undeclared=False)} if stored else set()
            )
            if Action.ADD_COLUMN in actions:
                lacking.add(version)
            elif (
                actions
            ):  # without any difference in columns the days are made again: their rows have to be looked at
                as_declared.add(version)
        save_accepted(
            self._folder.folder(table), Accepted(declared, frozenset(as_declared), frozenset(lacking))
        )
        left = self.changes(table)
        if blocking(left):
            raise SchemaDrift(
                f"{table.full_name}: after the change it still differs: {blocking(left)[0].text}."
            )
        return left


def _stored_column(table: Table, field: pa.Field) -> StoredColumn:
    """A file holds no descriptions, so they never differ."""
    kind = column_type(field.type)
    words = table.column(field.name).description if table.has(field.name) else ""
    return StoredColumn(kind, field.nullable, str(kind or field.type), words)


def _needs_apply(table: Table, stored: StoredTable) -> list[Change]:
    """The differences that a day must not overcome by being written again."""
    found = []
    for change in blocking(differences(table, stored, keeps_undeclared=False)):
        kept = stored.columns.get(change.column or "")
        declared = table.column(change.column).type if change.column and table.has(change.column) else None
        if not (kept and kept.type and declared and narrows(kept.type, declared)):
            found.append(change)
    return found


def _does_not_fit(values: pa.ChunkedArray, wanted: ColumnType | None) -> pa.ChunkedArray:
    """Which values the wanted type cannot hold. Without a type (a column that goes), or with one of another
    kind: all of them."""
    numbers = pa.types.is_decimal(values.type) or pa.types.is_integer(values.type)
    if wanted is None or wanted.kind is not Kind.NUMERIC or not numbers:
        return pc.is_valid(values)
    assert wanted.scale is not None
    room = widened(
        values,
        pa.decimal128(38, max(wanted.scale, values.type.scale if pa.types.is_decimal(values.type) else 0)),
    )
    too_large = pc.greater(pc.abs(room), pa.scalar(wanted.physical_max).cast(room.type))
    cut = (
        pc.not_equal(room, pc.round(room, ndigits=wanted.scale))
        if room.type.scale > wanted.scale
        else pa.scalar(False)
    )
    return pc.fill_null(pc.or_(too_large, cut), False)
