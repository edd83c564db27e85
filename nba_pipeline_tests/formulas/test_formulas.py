"""Every column of every table says how it comes about, and what it says comes to the stored values.

One row is worked out without ``formulas/arrays.py``, which makes the tables, so that this is a second
computation of every table.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.formulas.dependencies import depends_on, statement_of
from nba_pipeline.formulas.language import parsed
from nba_pipeline.operations.explain.explain import Explainer
from nba_pipeline.operations.explain.rows import Reader, Record, as_records
from nba_pipeline.ranges import span
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.formula import AsStored, Formula, Past
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.support.pipeline import Pipeline

FIRST, LAST = date(2023, 10, 24), date(2023, 12, 6)
SAMPLED = (FIRST, date(2023, 10, 27), date(2023, 11, 8), LAST)
"""The first night, when nothing is known; too few games for most rates; some windows full; all full."""
ROWS = 2
VERSIONS = {"calculation_version", "feature_version", "history_gaps"}
IDENTITY = set(
    "game_date game_id nba_game_id season_year game_type team_abbr opponent_team_abbr is_home player_id"
    " player_lookup player_full_name".split()
)
"""Columns that say what a row is about."""
COMPUTED = [
    t for t in TABLES if any(not isinstance(statement_of(t, c), AsStored) for c in TABLES[t].column_names)
]


@pytest.fixture(scope="module")
def made() -> Pipeline:
    """Six weeks of all tables of the simulated league."""
    pipeline = Pipeline(SimulatedSource(first_day=FIRST), FIRST)
    pipeline.run(span(FIRST, LAST), [recipe.table for recipe in RECIPES])
    return pipeline


def sampled(made: Pipeline, table: str, day: date) -> tuple[Explainer, list[Record]]:
    """Rows of a day, spread over it, and what explains them."""
    rows = made.store.read(TABLES[table], [day])
    explainer = Explainer(Reader(made.store, TABLES, day, {table: rows}), TABLES, day)
    return explainer, as_records(rows.iloc[:: max(len(rows) // ROWS, 1)].head(ROWS))


def test_every_column_is_explained_or_says_why_not() -> None:
    for name, table in TABLES.items():
        as_stored = {c: h for c in table.column_names if isinstance(h := statement_of(name, c), AsStored)}
        assert all(len(h.reason) > 20 for h in as_stored.values())
        if not name.startswith("nba_raw."):
            assert set(as_stored) <= {*IDENTITY, *VERSIONS}, name
            assert {*table.key} & {*IDENTITY, *VERSIONS} <= set(as_stored)


def test_what_a_value_rests_on_exists_and_is_read_by_its_transform() -> None:
    """A formula may speak of inputs of the plan, of inputs of theirs (an unrounded column of another table)
    and of no others."""
    reads: dict[str, set[str]] = {}
    for recipe in RECIPES:
        own = {i.table for i in recipe.inputs}
        reads[recipe.table] = own.union({recipe.table}, *(reads[t] for t in own))
    for name in TABLES:
        for column in TABLES[name].column_names:
            for table, rests in depends_on(name, column).items():
                assert table in reads[name] or (name, table) == (
                    "nba_precompute.player_composite_factors",
                    "nba_precompute.player_daily_cache",
                )
                helpers = {"usage_plays", "usage_seconds", "team_plays_used", "team_minutes"}
                assert {c for c in rests.columns if not TABLES[table].has(c)} <= helpers, (name, column)


def test_every_formula_can_be_read() -> None:
    for name, table in TABLES.items():
        for column in table.column_names:
            if isinstance(statement := statement_of(name, column), Formula):
                assert parsed(statement.text) is not None


@pytest.mark.parametrize("table", COMPUTED)
def test_every_formula_comes_to_the_stored_values(made: Pipeline, table: str) -> None:
    """Of sampled rows of four days: every computed column, and none only ever as NULL."""
    known: Counter[str] = Counter()
    columns = [c for c in TABLES[table].column_names if not isinstance(statement_of(table, c), AsStored)]
    wrong: list[tuple[Any, ...]] = []
    for day in SAMPLED:
        explainer, rows = sampled(made, table, day)
        for row in rows:
            for column in columns:
                found = explainer.stored(table, column, row)
                known[column] += found.value is not None
                if found.agrees is not True:
                    wrong.append((day, column, found.key, found.value, found.worked_out, found.numbers))
    assert wrong == []
    assert {c for c in columns if not known[c]} == set()


@pytest.mark.parametrize("table", COMPUTED)
def test_a_value_that_is_not_what_the_formula_gives_is_said_so(made: Pipeline, table: str) -> None:
    """The same comparison, with one value of the row changed by the smallest step of its column."""
    explainer, rows = sampled(made, table, LAST)
    for column in TABLES[table].columns:
        if isinstance(statement_of(table, column.name), AsStored):
            continue
        row = next((r for r in rows if r[column.name] is not None), None)
        assert row is not None, column.name
        assert (
            explainer.stored(
                table, column.name, {**row, column.name: _another(row[column.name], column.type.scale)}
            ).agrees
            is False
        )


def _another(value: Any, scale: int | None) -> Any:
    if isinstance(value, bool):
        return not value
    return f"{value}x" if isinstance(value, str) else value + 10.0 ** -(scale or 0)


def test_windows_end_the_day_before_and_hold_the_games_that_were_played(made: Pipeline) -> None:
    """Chosen a second time, by sorting the player's games: a window's last n, its days, its season."""
    cache = "nba_precompute.player_daily_cache"
    explainer, rows = sampled(made, cache, LAST)
    games = as_records(made.read("nba_analytics.player_game_summary"))
    for row in rows:
        own = [
            g
            for g in games
            if g["player_id"] == row["player_id"] and g["seconds_played"] > 0 and g["game_date"] < LAST
        ]
        own.sort(key=lambda g: g["game_date"])
        for column, n in (
            ("points_avg_last_3", 3),
            ("ts_pct_last_10", 10),
            ("points_avg_season", 100),
            ("usage_rate_last_10", 10),
        ):
            window = explainer.stored(cache, column, row).window
            assert window is not None and window.records is not None
            assert [g["game_id"] for g in window.records] == [g["game_id"] for g in own[-n:]]
            assert row["player_id"] > 0 and str(row["player_id"]) in window.of


def test_a_window_in_a_columns_name_is_the_window_that_is_declared() -> None:
    for name, table in TABLES.items():
        for column in table.column_names:
            statement = statement_of(name, column)
            if isinstance(statement, Formula) and isinstance(statement.rows, Past):
                games, days = statement.rows.window.games, statement.rows.window.days
                n = next((int(part) for part in column.split("_") if part.isdigit()), None)
                if (
                    n is not None and column != "back_to_backs_in_last_14_days"
                ):  # whose earlier game may be on D−15
                    assert n in (games, days), (name, column)
