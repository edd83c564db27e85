"""Two backfills of overlapping ranges at once, as real processes: the second says what the first makes,
waits, and makes the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.operations.backfill.locks import Busy, hold, in_the_way, living
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.ranges import span
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.support.pipeline import recipe_of

ROOT = Path(__file__).parents[2]
FIRST = date(2023, 10, 24)
GAMES, BOXSCORES, CACHE = "nba_raw.games", "nba_raw.player_boxscores", "nba_precompute.player_daily_cache"
PLAYERS = "nba_analytics.player_game_summary"
TABLE_NAMES = "games,player_boxscores,shot_attempts,team_offense_game_summary"


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "nba_pipeline.cli.main", *arguments],
        env={
            **clean,
            "DAGSTER_HOME": str(home),
            "NBA_PIPELINE_START_DATE": str(FIRST),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def backfill(home: Path, last: date) -> subprocess.Popen[str]:
    return start(
        home, "backfill", "--start", str(FIRST), "--end", str(last), "--tables", TABLE_NAMES, "--json"
    )


def wait_for_lock(home: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not living(home):
        assert process.poll() is None, "it ended before it was seen"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_the_second_waits_says_so_and_makes_only_the_rest(tmp_path: Path) -> None:
    # So many days that the first is still at work when the second has started, on a busy machine too.
    overlap, last = FIRST + timedelta(days=89), FIRST + timedelta(days=96)
    one = backfill(tmp_path, overlap)
    wait_for_lock(tmp_path, one)
    two = backfill(tmp_path, last)
    (out_one, err_one), (out_two, err_two) = one.communicate(timeout=200), two.communicate(timeout=200)
    assert (one.returncode, two.returncode) == (0, 0), err_one + err_two
    said = " ".join(err_two.split())
    assert f"Another backfill (process {one.pid}, since" in said
    assert f"{FIRST} .. {overlap} of nba_raw.games" in said
    for name, result in json.loads(out_one)["tables"].items():
        assert result["materialized"] == 90, name
    for name, result in json.loads(out_two)["tables"].items():
        assert (result["requested"], result["materialized"], result["failed"]) == (7, 7, []), name
        assert result["up_to_date"] == 90
    store = ParquetStore(tmp_path / "warehouse")
    for name in (GAMES, BOXSCORES, "nba_raw.shot_attempts", "nba_analytics.team_offense_game_summary"):
        rows = store.read(TABLES[name], span(FIRST, last))
        assert sorted(store.manifest(TABLES[name])) == span(FIRST, last)
        assert not rows.duplicated(list(TABLES[name].key)).any()
    assert living(tmp_path) == []


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_killed_backfill_stands_in_nobodys_way(tmp_path: Path) -> None:
    process = backfill(tmp_path, FIRST + timedelta(days=13))
    wait_for_lock(tmp_path, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert list((tmp_path / "backfills").glob("*.json"))  # its file is still there
    assert living(tmp_path) == []
    assert not list((tmp_path / "backfills").glob("*.json"))


def request(table: str, first: date, last: date) -> Backfill:
    return Backfill([recipe_of(table)], {table: span(first, last)})


def test_what_stands_in_the_way(tmp_path: Path) -> None:
    november = (date(2023, 11, 1), date(2023, 11, 30))
    december = (date(2023, 12, 1), date(2023, 12, 31))

    def meet(mine: str, my_days: tuple[date, date], theirs: str, their_days: tuple[date, date]) -> bool:
        return in_the_way({theirs: [their_days]}, {mine: [my_days]}, RECIPES)

    assert meet(GAMES, november, GAMES, (date(2023, 11, 30), date(2023, 12, 2)))
    assert not meet(GAMES, november, GAMES, december)
    assert meet(BOXSCORES, november, GAMES, november)  # made from them
    assert meet(GAMES, november, BOXSCORES, november)  # and the other way round
    assert not meet(BOXSCORES, november, GAMES, december)
    assert meet(CACHE, december, PLAYERS, november)  # looks back on them
    assert not meet(CACHE, november, PLAYERS, december)  # not forward

    with hold(tmp_path, request(GAMES, *november), RECIPES):
        with hold(tmp_path, request(GAMES, *december), RECIPES):
            assert len(living(tmp_path)) == 2
        with pytest.raises(Busy) as busy, hold(tmp_path, request(BOXSCORES, *november), RECIPES):
            pass
        assert [c.process for c in busy.value.others] == [os.getpid()]
        assert len(living(tmp_path)) == 1
    assert living(tmp_path) == []
