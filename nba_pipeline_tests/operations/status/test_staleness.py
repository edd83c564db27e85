"""A day is stale when, and only when, a run would make something else of it: code, declaration, inputs or
source changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.formulas import dependencies, versions
from nba_pipeline.operations.status import staleness
from nba_pipeline.operations.status.staleness import Stale, why_stale
from nba_pipeline.orchestration.instance.provenance import load_provenance, save_provenance
from nba_pipeline.rangerun.lineage import expected_provenance
from nba_pipeline.rangerun.provenance import Provenance
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.formula import Formula
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, Runs
from nba_pipeline_tests.support.pipeline import recipe_of

START = date(2023, 10, 24)
DAYS = span(START, date(2023, 11, 2))
ZONES, CACHE = "nba_precompute.team_defense_zone_analysis", "nba_precompute.player_daily_cache"
NOW = Provenance("c", "s", "i", "simulated", "r")
ENTRY = ManifestEntry(START, 3, "hash", "s", datetime(2024, 1, 1))


@pytest.fixture(scope="module")
def made() -> Iterator[Runs]:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = Runs(
            Settings(warehouse="memory", start_date=START),
            MemoryStore(),
            instance,
            SimulatedSource(first_day=START),
        )
        runs.backfill(DAYS)
        yield runs


@pytest.fixture
def runs(made: Runs) -> Iterator[Runs]:
    """The pipeline, of which a test may change the declarations; what else it changes it puts back."""
    yield made
    made.tables = TABLES


def stale(runs: Runs, source: str | None = "simulated") -> dict[str, dict[date, Stale]]:
    found = staleness.stale_days(runs.instance, runs.store, runs.tables, RECIPES, runs.state(DAYS), source)
    return {name: days for name, days in found.items() if days}


@pytest.mark.parametrize(
    ("recorded", "entry", "expected"),
    [
        (NOW, ENTRY, None),
        (replace(NOW, run_id="another"), ENTRY, None),
        (None, ENTRY, Stale.CODE),
        (replace(NOW, code="x"), ENTRY, Stale.CODE),
        (replace(NOW, inputs="x"), ENTRY, Stale.UPSTREAM),
        (replace(NOW, source="bulk"), ENTRY, Stale.SOURCE),
        (NOW, replace(ENTRY, schema_version="old"), Stale.SCHEMA),
        (replace(NOW, code="x", inputs="x"), ENTRY, Stale.CODE),
        (replace(NOW, code="x", inputs="x"), replace(ENTRY, schema_version="old"), Stale.SCHEMA),
    ],
)
def test_the_reason(recorded: Provenance | None, entry: ManifestEntry, expected: Stale | None) -> None:
    assert why_stale(recorded, NOW, entry) is expected


def test_what_was_recorded_is_recalled_and_nothing_else() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        days = span(date(2020, 1, 1), date(2022, 6, 30))  # more than one statement
        save_provenance(instance, "a.b", dict.fromkeys(days, NOW))
        save_provenance(
            instance, "a.b", {days[3]: replace(NOW, code="new"), date(2022, 7, 1): NOW}
        )  # a known day and a new one
        assert set(load_provenance(instance, "a.b", [date(2022, 7, 1)])) == {date(2022, 7, 1)}
        found = load_provenance(instance, "a.b", [*days, date(2030, 1, 1)])
        assert set(found) == set(days)
        assert found[days[3]].code == "new"
        assert found[days[4]] == NOW
        assert load_provenance(instance, "a.c", days) == {}


@pytest.mark.slow
def test_nothing_is_stale_after_a_backfill_and_after_another(runs: Runs) -> None:
    assert stale(runs) == {}
    runs.backfill(DAYS)
    assert stale(runs) == {}
    recorded = load_provenance(runs.instance, PLAYERS, DAYS)
    assert len(recorded) == len(DAYS)
    assert {runs.instance.get_run_by_id(m.run_id) is not None for m in recorded.values()} == {True}


def test_a_changed_formula_makes_the_tables_stale_that_use_it_and_a_comment_none(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = TABLES[CACHE].column("points_ewma").formula
    assert isinstance(right, Formula)

    def edit(**changes: str) -> None:
        edited = TABLES.with_column(CACHE, "points_ewma", formula=replace(right, **changes))
        versions.statements_version.cache_clear()
        monkeypatch.setattr(dependencies, "TABLES", edited)

    try:
        edit(text=f"({right.text})", note="In other words.")
        assert stale(runs) == {}
        edit(text=f"2 * ({right.text})")
        assert stale(runs) == {
            name: dict.fromkeys(DAYS, Stale.CODE) for name in (CACHE, "nba_precompute.ml_feature_store")
        }
    finally:
        versions.statements_version.cache_clear()


def test_a_changed_declaration_makes_its_table_stale_and_a_description_does_not(runs: Runs) -> None:
    runs.tables = TABLES.with_column(PLAYERS, "usage_rate", description="In other words.")
    assert stale(runs) == {}
    runs.tables = TABLES.with_column(PLAYERS, "usage_rate", type=numeric(9, 2))
    assert stale(runs) == {PLAYERS: dict.fromkeys(DAYS, Stale.SCHEMA)}
    runs.tables = TABLES.with_column(PLAYERS, "usage_rate", maximum=3000.0)
    assert stale(runs) == {PLAYERS: dict.fromkeys(DAYS, Stale.CODE)}


def test_a_corrected_day_makes_that_day_and_the_days_that_look_back_on_it_stale(runs: Runs) -> None:
    day = DAYS[4]
    table = TABLES["nba_analytics.team_offense_game_summary"]
    before = runs.store.read(table, [day])
    runs.store.replace(table, {day: before.assign(pace=before["pace"] + 1)})
    found = stale(runs)
    assert found[PLAYERS] == {day: Stale.UPSTREAM}
    assert found[ZONES] == {d: Stale.UPSTREAM for d in DAYS if d > day}
    assert "nba_raw.games" not in found
    runs.store.replace(table, {day: before})  # as it was: nothing to restate
    assert stale(runs) == {}


def test_another_source_makes_the_raw_tables_stale_where_it_is_asked(runs: Runs) -> None:
    assert stale(runs, None) == {}
    assert stale(runs, "bulk") == {
        p.table: dict.fromkeys(DAYS, Stale.SOURCE) for p in RECIPES if p.table.startswith("nba_raw.")
    }


def test_an_unrecorded_day_is_stale_and_not_taken_for_good(runs: Runs) -> None:
    key = f"nba_pipeline/made/{PLAYERS}/{DAYS[2]}"
    known = load_provenance(runs.instance, PLAYERS, [DAYS[2]])
    runs.instance.daemon_cursor_storage.set_cursor_values({key: '["", "", ""]'})
    assert stale(runs) == {PLAYERS: {DAYS[2]: Stale.CODE}}
    save_provenance(runs.instance, PLAYERS, known)
    assert stale(runs) == {}


def test_empty_days_are_no_change_of_what_follows() -> None:
    recipe = recipe_of(ZONES)
    nothing: dict[str, dict[date, ManifestEntry]] = {i.table: {} for i in recipe.inputs}
    empty = {name: {START: replace(ENTRY, row_count=0)} for name in nothing}
    full = {name: {START: ENTRY} for name in nothing}
    after = [date(2023, 10, 25), date(2025, 1, 1)]
    made = [expected_provenance(recipe, TABLES, manifests, "", after) for manifests in (nothing, empty, full)]
    assert made[0] == made[1]
    assert made[2][after[0]].inputs != made[0][after[0]].inputs  # within the look-back
    assert made[2][after[1]].inputs == made[0][after[1]].inputs  # beyond it
