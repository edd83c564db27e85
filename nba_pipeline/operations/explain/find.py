"""Finding what an explanation is asked for: the column, the day and the one row, and saying what is wrong
with the question.

Belongs here: matching names and the messages when nothing matches. Does not belong here: explaining
(``explain.py``).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from nba_pipeline.clock import now
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import ManifestEntry

_ALIASES = {"player": ("player_full_name", "player_name", "player_lookup"), "team": ("team_abbr",)}
_MOST = 5


def require_column(table: Table, column: str) -> None:
    """ConfigurationError, with the columns that may have been meant, if the table has none of that name."""
    if not table.has(column):
        raise ConfigurationError(
            f"{table.full_name} has no column {column!r}{_meant(column, table.column_names)} See"
            " docs/tables.md"
        )


def require_rows(table: Table, day: date, entry: ManifestEntry | None, start: date | None) -> ManifestEntry:
    """The day's entry; ConfigurationError when the day is not stored, or is and has no rows."""
    command = f"nba-pipeline backfill --tables {table.name} --start {day} --end {day}"
    if entry is None and start is not None and day < start:
        raise ConfigurationError(
            f"{day} is before the first day of the pipeline, {start} (NBA_PIPELINE_START_DATE)"
        )
    if entry is None and day > now().date():
        raise ConfigurationError(f"{day} is in the future: today is {now().date()} (US Eastern)")
    if entry is None:
        raise ConfigurationError(
            f"{table.full_name} has no stored day {day}: `nba-pipeline status` says why, `{command}` makes it"
        )
    if not entry.row_count:
        raise ConfigurationError(
            f"{table.full_name} {day} is stored and has no rows: {entry.reason or 'no reason was recorded'}"
        )
    return entry


def find_row(table: Table, rows: pd.DataFrame, wanted: Mapping[str, str], day: date) -> pd.Series:
    """The one row that the ``wanted`` texts name: equal to a column's value or, for names, a part of it.

    ``player`` and ``team`` stand for the columns of names. ConfigurationError when none or several match.
    """
    found = rows
    for name, text in wanted.items():
        columns = [c for c in _ALIASES.get(name, (name,)) if table.has(c)]
        if not columns:
            meant = _meant(name, [*table.column_names, *_ALIASES])
            raise ConfigurationError(
                f"{table.full_name} has no column {name!r}{meant} Its key is {', '.join(table.key)}"
            )
        texts = found[columns].astype(object).astype(str)
        exact = (texts == text).any(axis=1)
        plain = _plain(text)
        part = texts.apply(lambda c, plain=plain: c.map(lambda value: plain in _plain(value))).any(axis=1)
        matching = found[(exact if exact.any() else part).to_numpy(dtype=bool)]
        if matching.empty:
            raise ConfigurationError(
                f"{table.full_name} {day} has no row with {name}={text}{_near(table, found, columns, text)}"
            )
        found = matching
    if len(found) == 1:
        return found.iloc[0]
    asked = ", ".join(f"{k}={v}" for k, v in wanted.items()) or "no key"
    shown = "; ".join(
        ", ".join(str(row[k]) for k in naming(table)) for _, row in found.head(_MOST).iterrows()
    )
    more = " ..." if len(found) > _MOST else ""
    raise ConfigurationError(
        f"{table.full_name} {day}, --key {asked}: {len(found)} rows match: {shown}{more}. Name one row, by"
        f" {', '.join(naming(table))}"
    )


def naming(table: Table) -> list[str]:
    """The key and the names by which people know a row."""
    return [*table.key, *(c for c in ("player_full_name", "player_name", "player_lookup") if table.has(c))][
        :4
    ]


def _near(table: Table, rows: pd.DataFrame, columns: list[str], text: str) -> str:
    """The values nearest to the text, and how many there are."""
    values = sorted({str(v) for c in columns[:1] for v in rows[c].dropna()})
    by_plain = {_plain(v): v for v in values} | {_plain(v.split()[-1]): v for v in values if v.split()}
    near = list(
        dict.fromkeys(
            by_plain[p] for p in difflib.get_close_matches(_plain(text), by_plain, n=_MOST, cutoff=0.6)
        )
    )
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return (
        f"; there are {', '.join(values)}"
        if len(values) <= _MOST
        else f"; there are {len(rows)} rows, from {values[0]} to {values[-1]}"
    )


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else "."


def _plain(text: str) -> str:
    """A name as people type it: no accents, no case, letters and digits only."""
    bare = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in bare if c.isalnum())
