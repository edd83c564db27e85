"""What a Dagster history weighs: megabytes of its databases, events by type, and the states of all checks.

    python bench/history_size.py DAGSTER_HOME

The last two lines are what the UI waits for on a table's page: the states of every partitioned check, worked
out once from nothing and once more with nothing new.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path

BY_TYPE = """
    SELECT coalesce(dagster_event_type, 'log line'), count(*), sum(length(event)) / 1e6
    FROM event_logs GROUP BY 1 ORDER BY 3 DESC LIMIT 6
"""


def sizes(home: Path) -> None:
    files = sorted((home / "history" / "runs").glob("*.db*"))
    index = home / "history" / "runs" / "index.db"
    total = sum(file.stat().st_size for file in files) / 1e6
    print(f"history {total:.0f} MB in {len(files)} files, of it index.db {index.stat().st_size / 1e6:.0f} MB")
    for file in (index, max((f for f in files if f.suffix == ".db" and f != index), key=os.path.getsize)):
        print(file.name if file == index else "largest run")
        with sqlite3.connect(file) as connection:
            for kind, count, megabytes in connection.execute(BY_TYPE):
                print(f"  {kind:34} {count:8} events {megabytes:8.1f} MB of text")


def check_states(home: Path) -> None:
    os.environ["DAGSTER_HOME"] = str(home)
    import dagster as dg

    from nba_pipeline.definitions import defs

    graph = defs.get_repository_def().asset_graph
    keys = [(key, graph.get(key).partitions_def) for key in graph.asset_check_keys]
    with dg.DagsterInstance.get() as instance:
        for name in ("anew", "again"):
            start = time.perf_counter()
            instance.event_log_storage.get_asset_check_state(keys)
            print(f"states of {len(keys)} checks {name}: {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    sizes(Path(sys.argv[1]).resolve())
    check_states(Path(sys.argv[1]).resolve())
