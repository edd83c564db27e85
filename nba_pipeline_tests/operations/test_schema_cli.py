"""`nba-pipeline schema` over the local warehouse: exit codes, what is printed, and views that another program
can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from nba_pipeline.tables import registry
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import ColumnType, numeric
from nba_pipeline.warehouse.parquet.accepted import FILE_NAME
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, command

ONLY = ("--tables", "player_game_summary")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def declare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Declares usage_rate otherwise; what was accepted is forgotten at the end, because other tests read the
    same home."""

    def redeclare(type_: ColumnType) -> None:
        monkeypatch.setattr(registry, "TABLES", TABLES.with_column(PLAYERS, "usage_rate", type=type_))

    yield redeclare
    (home / "warehouse" / PLAYERS.replace(".", "/") / FILE_NAME).unlink(missing_ok=True)


def test_a_warehouse_of_today_is_as_declared(home: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert f"{2 * len(TABLES)} table(s) are as declared" in command(capsys, "schema", "diff").out
    answer = command(capsys, "schema", "diff", "--json")
    assert (answer.code, len(answer.json["tables"])) == (0, 2 * len(TABLES))
    assert "0 table(s) changed" in command(capsys, "schema", "apply").out


def test_diff_says_what_apply_does(declare, capsys: Capture) -> None:
    declare(numeric(8, 2))
    shown = command(capsys, "schema", "diff", *ONLY)
    assert shown.code == 1
    assert "`nba-pipeline schema apply` changes 1 table(s) in place" in " ".join(shown.out.split())
    (change,) = command(capsys, "schema", "diff", *ONLY, "--json").json["tables"][PLAYERS]["changes"]
    assert (change["action"], change["column"], change["blocks"], change["rows"]) == (
        "widen",
        "usage_rate",
        True,
        [],
    )
    assert command(capsys, "schema", "apply", *ONLY).code == 0
    assert command(capsys, "schema", "diff", *ONLY).code == 0


def test_a_refusal_is_exit_code_1_and_names_rows(declare, capsys: Capture) -> None:
    declare(numeric(3, 2))
    found = command(capsys, "schema", "diff", *ONLY, "--json").json["tables"][PLAYERS]["changes"]
    assert [(c["action"], len(c["rows"])) for c in found] == [("refuse", 5)]
    shown = " ".join(command(capsys, "schema", "diff", *ONLY).out.split())
    assert "1 table(s) cannot be changed in place" in shown
    assert found[0]["rows"][0] in shown
    refused = command(capsys, "schema", "apply", *ONLY)
    assert refused.code == 1
    assert found[0]["rows"][0] in refused.err
    assert "Nothing was changed." in refused.err


def test_the_printed_views_can_be_read_by_another_program(home: Path, capsys: Capture) -> None:
    capsys.readouterr()
    printed = command(capsys, "schema", "ddl", *ONLY).out
    rows = command(capsys, "sql", f"SELECT count(*) AS n FROM {PLAYERS}", "--json").json[0]["n"]
    with duckdb.connect() as plain:
        plain.execute(printed)
        assert plain.sql(f"SELECT count(*) FROM {PLAYERS}").fetchall() == [(rows,)]
        assert plain.sql(f"SELECT count(*) FROM {PLAYERS}__rejected").fetchall() == [(0,)]
    assert rows > 0


def test_a_table_that_is_not_there_is_wrong_usage(home: Path, capsys: Capture) -> None:
    answer = command(capsys, "schema", "diff", "--tables", "no_such_table")
    assert answer.code == 2
    assert "there is no table 'no_such_table'" in answer.err
