"""Frames to Arrow and back: exactness, refusals, and the content hash."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal

from nba_pipeline.failures import FailureClass, PipelineError, SchemaDrift
from nba_pipeline.tables.render.arrow import (
    arrow_schema,
    content_hash,
    from_arrow,
    schema_version,
    sort_rows,
    split_days,
    to_arrow,
)
from nba_pipeline.tables.render.frames import empty_frame, pandas_dtype
from nba_pipeline.tables.spec import FLOAT64, Kind, numeric
from nba_pipeline_tests.warehouse.conftest import STORES
from nba_pipeline_tests.warehouse.support import TABLE, day, frame_of, make_table, many, rows


def test_schema_follows_the_declaration():
    schema = arrow_schema(TABLE)
    assert schema.names == TABLE.column_names
    assert schema.field("minutes").type == pa.decimal128(6, 2)
    assert schema.field("game_date").type == pa.date32()
    assert [f.name for f in schema if not f.nullable] == ["game_date", "game_id", "player_id", "is_home"]
    assert schema.field("points").metadata == {b"description": b"A count."}


def test_schema_version_sees_what_is_stored_and_nothing_else():
    version = schema_version(TABLE)
    assert (
        version == "89260aa91c5b"
    )  # golden: a change here makes every stored day look written under another declaration
    assert schema_version(TABLE.with_column("points", description="Other words.")) == version
    assert schema_version(replace(TABLE, columns=TABLE.columns[::-1])) == version
    changed = [
        TABLE.with_column("points", nullable=False),
        TABLE.with_column("points", type=FLOAT64),
        TABLE.with_column("minutes", type=numeric(7, 2)),
        replace(TABLE, key=("game_id",)),
        replace(TABLE, columns=TABLE.columns[:-1]),
    ]
    assert len({schema_version(t) for t in changed} | {version}) == len(changed) + 1


# ------------------------------------------------------------------------------------------------ round trips

CENTS = st.integers(-999_999, 999_999)
VALUES = {
    Kind.STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT64: st.floats(allow_nan=False),
    Kind.NUMERIC: (
        st.one_of(st.sampled_from([999_999, -999_999, 0, 1, -1]), CENTS).map(lambda cents: cents / 100)
    ),
    Kind.BOOL: st.booleans(),
    Kind.DATE: st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda d: np.datetime64(d, "s")),
}


@st.composite
def frames(draw):
    count = draw(st.integers(0, 6))
    columns = {}
    for column in TABLE.columns:
        values = VALUES[column.type.kind]
        columns[column.name] = draw(
            st.lists(values if not column.nullable else st.none() | values, min_size=count, max_size=count)
        )
    columns["game_date"] = [np.datetime64(day(0), "s")] * count
    columns["player_id"] = list(range(count))
    return frame_of(TABLE, columns).sort_values(["game_id", "player_id"], ignore_index=True)


@settings(max_examples=60, deadline=None)
@given(frames())
def test_every_value_survives(frame):
    arrow = to_arrow(TABLE, frame)
    arrow.validate(full=True)
    restored = from_arrow(TABLE, arrow)
    assert_frame_equal(restored, frame, check_exact=True)
    assert content_hash(TABLE, arrow) == content_hash(TABLE, to_arrow(TABLE, restored))


@settings(max_examples=15, deadline=None)
@given(frame=frames())
@pytest.mark.parametrize("kind", sorted(STORES))
def test_every_value_survives_every_store(kind, frame, tmp_path_factory):
    store = STORES[kind](tmp_path_factory.mktemp(kind))
    store.replace(TABLE, {day(0): frame})
    found = store.read(TABLE, [day(0)])
    ordered = from_arrow(TABLE, sort_rows(TABLE, to_arrow(TABLE, frame)))  # keys order by their UTF-8 bytes
    assert_frame_equal(found, ordered, check_exact=True)


@pytest.mark.parametrize(("precision", "scale"), [(6, 2), (5, 0), (15, 9), (15, 2), (9, 9)])
def test_every_decimal_has_its_exact_value(precision, scale):
    table = TABLE.with_column("minutes", type=numeric(precision, scale))
    largest = 10**precision - 1
    units = [*np.random.default_rng(0).integers(-largest, largest, 500).tolist(), largest, -largest, 0, 1, -1]
    frame = many([day(0)], len(units)).assign(minutes=[float(Decimal(u).scaleb(-scale)) for u in units])
    arrow = to_arrow(table, frame)
    assert arrow.column("minutes").to_pylist() == [Decimal(u).scaleb(-scale) for u in units]
    assert from_arrow(table, arrow)["minutes"].tolist() == frame["minutes"].tolist()


@pytest.mark.parametrize("value", [9999.99, -9999.99, 9999.994, -9999.994])
def test_the_largest_decimals_fit(value):
    stored = to_arrow(TABLE, rows(day(0), 1).assign(minutes=[value])).column("minutes").to_pylist()
    assert stored == [Decimal("9999.99").copy_sign(Decimal(value))]


@pytest.mark.parametrize("value", [9999.996, 10000.0, -10000.0, np.inf, -np.inf, 1e300])
def test_the_next_larger_decimals_do_not(value):
    with pytest.raises(PipelineError, match=r"from -9999\.99 to 9999\.99") as caught:
        to_arrow(TABLE, rows(day(0), 1).assign(minutes=[value]))
    assert caught.value.failure_class is FailureClass.TYPE_OVERFLOW
    assert caught.value.days == (day(0),)


def test_the_error_proposes_the_type_that_fits():
    for value, proposal in [
        (12345.0, r"NUMERIC\(7,2\)"),
        (9999.995001, r"NUMERIC\(7,2\)"),
        (1e9, r"NUMERIC\(12,2\)"),
        (1e14, "FLOAT64"),
    ]:
        with pytest.raises(PipelineError, match=f"declare the column {proposal}"):
            to_arrow(TABLE, rows(day(0), 1).assign(minutes=[value]))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("points", [2.0**63] * 3, "points on 2024-01-01 is"),
        ("points", [True, False, True], "points is declared INT64"),
        ("points", [1.5, 1.0, 2.0], r"is .*1\.5.*, but the column is declared INT64"),
        ("minutes", ["1.5", "2", "3"], "minutes is declared NUMERIC"),
        ("minutes", [True, True, False], "minutes is declared NUMERIC"),
        ("player_name", [1, 2, 3], "player_name is declared STRING"),
        ("is_starter", [0, 1, 1], "is_starter is declared BOOL"),
        ("birth_date", pd.to_datetime(["2024-01-01 12:00"] * 3), "drop the time of day"),
        ("player_name", pd.Series(["\ud800", "a", "b"], dtype=object), "player_name is declared STRING"),
    ],
)
def test_values_of_another_type_are_refused(column, values, message):
    with pytest.raises(PipelineError, match=message):
        to_arrow(TABLE, rows(day(0)).assign(**{column: values}))


def test_ordinary_python_values_are_accepted():
    frame = rows(day(0)).assign(
        game_date=[day(0)] * 3,
        minutes=[Decimal("1.10"), None, 2],
        points=[1.0, np.nan, 3.0],
        is_starter=[True, None, False],
        player_name=["a", None, "b"],
    )
    restored = from_arrow(TABLE, to_arrow(TABLE, frame))
    assert restored["minutes"].tolist()[::2] == [1.1, 2.0]
    assert restored["points"].tolist() == [1, pd.NA, 3]
    assert restored.dtypes.tolist() == empty_frame(TABLE).dtypes.tolist()


def test_text_in_a_whole_number_column_is_never_parsed():
    with pytest.raises(SchemaDrift, match="points is declared INT64"):
        to_arrow(TABLE, rows(day(0)).assign(points=["1", "2", "3"]))


def test_a_projection_of_columns():
    arrow = to_arrow(TABLE, rows(day(0)))
    assert_frame_equal(from_arrow(TABLE, arrow, ["points", "game_id"]), rows(day(0))[["points", "game_id"]])


# ------------------------------------------------------------------------------------------------ the content
# hash


def test_the_hash_is_stable():
    """Golden values: if these change, every stored day of every warehouse is rewritten once. Is that what you
    want?"""
    assert content_hash(TABLE, to_arrow(TABLE, rows(day(0)))) == "0621f8810bb882f5bc09feb2aa168d5d"
    assert content_hash(TABLE, to_arrow(TABLE, empty_frame(TABLE))) == "0b7abb55101c112a48c6834c775379aa"


def test_the_hash_ignores_how_rows_are_held():
    arrow = to_arrow(TABLE, rows(day(0), 12))
    expected = content_hash(TABLE, arrow)
    variants = {
        "chunks": pa.concat_tables([arrow.slice(0, 5), arrow.slice(5, 0), arrow.slice(5)]),
        "slice": pa.concat_tables([to_arrow(TABLE, rows(day(0), 3, 9)), arrow]).combine_chunks().slice(3),
        "rows": arrow.take([7, 0, 11, 3, 1, 2, 10, 9, 8, 4, 5, 6]),
        "columns": arrow.select(TABLE.column_names[::-1]),
        "metadata": arrow.replace_schema_metadata({"a": "b"}),
        "text type": arrow.cast(
            pa.schema(
                [
                    pa.field(f.name, pa.large_string() if f.type == pa.string() else f.type)
                    for f in arrow.schema
                ]
            )
        ),
        "parquet types": arrow.cast(pa.schema([pa.field(f.name, f.type) for f in arrow.schema])),
    }
    assert {name for name, variant in variants.items() if content_hash(TABLE, variant) != expected} == set()


def test_the_hash_ignores_negative_zero_nan_payloads_and_what_lies_under_nulls():
    table = make_table(key=("player_id",))
    arrow = to_arrow(table, rows(day(0), 2))
    at = arrow.schema.get_field_index("rating")

    def hash_of(bits: list[int], mask: list[bool] | None = None) -> str:
        values = np.array(bits, dtype="uint64").view("float64")
        return content_hash(
            table,
            arrow.set_column(
                at,
                arrow.schema.field("rating"),
                pa.array(values, mask=None if mask is None else np.array(mask)),
            ),
        )

    assert hash_of([0, 1]) == hash_of([1 << 63, 1])
    assert hash_of([0x7FF8000000000000, 1]) == hash_of([0xFFF8000000000BAD, 1])
    assert hash_of([5, 1], [True, False]) == hash_of([6, 1], [True, False])
    assert hash_of([0, 1]) != hash_of([0, 1], [True, False])
    assert (
        to_arrow(table, rows(day(0), 1).assign(rating=[-0.0])).column("rating").to_pylist()[0].hex()
        == (0.0).hex()
    )


def test_the_hash_sees_every_change():
    frame = rows(day(0), 6)
    changes = {
        "player_name": "",
        "minutes": 0.99,
        "points": 77,
        "rating": 0.5,
        "is_starter": None,
        "birth_date": np.datetime64("NaT"),
    }
    seen = {content_hash(TABLE, to_arrow(TABLE, frame))}
    for name, value in changes.items():
        for row in (0, 2):
            changed = frame.copy()
            changed.loc[row, name] = value
            seen.add(content_hash(TABLE, to_arrow(TABLE, changed)))
    assert len(seen) == 2 * len(changes) + 1
    renamed = replace(
        TABLE, columns=tuple(replace(c, name="goals") if c.name == "points" else c for c in TABLE.columns)
    )
    assert content_hash(renamed, to_arrow(renamed, frame.rename(columns={"points": "goals"}))) not in seen
    double = TABLE.with_column("minutes", type=FLOAT64)
    assert content_hash(double, to_arrow(double, frame)) not in seen


@pytest.mark.parametrize(
    ("column", "wider"), [("minutes", numeric(7, 2)), ("minutes", numeric(9, 4)), ("points", numeric(6, 2))]
)
def test_the_hash_of_a_number_does_not_depend_on_the_width_of_its_column(column, wider):
    """Otherwise widening a column would make every day look changed that is made from one that did not
    change."""
    frame = rows(day(0), 6).assign(
        minutes=[-1.5, -0.01, 0.0, np.nan, 9999.99, 12.34], points=[-3, 0, 7, None, 9999, 1]
    )
    table = TABLE.with_column(column, type=wider)
    assert content_hash(table, to_arrow(table, frame)) == content_hash(TABLE, to_arrow(TABLE, frame))
    for value in (0.02, -0.02, 2.0):
        changed = frame.assign(**{column: [value, *frame[column][1:]]})
        assert content_hash(table, to_arrow(table, changed)) != content_hash(table, to_arrow(table, frame))


def test_the_hash_tells_integers_apart_that_are_one_double():
    large = [
        content_hash(TABLE, to_arrow(TABLE, rows(day(0), 1).assign(points=[2**53 + n]))) for n in range(2)
    ]
    assert large[0] != large[1]


def test_text_does_not_run_over_into_the_next_row():
    def hash_of(names: list[str | None]) -> str:
        return content_hash(TABLE, to_arrow(TABLE, rows(day(0), 2).assign(player_name=names)))

    assert (
        len({hash_of(["ab", "c"]), hash_of(["a", "bc"]), hash_of(["abc", ""]), hash_of(["abc", None])}) == 4
    )


def test_rows_that_share_a_key_have_a_defined_order():
    frame = pd.concat([rows(day(0), 5), rows(day(0), 5, shift=3)], ignore_index=True)
    hashes = {
        content_hash(TABLE, to_arrow(TABLE, frame.sample(frac=1, random_state=seed))) for seed in range(6)
    }
    assert len(hashes) == 1


def test_a_range_is_split_like_its_days():
    days = [day(i) for i in range(5)]
    split = split_days(TABLE, many(days, 4).sample(frac=1, random_state=3))
    assert list(split) == days
    for one, arrow in split.items():
        assert_frame_equal(from_arrow(TABLE, arrow), rows(one, 4))
        assert content_hash(TABLE, arrow) == content_hash(TABLE, to_arrow(TABLE, rows(one, 4)))
    assert split_days(TABLE, empty_frame(TABLE)) == {}


def test_conversion_is_fast():
    """130,000 x 45 takes 0.2 s on two slow cores; the limit only catches conversion row by row."""
    decimals = tuple(replace(TABLE.column("minutes"), name=f"n{i}") for i in range(40))
    table = make_table(columns=(*TABLE.columns[:3], *decimals))
    count = 50_000
    values = np.rint(np.random.default_rng(0).normal(0, 100, count) * 100) / 100
    frame = pd.DataFrame(
        {
            "game_date": np.full(count, np.datetime64(day(0), "s")),
            "game_id": pd.Series(["0022400001"] * count, dtype=pandas_dtype(TABLE.column("game_id"))),
            "player_id": np.arange(count),
            **{c.name: values for c in decimals},
        }
    )
    start = time.perf_counter()
    to_arrow(table, frame)
    assert time.perf_counter() - start < 5
