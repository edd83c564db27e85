"""What every store does before writing days and after reading them, so that all stores behave alike.

Belongs here: preparing frames (``prepare_range``, ``prepare_frames``: validation, conversion, hashing, all
without a side effect), the two ways to write (``PreparingStore``), finding days that need no write
(``unchanged_days``) and turning stored days back into a frame (``assemble``). Does not belong here: any
storage, and any judgement of the values (``checks/``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import pyarrow as pa

from nba_pipeline.failures import PipelineError, SchemaDrift
from nba_pipeline.tables.render.arrow import (
    arrow_schema,
    arrow_type,
    check_columns,
    content_hashes,
    day_bounds,
    from_arrow,
    schema_version,
    sort_rows,
    to_arrow,
    widened,
)
from nba_pipeline.tables.render.frames import empty_frame
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import CorruptPartition, ManifestEntry, ReplaceResult, SchemaStore
from nba_pipeline.warehouse.quota import QuotaStore


@dataclass(frozen=True)
class PreparedDay:
    """One day as it will be stored: rows sorted by key, its hash, and why it is empty (if it is)."""

    data: pa.Table
    content_hash: str
    reason: str | None

    @property
    def row_count(self) -> int:
        return self.data.num_rows


@dataclass(frozen=True)
class Prepared:
    """A set of validated days, ready to be stored. ``ordered`` holds the rows of all of them, sorted by day,
    then key."""

    table: Table
    schema_version: str
    ordered: pa.Table
    days: Mapping[date, PreparedDay]


def as_days(days: Iterable[date]) -> list[date]:
    """Plain dates, each once, in order (timestamps are dates too, and would not compare equal to them)."""
    return sorted({d.date() if isinstance(d, datetime) else d for d in days})


def prepare_range(
    table: Table, frame: pd.DataFrame, days: Iterable[date], reasons: Mapping[date, str] | None = None
) -> Prepared:
    """Validate and convert one frame of many days; every one of ``days`` is in the result, with or without
    rows."""
    return _prepare(table, to_arrow(table, frame), as_days(days), reasons or {})


def prepare_frames(
    table: Table, frames: Mapping[date, pd.DataFrame], reasons: Mapping[date, str] | None = None
) -> Prepared:
    """The same for one frame per day. Each row must lie in the day whose frame holds it."""
    by_day = {as_days([day])[0]: frame for day, frame in frames.items()}
    for day, frame in by_day.items():
        check_columns(table, frame)
        values = frame[table.partition_column]
        if not (values == pd.Timestamp(day)).all():
            _check_days(table, pd.to_datetime(values).dropna().dt.date.unique(), [day])
    parts = [frame[table.column_names] for frame in by_day.values() if len(frame)]
    if (
        len({tuple(part.dtypes) for part in parts}) > 1
    ):  # pandas would find a common dtype, and could lose digits doing so
        arrow = pa.concat_tables([to_arrow(table, part) for part in parts])
    else:
        arrow = to_arrow(table, pd.concat(parts, ignore_index=True) if parts else empty_frame(table))
    return _prepare(table, arrow, sorted(by_day), reasons or {})


def _prepare(table: Table, arrow: pa.Table, days: list[date], reasons: Mapping[date, str]) -> Prepared:
    _check_dates_present(table, arrow)
    ordered = sort_rows(table, arrow)
    bounds = day_bounds(table, ordered)
    _check_days(table, bounds, days)
    bounds = {day: bounds.get(day, (0, 0)) for day in days}
    hashes = content_hashes(table, ordered, bounds)
    prepared = {
        day: PreparedDay(
            ordered.slice(start, stop - start), hashes[day], None if stop > start else reasons.get(day)
        )
        for day, (start, stop) in bounds.items()
    }
    return Prepared(table, schema_version(table), ordered, prepared)


def _check_dates_present(table: Table, arrow: pa.Table) -> None:
    if arrow.column(
        table.partition_column
    ).null_count:  # possible only where a declaration leaves the column nullable
        raise PipelineError(
            f"{table.full_name}: a row has no {table.partition_column}, so it belongs to no day; nothing was"
            " written."
        )


def _check_days(table: Table, found: Iterable[date], expected: Sequence[date]) -> None:
    strangers = sorted(set(found) - set(expected))
    if strangers:
        asked = (
            f"{expected[0]}"
            if len(expected) == 1
            else f"{len(expected)} days from {expected[0]} to {expected[-1]}"
            if expected
            else "no day"
        )
        raise PipelineError(
            f"{table.full_name}: rows of"
            f" {', '.join(map(str, strangers[:3]))}{' and other days' if len(strangers) > 3 else ''} were"
            f" given where {asked} is to be replaced. Give each day its own rows; nothing was written.",
            days=expected,
        )


def unchanged_days(prepared: Prepared, stored: Mapping[date, ManifestEntry]) -> set[date]:
    """The days whose stored entry says that writing them again would change nothing."""
    return {
        day
        for day, new in prepared.days.items()
        if (old := stored.get(day)) is not None
        and (old.content_hash, old.schema_version, old.reason)
        == (new.content_hash, prepared.schema_version, new.reason)
    }


class PreparingStore(ABC):
    """The two ways to write into a store, as one: whatever is given is prepared first, and a store only
    stores it. What a store has not (schemas to change, quotas, a quick look at one day) is here as well."""

    @property
    def schema(self) -> SchemaStore | None:
        return None

    @property
    def quota(self) -> QuotaStore | None:
        return None

    def replace(
        self, table: Table, frames: Mapping[date, pd.DataFrame], *, reasons: Mapping[date, str] | None = None
    ) -> ReplaceResult:
        return self._store(prepare_frames(table, frames, reasons))

    def replace_range(
        self,
        table: Table,
        frame: pd.DataFrame,
        days: Iterable[date],
        *,
        reasons: Mapping[date, str] | None = None,
    ) -> ReplaceResult:
        return self._store(prepare_range(table, frame, days, reasons))

    @abstractmethod
    def manifest(self, table: Table) -> dict[date, ManifestEntry]: ...

    def entry(self, table: Table, day: date) -> ManifestEntry | None:
        try:
            return self.manifest(table).get(day)
        except CorruptPartition as error:
            if day in error.paths:
                raise
            return error.readable.get(day)

    @abstractmethod
    def _store(self, prepared: Prepared) -> ReplaceResult:
        """Swap the days, except those that ``unchanged_days`` finds."""


# ---------------------------------------------------------------------------------------------- reading


def assemble(
    table: Table, parts: Sequence[tuple[date, pa.Table]], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """One frame from stored days given in order; raises SchemaDrift where a day is not what the table now
    declares."""
    names = chosen_columns(table, columns)
    declared = arrow_schema(table, descriptions=False)
    # Nullability is judged by the rows, not by the flag of the file: a column made required reads if it holds
    # no NULL.
    target = pa.schema([declared.field(n).with_nullable(True) for n in names])
    required = [n for n in names if not declared.field(n).nullable]
    problems: dict[date, str] = {}
    tables = []
    for day, part in parts:
        if problem := drift(target, part.schema):
            problems[day] = problem
        elif nulls := [n for n in required if part.column(n).null_count]:
            problems[day] = f"column {nulls[0]} is declared required, but the stored rows hold NULL in it"
        else:
            try:
                tables.append(_as(target, part.select(names)))
            except pa.ArrowInvalid as error:
                problems[day] = f"a stored integer does not fit the declared NUMERIC: {error}"
    if problems:
        raise drift_error(table, problems)
    return from_arrow(table, pa.concat_tables(tables), names) if tables else empty_frame(table, names)


def _as(target: pa.Schema, part: pa.Table) -> pa.Table:
    if part.schema.types == target.types:
        return pa.Table.from_arrays(part.columns, schema=target)
    columns = [widened(part.column(field.name), field.type) for field in target]
    return pa.Table.from_arrays(columns, schema=target)


def with_absent(table: Table, part: pa.Table, names: Sequence[str]) -> pa.Table:
    """Stored rows with NULL for those declared nullable columns that they were written without."""
    for name in names:
        if name not in part.column_names and table.column(name).nullable:
            part = part.append_column(name, pa.nulls(part.num_rows, arrow_type(table.column(name).type)))
    return part


def chosen_columns(table: Table, columns: Sequence[str] | None) -> list[str]:
    """The columns asked for; a name the table does not declare is a mistake of the caller."""
    if columns is None:
        return table.column_names
    unknown = [c for c in columns if not table.has(c)]
    if unknown:
        raise SchemaDrift(
            f"{table.full_name} declares no column {', '.join(unknown)}; it has"
            f" {', '.join(table.column_names)}."
        )
    return list(columns)


def drift(target: pa.Schema, stored: pa.Schema) -> str | None:
    """Why stored columns cannot be read as declared, or None. A NUMERIC that grew on both sides reads without
    loss, and integers read as NUMERIC where they fit, which only their values tell."""
    for field in target:
        index = stored.get_field_index(field.name)
        if index < 0:
            return f"column {field.name} is declared but was not stored"
        kept = stored.field(index).type
        if kept != field.type and not _widens(kept, field.type):
            return (
                f"column {field.name} is stored as {kept}, which cannot be read as the declared {field.type}"
                " without loss"
            )
    return None


def _widens(stored: pa.DataType, declared: pa.DataType) -> bool:
    if pa.types.is_integer(stored) and pa.types.is_decimal(declared):
        return True
    if not (pa.types.is_decimal(stored) and pa.types.is_decimal(declared)):
        return False
    return (
        declared.scale >= stored.scale
        and declared.precision - declared.scale >= stored.precision - stored.scale
    )


def drift_error(table: Table, problems: Mapping[date, str]) -> SchemaDrift:
    day = min(problems)
    more = f" ({len(problems) - 1} more day(s) differ as well)" if len(problems) > 1 else ""
    return SchemaDrift(
        f"{table.full_name} on {day}: {problems[day]}{more}. The day was written under an older declaration:"
        " materialize it again, or restore the declaration it was written under; `nba-pipeline schema diff`"
        " shows every difference.",
        days=sorted(problems),
    )
