"""What formulas may say and what that comes to: NULL, division by zero, functions over rows, and texts that
are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.formulas.arrays import evaluate
from nba_pipeline.formulas.language import FormulaError, names_in, uses_league
from nba_pipeline.formulas.worked import Scope, counted, work_out

GAMES = [
    {"game_date": date(2024, 1, day), "points": points, "team_abbr": team}
    for day, points, team in ((1, 10, "LAL"), (2, None, "BOS"), (4, 30, "BOS"))
]
SCOPE = Scope(
    {"a": 6, "b": 4, "zero": 0, "none": None, "zone": "paint", "day": date(2024, 1, 9)}, GAMES, GAMES * 2
)


@pytest.mark.parametrize(
    ("formula", "value", "numbers"),
    [
        ("100 * a / (b - 1)", 200, "100 * 6 / (4 - 1)"),
        ("a / zero", None, "6 / 0"),
        ("a + none", None, "6 + NULL"),
        ("-a", -6, "-6"),
        ("none < 5", False, "NULL < 5"),
        ("none == NULL", True, "NULL == NULL"),
        ("a != NULL and zone == 'paint'", True, "6 != NULL and 'paint' == 'paint'"),
        ("not zone in ('three', 'mid_range')", True, "not 'paint' in ('three', 'mid_range')"),
        (
            "'high' if a >= 7 else 'low' if a >= 5 else NULL",
            "low",
            "'high' if 6 >= 7 else 'low' if 6 >= 5 else NULL",
        ),
        ("clamp(a * b, -10, 10)", 10, "clamp(6 * 4, -10, 10)"),
        ("clamp(none, -10, 10)", None, "clamp(NULL, -10, 10)"),
        ("or_zero(none) + or_zero(a)", 6, "or_zero(NULL) + or_zero(6)"),
        ("missing(a, none, zone)", "none", "missing(6, NULL, 'paint')"),
        ("listed(zone) + listed('')", 1, "listed('paint') + listed('')"),
        ("lowest(x=a, y=b, z=none)", "y", "lowest(x=6, y=4, z=NULL)"),
        ("highest(x=b, y=b)", "x", "highest(x=4, y=4)"),
        ("lowest(x=none)", None, "lowest(x=NULL)"),
        ("sum(points) / count()", 40 / 3, "40 / 3"),
        ("mean(points)", 20, "(40 / 2)"),
        ("mean(points, last=1) - mean(points, all_but=2)", 20, "(30 / 1) - (10 / 1)"),
        ("known(points)", 2, "2"),
        ("count(team_abbr == 'BOS' and points != NULL)", 1, "1"),
        ("league_sum(points)", 80, "80"),
        ("day - latest(game_date)", 5, "2024-01-09 - 2024-01-04"),
        ("back_to_backs(game_date)", 1, "1"),
        ("run(team_abbr)", 2, "2"),
    ],
)
def test_a_formula_is_worked_out_and_filled_in(formula: str, value: Any, numbers: str) -> None:
    worked = work_out(formula, SCOPE)
    assert (worked.value, worked.numbers) == (value, numbers)


def test_statistics_over_rows_are_those_of_the_textbook() -> None:
    rows = Scope({}, [{"x": x} for x in (2, 4, 4, 10)])
    assert (work_out("std(x)", rows).value, work_out("std(x)", rows).numbers) == (
        pytest.approx(3.4641016),
        "sqrt(36 / 3)",
    )
    assert (work_out("slope(x)", rows).value, work_out("slope(x)", rows).numbers) == (
        pytest.approx(2.4),
        "(12 / 5)",
    )
    assert work_out("ewma(x, 1)", rows).value == pytest.approx(
        (10 + 4 / 2 + 4 / 4 + 2 / 8) / (1 + 1 / 2 + 1 / 4 + 1 / 8)
    )


@pytest.mark.parametrize(
    ("function", "empty"),
    [("sum", 0), ("count", 0), ("mean", None), ("latest", None), ("run", 0), ("std", None)],
)
def test_no_rows_are_not_the_same_as_unknown_rows(function: str, empty: object) -> None:
    assert work_out(f"{function}(points)", Scope({}, [])).value == empty
    assert work_out(f"{function}(points)", Scope({}, None)).value is None


def test_which_names_a_formula_speaks_of() -> None:
    assert names_in("a / (sum(points) + b) if count() >= 5 else NULL") == (["a", "b"], ["points"])
    assert uses_league("sum(x) - league_sum(x)")
    assert not uses_league("sum(x)")


def test_the_rows_that_are_counted_can_be_told() -> None:
    assert counted("count(points == 10)", SCOPE) == [GAMES[0]]
    assert counted("sum(points)", SCOPE) is None
    assert counted("count(points == 10)", Scope({}, None)) is None


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "a.real", "[a][0]", "a ** b", "open('x')", "a < b < 7", "(lambda: 1)()"]
)
def test_anything_else_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match=r"that a formula may|has two sides"):
        work_out(formula, SCOPE)


def test_a_name_that_means_nothing_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        work_out("a + nobody", SCOPE)


def test_an_error_marks_its_place() -> None:
    with pytest.raises(FormulaError) as raised:
        work_out("points + sqrt(points)", SCOPE)
    assert str(raised.value).splitlines()[1:] == ["  points + sqrt(points)", "           ^"]
    assert "position 10" in str(raised.value)


NUMBERS = st.one_of(st.none(), st.integers(-20, 20).map(float))
WORDS = st.sampled_from([None, "paint", "three"])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, WORDS), min_size=1, max_size=8))
@pytest.mark.parametrize(
    "formula",
    [
        "100 * a / (b - c)",
        "(a + 0.44 * b - c) / 2",
        "clamp(a * b, -10, 10) + or_zero(c)",
        "a if b == NULL else b if a < c else NULL",
        "'high' if a >= 7 else 'low' if a >= 5 else NULL",
        "'x' if word == 'paint' or word != NULL and a > 0 else 'y'",
        "not word in ('three', 'mid_range') and a != b",
        "missing(a, b, word)",
        "listed(missing(a, b, c))",
        "lowest(x=a, y=b, z=c)",
        "highest(x=a, y=b, z=c)",
        "min(a, 1) - max(b, abs(c))",
        "round(a / 4)",
    ],
)
def test_whole_columns_come_to_what_each_row_comes_to(
    formula: str, rows: list[tuple[float | None, float | None, float | None, str | None]]
) -> None:
    """The two evaluators share no arithmetic."""
    columns = {
        name: np.array([np.nan if r[i] is None else r[i] for r in rows]) for i, name in enumerate("abc")
    }
    found = evaluate(formula, columns | {"word": np.array([r[3] for r in rows], dtype=object)})
    for row, got in zip(rows, found, strict=True):
        want = work_out(formula, Scope(dict(zip(("a", "b", "c", "word"), row, strict=True)))).value
        assert pd.isna(got) if want is None else got == want, (row, got, want)
