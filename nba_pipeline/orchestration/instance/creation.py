"""Creating a home's databases: one process at a time, and healing those that two created at once.

Belongs here: the lock, and the one kind of damage that a race leaves. Does not belong here: what is in the
databases (Dagster).

Why: Dagster creates tables and stamps their version in several steps. Of two first commands (`backfill` in
one shell, the UI in another) the second finds tables without a version, stamps an older one beside the
first's, and every later command ends in a traceback of alembic (two rows in ``alembic_version``; seen in 3 of
6 homes with four processes at once).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from filelock import FileLock

from nba_pipeline.orchestration.dagster_private import get_alembic_config, sqlite_run_storage

LOCK = ".creating.lock"
_WAIT_SECONDS = 120  # a home is created in about a second
_DATABASES = ("history/runs.db", "schedules/schedules.db", "history/runs/index.db")


@contextmanager
def one_at_a_time(home: Path) -> Iterator[None]:
    """Inside, no other process opens the home's databases for the first time; healed before."""
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / LOCK, timeout=_WAIT_SECONDS):
        for name in _DATABASES:
            if (home / name).is_file():
                _heal(home / name)
        yield


def _heal(database: Path) -> None:
    """Leave the newest of several versions: the tables were created as it describes them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            versions = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
        except sqlite3.Error:
            return  # no such table yet, or a file that its own reader will complain of
    if len(versions) < 2:
        return
    head = ScriptDirectory.from_config(get_alembic_config(sqlite_run_storage.__file__)).get_current_head()
    if head in versions:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DELETE FROM alembic_version WHERE version_num <> ?", (head,))
