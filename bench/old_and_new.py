"""A backfill with an older commit and with this one, in turn: seconds, and whether the tables are the same.

    python bench/old_and_new.py COMMIT [--bulk FOLDER] [--start D] [--end D] [--times N]

Both run with this Python and its packages, each in a new home, alternately, so that a busy machine slows
both. Printed are the wall and processor seconds of each run, their ratio (new / old), and how many days of
each table have the same content hash.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]


def checkout(commit: str, folder: Path) -> None:
    """The commit's files in a folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def backfill(code: Path, home: Path, start: str, end: str, bulk: Path | None) -> tuple[float, float]:
    """(wall seconds, processor seconds) of a backfill in a new home. CalledProcessError if it does not end
    well."""
    source = {"NBA_PIPELINE_SOURCE": "bulk", "NBA_PIPELINE_BULK_DIR": str(bulk)} if bulk else {}
    environment = os.environ | source | {"PYTHONPATH": str(code), "DAGSTER_HOME": str(home)}
    environment |= {"NBA_PIPELINE_START_DATE": start, "NBA_PIPELINE_END_DATE": end}
    command = [sys.executable, "-m", "nba_pipeline.cli.main", "backfill", "--json"]
    used, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, cwd=home.parent, check=True, stdout=subprocess.DEVNULL)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begun, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def hashes(warehouse: Path) -> dict[tuple[str, str], str]:
    """(table, day) -> content hash."""
    found = {}
    for path in warehouse.glob("*/*/game_date=*/part.parquet"):
        entry = json.loads(pq.read_metadata(path).metadata[b"nba_pipeline"])
        table = f"{path.parts[-4]}.{path.parts[-3]}"
        found[table, path.parent.name.removeprefix("game_date=")] = entry["content_hash"]
    return found


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("commit")
    options.add_argument("--bulk", type=lambda p: Path(p).resolve())
    options.add_argument("--start", default="2021-10-19")
    options.add_argument("--end", default="2024-06-30")
    options.add_argument("--times", type=int, default=2)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkout(given.commit, folder / "old")
        checkout("HEAD", folder / "new")
        best: dict[str, float] = {}
        for turn in range(given.times):
            for name in ("old", "new"):
                wall, processor = backfill(
                    folder / name, folder / f"home_{name}_{turn}", given.start, given.end, given.bulk
                )
                best[name] = min(wall, best.get(name, wall))
                print(f"{name} {turn + 1}: {wall:6.1f} s wall, {processor:6.1f} s of processors", flush=True)
        print(f"new / old, best of {given.times}: {best['new'] / best['old']:.2f}")
        old, new = (hashes(folder / f"home_{name}_0" / "warehouse") for name in ("old", "new"))
        same = Counter(table for (table, day), digest in old.items() if new.get((table, day)) == digest)
        for table, days in sorted(Counter(table for table, _ in old).items()):
            print(f"{table:48} {same[table]:5} of {days} days have the same content")


if __name__ == "__main__":
    main()
