"""A new day's file is put into the bulk folder of a running deployment, and nobody does anything else.

Real processes, the real league's files. The deployment stands in the night after a game day (DAY) whose
results are not published yet: the folder's schedule goes on, its box scores and shots end the day before.
NEXT_DAY is the calendar's today.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from nba_pipeline import clock
from nba_pipeline.build import RECIPES
from nba_pipeline.ranges import span
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.end_to_end.dev_server import DevServer, dagster_dev
from nba_pipeline_tests.end_to_end.pipelines import command, environment
from nba_pipeline_tests.end_to_end.quick_daemon import write_instance
from nba_pipeline_tests.orchestration.automation.driver import FEATURES, PLAYERS, RAW
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.bulk,
    pytest.mark.timeout(900),
]  # a minute and a half

ROOT = Path(__file__).parents[3]
START, DAY, NEXT_DAY = date(2024, 2, 22), date(2024, 3, 10), date(2024, 3, 11)
LOCATION = f"""
from datetime import datetime
from zoneinfo import ZoneInfo

from nba_pipeline import build, clock

clock.now = lambda: datetime(
    {NEXT_DAY.year}, {NEXT_DAY.month}, {NEXT_DAY.day}, 3, tzinfo=ZoneInfo(clock.TIMEZONE))
"""
QUICK = """
from nba_pipeline.orchestration.automation import source_sensor, wiring

wiring.CONTINUE_SECONDS = source_sensor.POLL_SECONDS = 1
"""
DEFINITIONS = "\ndefs = build.build_defs()\n"
FETCHED = (
    '{ runsOrError(filter: {pipelineName: "raw_days", statuses: [FAILURE, SUCCESS]}) { ... on Runs { results'
    " { runId } } } }"
)
OF_RESULTS = (
    *RAW[1:],
    "nba_analytics.team_offense_game_summary",
    "nba_analytics.team_defense_game_summary",
    PLAYERS,
)
"""What needs the day's own results, and is empty before them. The others are about what is known before the
day."""


@dataclass(frozen=True)
class Published:
    """The real files, and a folder that holds them up to some day."""

    real: Path
    folder: Path

    def publish(self, last: date) -> None:
        """Results up to ``last``; the schedule up to NEXT_DAY. Each file is written beside the old one and
        renamed, shots first."""
        games = pd.read_parquet(self.real / "games.parquet")
        days = pd.to_datetime(games["game_date"]).dt.date
        games = games[(days >= START) & (days <= NEXT_DAY)].reset_index(drop=True)
        to_come = pd.to_datetime(games["game_date"]).dt.date > last
        games.loc[to_come, ["home_score", "away_score", "played"]] = None
        final = set(games.loc[~to_come, "game_id"])
        for name, column in (("shots_2023-24.parquet", "GAME_ID"), ("player_box.parquet", "game_id")):
            self._write(name, pd.read_parquet(self.real / name, filters=[(column, "in", final)]))
        self._write("games.parquet", games)

    def _write(self, name: str, frame: pd.DataFrame) -> None:
        frame.to_parquet(self.folder / f".{name}.part")
        (self.folder / f".{name}.part").replace(self.folder / name)


@pytest.fixture
def published(bulk_dir: Path, tmp_path: Path) -> Published:
    """The folder as it is before DAY's results are published."""
    folder = tmp_path / "bulk"
    folder.mkdir()
    made = Published(bulk_dir, folder)
    made.publish(DAY - timedelta(days=1))
    return made


@pytest.fixture
def server(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DevServer]:
    """`dagster dev` in production, with short intervals, over a history that the command line made at noon of
    DAY, DAY's slate included."""
    home = tmp_path / "home"
    home.mkdir()
    settings = {
        "NBA_PIPELINE_SOURCE": "bulk",
        "NBA_PIPELINE_BULK_DIR": str(published.folder),
        "NBA_PIPELINE_START_DATE": str(START),
    }
    write_instance(ROOT / "dagster.yaml", home)
    with environment(DAGSTER_HOME=home, **settings):
        monkeypatch.setattr(
            clock, "now", lambda: datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=ZoneInfo(clock.TIMEZONE))
        )
        assert command(None, "backfill", "--start", str(START), "--end", str(DAY)).code == 0
    (home / "location.py").write_text(LOCATION + QUICK + DEFINITIONS, encoding="utf-8")
    settings |= {
        "NBA_PIPELINE_END_DATE": str(NEXT_DAY),
        "NBA_PIPELINE_ENVIRONMENT": "production",
        "NBA_PIPELINE_ALERTS": "log",
        "PYTHONPATH": str(ROOT),
    }
    with dagster_dev(home, ["-f", "location.py"], settings) as running:
        yield running


def test_a_new_days_file_reaches_the_next_days_features_by_itself(
    server: DevServer, published: Published, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    store = ParquetStore(tmp_path / "home" / "warehouse")
    server.wait_for(
        "the source sensor's first look", lambda: server.ask(FETCHED)["runsOrError"]["results"], 180
    )
    server.wait_for("the automation's first look", lambda: NEXT_DAY in store.manifest(TABLES[PLAYERS]), 300)
    assert {store.manifest(TABLES[PLAYERS])[day].reason for day in (DAY, NEXT_DAY)} == {"not_played_yet"}
    assert max(store.manifest(TABLES[FEATURES])) == DAY, (
        "the next day's features wait for the night's results"
    )

    published.publish(DAY)
    begun = time.monotonic()
    server.wait_for("the next day's features", lambda: NEXT_DAY in store.manifest(TABLES[FEATURES]), 600)
    seconds = round(time.monotonic() - begun)
    record_property("seconds_from_file_to_features", seconds)
    print(f"\nfrom the new file to the next day's features in {seconds} s")

    assert server.failed_ticks() == []
    for recipe in RECIPES:
        manifest = store.manifest(TABLES[recipe.table])
        assert sorted(manifest) == span(START, NEXT_DAY), recipe.table
        assert (manifest[NEXT_DAY].reason == "not_played_yet") is (recipe.table in OF_RESULTS), recipe.table
    assert_as_published(published.real, store)
    assert_as_made_in_one_go(published.real, store)


def assert_as_published(real: Path, store: ParquetStore) -> None:
    """Points of DAY and the averages before NEXT_DAY, straight from the league's file."""
    lines = pd.read_parquet(
        real / "player_box.parquet",
        columns=["game_id", "game_date", "person_id", "points", "seconds_official"],
    )
    lines = lines[
        (lines["seconds_official"] > 0)
        & lines["game_date"].between(str(START), str(DAY))
        & (lines["game_id"].str[2] == "2")
    ]
    of_day = lines[lines["game_date"] == str(DAY)].set_index("person_id")["points"]
    made = store.read(TABLES[PLAYERS], [DAY]).set_index("player_id")["points"]
    assert len(of_day) > 150
    assert made.astype(int).to_dict() == of_day.astype(int).to_dict()
    last_five = (
        lines.sort_values("game_date")
        .groupby("person_id")["points"]
        .agg(lambda points: points.tail(5).mean())
    )
    features = store.read(TABLES[FEATURES], [NEXT_DAY]).set_index("player_id")["points_avg_last_5"].dropna()
    assert set(features.index) & set(of_day.index), "somebody played on both days"
    assert (features.astype(float) - last_five.reindex(features.index)).abs().max() <= 0.005 + 1e-9, (
        "stored with two decimals"
    )


def assert_as_made_in_one_go(real: Path, store: ParquetStore) -> None:
    """Every day is what one run over the complete files makes of it, without sensors and Dagster."""
    expected = Pipeline(BulkSource(real), START)
    expected.run(span(START, NEXT_DAY), [recipe.table for recipe in RECIPES])
    for recipe in RECIPES:
        held, made = store.manifest(TABLES[recipe.table]), expected.store.manifest(TABLES[recipe.table])
        if recipe.table in (
            *RAW,
            *OF_RESULTS,
        ):  # the complete files have NEXT_DAY's scores and shots, the folder not yet
            held = {day: entry for day, entry in held.items() if day < NEXT_DAY}
        assert {day: e.content_hash for day, e in held.items()} == {
            day: made[day].content_hash for day in held
        }, recipe.table
