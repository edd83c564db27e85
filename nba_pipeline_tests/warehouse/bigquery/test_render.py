"""Declarations as BigQuery, and every statement that can be sent, judged by Google's analyzer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.evolution import Action, blocking, differences, widens
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.render.bigquery import (
    MANIFEST_FIELDS,
    Address,
    change_statements,
    clustering,
    create_statements,
    dataset_statements,
    options,
    relabel_statement,
    schema_fields,
    stored_table,
    table_resource,
    text,
)
from nba_pipeline.tables.spec import STRING, Column, numeric
from nba_pipeline.warehouse.bigquery.write import Write, staging_fields, swap_parameters, swap_script
from nba_pipeline.warehouse.prepare import prepare_range
from nba_pipeline_tests.warehouse.bigquery import zetasql_gate
from nba_pipeline_tests.warehouse.support import TABLE, day, many

HERE = Address("test-project", "dev_")
ALL = [each for table in TABLES.values() for each in (table, table.rejected())]
every_table = pytest.mark.parametrize("table", ALL, ids=lambda t: t.full_name)


@every_table
def test_a_table_as_bigquery_has_it_is_no_difference(table):
    made = table_resource(HERE, table)
    assert made.time_partitioning.field == "game_date"
    assert made.time_partitioning.type_ == "DAY"
    assert 0 <= len(made.clustering_fields or []) <= 4
    assert all(len(f.description) <= 1024 for f in made.schema)
    assert (
        differences(table, stored_table(bigquery.Table.from_api_repr(made.to_api_repr())), options(table))
        == []
    )


def test_columns_keep_their_digits_and_their_mode():
    fields = {f.name: f for f in schema_fields(TABLE)}
    assert (fields["minutes"].field_type, fields["minutes"].precision, fields["minutes"].scale) == (
        "NUMERIC",
        6,
        2,
    )
    assert (fields["game_date"].mode, fields["points"].mode) == ("REQUIRED", "NULLABLE")
    assert {f.mode for f in schema_fields(TABLE, staging=True)} == {"NULLABLE"}
    assert clustering(TABLE) == ["game_id", "player_id"]


@pytest.mark.parametrize(
    ("project", "prefix"),
    [("a`b", ""), ("UPPER-case", ""), ("ok-project", "a-b"), ("ok-project", "x`; DROP"), ("", "")],
)
def test_names_that_could_leave_their_quotes_are_refused(project, prefix):
    with pytest.raises(ConfigurationError):
        Address(project, prefix)


def _actions(stored, declared):
    return [
        (c.action, c.column)
        for c in differences(declared, stored_table(table_resource(HERE, stored)), options(declared))
    ]


def test_what_can_be_done_in_place_and_what_is_refused():
    added = replace(TABLE, columns=(*TABLE.columns, Column("steals", STRING, "New.")))
    assert _actions(TABLE, added) == [(Action.ADD_COLUMN, "steals")]
    required = replace(TABLE, columns=(*TABLE.columns, Column("steals", STRING, "New.", nullable=False)))
    assert _actions(TABLE, required) == [(Action.REFUSE, "steals")]
    assert _actions(TABLE, TABLE.with_column("minutes", type=numeric(7, 2))) == [(Action.WIDEN, "minutes")]
    assert _actions(TABLE, TABLE.with_column("minutes", type=numeric(5, 2))) == [(Action.REFUSE, "minutes")]
    assert _actions(TABLE, TABLE.with_column("minutes", type=numeric(6, 3))) == [(Action.REFUSE, "minutes")]
    assert _actions(TABLE, TABLE.with_column("points", type=STRING)) == [(Action.REFUSE, "points")]
    assert _actions(TABLE, TABLE.with_column("is_home", nullable=True)) == [(Action.RELAX, "is_home")]
    assert (
        _actions(TABLE, TABLE.with_column("points", nullable=False)) == []
    )  # checked by every writer instead
    assert _actions(TABLE, TABLE.with_column("points", description="Other words.")) == [
        (Action.DESCRIBE, None)
    ]
    fewer = replace(TABLE, columns=tuple(c for c in TABLE.columns if c.name != "points"))
    changes = differences(fewer, stored_table(table_resource(HERE, TABLE)), options(fewer))
    assert [(c.action, c.blocks) for c in changes] == [(Action.DESCRIBE, False)]
    assert not blocking(changes)
    assert _actions(
        replace(TABLE, columns=(*TABLE.columns, Column("old", STRING, "x", nullable=False))), TABLE
    ) == [(Action.RELAX, "old")]


def test_a_table_without_partitions_is_refused():
    made = table_resource(HERE, TABLE)
    made.time_partitioning = None
    assert differences(TABLE, stored_table(made), options(TABLE))[0].action is Action.REFUSE


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ((5, 2), (6, 2), True),
        ((5, 2), (7, 4), True),
        ((5, 2), (6, 4), False),
        ((5, 2), (5, 2), False),
        ((5, 2), (5, 1), False),
    ],
)
def test_widening(old, new, wider):
    assert widens(numeric(*old), numeric(*new)) is wider


# ------------------------------------------------------------------------------------------------ the gate


def _schemas(table):
    return {
        HERE.data(table): schema_fields(table),
        HERE.manifest(table): MANIFEST_FIELDS,
        HERE.staging("w"): staging_fields(table),
    }


@pytest.mark.slow
@pytest.mark.parametrize("contiguous", [True, False])
@every_table
def test_every_swap_is_valid_googlesql(table, contiguous):
    days = [day(0), day(1) if contiguous else day(2)]
    prepared = prepare_range(TABLE, many(days), days)
    parameters = swap_parameters(Write(prepared, days, datetime.now(UTC), {}))
    kinds = zetasql_gate.check(
        swap_script(HERE, table, "w", contiguous=contiguous), _schemas(table), parameters
    )
    assert kinds == [
        "QueryStmt",
        "BeginStmt",
        "DeleteStmt",
        "InsertStmt",
        "DeleteStmt",
        "InsertStmt",
        "CommitStmt",
        "DropStmt",
    ]


@every_table
def test_every_ddl_statement_is_valid_googlesql(table):
    for statement in create_statements(HERE, table):
        assert zetasql_gate.check(statement, {}) == ["CreateTableStmt"]


def test_datasets_and_changes_are_valid_googlesql():
    for statement in dataset_statements(HERE, ["nba_raw"], "US"):
        assert zetasql_gate.check(statement, {}) == ["CreateSchemaStmt"]
    stored = stored_table(table_resource(HERE, TABLE))
    wanted = TABLE.with_column("minutes", type=numeric(9, 3)).with_column("is_home", nullable=True)
    wanted = replace(
        wanted, columns=(*wanted.columns, Column("steals", STRING, 'With "quotes", \\ and\nlines.'))
    )
    statements = change_statements(HERE, wanted, differences(wanted, stored, options(wanted)))
    assert len(statements) == 3
    for statement in statements:
        assert zetasql_gate.check(statement, _schemas(TABLE)) == ["AlterTableStmt"]
    assert zetasql_gate.check(relabel_statement(HERE, TABLE, ["a1", "b2"], "c3"), _schemas(TABLE)) == [
        "UpdateStmt"
    ]


def test_reading_statements_are_valid_googlesql(fake, store, monkeypatch):
    """What a store sends to read is caught on its way and judged."""
    store.replace_range(TABLE, many([day(0), day(2)]), [day(0), day(2)])
    sent = []
    monkeypatch.setattr(store, "_recent", type(store._recent)(0))
    original = type(store)._query
    monkeypatch.setattr(
        type(store),
        "_query",
        lambda self, table, sql, given: (sent.append((sql, given)), original(self, table, sql, given))[1],
    )
    store.read(TABLE, [day(0), day(2)], ["points"])
    store._tampered(TABLE, store.manifest(TABLE))
    assert len(sent) == 2
    schemas = {store.address.data(TABLE): schema_fields(TABLE)}
    for sql, given in sent:
        assert zetasql_gate.check(sql, schemas, given) == ["QueryStmt"]


@pytest.mark.parametrize("value", ["plain", 'a "quoted" \\ word', "line\nbreak\ttab", "Dončić ≥ 'x'"])
def test_texts_survive_their_quotes(fake, value):
    client = fake.client("test-project")
    assert [tuple(r.values()) for r in client.query(f"SELECT {text(value)}").result()] == [(value,)]
