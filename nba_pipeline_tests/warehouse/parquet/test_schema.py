"""Changed declarations over stored Parquet days: what is accepted in place, what is refused with its rows,
what becomes stale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.operations.schema import apply_changes, plan_changes
from nba_pipeline.tables.evolution import Action, Change
from nba_pipeline.tables.render.arrow import content_hash, schema_version, to_arrow
from nba_pipeline.tables.spec import STRING, Column, Table, numeric
from nba_pipeline.warehouse.parquet.accepted import FILE_NAME
from nba_pipeline.warehouse.parquet.duck import query
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.warehouse.support import TABLE, day, many, rows

DAYS = [day(i) for i in range(3)]
WIDER = TABLE.with_column("minutes", type=numeric(9, 3))
NARROWER = TABLE.with_column("minutes", type=numeric(3, 2))
ADDED = replace(TABLE, columns=(*TABLE.columns, Column("steals", STRING, "New.")))
DROPPED = replace(TABLE, columns=tuple(c for c in TABLE.columns if c.name != "birth_date"))
DECIMAL_POINTS = TABLE.with_column("points", type=numeric(6, 2))


@pytest.fixture
def store(parquet: ParquetStore) -> ParquetStore:
    parquet.replace_range(TABLE, many(DAYS), [*DAYS, day(9)])
    return parquet


def files(store: ParquetStore) -> dict[date, tuple[int, int]]:
    """What tells a file that was written again from one that was not."""
    status = {d: store.path(TABLE, d).stat() for d in store.manifest(TABLE)}
    return {d: (s.st_mtime_ns, s.st_ino) for d, s in status.items()}


def apply(store: ParquetStore, table: Table) -> list[Change]:
    return apply_changes(store.schema, plan_changes(store.schema, [table]))[table.full_name]


def actions(store: ParquetStore, table: Table) -> list[tuple[Action, str | None, bool]]:
    return [(c.action, c.column, c.blocks) for c in store.schema.changes(table)]


def versions(store: ParquetStore, table: Table) -> set[str]:
    return {e.schema_version for e in store.manifest(table).values()}


def with_column(frame: pd.DataFrame, table: Table, value: object = None) -> pd.DataFrame:
    return frame.assign(**{c: value for c in table.column_names if c not in frame})[table.column_names]


def test_a_table_is_as_declared_before_its_first_day_and_after_it(parquet: ParquetStore) -> None:
    assert parquet.schema.changes(TABLE) == []
    assert apply(parquet, TABLE) == []
    parquet.replace_range(TABLE, many(DAYS), DAYS)
    assert parquet.schema.changes(TABLE) == []
    assert parquet.schema.changes(TABLE.with_column("points", description="Other words.")) == []


def test_widening_is_told_then_accepted_and_no_file_is_touched(store: ParquetStore) -> None:
    (change,) = store.schema.changes(WIDER)
    assert (change.action, change.column, change.blocks) == (Action.WIDEN, "minutes", True)
    assert (
        "stored as NUMERIC(6,2) and declared NUMERIC(9,3) (4 day(s), 2024-01-01 to 2024-01-10)" in change.text
    )
    before, entries = files(store), store.manifest(TABLE)
    assert apply(store, WIDER) == []
    assert files(store) == before
    assert store.schema.changes(WIDER) == []
    assert versions(store, WIDER) == {schema_version(WIDER)}
    assert {d: e.content_hash for d, e in store.manifest(WIDER).items()} == {
        d: e.content_hash for d, e in entries.items()
    }
    found = store.read(WIDER, DAYS)
    assert found["minutes"].tolist()[:2] == [0.0, 0.07]
    for one in DAYS:  # what is read hashes to what the entry says
        assert content_hash(WIDER, to_arrow(WIDER, store.read(WIDER, [one]))) == entries[one].content_hash
    assert store.replace_range(WIDER, many(DAYS), [*DAYS, day(9)]).written == frozenset()
    assert files(store) == before


def test_sql_shows_the_declared_type_with_days_of_one_or_of_several_declarations(store: ParquetStore) -> None:
    asked = "SELECT typeof(max(minutes)) AS t, max(minutes) AS m, count(*) AS n FROM analytics.box_scores"
    apply(store, WIDER)
    assert query(store.root, [WIDER], asked).to_pylist()[0]["t"] == "DECIMAL(9,3)"
    store.replace(WIDER, {day(5): rows(day(5)).assign(minutes=[123456.789, 1.0, 2.0])})
    found = query(store.root, [WIDER], asked).to_pylist()[0]
    assert (found["t"], str(found["m"]), found["n"]) == ("DECIMAL(9,3)", "123456.789", 12)


@pytest.mark.parametrize(
    "table", [WIDER, DECIMAL_POINTS, ADDED, DROPPED, TABLE.with_column("is_home", nullable=True)]
)
def test_a_stored_day_is_not_migrated_by_being_made_again(store: ParquetStore, table: Table) -> None:
    before = files(store)
    frame = with_column(many([*DAYS, day(5)]), table)
    with pytest.raises(
        SchemaDrift,
        match=r"box_scores on 2024-01-01: .* \(2 more day\(s\) as well\).*`nba-pipeline schema apply`",
    ) as caught:
        store.replace_range(table, frame, [*DAYS, day(5)])
    assert caught.value.days == tuple(DAYS)
    assert files(store) == before
    assert store.replace(table, {day(5): with_column(rows(day(5)), table)}).written == {
        day(5)
    }  # nothing is stored there


def test_integers_become_decimals_where_all_of_them_fit(store: ParquetStore) -> None:
    assert actions(store, DECIMAL_POINTS) == [(Action.WIDEN, "points", True)]
    before = store.manifest(TABLE)
    apply(store, DECIMAL_POINTS)
    assert store.schema.changes(DECIMAL_POINTS) == []
    assert store.read(DECIMAL_POINTS, DAYS)["points"].tolist() == [0.0, 1.0, 2.0] * 3
    assert query(
        store.root, [DECIMAL_POINTS], "SELECT typeof(max(points)) AS t FROM analytics.box_scores"
    ).to_pylist() == [{"t": "DECIMAL(6,2)"}]
    assert store.replace_range(DECIMAL_POINTS, many(DAYS), DAYS).written == frozenset()
    assert store.manifest(DECIMAL_POINTS)[day(0)].content_hash == before[day(0)].content_hash


def test_an_integer_that_does_not_fit_is_named(store: ParquetStore) -> None:
    store.replace(TABLE, {day(1): rows(day(1)).assign(points=[1, -10_000, 3])})
    (change,) = store.schema.changes(DECIMAL_POINTS)
    assert change.action is Action.REFUSE
    assert change.rows == (
        (
            "analytics.box_scores on 2024-01-02: game_id=0022400000, player_id=1, player_name=Dončić 1:"
            " points=-10000"
        ),
    )
    with pytest.raises(SchemaDrift, match="2024-01-02: a stored integer does not fit the declared NUMERIC"):
        store.read(DECIMAL_POINTS, DAYS)


def refused(store: ParquetStore, table: Table) -> Change:
    """The one change, after `apply` has refused it with its first row and has changed nothing."""
    before = sorted(p.name for p in store.folder(TABLE).iterdir())
    (change,) = store.schema.changes(table)
    assert change.action is Action.REFUSE
    with pytest.raises(SchemaDrift, match=r"Nothing was changed\.") as caught:
        apply(store, table)
    assert all(row in str(caught.value) for row in change.rows[:1])
    assert sorted(p.name for p in store.folder(TABLE).iterdir()) == before
    return change


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        (numeric(3, 2), 10.0, 9.99),
        (numeric(3, 2), -10.0, -9.99),
        (numeric(5, 1), 0.25, 0.5),
        (numeric(7, 1), -3.07, -3.1),
    ],
)
def test_narrowing_is_refused_and_names_the_rows(store: ParquetStore, type_, value, fits) -> None:
    narrower = TABLE.with_column("minutes", type=type_)
    fitting = many(DAYS).assign(minutes=0.0)
    store.replace_range(TABLE, fitting, DAYS)
    assert (
        "every value that is stored would fit, but this is never done in place"
        in refused(store, narrower).text
    )
    store.replace(TABLE, {day(2): rows(day(2)).assign(minutes=[fits, value, np.nan])})
    change = refused(store, narrower)
    assert change.rows == (
        (
            "analytics.box_scores on 2024-01-03: game_id=0022400000, player_id=1, player_name=Dončić 1:"
            f" minutes={value:.2f}"
        ),
    )
    assert "1 value(s) stand in the way" in change.text


def test_a_day_whose_new_rows_fit_may_be_made_again_under_a_narrower_type(store: ParquetStore) -> None:
    """Each of its values was checked against the type, and the day is replaced as a whole: nothing is
    lost."""
    assert store.replace(NARROWER, {day(1): rows(day(1))}).written == {day(1)}
    assert actions(store, NARROWER) == [(Action.REFUSE, "minutes", True)]
    assert actions(store, TABLE) == [(Action.WIDEN, "minutes", True)]  # and back


@pytest.mark.parametrize(
    ("table", "column", "count"),
    [(DROPPED, "birth_date", 6), (TABLE.with_column("player_name", type=numeric(5, 2)), "player_name", 6)],
)
def test_dropping_and_retyping_are_refused_and_name_the_rows(
    store: ParquetStore, table: Table, column: str, count: int
) -> None:
    change = refused(store, table)
    assert change.column == column
    assert f"{count} value(s) stand in the way" in change.text
    assert len(change.rows) == min(count, 5)
    assert f": {column}=" in change.rows[0]
    assert change.rows[0].startswith("analytics.box_scores on 2024-01-01: game_id=0022400000, player_id=0")


def test_a_required_column_cannot_be_added(store: ParquetStore) -> None:
    required = replace(TABLE, columns=(*TABLE.columns, Column("steals", STRING, "New.", nullable=False)))
    assert "declare it nullable first" in refused(store, required).text


def test_an_added_column_is_null_and_its_days_stale_until_they_are_made_again(store: ParquetStore) -> None:
    before, old = files(store), schema_version(TABLE)
    with pytest.raises(
        SchemaDrift, match=r"column steals is declared but was not stored.*`nba-pipeline schema diff`"
    ):
        store.read(ADDED, DAYS)
    assert actions(store, ADDED) == [(Action.ADD_COLUMN, "steals", True)]
    (left,) = apply(store, ADDED)
    assert (left.action, left.blocks) == (Action.RESTATE, False)
    assert "column(s) steals are NULL in days that were stored without them" in left.text
    assert files(store) == before
    assert versions(store, ADDED) == {old}  # so `status` and `plan` call them stale
    assert_frame_equal(store.read(ADDED, DAYS)[TABLE.column_names], many(DAYS))
    for _ in range(2):  # also where the rows are held in memory
        assert store.read(ADDED, DAYS, ["steals", "points"])["steals"].isna().all()
    counted = "SELECT count(*) AS n, count(steals) AS s FROM analytics.box_scores"
    assert query(store.root, [ADDED], counted).to_pylist() == [{"n": 9, "s": 0}]

    store.replace(ADDED, {day(0): with_column(rows(day(0)), ADDED, "x")})
    assert store.read(ADDED, DAYS)["steals"].notna().tolist() == [True] * 3 + [False] * 6
    assert query(store.root, [ADDED], counted).to_pylist() == [{"n": 9, "s": 3}]
    assert {d for d, e in store.manifest(ADDED).items() if e.schema_version == old} == {
        day(1),
        day(2),
        day(9),
    }
    store.replace_range(ADDED, with_column(many(DAYS), ADDED, "x"), [*DAYS, day(9)])
    assert store.schema.changes(ADDED) == []
    assert versions(store, ADDED) == {schema_version(ADDED)}


def test_changes_one_after_another_and_together(store: ParquetStore) -> None:
    apply(store, WIDER)
    both = replace(
        WIDER.with_column("is_home", nullable=True),
        columns=(*WIDER.columns, Column("steals", STRING, "New.")),
    )
    apply(store, both)
    assert versions(store, both) == {schema_version(TABLE)}
    store.replace_range(both, with_column(many(DAYS), both), [*DAYS, day(9)])
    widest = both.with_column("minutes", type=numeric(10, 3))
    assert apply(store, widest) == []
    assert versions(store, widest) == {schema_version(widest)}
    assert store.replace_range(widest, with_column(many(DAYS), widest), DAYS).written == frozenset()


def test_a_column_declared_required_makes_its_days_be_looked_at_again(store: ParquetStore) -> None:
    tightened = TABLE.with_column("rating", nullable=False)
    assert actions(store, tightened) == [(Action.RESTATE, None, False)]
    apply(store, tightened)
    assert versions(store, tightened) == {schema_version(TABLE)}
    assert store.replace_range(tightened, many(DAYS), DAYS).written == frozenset(DAYS)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:40], lambda text: text.replace('"lacking"', '"leaking"'), lambda text: ""]
)
def test_a_damaged_record_accepts_nothing(store: ParquetStore, damage: Callable[[str], str]) -> None:
    apply(store, WIDER)
    record = store.folder(TABLE) / FILE_NAME
    record.write_text(damage(record.read_text()))
    assert actions(store, WIDER) == [(Action.WIDEN, "minutes", True)]
    assert versions(store, WIDER) == {schema_version(TABLE)}
    apply(store, WIDER)
    assert store.schema.changes(WIDER) == []


def test_what_was_accepted_for_one_declaration_does_not_count_for_another(store: ParquetStore) -> None:
    apply(store, WIDER)
    assert store.schema.changes(TABLE) == []  # back again: the files never changed
    assert actions(store, TABLE.with_column("minutes", type=numeric(10, 3))) == [
        (Action.WIDEN, "minutes", True)
    ]


def test_a_damaged_day_is_made_again_under_any_declaration(store: ParquetStore) -> None:
    path = store.path(TABLE, day(0))
    path.write_bytes(path.read_bytes()[:-9])
    assert actions(store, WIDER) == [(Action.WIDEN, "minutes", True)]
    assert store.replace(WIDER, {day(0): rows(day(0))}).written == {day(0)}


def test_the_printed_views_show_the_same_rows(store: ParquetStore) -> None:
    import duckdb

    never = replace(TABLE, name="never")
    with duckdb.connect() as plain:
        for statement in [
            *store.schema.dataset_ddl([TABLE, never]),
            *store.schema.ddl(TABLE),
            *store.schema.ddl(never),
        ]:
            plain.execute(statement)
        assert plain.sql("SELECT count(*), max(minutes) FROM analytics.box_scores").fetchall()[0][0] == 9
        assert plain.sql("SELECT * FROM analytics.never").columns == TABLE.column_names
