"""SQL over the embedded warehouse: what it shows and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from nba_pipeline.tables.render.arrow import arrow_type
from nba_pipeline.tables.spec import STRING, Column, numeric
from nba_pipeline.warehouse.parquet import files
from nba_pipeline.warehouse.parquet.duck import WrongQuery, connect, query
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.warehouse.support import TABLE, day, make_table, many, rows

EMPTY = make_table("select")  # never written, and a word of SQL
DAYS = [day(i) for i in range(4)]


@pytest.fixture
def root(parquet: ParquetStore) -> Path:
    parquet.replace_range(TABLE, many(DAYS), [*DAYS, day(9)])
    return parquet.root


def test_a_query(root):
    found = query(
        root,
        [TABLE],
        "SELECT game_date, count(*) AS n, sum(minutes) AS m FROM analytics.box_scores GROUP BY 1 ORDER BY 1",
    )
    assert found.column("game_date").to_pylist() == DAYS
    assert found.column("n").to_pylist() == [3] * 4
    assert str(found.column("m")[0]) == "0.21"


@pytest.mark.parametrize("table", [TABLE, EMPTY])
def test_views_have_the_declared_columns_with_and_without_days(root, table):
    found = query(root, [TABLE, EMPTY], f'SELECT * FROM analytics."{table.name}"')
    assert found.num_rows == (12 if table is TABLE else 0)
    assert found.schema.names == table.column_names
    assert found.schema.types == [arrow_type(c.type) for c in table.columns]


def test_a_warehouse_that_does_not_exist_yet(tmp_path):
    assert query(tmp_path / "nothing", [TABLE], "FROM analytics.box_scores").num_rows == 0


def test_the_folder_of_a_table_is_read_as_everybody_reads_folders(root):
    """The partition column once stood in the files too: pandas and pyarrow refused the whole folder."""
    folder = root / "analytics" / "box_scores"
    by_duckdb = duckdb.sql(f"SELECT count(*), max(game_date) FROM '{folder}/*/part.parquet'").fetchall()
    assert by_duckdb == [(12, day(3))]
    by_pandas = pd.read_parquet(folder)
    assert len(by_pandas) == 12
    assert by_pandas["game_date"].astype(str).max() == str(day(3))
    by_pyarrow = ds.dataset(
        folder, partitioning=ds.partitioning(pa.schema([("game_date", pa.date32())]), flavor="hive")
    )
    kept = by_pyarrow.to_table(filter=ds.field("game_date") == day(2))
    assert kept.num_rows == 3
    assert set(kept.column_names) == set(TABLE.column_names)


def test_files_of_earlier_versions_hold_the_day_as_a_column_and_are_read(root, parquet, monkeypatch):
    monkeypatch.setattr(files, "_without_day", lambda table, data: data)
    monkeypatch.setattr(files, "_LAYOUT", "")
    parquet.replace(TABLE, {day(1): rows(day(1)).assign(points=1), day(7): rows(day(7))})
    monkeypatch.undo()
    assert "game_date" in pq.read_schema(parquet.path(TABLE, day(7))).names
    fresh = ParquetStore(root)
    found = fresh.read(TABLE, [day(1), day(2), day(7)])
    assert found["game_date"].dt.date.tolist() == [d for d in (day(1), day(2), day(7)) for _ in range(3)]
    assert list(found.columns) == TABLE.column_names
    assert fresh.schema.changes(TABLE) == []
    sql = "SELECT game_date, count(*) AS n FROM analytics.box_scores GROUP BY 1 ORDER BY 1"
    assert query(root, [TABLE], sql).column("game_date").to_pylist() == [*DAYS, day(7)]
    again = fresh.replace(TABLE, {day(d): rows(day(d)) for d in (2, 7)})
    assert again.written == {day(7)}, "the same rows, in a file that everybody can read"
    assert "game_date" not in pq.read_schema(parquet.path(TABLE, day(7))).names


def test_days_of_several_declarations_are_matched_by_name(root, parquet):
    newer = replace(
        TABLE.with_column("minutes", type=numeric(8, 2)),
        columns=(*TABLE.columns[:4], Column("minutes", numeric(8, 2), "m"), *TABLE.columns[5:]),
    )
    newer = replace(newer, columns=(*newer.columns, Column("steals", STRING, "New.")))
    parquet.replace(newer, {day(5): rows(day(5)).assign(steals="x", minutes=[123456.78, 1, 2])})
    found = query(
        root, [newer], "SELECT count(*) AS n, count(steals) AS s, max(minutes) AS m FROM analytics.box_scores"
    )
    assert [str(found.column(c)[0]) for c in ("n", "s", "m")] == ["15", "3", "123456.78"]


def test_a_damaged_day_fails_only_its_own_table(root, parquet):
    other = make_table("other")
    parquet.replace(other, {day(0): rows(day(0))})
    parquet.path(TABLE, day(1)).write_bytes(b"PAR1 nothing here PAR1")
    assert query(root, [TABLE, other], "SELECT * FROM analytics.other").num_rows == 3
    with pytest.raises(WrongQuery, match="the query is wrong"):
        query(root, [TABLE, other], "SELECT sum(points) FROM analytics.box_scores")


@pytest.mark.parametrize(
    "statement",
    [
        "DESCRIBE analytics.box_scores",
        "SHOW ALL TABLES",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "WITH a AS (SELECT 1) FROM a",
    ],
)
def test_reading_statements_are_accepted(root, statement):
    assert isinstance(query(root, [TABLE], statement), pa.Table)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO analytics.box_scores SELECT * FROM analytics.box_scores",
        "DELETE FROM analytics.box_scores",
        "CREATE TABLE t (a INT)",
        "DROP VIEW analytics.box_scores",
        "COPY (SELECT 1) TO '{root}/copy.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/copy.csv'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{root}/copy.csv'",
        "/* harmless */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/copy.csv'",
        "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/copy.csv'",
        "SELECT 1; COPY (SELECT 1) TO '{root}/copy.csv'",
        "ATTACH '{root}/other.db'",
        "EXPORT DATABASE '{root}/dump'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "",
    ],
)
def test_everything_else_is_refused(root, statement):
    files = sorted(root.rglob("*"))
    with pytest.raises(WrongQuery, match=r"read-only here|not SQL|one statement|is wrong"):
        query(root, [TABLE], statement.format(root=root))
    assert sorted(root.rglob("*")) == files


def test_other_files_are_out_of_reach(root, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(WrongQuery, match="the query is wrong"):
        query(root, [TABLE], f"SELECT * FROM read_csv('{secret}')")
    with connect(root, [TABLE]) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'")
    assert not (tmp_path / "out.csv").exists()


def test_nonsense_is_explained(root):
    with pytest.raises(WrongQuery, match="not SQL that DuckDB understands"):
        query(root, [TABLE], "SELCT 1")
    with pytest.raises(WrongQuery, match=r"the query is wrong.*nowhere"):
        query(root, [TABLE], "SELECT * FROM nowhere")


def test_a_root_with_a_quote_in_its_name(tmp_path):
    store = ParquetStore(tmp_path / "it's here")
    store.replace(TABLE, {day(0): rows(day(0)).assign(rating=np.nan)})
    assert query(store.root, [TABLE], "FROM analytics.box_scores").num_rows == 3
