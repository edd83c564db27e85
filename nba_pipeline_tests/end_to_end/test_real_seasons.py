"""The acceptance run: three real seasons in one command, and the incident brought back by declaring
NUMERIC(5,2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from nba_pipeline.operations.workspace import Workspace, open_with
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric
from nba_pipeline_tests.end_to_end import pipelines
from nba_pipeline_tests.end_to_end.pipelines import (
    ANALYTICS_JOB,
    PLAYERS,
    SLATE,
    TEAM_TABLES,
    Answer,
    Runs,
    blocked,
    check_counts,
    command,
    environment,
    failed,
    materializations,
)

pytestmark = [pytest.mark.slow, pytest.mark.bulk, pytest.mark.timeout(600)]

FIRST, LAST = date(2021, 10, 19), date(2024, 6, 30)
BAD_DAY = date(2024, 3, 7)
EXHIBITION_DAYS = [
    date(2022, 2, 18),
    date(2022, 2, 20),
    date(2023, 2, 17),
    date(2023, 2, 19),
    date(2024, 2, 16),
    date(2024, 2, 18),
]
"""The six dates of the incident that only had All-Star games."""
NARROW = TABLES.with_column(PLAYERS, "usage_rate", type=numeric(5, 2))
MADE_FROM_PLAYER_HISTORY = {
    SLATE,
    "nba_precompute.player_shot_zone_analysis",
    "nba_precompute.player_composite_factors",
    "nba_precompute.player_daily_cache",
    "nba_precompute.ml_feature_store",
}


@pytest.fixture(scope="module")
def home(bulk_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose environment is the acceptance command's."""
    folder = tmp_path_factory.mktemp("seasons")
    with environment(DAGSTER_HOME=folder, NBA_PIPELINE_SOURCE="bulk", NBA_PIPELINE_BULK_DIR=bulk_dir):
        yield folder


@pytest.fixture(scope="module")
def acceptance(home: Path) -> Answer:
    """One backfill of the sources and the analytics tables over all three seasons."""
    names = ",".join(ANALYTICS_JOB)
    return command(None, "backfill", "--start", str(FIRST), "--end", str(LAST), "--tables", names, "--json")


@pytest.fixture(scope="module")
def workspace(home: Path, acceptance: Answer) -> Iterator[Workspace]:
    with open_with(Settings.from_environment()) as opened:
        yield opened


def runs_of(workspace: Workspace, **changes: object) -> Runs:
    return Runs(
        workspace.settings,
        workspace.store,
        workspace.instance,
        BulkSource(workspace.settings.bulk_dir),
        **changes,
    )  # type: ignore


def test_the_command_ends_with_zero(acceptance: Answer) -> None:
    assert acceptance.code == 0


def test_all_dates_with_competitive_games_have_two_rows_per_game(workspace: Workspace) -> None:
    for name in TEAM_TABLES:
        manifest = workspace.store.manifest(TABLES[name])
        assert sum(e.row_count for e in manifest.values()) == 7924, name
        assert sum(e.row_count > 0 for e in manifest.values()) == 633, name


def test_the_dates_of_the_incident_are_there(workspace: Workspace) -> None:
    for name in TEAM_TABLES:
        manifest = workspace.store.manifest(TABLES[name])
        assert {d: (manifest[d].row_count, manifest[d].reason) for d in EXHIBITION_DAYS} == dict.fromkeys(
            EXHIBITION_DAYS, (0, "exhibition_only")
        )
        assert manifest[date(2021, 12, 16)].row_count == 8
        assert manifest[BAD_DAY].row_count == 14


def test_the_largest_usage_rate_is_the_true_one(workspace: Workspace) -> None:
    table = TABLES[PLAYERS]
    rows = workspace.store.read(table, span(FIRST, LAST), ["game_id", "player_full_name", "usage_rate"])
    top = rows.loc[rows["usage_rate"].astype("float64").idxmax()]
    assert (top["game_id"], float(top["usage_rate"])) == ("20240307_CHI_GSW", 1196.81)
    assert "Quinones" in top["player_full_name"]


def test_every_check_passed_on_every_day_and_is_recorded_per_day(acceptance: Answer, home: Path) -> None:
    counts = check_counts(home)
    assert {table for table, _ in counts} == set(ANALYTICS_JOB)
    assert {check for table, check in counts if table == PLAYERS} >= {
        "usage_rate_range",
        "conservation",
        "completeness",
        "unique_key",
    }
    assert {key: dict(n) for key, n in counts.items()} == {key: {("SUCCEEDED", True): 986} for key in counts}


def test_each_day_carries_its_version_its_row_count_and_its_reason(workspace: Workspace) -> None:
    days = span(date(2024, 2, 14), date(2024, 3, 10))
    manifest = workspace.store.manifest(TABLES[PLAYERS])
    recorded = materializations(workspace.instance, PLAYERS, days)
    assert set(recorded) == set(days)
    for day, event in recorded.items():
        assert event.tags is not None
        assert event.tags["dagster/data_version"] == manifest[day].content_hash
        assert event.metadata["row_count"].value == manifest[day].row_count
        assert ("reason" in event.metadata) == (manifest[day].row_count == 0)
    assert recorded[date(2024, 2, 18)].metadata["reason"].value == "exhibition_only"
    assert recorded[BAD_DAY].metadata["max_usage_rate"].value == 1196.81


def test_status_says_the_same(
    acceptance: Answer, workspace: Workspace, bulk_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = command(capsys, "status", "--start", str(FIRST), "--end", str(LAST), "--json")
    assert answer.code == 0
    states = answer.json["tables"]
    quiet = {"exhibition_only": 36, "off_day": 93, "off_season": 224}
    fine = {"materialized": 986, "failed": [], "blocked": 0, "in_progress": 0, "missing": 0, "stale": {}}
    for name in TEAM_TABLES:
        assert states[name] == {**fine, "empty": quiet, "rows": 7924}
    assert states[PLAYERS] == {**fine, "empty": quiet, "rows": lines_that_count(bulk_dir)}
    assert states["nba_raw.games"]["empty"] == {"off_day": 92, "off_season": 224}
    never_asked = set(states) - set(ANALYTICS_JOB)
    assert {states[name]["missing"] for name in never_asked} == {986}


def lines_that_count(bulk_dir: Path) -> int:
    """Lines of competitive games that show playing time or a count, counted in the file itself."""
    lines = pd.read_parquet(bulk_dir / "player_box.parquet")
    lines = lines[lines["game_id"].str[2].isin(["2", "4", "5", "6"])]
    counts = lines.filter(
        regex=(
            "_made$|_attempted$|^rebounds_|^assists$|^steals$|^blocks$|^turnovers$|^fouls_personal$|^points$"
        )
    )
    seconds = (
        lines["seconds_official"].astype("float64").fillna(lines["seconds_pbp"].astype("float64")).fillna(0)
    )
    return int(((seconds > 0) | (counts.fillna(0) != 0).any(axis=1)).sum())


class TestNarrowColumnInAFullHistory:
    """Re-running ten days of one table under NUMERIC(5,2), after everything was green."""

    DAYS = span(date(2024, 3, 1), date(2024, 3, 10))

    @pytest.fixture(scope="class")
    @classmethod
    def before(cls, workspace: Workspace) -> dict[date, str]:
        manifest = workspace.store.manifest(TABLES[PLAYERS])
        return {day: manifest[day].content_hash for day in cls.DAYS}

    @pytest.fixture(scope="class")
    @classmethod
    def results(cls, workspace: Workspace, before: dict[date, str]) -> dict[str, pipelines.TableResult]:
        return runs_of(workspace, tables=NARROW).backfill(cls.DAYS, [PLAYERS])

    def test_exactly_one_day_fails_and_says_everything(
        self, results: dict[str, pipelines.TableResult]
    ) -> None:
        assert failed(results) == {PLAYERS: {BAD_DAY: "type_overflow"}}
        message = results[PLAYERS].failed[BAD_DAY].message
        for word in (
            "Quinones",
            "1196.81",
            "usage_rate",
            "NUMERIC(5,2)",
            "[-999.99, 999.99]",
            "NUMERIC(6,2)",
            "20240307_CHI_GSW",
        ):
            assert word in message
        assert len(results[PLAYERS].good) == 9

    def test_what_was_stored_stays(
        self, workspace: Workspace, results: dict[str, pipelines.TableResult], before: dict[date, str]
    ) -> None:
        assert workspace.store.manifest(TABLES[PLAYERS])[BAD_DAY].content_hash == before[BAD_DAY]
        top = (
            workspace.store.read(TABLES[PLAYERS], [BAD_DAY], ["usage_rate"])["usage_rate"]
            .astype("float64")
            .max()
        )
        assert top == 1196.81

    def test_retry_without_the_override_touches_exactly_that_day(
        self, workspace: Workspace, results: dict[str, pipelines.TableResult]
    ) -> None:
        runs = runs_of(workspace)
        days = span(FIRST, LAST)
        assert {n: set(s.failed) for n, s in runs.state(days).items() if s.failed} == {PLAYERS: {BAD_DAY}}
        again = runs.retry(days)
        assert {name: r.good for name, r in again.items()} == {PLAYERS: {BAD_DAY}}
        assert runs.retry(days) == {}


class TestNarrowColumnFromTheStart:
    """A young pipeline that meets the incident on its seventeenth day."""

    START, END = date(2024, 2, 20), date(2024, 3, 12)
    DAYS = span(START, END)
    LATER = frozenset(day for day in DAYS if day > BAD_DAY)

    @pytest.fixture(scope="class")
    @classmethod
    def young(cls, bulk_source: BulkSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
        folder = tmp_path_factory.mktemp("young")
        settings = Settings(start_date=cls.START, warehouse_dir=folder / "warehouse", dagster_home=folder)
        settings = settings.with_changes(source="bulk", bulk_dir=bulk_source.folder)
        with open_with(settings) as opened:
            yield opened

    @pytest.fixture(scope="class")
    @classmethod
    def results(cls, young: Workspace) -> dict[str, pipelines.TableResult]:
        return runs_of(young, tables=NARROW).backfill(cls.DAYS)

    def test_the_day_fails_and_only_what_needs_it_waits(
        self, results: dict[str, pipelines.TableResult]
    ) -> None:
        assert failed(results) == {PLAYERS: {BAD_DAY: "type_overflow"}}
        assert blocked(results) == {key: set(self.LATER) for key in MADE_FROM_PLAYER_HISTORY}
        for name, result in results.items():
            assert result.good == set(self.DAYS) - set(result.failed) - set(result.blocked), name

    def test_status_tells_failed_from_blocked(
        self, young: Workspace, results: dict[str, pipelines.TableResult]
    ) -> None:
        states = runs_of(young).state(self.DAYS)
        assert {n: set(s.failed) for n, s in states.items() if s.failed} == {PLAYERS: {BAD_DAY}}
        assert {n: set(s.blocked) for n, s in states.items() if s.blocked} == {
            key: set(self.LATER) for key in MADE_FROM_PLAYER_HISTORY
        }
        assert not any(s.missing for s in states.values())

    def test_retry_without_the_override_fills_exactly_these(
        self, young: Workspace, results: dict[str, pipelines.TableResult]
    ) -> None:
        runs = runs_of(young)
        again = runs.retry(self.DAYS)
        expected = {key: set(self.LATER) for key in MADE_FROM_PLAYER_HISTORY} | {PLAYERS: {BAD_DAY}}
        assert {name: r.good for name, r in again.items()} == expected
        assert all(set(s.materialized) == set(self.DAYS) for s in runs.state(self.DAYS).values())
        assert runs.retry(self.DAYS) == {}


def test_the_runs_belong_to_the_code_location_that_the_ui_loads(workspace: Workspace) -> None:
    run = workspace.instance.get_runs(limit=1)[0]
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == "nba_pipeline.definitions"
