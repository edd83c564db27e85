"""Troubles of the machine are one sentence; a defect keeps its traceback."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import pytest
import sqlalchemy.exc

from nba_pipeline.cli import main
from nba_pipeline.cli.trouble import sentence


def locked() -> Exception:
    return sqlalchemy.exc.OperationalError("UPDATE runs", {}, sqlite3.OperationalError("database is locked"))


def wrapped() -> Exception:
    try:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/part.parquet")
    except OSError as error:
        try:
            raise RuntimeError("the run ended") from error
        except RuntimeError as outer:
            return outer


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (locked(), "another program holds Dagster's history"),
        (wrapped(), "the disk is full: /data/part.parquet"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "the file system is read-only: /x"),
        (sqlite3.DatabaseError("file is not a database"), "put a backup of"),
    ],
)
def test_what_happened_and_how_to_go_on(
    error: Exception, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def raises(*_: Any) -> None:
        raise error

    monkeypatch.setattr(main, "app", raises)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert says in said
    assert "the same command makes the rest" in said
    assert said.count("\n") == 1


def test_a_defect_is_no_trouble_of_the_machine() -> None:
    assert sentence(ValueError("a defect")) is None
    assert sentence(FileNotFoundError(errno.ENOENT, "No such file", "/x")) is None
    assert sentence(sqlite3.OperationalError("no such column: x")) is None
