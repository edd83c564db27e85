"""Values of files as the types of the layout: what means one thing is read, anything else is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.sources.bulk.reading import Kind, Reading, read_columns

DAY = date(2024, 3, 7)


def read(values: Any, kind: Kind) -> Reading:
    return read_columns(pd.DataFrame({"x": values}), {"x": kind})


@pytest.mark.parametrize(
    ("kind", "values", "meant"),
    [
        (Kind.WHOLE, [1, 2], [1, 2]),
        (Kind.WHOLE, [1.0, None], [1, None]),
        (Kind.WHOLE, ["1", " 22 ", "3.0", ""], [1, 22, 3, None]),
        (Kind.WHOLE, [Decimal("1"), Decimal("2.00")], [1, 2]),
        (Kind.WHOLE, pd.Series(["1", "2"], dtype="category"), [1, 2]),
        (Kind.FLAG, [True, None], [True, None]),
        (Kind.FLAG, [1, 0], [True, False]),
        (Kind.FLAG, [1.0, None], [True, None]),
        (Kind.FLAG, ["True", "FALSE", "0", "y"], [True, False, False, True]),
        (Kind.CLOCK, [51.6, 3.0], [51, 3]),
        (Kind.GAME_ID, ["0022300907"], ["0022300907"]),
        (Kind.GAME_ID, [22300907], ["0022300907"]),
        (Kind.GAME_ID, [22300907.0, None], ["0022300907", None]),
        (Kind.GAME_ID, [" 22300907", "22300907.0"], ["0022300907", "0022300907"]),
        (Kind.DAY, ["2024-03-07", "20240307", "2024-03-07T00:00:00", "MAR 07, 2024"], [DAY] * 4),
        (Kind.DAY, [20240307], [DAY]),
        (Kind.DAY, [DAY, None], [DAY, None]),
        (Kind.DAY, pd.to_datetime(["2024-03-07"]), [DAY]),
        (Kind.DAY, pd.to_datetime(["2024-03-07"]).tz_localize("UTC"), [DAY]),
        (Kind.DAY, pd.to_datetime(["2024-03-08 00:30", "2024-03-08 03:00"]).tz_localize("UTC"), [DAY, DAY]),
        (Kind.SEASON, ["2023-24", "2023-2024", "22023", 2023], ["2023-24"] * 4),
        (Kind.CODE, [" GSW"], ["GSW"]),
        (Kind.SIDE, ["Home", "A"], ["home", "away"]),
        (Kind.MINUTES, [31.0, None], ["31", None]),
        (Kind.MINUTES, [31.5, 2.0], ["31.500000", "2.000000"]),
        (Kind.MINUTES, pd.to_timedelta(["00:31:05"]), ["31:05"]),
        (Kind.TEXT, [b"Luka", None], ["Luka", None]),
    ],
)
def test_what_means_one_thing_is_read(kind: Kind, values: Any, meant: list[Any]) -> None:
    reading = read(values, kind)
    column = reading.frame["x"]
    told = [None if pd.isna(v) else v.date() if isinstance(v, pd.Timestamp) else v for v in column.tolist()]
    assert told == meant
    assert reading.unreadable.empty


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.WHOLE, "many"),
        (Kind.WHOLE, 1.5),
        (Kind.WHOLE, float("inf")),
        (Kind.WHOLE, True),
        (Kind.WHOLE, "1,234"),
        (Kind.WHOLE, [1, 2]),
        (Kind.FLAG, 2),
        (Kind.FLAG, "perhaps"),
        (Kind.GAME_ID, "x022300907"),
        (Kind.GAME_ID, "0022300907\n1"),
        (Kind.GAME_ID, 907),
        (Kind.DAY, "03/07/2024"),
        (Kind.DAY, "2024-02-31"),
        (Kind.DAY, pd.Timestamp("2024-03-07 19:30")),
        (Kind.SEASON, "2023-25"),
        (Kind.SIDE, "neutral"),
        (Kind.TEXT, 7),
        (Kind.TEXT, b"\xff"),
    ],
)
def test_what_does_not_is_named_with_row_column_and_value(kind: Kind, value: Any) -> None:
    reading = read(pd.Series([None, value], dtype=object), kind)
    assert reading.frame["x"].isna().all()
    (bad,) = reading.unreadable.to_dict("records")
    assert (bad["row"], bad["column"], bad["kind"], bad["value"]) == (1, "x", kind.value, repr(value))


def test_an_id_that_had_to_be_repaired_is_marked() -> None:
    reading = read(pd.Series(["0022300907", "22300908", "0022300909\n"], dtype=object), Kind.GAME_ID)
    assert reading.frame["x"].tolist() == ["0022300907", "0022300908", "0022300909"]
    assert reading.repaired["x"].tolist() == [False, True, True]
