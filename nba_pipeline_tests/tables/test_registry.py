"""Every declared table, in every rendering: what must hold for all of them, whatever they contain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.checks.contract import find_contract_violations
from nba_pipeline.checks.model import Evidence
from nba_pipeline.failures import FailureClass
from nba_pipeline.orchestration.column_schema import asset_metadata, table_schema
from nba_pipeline.tables.columns import COLUMNS, THEMES
from nba_pipeline.tables.precompute import PRECOMPUTE_TABLES
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.tables.render.arrow import arrow_schema, to_arrow
from nba_pipeline.tables.render.frames import empty_frame, pandas_dtype
from nba_pipeline.tables.render.markdown import registry_markdown, table_markdown
from nba_pipeline.tables.render.pandera import CLASS_OF_CHECK, pandera_schema
from nba_pipeline.tables.spec import Column, Kind, Table, numeric

ALL = {t.full_name: t for t in (*TABLES.values(), *PRECOMPUTE_TABLES)}
every_table = pytest.mark.parametrize("table", ALL.values(), ids=ALL)


def every_column() -> Iterator[Any]:
    for table in ALL.values():
        for column in table.columns:
            yield pytest.param(table, column, id=f"{table.full_name}.{column.name}")


@every_table
def test_a_table_renders_to_every_target(table: Table) -> None:
    names = table.column_names
    assert list(pandera_schema(table).columns) == names
    assert arrow_schema(table).names == names
    assert [c.name for c in table_schema(table).columns] == names
    assert asset_metadata(table)["dagster/table_name"] == table.full_name
    assert list(empty_frame(table).columns) == names
    text = table_markdown(table)
    assert f"## {table.full_name}\n" in text
    assert all(f"| `{name}` |" in text for name in names)


@every_table
def test_an_empty_frame_keeps_the_contract_and_converts(table: Table) -> None:
    pandera_schema(table).validate(empty_frame(table), lazy=True)
    assert to_arrow(table, empty_frame(table)).num_rows == 0


@every_table
def test_key_and_partition_columns_are_required(table: Table) -> None:
    for name in (*table.key, table.partition_column):
        assert not table.column(name).nullable, name
    assert table.column(table.partition_column).type.kind is Kind.DATE
    assert table.description
    assert table.grain.startswith("one row per")


def test_every_column_of_the_dictionary_is_used_by_a_table() -> None:
    used = {c.name for t in ALL.values() for c in t.columns}
    assert set(COLUMNS) - used == set()
    assert len(COLUMNS) == sum(len(theme) for theme in THEMES)


@pytest.mark.parametrize(("table", "column"), list(every_column()))
def test_a_column_says_what_it_is_and_its_bounds_fit_its_type(table: Table, column: Column) -> None:
    assert column.description.strip().endswith((".", ")")), column.description
    most = column.type.physical_max
    if column.type.kind is Kind.NUMERIC:
        assert most is not None
        assert most == Decimal("9" * column.type.precision) / Decimal(10) ** column.type.scale
        for bound in (column.minimum, column.maximum):
            assert bound is None or abs(Decimal(str(bound))) <= most
        assert arrow_schema(table).field(column.name).type == pyarrow.decimal128(
            column.type.precision, column.type.scale
        )
    else:
        assert most is None
    if column.minimum is not None and column.maximum is not None:
        assert column.minimum < column.maximum
    assert not (column.allowed and column.type.kind is not Kind.STRING)
    assert not (column.pattern and column.type.kind is not Kind.STRING)


LEANS = re.compile(r"(the )?same\b|as above|ditto|see above|likewise", re.IGNORECASE)


def test_a_description_stands_by_itself() -> None:
    """In docs and in BigQuery no neighbour stands beside it."""
    described = {c.description for t in TABLES.values() for c in (*t.columns, *t.rejected().columns)}
    described |= {t.description for t in TABLES.values()}
    assert [text for text in described if LEANS.match(text) or len(text.split()) < 2] == []


def test_columns_of_the_same_name_mean_the_same_in_every_table() -> None:
    seen: dict[str, set[tuple[Kind, str]]] = {}
    for table in TABLES.values():
        if table.name == "ml_feature_store":  # features are the same facts as nullable FLOAT64
            continue
        for column in table.columns:
            seen.setdefault(column.name, set()).add((column.type.kind, column.description))
    assert {name: kinds for name, kinds in seen.items() if len(kinds) > 1} == {}


# ------------------------------------------------------------------------------------------- bounds, value by
# value


@lru_cache(maxsize=1)
def numbers() -> list[tuple[Table, Column]]:
    kinds = (Kind.NUMERIC, Kind.INT64, Kind.FLOAT64)
    return [
        (t, c)
        for t in ALL.values()
        for c in t.columns_of(*kinds)
        if c.minimum is not None or c.maximum is not None or c.type.physical_max
    ]


def lone(table: Table, column: Column) -> Table:
    """A table of just the date and this column, so that nothing else can be to blame."""
    columns = (table.column("game_date"), *(() if column.name == "game_date" else (column,)))
    return Table(
        table.dataset, table.name, "One column.", "one row per value", "tests", ("game_date",), columns
    )


def verdicts(column: Column, table: Table, values: list[object]) -> list[set[str]]:
    """The failure classes of each value of one column, by the table's contract."""
    narrow = lone(table, column)
    frame = pd.DataFrame({"game_date": pd.Series([np.datetime64("2024-03-07", "s")] * len(values))})
    frame[column.name] = pd.Series(values, dtype=pandas_dtype(column))
    found = find_contract_violations(Evidence(narrow, pd.DatetimeIndex(["2024-03-07"]), frame, frame))
    return [{str(c) for c in found.loc[found["row"] == n, "failure_class"]} for n in range(len(values))]


def limits(column: Column) -> tuple[float, float, str, str]:
    """(lowest, highest good value, class below, class above)."""
    most = float(column.type.physical_max or 2**62)
    low, high = (
        (-most if column.minimum is None else column.minimum),
        (most if column.maximum is None else column.maximum),
    )
    physical, semantic = FailureClass.TYPE_OVERFLOW.value, FailureClass.IMPOSSIBLE_VALUE.value
    return (
        low,
        high,
        physical if column.minimum is None else semantic,
        physical if column.maximum is None else semantic,
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_bound_is_accepted_and_just_beyond_it_is_refused_with_its_class(data: st.DataObject) -> None:
    table, column = data.draw(st.sampled_from(numbers()))
    low, high, below, above = limits(column)
    step = 10.0 ** -(column.type.scale or 0)
    inside = data.draw(st.integers(int(low), int(min(high, 2**53))))
    good, low_bad, high_bad = verdicts(column, table, [low, high, inside]), [], []
    assert good == [set(), set(), set()]
    if column.minimum is not None or column.type.physical_max:
        low_bad = verdicts(column, table, [low - step])[0]
        assert below in low_bad
    if column.maximum is not None or column.type.physical_max:
        high_bad = verdicts(column, table, [high + step])[0]
        assert above in high_bad
        assert (FailureClass.TYPE_OVERFLOW.value in high_bad) == (
            high + step > float(column.type.physical_max or np.inf)
        )


def test_too_big_for_the_type_and_impossible_are_told_apart() -> None:
    table = TABLES["nba_analytics.player_game_summary"].with_column("usage_rate", type=numeric(5, 2))
    usage = table.column("usage_rate")
    assert verdicts(usage, table, [999.99, 1000.0, -0.01, 1196.81]) == [
        set(),
        {"type_overflow"},
        {"impossible_value"},
        {"type_overflow"},
    ]


@pytest.mark.parametrize(
    ("name", "value", "failure_class"),
    [
        ("nba_game_id", "00223009", "impossible_value"),
        ("game_id", "20240307_CHI_GSW_2", "impossible_value"),
        ("game_id", "20240307_CHI_GSW\n", "impossible_value"),
        ("game_type", "friendly", "impossible_value"),
        ("status", "played", "impossible_value"),  # a player's status, not a game's
        ("source", None, "incomplete_input"),
    ],
)
def test_text_columns_refuse_what_their_declaration_excludes(
    name: str, value: object, failure_class: str
) -> None:
    table = TABLES["nba_raw.games"]
    assert verdicts(table.column(name), table, [value]) == [{failure_class}]


def test_every_kind_of_pandera_check_has_a_failure_class() -> None:
    kinds = {
        check.error
        for t in ALL.values()
        for column in pandera_schema(t).columns.values()
        for check in column.checks
    }
    assert kinds <= set(CLASS_OF_CHECK)
    assert isinstance(pandera_schema(TABLES["nba_raw.games"]), pa.DataFrameSchema)


# ------------------------------------------------------------------------------------------------------- the
# registry


def test_a_registry_refuses_a_table_twice_and_changes_by_copy() -> None:
    games = TABLES["nba_raw.games"]
    with pytest.raises(ValueError, match="declared twice"):
        TableRegistry([games, games])
    changed = TABLES.with_column("nba_analytics.player_game_summary", "usage_rate", type=numeric(5, 2))
    assert str(changed["nba_analytics.player_game_summary"].column("usage_rate").type) == "NUMERIC(5,2)"
    assert str(TABLES["nba_analytics.player_game_summary"].column("usage_rate").type) == "NUMERIC(6,2)"
    with pytest.raises(KeyError):
        TABLES.with_column("nba_raw.games", "no_such_column", nullable=True)


@given(st.floats(min_value=0, max_value=10**8, allow_nan=False))
def test_a_widened_type_holds_the_value_and_its_neighbour_does_not(value: float) -> None:
    wide = numeric(5, 2).widened_for(value)
    assert round(value, 2) <= float(wide.physical_max or 0)
    if wide.precision > 5:
        assert round(value, 2) > float(numeric(wide.precision - 1, 2).physical_max or 0)


def test_the_quarantine_of_every_table_is_a_table() -> None:
    for table in TABLES.values():
        rejected = table.rejected()
        assert rejected.full_name == f"{table.full_name}__rejected"
        assert arrow_schema(rejected).names[0] == "game_date"


def test_the_document_of_tables_is_up_to_date(pytestconfig: pytest.Config) -> None:
    written = (pytestconfig.rootpath / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == registry_markdown(TABLES.values()), (
        "run: python -m nba_pipeline.tables.render.markdown > docs/tables.md"
    )
