"""Writing to BigQuery, measured against the loopback server of the tests: rows per second, and the share of
our own code.

    python bench/bigquery_write.py [--rows 130000] [--days 1538]

The server is on this machine and shares its cores, so the total says little about the production service;
what is ours (conversion and hashing, the Parquet of a write) is the same there.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.tables.spec import Column, Kind, Table
from nba_pipeline.warehouse.bigquery.write import Write, encoded
from nba_pipeline.warehouse.prepare import prepare_range
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import store_over

FIRST = date(2021, 10, 19)


def values(table: Table, column: Column, count: int, days: int, draw: np.random.Generator) -> object:
    kind = column.type.kind
    if column.name == table.partition_column:
        return (np.datetime64(FIRST, "D") + np.sort(draw.integers(0, days, count))).astype("datetime64[s]")
    if column.name in table.key or kind is Kind.INT64:
        number = np.arange(count)
        return number if kind is Kind.INT64 else [f"00{n:08d}" for n in number]
    if kind is Kind.NUMERIC:
        top = 10 ** min(4, (column.type.precision or 0) - (column.type.scale or 0)) - 1
        return np.round(draw.random(count) * top, column.type.scale or 0)
    if kind is Kind.FLOAT64:
        return draw.random(count)
    if kind is Kind.BOOL:
        return draw.random(count) < 0.5
    if kind is Kind.DATE:
        return np.full(count, np.datetime64(FIRST, "s"))
    return draw.choice(np.array(["LAL", "BOS", "DEN", "a longer text of a player's line"]), count)


def frame_of(table: Table, count: int, days: int) -> pd.DataFrame:
    draw = np.random.default_rng(7)
    return pd.DataFrame(
        {
            c.name: pd.Series(values(table, c, count, days, draw)).astype(pandas_dtype(c))
            for c in table.columns
        }
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rows", type=int, default=130_000)
    options.add_argument("--days", type=int, default=1_538)
    given = options.parse_args()
    table = TABLES["nba_analytics.player_game_summary"]
    days = [FIRST + timedelta(days=n) for n in range(given.days)]
    frame = frame_of(table, given.rows, given.days)

    started = time.perf_counter()
    prepared = prepare_range(table, frame, days)
    converted = time.perf_counter() - started
    started = time.perf_counter()
    content = encoded(Write(prepared, days, datetime.now(UTC), {}))
    packed = time.perf_counter() - started
    with FakeBigQuery() as fake:
        store = store_over(fake)
        store.schema.create_datasets([table])
        store.schema.create(table)
        started = time.perf_counter()
        store.replace_range(table, frame, days)
        total = time.perf_counter() - started
        jobs = sum(job.parent is None for job in fake.jobs)
        started = time.perf_counter()
        store.replace_range(table, frame, days)
        again = time.perf_counter() - started
    size, share = (
        f"{given.rows:,} rows x {len(table.columns)} columns, {given.days:,} days",
        (converted + packed) / total,
    )
    print(f"{size}, {len(content) / 2**20:.1f} MiB of Parquet, {jobs} jobs")
    print(f"conversion, sorting and hashing  {converted:6.2f} s")
    print(f"Parquet of the write             {packed:6.2f} s")
    print(
        f"whole write                      {total:6.2f} s  ({given.rows / total:,.0f} rows/s; {share:.0%} in"
        " our code)"
    )
    print(f"the same write again             {again:6.2f} s  (nothing changed: no job)")


if __name__ == "__main__":
    main()
