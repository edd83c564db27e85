"""What every store promises (``warehouse/base.py``), as one suite over all of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline.tables.render.frames import empty_frame, pandas_dtype
from nba_pipeline.tables.spec import STRING, Column, numeric
from nba_pipeline.warehouse.base import Store
from nba_pipeline_tests.warehouse.support import TABLE, day, frame_of, make_table, many, migrate, rows


def test_is_a_store(store):
    assert isinstance(store, Store)
    assert TABLE.name in store.location(TABLE)


def test_nothing_is_stored_at_first(store):
    assert store.manifest(TABLE) == {}
    assert_frame_equal(store.read(TABLE, [day(0)]), empty_frame(TABLE))


def test_what_is_written_is_read(store):
    result = store.replace(TABLE, {day(0): rows(day(0)), day(1): rows(day(1), 5)})
    assert result.written == {day(0), day(1)}
    assert_frame_equal(
        store.read(TABLE, [day(0), day(1)]), pd.concat([rows(day(0)), rows(day(1), 5)], ignore_index=True)
    )


def test_manifest_tells_what_is_stored(store):
    before = datetime.now(UTC)
    result = store.replace(TABLE, {day(1): rows(day(1)), day(0): rows(day(0), 4)})
    manifest = store.manifest(TABLE)
    assert manifest == dict(result.entries)
    assert list(manifest) == [day(0), day(1)]
    assert [e.row_count for e in manifest.values()] == [4, 3]
    assert manifest[day(0)].content_hash != manifest[day(1)].content_hash
    assert before <= manifest[day(0)].written_at <= datetime.now(UTC)


def test_replacing_leaves_other_days_alone_and_no_old_rows(store):
    store.replace(TABLE, {day(0): rows(day(0), 9), day(1): rows(day(1))})
    store.replace(TABLE, {day(0): rows(day(0), 2, shift=5)})
    assert_frame_equal(store.read(TABLE, [day(0)]), rows(day(0), 2, shift=5))
    assert_frame_equal(store.read(TABLE, [day(1)]), rows(day(1)))


def test_unchanged_days_are_not_written_again(store):
    first = store.replace(TABLE, {day(0): rows(day(0)), day(1): rows(day(1))})
    second = store.replace(TABLE, {day(0): rows(day(0)), day(1): rows(day(1), shift=1)})
    assert second.written == {day(1)}
    assert second.entries[day(0)] == first.entries[day(0)]
    assert store.manifest(TABLE) == dict(second.entries)


def test_a_new_declaration_or_reason_is_a_change(store):
    store.replace(TABLE, {day(0): empty_frame(TABLE)}, reasons={day(0): "postponed"})
    assert store.replace(TABLE, {day(0): empty_frame(TABLE)}, reasons={day(0): "off_day"}).written == {day(0)}
    assert store.manifest(TABLE)[day(0)].reason == "off_day"
    assert (
        store.replace(TABLE, {day(0): empty_frame(TABLE)}, reasons={day(0): "off_day"}).written == frozenset()
    )
    required = TABLE.with_column("points", nullable=False)
    assert store.replace(required, {day(0): empty_frame(required)}, reasons={day(0): "off_day"}).written == {
        day(0)
    }


def test_empty_days_are_present_with_their_reason(store):
    result = store.replace_range(
        TABLE, rows(day(1)), [day(0), day(1), day(2)], reasons={day(0): "off_day", day(1): "ignored"}
    )
    assert result.written == {day(0), day(1), day(2)}
    manifest = store.manifest(TABLE)
    assert [(e.row_count, e.reason) for e in manifest.values()] == [(0, "off_day"), (3, None), (0, None)]
    assert_frame_equal(store.read(TABLE, [day(0)]), empty_frame(TABLE))
    assert len(store.read(TABLE, [day(0), day(1), day(2)])) == 3


def test_a_day_that_becomes_empty_loses_its_rows(store):
    store.replace(TABLE, {day(0): rows(day(0))})
    store.replace_range(TABLE, empty_frame(TABLE), [day(0)])
    assert store.manifest(TABLE)[day(0)].row_count == 0
    assert store.read(TABLE, [day(0)]).empty


def test_range_and_single_days_store_the_same(store):
    days = [day(i) for i in range(4)]
    a = store.replace_range(TABLE, many(days), days)
    b = store.replace(TABLE, {d: rows(d) for d in days})
    assert b.written == frozenset()
    assert b.entries == a.entries


def test_column_and_row_order_do_not_matter(store):
    store.replace(TABLE, {day(0): rows(day(0), 8)})
    shuffled = rows(day(0), 8).sample(frac=1, random_state=1)[TABLE.column_names[::-1]]
    assert store.replace(TABLE, {day(0): shuffled}).written == frozenset()
    store.replace(TABLE, {day(1): shuffled.assign(game_date=np.datetime64(day(1), "s"))})
    assert_frame_equal(store.read(TABLE, [day(1)]), rows(day(1), 8))


def test_days_may_be_timestamps_and_come_in_any_order(store):
    store.replace_range(TABLE, many([day(1), day(0)]), [pd.Timestamp(day(1)), pd.Timestamp(day(0))])
    assert list(store.manifest(TABLE)) == [day(0), day(1)]
    again = store.read(TABLE, [pd.Timestamp(day(1)), day(0), day(1)])
    assert_frame_equal(again, many([day(0), day(1)]))


@pytest.mark.parametrize(
    "columns", [["points"], ["minutes", "game_date"], ["player_name", "player_id", "is_home"]]
)
def test_reads_only_the_columns_asked_for(store, columns):
    store.replace(TABLE, {day(0): rows(day(0)), day(1): rows(day(1))})
    assert_frame_equal(store.read(TABLE, [day(0), day(1)], columns), many([day(0), day(1)])[columns])
    assert_frame_equal(store.read(TABLE, [day(7)], columns), empty_frame(TABLE, columns))


def test_an_undeclared_column_cannot_be_read(store):
    store.replace(TABLE, {day(0): rows(day(0))})
    with pytest.raises(SchemaDrift, match="declares no column steals"):
        store.read(TABLE, [day(0)], ["steals"])


def test_absent_days_add_no_rows(store):
    store.replace(TABLE, {day(1): rows(day(1))})
    assert_frame_equal(store.read(TABLE, [day(0), day(1), day(2)]), rows(day(1)))
    assert set(store.manifest(TABLE)) == {day(1)}


def test_tables_are_separate(store):
    other = make_table("other")
    store.replace(TABLE, {day(0): rows(day(0))})
    store.replace(other, {day(0): rows(day(0), 5)})
    assert len(store.read(TABLE, [day(0)])) == 3
    assert len(store.read(other, [day(0)])) == 5


def test_quarantine_tables_are_ordinary_tables(store):
    rejected = TABLE.rejected()
    frame = frame_of(
        rejected,
        {
            "game_date": [np.datetime64(day(0), "s")] * 2,
            "row_number": [0, 1],
            **{c: ["x", "y"] for c in ("failure_class", "check_name", "message", "row_key", "row_values")},
        },
    )
    store.replace(rejected, {day(0): frame})
    assert_frame_equal(store.read(rejected, [day(0)]), frame)
    assert store.manifest(TABLE) == {}


def _bad_frames():
    good = rows(day(0))
    too_large = good.assign(minutes=[1.0, 10000.0, -12345.678])
    return {
        "missing column": (
            good.drop(columns="points"),
            SchemaDrift,
            "lacks column points",
            FailureClass.SCHEMA_DRIFT,
        ),
        "unknown column": (
            good.assign(steals=1),
            SchemaDrift,
            "steals, which is not declared",
            FailureClass.SCHEMA_DRIFT,
        ),
        "repeated column": (
            pd.concat([good, good[["points"]]], axis=1),
            SchemaDrift,
            "points more than once",
            FailureClass.SCHEMA_DRIFT,
        ),
        "another day": (many([day(0), day(9)]), PipelineError, "rows of 2024-01-10", FailureClass.CODE_ERROR),
        "overflow": (
            too_large,
            PipelineError,
            r"minutes on 2024-01-01 is 10000\.0.*9999\.99.*NUMERIC\(7,2\)",
            FailureClass.TYPE_OVERFLOW,
        ),
        "null": (
            good.assign(is_home=[True, None, False]),
            PipelineError,
            "is_home is required but NULL",
            FailureClass.INCOMPLETE_INPUT,
        ),
        "text": (
            good.assign(points=["a", "b", "c"]),
            SchemaDrift,
            "points is declared INT64",
            FailureClass.SCHEMA_DRIFT,
        ),
        "fraction": (
            good.assign(points=[1.0, 2.5, np.nan]),
            SchemaDrift,
            "points on 2024-01-01 is",
            FailureClass.SCHEMA_DRIFT,
        ),
    }


@pytest.mark.parametrize("kind", _bad_frames())
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(
            lambda store, frame: store.replace(TABLE, {day(1): rows(day(1)), day(0): frame}), id="days"
        ),
        pytest.param(lambda store, frame: store.replace_range(TABLE, frame, [day(0), day(1)]), id="range"),
    ],
)
def test_bad_frames_are_refused_before_a_side_effect(store, kind, write):
    frame, error, message, failure_class = _bad_frames()[kind]
    store.replace(TABLE, {day(0): rows(day(0), 7), day(1): rows(day(1), 7)})
    before = store.manifest(TABLE)
    with pytest.raises(error, match=message) as caught:
        write(store, frame)
    assert caught.value.failure_class is failure_class
    assert TABLE.full_name in str(caught.value)
    assert store.manifest(TABLE) == before
    assert len(store.read(TABLE, [day(0), day(1)])) == 14


def test_an_overflow_names_every_day_it_concerns(store):
    frame = many([day(0), day(1), day(2)])
    frame.loc[frame["game_date"] != np.datetime64(day(1), "s"), "minutes"] = np.inf
    with pytest.raises(PipelineError) as caught:
        store.replace_range(TABLE, frame, [day(0), day(1), day(2)])
    assert caught.value.days == (day(0), day(2))


def test_a_widened_decimal_reads_old_days(store):
    store.replace(TABLE, {day(0): rows(day(0))})
    wider = TABLE.with_column("minutes", type=numeric(9, 3))
    migrate(store, wider)
    store.replace(wider, {day(1): rows(day(1)).assign(minutes=[12345.678, 1.0, 2.0])})
    assert store.read(wider, [day(0), day(1)])["minutes"].tolist() == [0.0, 0.07, 0.14, 12345.678, 1.0, 2.0]


def test_a_day_of_an_older_declaration_is_drift(store):
    store.replace(TABLE, {day(0): rows(day(0)), day(1): rows(day(1))})
    newer = replace(TABLE, columns=(*TABLE.columns, Column("steals", STRING, "New.")))
    with pytest.raises(
        SchemaDrift,
        match=r"box_scores on 2024-01-01: column steals is declared but was not stored.*materialize it again",
    ) as caught:
        store.read(newer, [day(0), day(1)])
    assert caught.value.days == (day(0), day(1))
    assert len(store.read(newer, [day(0)], ["points"])) == 3
    with pytest.raises(SchemaDrift, match="column minutes is stored as decimal"):
        store.read(TABLE.with_column("minutes", type=numeric(5, 2)), [day(0)])
    with pytest.raises(SchemaDrift, match="column points is stored as int64"):
        store.read(TABLE.with_column("points", type=STRING), [day(0)])
    with pytest.raises(SchemaDrift, match="player_name is declared required, but the stored rows hold NULL"):
        store.read(TABLE.with_column("player_name", nullable=False), [day(0)])
    fewer = replace(TABLE, columns=tuple(c for c in TABLE.columns if c.name != "points"))
    assert "points" not in store.read(fewer, [day(0)])


def test_frames_of_different_dtypes_are_stored_alike(store):
    plain = rows(day(0)).assign(points=[1, 2, 3])
    with_gaps = rows(day(1)).assign(points=[1.0, np.nan, 3.0])
    store.replace(TABLE, {day(0): plain, day(1): with_gaps, day(2): empty_frame(TABLE)})
    points = store.read(TABLE, [day(0), day(1)])["points"]
    assert points.dtype == pandas_dtype(TABLE.column("points"))
    assert points.tolist() == [1, 2, 3, 1, pd.NA, 3]


def test_readers_see_whole_days_while_a_writer_loops(store):
    contents = [rows(day(0), 40, shift) for shift in (1, 2)]
    store.replace(TABLE, {day(0): contents[0]})
    stop = threading.Event()

    def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            store.replace(TABLE, {day(0): contents[turn % 2]})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = set()
        for _ in range(60):
            found = store.read(TABLE, [day(0)])
            shift = int(found["points"].iloc[0])
            assert_frame_equal(found, contents[shift - 1])
            assert store.manifest(TABLE)[day(0)].row_count == 40
            seen.add(shift)
    finally:
        stop.set()
        writer.join()
    assert seen


def test_writers_of_different_days_do_not_disturb_each_other(store):
    errors = []

    def write(offset: int) -> None:
        try:
            for turn in range(15):
                store.replace(TABLE, {day(offset): rows(day(offset), 4, shift=turn)})
        except Exception as error:  # noqa: BLE001, RUF100 - reported by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_frame_equal(
        store.read(TABLE, [day(0), day(1), day(2)]), many([day(0), day(1), day(2)], 4, shift=14)
    )
    assert len(store.manifest(TABLE)) == 3
