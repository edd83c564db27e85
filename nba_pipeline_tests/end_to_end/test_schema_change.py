"""The life of a declaration over real days: too narrow, widened in place, narrowed again in vain, then with
one more column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.failures import SchemaDrift
from nba_pipeline.operations.backfill.plan import Why, make_plan
from nba_pipeline.operations.schema import apply_changes, plan_changes, with_quarantine
from nba_pipeline.operations.status.staleness import Stale, stale_days
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.tables.evolution import Action
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.tables.render.arrow import content_hash, to_arrow
from nba_pipeline.tables.spec import numeric
from nba_pipeline.warehouse.parquet.duck import query
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.end_to_end.pipelines import GAME_TABLES, PLAYERS, Runs, failed

pytestmark = pytest.mark.bulk

BAD_DAY = date(2024, 3, 7)
DAYS = span(date(2024, 3, 5), date(2024, 3, 9))
OTHERS = [day for day in DAYS if day != BAD_DAY]
PLANS_HERE = [recipe for recipe in RECIPES if recipe.table in GAME_TABLES]
YOUNG = replace(TABLES[PLAYERS], columns=tuple(c for c in TABLES[PLAYERS].columns if c.name != "ts_pct"))


def declared(digits: int, *, ts_pct: bool) -> TableRegistry:
    """The tables with ``usage_rate`` as NUMERIC(digits,2), with or without one of their columns."""
    changed = TABLES[PLAYERS] if ts_pct else YOUNG
    return TableRegistry(changed if t.full_name == PLAYERS else t for t in TABLES.values()).with_column(
        PLAYERS, "usage_rate", type=numeric(digits, 2)
    )


@pytest.fixture(scope="module")
def runs(bulk_source: BulkSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Five days, of which one could not be stored."""
    with dg.DagsterInstance.ephemeral() as instance:
        store = ParquetStore(tmp_path_factory.mktemp("schema") / "warehouse")
        made = Runs(Settings(start_date=DAYS[0]), store, instance, bulk_source, declared(5, ts_pct=False))
        assert failed(made.backfill(DAYS, GAME_TABLES)) == {PLAYERS: {BAD_DAY: "type_overflow"}}
        yield made


def files(runs: Runs) -> dict[date, tuple[int, int]]:
    assert isinstance(runs.store, ParquetStore)
    paths = {day: runs.store.path(YOUNG, day) for day in OTHERS}
    return {day: (path.stat().st_mtime_ns, path.stat().st_ino) for day, path in paths.items()}


def schema_of(runs: Runs) -> tuple[list[tuple[Action, str | None]], list]:
    """(what separates the tables from their declarations, the plans that `schema apply` carries out)."""
    assert isinstance(runs.store, ParquetStore)
    recipes = plan_changes(runs.store.schema, with_quarantine(runs.tables.values()))
    return [(c.action, c.column) for p in recipes for c in p.changes], recipes


def planned(runs: Runs) -> dict[str, dict[date, Why]]:
    """What `nba-pipeline plan` would say."""
    states = runs.state(DAYS)
    stale = stale_days(runs.instance, runs.store, runs.tables, RECIPES, states)
    plan = make_plan(PLANS_HERE, states, stale, DAYS)
    return {name: dict(t.reasons) for name, t in plan.tables.items() if t.reasons}


@pytest.mark.slow  # a history of its own
def test_a_widened_column_is_accepted_in_place(runs: Runs) -> None:
    before = files(runs)
    runs.tables = declared(6, ts_pct=False)
    found, recipes = schema_of(runs)
    assert found == [(Action.WIDEN, "usage_rate")]
    assert planned(runs) == {PLAYERS: {**dict.fromkeys(OTHERS, Why.STALE_SCHEMA), BAD_DAY: Why.FAILED}}

    results = runs.backfill(
        DAYS, [PLAYERS]
    )  # never done by the way: the day that is not stored is made, the others say what to do
    assert failed(results) == {PLAYERS: dict.fromkeys(OTHERS, "schema_drift")}
    assert results[PLAYERS].good == {BAD_DAY}
    assert "stored as NUMERIC(5,2) and declared NUMERIC(6,2)" in results[PLAYERS].failed[DAYS[0]].message
    assert "`nba-pipeline schema apply`" in results[PLAYERS].failed[DAYS[0]].message
    assert files(runs) == before

    assert isinstance(runs.store, ParquetStore)
    assert apply_changes(runs.store.schema, recipes)[PLAYERS] == []
    assert schema_of(runs)[0] == []
    assert runs.retry(DAYS)[PLAYERS].good == set(OTHERS)
    assert planned(runs) == {}
    assert files(runs) == before


@pytest.mark.slow  # a history of its own
def test_what_is_read_is_right_everywhere(runs: Runs) -> None:
    table = runs.tables[PLAYERS]
    rows = runs.store.read(table, DAYS)
    assert rows["usage_rate"].max() == 1196.81
    assert isinstance(runs.store, ParquetStore)
    asked = (
        "SELECT typeof(max(usage_rate)) AS t, max(usage_rate) AS m, sum(usage_rate) AS s, count(*) AS n FROM"
        f" {PLAYERS}"
    )
    (answer,) = query(runs.store.root, [table], asked).to_pylist()
    assert (answer["t"], float(answer["m"]), answer["n"]) == ("DECIMAL(6,2)", 1196.81, len(rows))
    assert float(answer["s"]) == pytest.approx(rows["usage_rate"].sum(), abs=1e-6)
    for day, entry in runs.store.manifest(table).items():
        assert content_hash(table, to_arrow(table, runs.store.read(table, [day]))) == entry.content_hash


@pytest.mark.slow  # a history of its own
def test_narrowing_is_refused_and_names_the_row(runs: Runs) -> None:
    runs.tables = declared(5, ts_pct=False)
    found, recipes = schema_of(runs)
    assert found == [(Action.REFUSE, "usage_rate")]
    assert isinstance(runs.store, ParquetStore)
    with pytest.raises(SchemaDrift) as caught:
        apply_changes(runs.store.schema, recipes)
    for word in (
        PLAYERS,
        "2024-03-07",
        "20240307_CHI_GSW",
        "Quinones",
        "usage_rate=1196.81",
        "Nothing was changed",
    ):
        assert word in str(caught.value)


@pytest.mark.slow  # a history of its own
def test_an_added_column_makes_its_days_stale_and_a_backfill_fills_it(runs: Runs) -> None:
    runs.tables = declared(6, ts_pct=True)
    found, recipes = schema_of(runs)
    assert set(found) == {
        (Action.ADD_COLUMN, "ts_pct"),
        (Action.WIDEN, "usage_rate"),
    }  # four files were never rewritten
    assert failed(runs.backfill(DAYS, [PLAYERS])) == {PLAYERS: dict.fromkeys(DAYS, "schema_drift")}
    assert isinstance(runs.store, ParquetStore)
    apply_changes(runs.store.schema, recipes)
    states = runs.state(DAYS)
    assert (
        stale_days(runs.instance, runs.store, runs.tables, RECIPES, states)[PLAYERS] == {}
    )  # failed is said first
    assert runs.store.read(runs.tables[PLAYERS], DAYS)["ts_pct"].isna().all()
    assert failed(runs.retry(DAYS)) == {}
    assert runs.store.read(runs.tables[PLAYERS], DAYS)["ts_pct"].notna().any()
    assert (schema_of(runs)[0], planned(runs)) == ([], {})


@pytest.mark.slow  # a history of its own
def test_without_a_failed_backfill_the_days_are_stale_for_their_schema(runs: Runs) -> None:
    full = runs.tables[PLAYERS]
    added = replace(full, columns=(*full.columns, replace(full.column("ts_pct"), name="ts_pct_again")))
    runs.tables = TableRegistry(added if t.full_name == PLAYERS else t for t in runs.tables.values())
    assert isinstance(runs.store, ParquetStore)
    apply_changes(runs.store.schema, schema_of(runs)[1])
    stale = stale_days(runs.instance, runs.store, runs.tables, RECIPES, runs.state(DAYS))
    assert {name: days for name, days in stale.items() if days} == {
        PLAYERS: dict.fromkeys(DAYS, Stale.SCHEMA)
    }
    assert planned(runs) == {PLAYERS: dict.fromkeys(DAYS, Why.STALE_SCHEMA)}
