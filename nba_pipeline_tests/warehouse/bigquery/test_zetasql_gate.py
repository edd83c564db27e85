"""The gate lets GoogleSQL through and stops what is none: otherwise it would prove nothing about our
statements."""

from __future__ import annotations

import datetime as dt

import pytest
from google.cloud import bigquery

from nba_pipeline_tests.warehouse.bigquery.zetasql_gate import NotGoogleSql, check

pytestmark = pytest.mark.timeout(300)  # the first analysis on a machine compiles the analyzer

SCHEMAS = {
    "p.d.t": [
        bigquery.SchemaField("game_date", "DATE", "REQUIRED"),
        bigquery.SchemaField("rate", "NUMERIC", precision=5, scale=2),
        bigquery.SchemaField("team", "STRING"),
    ],
    "p.d.staging": [
        bigquery.SchemaField("game_date", "DATE"),
        bigquery.SchemaField("rate", "NUMERIC"),
        bigquery.SchemaField("team", "STRING"),
    ],
}
PARAMETERS = [
    bigquery.ScalarQueryParameter("n", "INT64", 1),
    bigquery.ArrayQueryParameter("days", "DATE", [dt.date(2024, 1, 1)]),
]

SCRIPT = """
SELECT IF(COUNT(*) = @n, TRUE, ERROR('not what was sent')) FROM `p.d.staging`;
BEGIN TRANSACTION;
DELETE FROM `p.d.t` WHERE `game_date` BETWEEN DATE '2024-01-01' AND DATE '2024-01-31'
  AND `game_date` IN UNNEST(@days);
INSERT INTO `p.d.t` (`game_date`, `rate`) SELECT `game_date`, `rate` FROM `p.d.staging`;
COMMIT TRANSACTION;
DROP TABLE IF EXISTS `p.d.staging`;
"""


def test_a_range_write_is_understood_statement_by_statement() -> None:
    assert check(SCRIPT, SCHEMAS, PARAMETERS) == [
        "QueryStmt",
        "BeginStmt",
        "DeleteStmt",
        "InsertStmt",
        "CommitStmt",
        "DropStmt",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        (
            "CREATE TABLE `p.d.new` (game_date DATE NOT NULL OPTIONS(description='day'), rate NUMERIC(5, 2))"
            " PARTITION BY game_date CLUSTER BY rate OPTIONS(description='what', labels=[('a', 'b')],"
            " require_partition_filter=TRUE)"
        ),
        "ALTER TABLE `p.d.t` ADD COLUMN pace NUMERIC(6, 2) OPTIONS(description='possessions')",
        "ALTER TABLE `p.d.t` ALTER COLUMN rate SET DATA TYPE NUMERIC(6, 2)",
        "ALTER TABLE `p.d.t` ALTER COLUMN game_date DROP NOT NULL",
    ],
)
def test_data_definition_is_understood(statement: str) -> None:
    assert len(check(statement, SCHEMAS)) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT nope FROM `p.d.t`", "Unrecognized name: nope"),
        ("SELECT 1 FROM `p.d.absent`", "Table not found"),
        ("INSERT INTO `p.d.t` (rate) SELECT team FROM `p.d.staging`", "cannot be inserted into column rate"),
        ("DELETE FROM `p.d.t` WHERE rate = 'a'", "No matching signature"),
        ("SELECT list_sum([1])", "Function not found: list_sum"),
        ("SELECT CAST(1 AS VARCHAR)", "Type not found: VARCHAR"),
        ("SELECT @unknown", "unknown"),
        ("SELECT 'é'; SELEC 2", "Syntax error"),
    ],
)
def test_what_is_not_googlesql_is_stopped_wherever_it_stands(text: str, words: str) -> None:
    with pytest.raises(NotGoogleSql, match=words):
        check(text, SCHEMAS, PARAMETERS)
