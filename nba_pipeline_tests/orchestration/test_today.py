"""Today's slate: what is made of a day before its games are played, and what becomes of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd
import pytest

from nba_pipeline import clock
from nba_pipeline.build import RECIPES
from nba_pipeline.clock import TIMEZONE, results_due
from nba_pipeline.failures import ConfigurationError, FailureClass
from nba_pipeline.operations.backfill.plan import Why, make_plan
from nba_pipeline.operations.status import staleness
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import RAW, Runs
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline

START, TODAY = date(2023, 10, 28), date(2023, 11, 3)
YESTERDAY, DAYS = TODAY - timedelta(days=1), span(START, TODAY)
ALL = [recipe.table for recipe in RECIPES]
OF_RESULTS = [name for name in GAME_TABLES if name != "nba_raw.games"]
OF_THE_SLATE = [name for name in ALL if name not in GAME_TABLES]


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(TIMEZONE))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2024-01-10 05:59", date(2024, 1, 8)),
        ("2024-01-10 06:00", date(2024, 1, 9)),
        ("2024-01-10 23:59", date(2024, 1, 9)),
        ("2024-03-10 05:59", date(2024, 3, 8)),  # clocks went forward at 2:00
        ("2024-03-10 06:00", date(2024, 3, 9)),
        ("2024-11-03 05:59", date(2024, 11, 1)),  # and back
        ("2024-11-03 06:00", date(2024, 11, 2)),
    ],
)
def test_results_are_due_at_six_in_the_morning_of_new_york(moment: str, due: date) -> None:
    assert results_due(new_york(moment)) == due
    assert results_due(new_york(moment).astimezone(ZoneInfo("Asia/Tokyo"))) == due


def test_the_calendar_ends_today_or_with_the_history() -> None:
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    assert daily_partitions(START).get_partition_keys()[-1] in (
        str(today),
        str(today + timedelta(days=1)),
    )  # midnight may pass
    assert daily_partitions(START, TODAY).get_partition_keys()[-1] == str(TODAY)
    assert daily_partitions(START, date(2999, 1, 1)).get_partition_keys()[-1] <= str(
        today + timedelta(days=1)
    )


@pytest.fixture(scope="module")
def afterwards() -> Pipeline:
    """Every table of DAYS, when all games are over."""
    pipeline = Pipeline(SimulatedSource(first_day=START), START)
    pipeline.run(DAYS, ALL)
    return pipeline


@pytest.fixture
def tonight() -> Pipeline:
    """The same league on the morning of TODAY."""
    return Pipeline(
        SimulatedSource(first_day=START, results_until=lambda: YESTERDAY), START, results_due=YESTERDAY
    )


def hashes(pipeline: Pipeline, table: str) -> dict[date, str]:
    return {day: entry.content_hash for day, entry in pipeline.store.manifest(TABLES[table]).items()}


@pytest.mark.slow  # all tables twice
def test_todays_features_are_there_before_the_games_and_are_what_they_are_afterwards(
    tonight: Pipeline, afterwards: Pipeline
) -> None:
    made = tonight.run(DAYS, ALL)
    assert {name: outcome.failed for name, outcome in made.items()} == {name: {} for name in ALL}
    entries = {name: made[name].stored[TODAY].entry for name in ALL}
    assert {name: (entries[name].row_count, entries[name].reason) for name in OF_RESULTS} == dict.fromkeys(
        OF_RESULTS, (0, "not_played_yet")
    )
    assert all(entries[name].row_count > 0 for name in ("nba_raw.games", *OF_THE_SLATE))
    assert {name: hashes(tonight, name) for name in OF_THE_SLATE} == {
        name: hashes(afterwards, name) for name in OF_THE_SLATE
    }
    assert {outcome.awaiting for outcome in made.values()} == {frozenset({TODAY})}
    for name in OF_RESULTS:
        before, after = hashes(tonight, name), hashes(afterwards, name)
        assert {day for day in DAYS if before[day] != after[day]} == {TODAY}


@pytest.mark.slow  # all tables again
def test_games_that_are_still_scheduled_when_their_results_are_due_fail_their_day(tonight: Pipeline) -> None:
    tonight.results_due = TODAY
    made = tonight.run(DAYS, ALL)
    lines = made["nba_raw.player_boxscores"]
    assert set(lines.failed) == {TODAY}
    assert lines.failed[TODAY].failure_class is FailureClass.INCOMPLETE_INPUT
    assert "still `scheduled` in nba_raw.games, although their results are due" in lines.failed[TODAY].message
    assert TODAY in made["nba_analytics.player_game_summary"].failed
    assert TODAY in made["nba_analytics.upcoming_player_game_context"].stored, (
        "what is known before the day does not depend on it"
    )


@pytest.mark.slow  # all tables again
def test_in_the_evening_the_games_that_are_over_are_there(tonight: Pipeline, afterwards: Pipeline) -> None:
    league = SimulatedSource(first_day=START)
    over = str(league.games([TODAY]).frame.query("status == 'final'")["nba_game_id"].iloc[0])

    class OneIsOver(SimulatedSource):
        def _rows(self, table: str, days: Sequence[date]) -> SourceFrame:
            known, played = super()._rows(table, days).frame, league._rows(table, days).frame
            return SourceFrame(
                pd.concat(
                    [known[known["nba_game_id"] != over], played[played["nba_game_id"] == over]],
                    ignore_index=True,
                )
            )

    tonight.source = OneIsOver(first_day=START, results_until=lambda: YESTERDAY)
    made = tonight.run(DAYS, ALL)
    assert {name: outcome.failed for name, outcome in made.items()} == {name: {} for name in ALL}
    for name in OF_RESULTS:
        stored, complete = tonight.read(name, [TODAY]), afterwards.read(name, [TODAY])
        assert set(stored["nba_game_id"]) == {over}
        assert len(stored) == (complete["nba_game_id"] == over).sum()
    assert made["nba_raw.games"].awaiting == {TODAY}, "the others are to come"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The pipeline with a clock: it is noon of TODAY until a test says otherwise."""
    monkeypatch.setattr(clock, "now", lambda: new_york(f"{TODAY} 12:00"))
    settings = Settings(warehouse="memory", start_date=START)
    return Runs(
        settings,
        MemoryStore(),
        dg.DagsterInstance.ephemeral(),
        SimulatedSource(first_day=START, results_until=results_due),
    )


def why(runs: Runs) -> dict[str, dict[date, Why]]:
    """What a backfill of DAYS would make, and why."""
    states = runs.state(DAYS)
    stale = staleness.stale_days(runs.instance, runs.store, TABLES, RECIPES, states, "simulated")
    return {
        name: dict(table.reasons)
        for name, table in make_plan(RECIPES, states, stale, DAYS).tables.items()
        if table.reasons
    }


@pytest.mark.slow  # several backfills
def test_a_backfill_fetches_a_day_again_when_its_results_are_due_and_not_before(
    runs: Runs, afterwards: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.backfill(DAYS)
    assert why(runs) == {}, "what can be known at noon is there"
    monkeypatch.setattr(clock, "now", lambda: new_york(f"{TODAY + timedelta(days=1)} 06:00"))
    planned = why(runs)
    assert {name: planned[name] for name in RAW} == {name: {TODAY: Why.RESULTS_DUE} for name in RAW}
    runs.backfill([TODAY])
    assert why(runs) == {}
    for name in ALL:
        assert {d: e.content_hash for d, e in runs.store.manifest(TABLES[name]).items()} == hashes(
            afterwards, name
        ), name


def test_an_end_before_the_start_is_a_wrong_setting() -> None:
    assert Settings.from_environment({"NBA_PIPELINE_END_DATE": "2024-06-30"}).end_date == date(2024, 6, 30)
    assert Settings.from_environment({}).end_date is None
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_END_DATE=2021-10-18 is before the first day"):
        Settings.from_environment({"NBA_PIPELINE_END_DATE": "2021-10-18"})
