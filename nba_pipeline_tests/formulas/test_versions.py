"""A version changes with the formula and with nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from nba_pipeline.formulas import dependencies
from nba_pipeline.formulas.versions import (
    calculation_version,
    code_version,
    columns_version,
    feature_version,
    normalized,
    statements_version,
)
from nba_pipeline.tables.formula import Formula
from nba_pipeline.tables.names import CACHE, COMPOSITES, PLAYERS
from nba_pipeline.tables.precompute import ML_FEATURE_STORE, PLAYER_COMPOSITE_FACTORS
from nba_pipeline.tables.registry import TABLES

SOURCE = '''
"""Module."""
LIMIT = 3.0
"""Why three."""

def _helper(x: float) -> float:
    """Doc."""
    return x * LIMIT  # comment

class Public:
    def score(self, x):
        return _helper(x) + self._twice(x)

    def _twice(self, x):
        return 2 * x
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Doc."""', '"""Another one."""'),
        ('"""Doc."""\n    ', ""),
        ('"""Why three."""', ""),
        ("  # comment", ""),
        ("x * LIMIT", "(x\n * LIMIT)"),
        ("(x: float) -> float", "(x)"),
        ("_helper", "_renamed"),
        ("_twice", "_double"),
    ],
)
def test_what_cannot_change_a_result_does_not_change_the_version(old: str, new: str) -> None:
    assert old in SOURCE
    assert normalized(SOURCE.replace(old, new)) == normalized(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3.0", "3.5"),
        ("x * LIMIT", "x / LIMIT"),
        ("+ self", "- self"),
        ("2 * x", "2 * x + 0"),
        ("2 * x", "None"),
    ],
)
def test_a_constant_or_formula_does(old: str, new: str) -> None:
    assert normalized(SOURCE.replace(old, new)) != normalized(SOURCE)


def test_columns_count_by_declaration_and_not_by_description() -> None:
    first, *rest = ML_FEATURE_STORE.columns
    assert columns_version([replace(first, description="Other words."), *rest]) == columns_version(
        ML_FEATURE_STORE.columns
    )
    assert columns_version([*rest, first]) != columns_version(ML_FEATURE_STORE.columns)
    assert columns_version([replace(first, nullable=not first.nullable), *rest]) != columns_version(
        ML_FEATURE_STORE.columns
    )


def test_versions_have_their_declared_form() -> None:
    assert re.fullmatch(ML_FEATURE_STORE.column("feature_version").pattern, feature_version())
    assert re.fullmatch(PLAYER_COMPOSITE_FACTORS.column("calculation_version").pattern, calculation_version())
    assert feature_version().startswith("f39-")


def test_a_module_without_source_has_no_version() -> None:
    with pytest.raises(ValueError, match="not available"):
        code_version("nba_pipeline.no_such_module")


def version_with(monkeypatch: pytest.MonkeyPatch, table: str, column: str, formula: Formula, of: str) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(dependencies, "TABLES", TABLES.with_column(table, column, formula=formula))
        return statements_version.__wrapped__(of)


@pytest.mark.parametrize(
    ("column", "changed"),
    [("points_ewma", {CACHE}), ("usage_rate_last_3", {CACHE, COMPOSITES})],
)
def test_an_edit_of_one_formula_is_a_new_version_of_the_tables_that_work_it_out(
    monkeypatch: pytest.MonkeyPatch, column: str, changed: set[str]
) -> None:
    """The composite factors use the cache's usage before it is rounded, so they work it out themselves."""
    before = TABLES[CACHE].column(column).formula
    assert isinstance(before, Formula)
    edited, layout = (
        replace(before, text=f"2 * ({before.text})"),
        replace(before, text=f"({before.text})", note="!"),
    )
    for table in (CACHE, COMPOSITES, PLAYERS):
        now = statements_version(table)
        assert (version_with(monkeypatch, CACHE, column, edited, table) != now) == (table in changed)
        assert version_with(monkeypatch, CACHE, column, layout, table) == now
