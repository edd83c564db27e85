"""`nba-pipeline schema` over the loopback server: made from nothing, widened in place, read back, narrowing
refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from google.cloud import bigquery
from typer.testing import CliRunner

from nba_pipeline.cli.schema import app
from nba_pipeline.failures import ConfigurationError, SchemaDrift
from nba_pipeline.operations.schema import apply_changes, plan_changes, with_quarantine
from nba_pipeline.settings import Settings
from nba_pipeline.tables.evolution import Action
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.render.arrow import schema_version
from nba_pipeline.tables.spec import DATE, Column, numeric
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, store_over
from nba_pipeline_tests.warehouse.support import TABLE, day, many

DAYS = [day(0), day(1)]


@pytest.fixture
def environment(fake: FakeBigQuery, monkeypatch: pytest.MonkeyPatch) -> FakeBigQuery:
    for name, value in {"PROJECT": PROJECT, "ENDPOINT": fake.url, "DATASET_PREFIX": "dev_"}.items():
        monkeypatch.setenv(f"NBA_PIPELINE_BIGQUERY_{name}", value)
    monkeypatch.setenv("NBA_PIPELINE_WAREHOUSE", "bigquery")
    return fake


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_a_dataset_s_default_partition_expiration_deletes_no_history(environment: FakeBigQuery) -> None:
    client = environment.client(PROJECT)
    dataset = bigquery.Dataset(f"{PROJECT}.dev_nba_raw")
    dataset.default_partition_expiration_ms = 60 * 86_400_000
    client.create_dataset(dataset)
    run("apply")
    name = f"{PROJECT}.dev_nba_raw.games"
    assert client.get_table(name).time_partitioning.expiration_ms is None
    client.query(f"ALTER TABLE `{name}` SET OPTIONS(partition_expiration_days=30)").result()
    assert "partition_expiration" in run("diff", "--json")
    run("apply")
    assert client.get_table(name).time_partitioning.expiration_ms is None


def test_from_nothing_to_as_declared(environment: FakeBigQuery) -> None:
    found = json.loads(run("diff", "--json", code=1))["tables"]
    assert len(found) == 2 * len(TABLES)
    assert {c["action"] for t in found.values() for c in t["changes"]} == {"create"}
    run("apply")
    client = environment.client(PROJECT)
    assert sorted(d.dataset_id for d in client.list_datasets()) == [
        "dev_nba_analytics",
        "dev_nba_precompute",
        "dev_nba_raw",
        "dev_nba_staging",
    ]
    assert client.get_dataset("dev_nba_staging").default_table_expiration_ms == 24 * 3_600_000
    made = client.get_table(f"{PROJECT}.dev_nba_analytics.player_game_summary")
    assert made.require_partition_filter
    assert (made.time_partitioning.field, made.labels["managed-by"]) == ("game_date", "nba-pipeline")
    digits = {f.name: (f.precision, f.scale) for f in made.schema if f.field_type == "NUMERIC"}
    declared = TABLES["nba_analytics.player_game_summary"]
    assert digits == {c.name: (c.type.precision, c.type.scale) for c in declared.columns if c.type.precision}
    assert f"{2 * len(TABLES)} table(s) are as declared" in run("diff")


def test_ddl_makes_what_apply_makes(environment: FakeBigQuery) -> None:
    assert environment.calls == []
    statements = run("ddl", "--tables", "games,player_game_summary").rstrip().removesuffix(";").split(";\n\n")
    assert environment.calls == []  # nothing is sent
    client = environment.client(PROJECT)
    for statement in statements:
        if not statement.startswith("CREATE SCHEMA"):
            client.query(statement).result()
            continue
        name = statement.split("`")[1]
        client.create_dataset(bigquery.Dataset(name))
    assert "4 table(s) are as declared" in run("diff", "--tables", "games,player_game_summary")


def test_show_and_mistakes(environment: FakeBigQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "NUMERIC(6,2)" in run("show", "--tables", "player_game_summary")
    assert isinstance(CliRunner().invoke(app, ["show", "--tables", "nope"]).exception, ConfigurationError)
    for words in (["diff"], ["apply"], ["ddl"]):
        done = CliRunner().invoke(app, [*words, "--warehouse", "memory"])
        assert (done.exit_code, done.stdout) == (0, "")
        assert "memory warehouse keeps nothing when the process ends" in " ".join(done.stderr.split())
    assert json.loads(CliRunner().invoke(app, ["diff", "--json", "--warehouse", "memory"]).stdout) == {
        "tables": {}
    }
    monkeypatch.delenv("NBA_PIPELINE_BIGQUERY_PROJECT")
    with pytest.raises(ConfigurationError, match="needs NBA_PIPELINE_BIGQUERY_PROJECT"):
        Settings.from_environment()
    monkeypatch.setenv("NBA_PIPELINE_BIGQUERY_PROJECT", PROJECT)
    monkeypatch.setenv("NBA_PIPELINE_BIGQUERY_DAILY_LOADS", "many")
    with pytest.raises(
        ConfigurationError, match="NBA_PIPELINE_BIGQUERY_DAILY_LOADS='many' is not a positive whole number"
    ):
        Settings.from_environment()


def test_changes_are_made_in_place_and_rows_survive(fake, store) -> None:
    store.replace_range(TABLE, many(DAYS), DAYS)
    wanted = TABLE.with_column("minutes", type=numeric(9, 3)).with_column(
        "is_home", nullable=True, description="New words."
    )
    wanted = replace(wanted, columns=(*wanted.columns, Column("drafted_on", DATE, "Another date.")))
    (recipe,) = plan_changes(store.schema, [wanted])
    assert [c.action for c in recipe.changes] == [
        Action.ADD_COLUMN,
        Action.WIDEN,
        Action.RELAX,
        Action.DESCRIBE,
    ]
    assert len(recipe.statements) == 3
    assert apply_changes(store.schema, [recipe]) == {"analytics.box_scores": []}
    assert plan_changes(store.schema, [wanted])[0].changes == ()
    fields = {f.name: f for f in fake.client(PROJECT).get_table(f"{PROJECT}.analytics.box_scores").schema}
    assert (fields["minutes"].precision, fields["minutes"].scale, fields["is_home"].description) == (
        9,
        3,
        "New words.",
    )
    fresh = store_over(fake).read(wanted, DAYS)
    assert fresh["minutes"].tolist() == many(DAYS)["minutes"].tolist()
    assert fresh["drafted_on"].isna().all()


def test_days_that_hold_all_that_is_declared_are_not_stale_after_apply(fake, store) -> None:
    store.replace_range(TABLE, many(DAYS), DAYS)
    wanted = TABLE.with_column("minutes", type=numeric(9, 3)).with_column("is_home", nullable=True)
    apply_changes(store.schema, plan_changes(store.schema, [wanted]))
    fresh = store_over(fake)
    assert {e.schema_version for e in fresh.manifest(wanted).values()} == {schema_version(wanted)}
    assert fresh.replace_range(wanted, many(DAYS), DAYS).written == frozenset()
    more = replace(wanted, columns=(*wanted.columns, Column("drafted_on", DATE, "Another date.")))
    apply_changes(store.schema, plan_changes(store.schema, [more]))
    assert {e.schema_version for e in fresh.manifest(more).values()} == {
        schema_version(wanted)
    }  # these lack a column: stale
    assert fresh.replace_range(more, many(DAYS).assign(drafted_on=None), DAYS).written == frozenset(DAYS)


def test_days_of_another_older_declaration_stay_stale(fake, store) -> None:
    store.replace_range(TABLE, many(DAYS[:1]), DAYS[:1])
    key_changed = replace(TABLE, key=("game_id", "player_id", "points"))
    store.replace_range(key_changed, many(DAYS[1:]), DAYS[1:])
    wanted = TABLE.with_column("minutes", type=numeric(9, 3))
    apply_changes(store.schema, plan_changes(store.schema, [wanted]))
    versions = {d: e.schema_version for d, e in store_over(fake).manifest(wanted).items()}
    assert versions == {DAYS[0]: schema_version(wanted), DAYS[1]: schema_version(key_changed)}


def test_narrowing_is_refused_before_anything_is_done(fake, store) -> None:
    other = replace(TABLE, name="other")
    for table in (TABLE, other):
        store.replace_range(table, many(DAYS), DAYS)
    narrow, wide = (
        TABLE.with_column("minutes", type=numeric(5, 2)),
        other.with_column("minutes", type=numeric(7, 2)),
    )
    recipes = plan_changes(store.schema, [wide, narrow])
    with pytest.raises(
        SchemaDrift,
        match=r"column minutes is stored as NUMERIC\(6,2\) and declared NUMERIC\(5,2\).*Nothing was changed",
    ):
        apply_changes(store.schema, recipes)
    assert plan_changes(store.schema, [other])[0].changes == ()


def test_writing_never_alters_a_table(fake, store) -> None:
    store.replace_range(TABLE, many(DAYS), DAYS)
    fake.calls.clear()
    with pytest.raises(SchemaDrift, match=r"`nba-pipeline schema diff --warehouse bigquery`"):
        store.replace_range(TABLE.with_column("minutes", type=numeric(7, 2)), many(DAYS, shift=1), DAYS)
    assert [method for method, _ in fake.calls] == ["GET"]


def test_a_manifest_that_is_missing_is_made(fake, store) -> None:
    store.schema.create(TABLE)
    fake.client(PROJECT).delete_table(f"{PROJECT}.analytics.box_scores__manifest")
    assert store.replace_range(TABLE, many(DAYS), DAYS).written == frozenset(DAYS)
    assert sorted(store_over(fake).manifest(TABLE)) == DAYS


def test_quarantine_tables_come_with_their_tables() -> None:
    assert [t.name for t in with_quarantine([TABLE])] == ["box_scores", "box_scores__rejected"]
