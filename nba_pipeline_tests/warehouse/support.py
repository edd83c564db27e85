"""Tables, frames and writer processes for the tests of warehouses; no table of the project, no network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import BOOL, DATE, FLOAT64, INT64, STRING, Column, Table, numeric
from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.bigquery.store import BigQueryStore
from nba_pipeline.warehouse.parquet import store as parquet_module
from nba_pipeline.warehouse.parquet.store import ParquetStore

FIRST_DAY = date(2024, 1, 1)


def make_table(name: str = "box_scores", **changes: object) -> Table:
    fields: dict[str, object] = {
        "dataset": "analytics",
        "name": name,
        "description": "A table for tests.",
        "grain": "one row per player and game",
        "phase": "tests",
        "key": ("game_id", "player_id"),
        "columns": (
            Column("game_date", DATE, "The day.", nullable=False),
            Column("game_id", STRING, "The game.", nullable=False),
            Column("player_id", INT64, "The player.", nullable=False),
            Column("player_name", STRING, "A name."),
            Column("minutes", numeric(6, 2), "A decimal."),
            Column("points", INT64, "A count."),
            Column("rating", FLOAT64, "A double."),
            Column("is_starter", BOOL, "A flag."),
            Column("is_home", BOOL, "A flag that is always known.", nullable=False),
            Column("birth_date", DATE, "Another date."),
        ),
    }
    return Table(**(fields | changes))  # type: ignore[arg-type]


TABLE = make_table()


def day(offset: int) -> date:
    return FIRST_DAY + timedelta(days=offset)


def frame_of(table: Table, columns: dict[str, Sequence[object]]) -> pd.DataFrame:
    """A frame with the declared dtypes; columns that are not given are NULL."""
    length = len(next(iter(columns.values())))
    data = {
        c.name: pd.Series(list(columns.get(c.name, [None] * length)), dtype=object).astype(pandas_dtype(c))
        for c in table.columns
    }
    return pd.DataFrame(data)


def rows(when: date, count: int = 3, shift: int = 0) -> pd.DataFrame:
    """Rows of one day, sorted by key, NULLs included; ``shift`` makes other content under the same keys."""
    index = range(count)
    return frame_of(
        TABLE,
        {
            "game_date": [np.datetime64(when, "s")] * count,
            "game_id": [f"00224{i // 2:05d}" for i in index],
            "player_id": list(index),
            "player_name": [None if i % 3 == 2 else f"Dončić {i + shift}" for i in index],
            "minutes": [None if i % 4 == 3 else (i * 7 + shift) / 100 for i in index],
            "points": [None if i % 5 == 4 else i + shift for i in index],
            "rating": [i / 3 + shift for i in index],
            "is_starter": [None if i % 3 == 1 else i % 2 == 0 for i in index],
            "is_home": [i % 2 == 0 for i in index],
            "birth_date": [
                np.datetime64("NaT", "s") if i % 2 else np.datetime64("1999-02-28", "s") for i in index
            ],
        },
    )


def many(days: Sequence[date], count: int = 3, shift: int = 0) -> pd.DataFrame:
    return pd.concat([rows(d, count, shift) for d in days], ignore_index=True)


def migrate(store: Store, table: Table) -> None:
    """What a person does after changing a declaration, where a warehouse keeps a schema of its own: `schema
    apply`."""
    if isinstance(store, (BigQueryStore, ParquetStore)):
        store.schema.apply(table, store.schema.changes(table))


def write_forever(
    root: str,
    offsets: Sequence[int],
    count: int,
    ready: object = None,
    stop: object = None,
    together: bool = False,
) -> None:
    """The body of a writer process: two contents in turn (shift 1, shift 2) over the same days, until stopped
    or killed.

    ``together``: these few days are written as many days are, with one sync for all.
    """
    if together:
        parquet_module._MANY_DAYS = 1
    store, days = ParquetStore(Path(root)), [day(o) for o in offsets]
    contents = [many(days, count, shift) for shift in (1, 2)]
    turn = 0
    while stop is None or not stop.is_set():  # type: ignore[attr-defined]
        store.replace_range(TABLE, contents[turn % 2], days)
        turn += 1
        if ready is not None:
            ready.set()  # type: ignore[attr-defined]
