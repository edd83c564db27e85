"""A home is created by one process at a time, whoever comes first, and one that a race broke is healed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from nba_pipeline.orchestration.open_instance import open_instance

DATABASES = ("history/runs.db", "schedules/schedules.db", "history/runs/index.db")
OPEN = """
import sys
from pathlib import Path
from nba_pipeline.orchestration.open_instance import open_instance
with open_instance(Path(sys.argv[1])) as instance:
    print(len(instance.get_runs()))
"""


def versions(home: Path) -> dict[str, int]:
    found = {}
    for name in DATABASES:
        with closing(sqlite3.connect(home / name)) as connection:
            found[name] = connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
    return found


@pytest.mark.slow  # four processes
def test_four_first_commands_make_one_home(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", OPEN, str(tmp_path / "home")]
    together = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    ends = [process.communicate(timeout=120) for process in together]
    assert [out.strip() for out, _ in ends] == ["0"] * 4, ends
    assert versions(tmp_path / "home") == dict.fromkeys(DATABASES, 1)


@pytest.mark.parametrize("name", DATABASES)
def test_a_home_that_two_processes_broke_is_healed(tmp_path: Path, name: str) -> None:
    with open_instance(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / name)) as connection, connection:
        right = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.execute(
            "INSERT INTO alembic_version VALUES ('5771160a95ad')"
        )  # what the second one stamps
    with open_instance(tmp_path) as instance:
        assert instance.get_runs() == []
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == right
