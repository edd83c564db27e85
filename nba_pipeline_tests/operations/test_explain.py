"""An explanation is true: its formula comes to the stored value, its inputs and its window are those that made it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.cli.explain import explanation, show
from nba_pipeline.demo.incident import NARROW, two_second_stint
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.explain import Explanation, explain
from nba_pipeline.operations.formulas import FORMULAS, filled, names_in, worked_out
from nba_pipeline.operations.workspace import Workspace, open_with, open_workspace
from nba_pipeline.ranges import span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.bulk_files import BulkSource
from nba_pipeline.sources.faulty import BOXSCORES, Fault, FaultySource
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import GAME_TABLES, PLAYERS, Runs, command
from nba_pipeline_tests.operations.conftest import END
from nba_pipeline_tests.support.pipeline import plan_of

DAY = date.fromisoformat(END)
OFFENSE, CACHE = "nba_analytics.team_offense_game_summary", "nba_precompute.player_daily_cache"


@pytest.fixture
def w(home: Path) -> Iterator[Workspace]:
    with open_workspace() as opened:
        yield opened


def explained(w: Workspace, table: str, column: str, **key: str) -> Explanation:
    return explain(w.store, w.tables, plan_of(table), DAY, key, column)


def test_a_formula_is_filled_in_and_worked_out() -> None:
    formula = "100 * points / (seconds_played - points)"
    assert names_in(formula) == ["points", "seconds_played"]
    assert filled(formula, {"points": 3.0, "seconds_played": 5.0}) == "100 * 3 / (5 - 3)"
    assert worked_out(formula, {"points": 3.0, "seconds_played": 5.0}) == 150.0
    assert worked_out(formula, {"points": 3.0, "seconds_played": 3.0}) is None
    with pytest.raises(ValueError, match="no arithmetic"):
        worked_out("__import__('os')", {})


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, columns in FORMULAS.items() for c in columns])
def test_every_formula_comes_to_the_stored_value(w: Workspace, table: str, column: str) -> None:
    """For the first ten rows of a day: the texts are held against what `metrics/` made."""
    assert TABLES[table].has(column)
    rows = w.store.read(TABLES[table], [DAY]).head(10)
    agreed = []
    for row in rows.to_dict("records"):
        key = {k: str(row[k]) for k in TABLES[table].key}
        found = explained(w, table, column, **key)
        agreed.append(found.agrees)
        assert found.value == row[column] or found.value is None
    assert len(agreed) == 10
    assert set(agreed) <= {True, None}  # None: an input is NULL
    assert True in agreed


def test_a_value_that_the_formula_does_not_give_is_said_so(w: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = w.store.read(TABLES[PLAYERS], [DAY])
    player = str(rows.loc[rows["usage_rate"].astype(float).gt(5), "player_id"].iloc[0])
    monkeypatch.setitem(FORMULAS[PLAYERS], "usage_rate", "100 * plays_used / team_plays_used")  # type: ignore[index]
    assert explained(w, PLAYERS, "usage_rate", player_id=player).agrees is False


def test_the_inputs_are_the_rows_of_that_player_and_team(w: Workspace) -> None:
    row = w.store.read(TABLES[PLAYERS], [DAY]).iloc[0]
    found = explained(w, PLAYERS, "points", player_id=str(row["player_id"]))
    (line,) = found.inputs["nba_raw.player_boxscores"]
    (team,) = found.inputs[OFFENSE]
    assert (line["player_id"], line["points"]) == (row["player_id"], row["points"])
    assert team["team_abbr"] == row["team_abbr"]
    assert len(found.inputs["nba_raw.shot_attempts"]) == row["fg_attempts"]
    assert found.value == row["points"]


def test_the_window_holds_the_games_that_made_the_average(w: Workspace) -> None:
    cache = w.store.read(TABLES[CACHE], [DAY])
    row = cache[cache["games_in_window_5"].astype(int) >= 4].iloc[0]
    for column in ("points_avg_last_3", "points_avg_last_5", "minutes_avg_season"):
        found = explained(w, CACHE, column, player_id=str(row["player_id"]))
        assert found.window is not None
        assert found.window.worked_out == pytest.approx(float(row[column]), abs=0.005)
        assert max(str(g["game_date"])[:10] for g in found.window.games) < END
    games = w.store.read(TABLES[PLAYERS], span(date(2023, 10, 24), DAY))
    own = games[(games["player_id"] == row["player_id"]) & (games["seconds_played"].astype(float) > 0) & (games["game_date"] < END)]
    found = explained(w, CACHE, "usage_rate_last_3", player_id=str(row["player_id"]))
    assert found.window is not None
    assert [g["game_id"] for g in found.window.games] == list(own.sort_values("game_date")["game_id"])[-3:]


def test_a_key_must_name_one_row(w: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="rows match"):
        explained(w, PLAYERS, "points")
    with pytest.raises(ConfigurationError, match="no row matches"):
        explained(w, PLAYERS, "points", player="Nobody Atall")
    with pytest.raises(ConfigurationError, match="no column 'shoe_size'"):
        explained(w, PLAYERS, "shoe_size", player_id="1")
    with pytest.raises(ConfigurationError, match="no stored day"):
        explain(w.store, w.tables, plan_of(PLAYERS), date(2023, 11, 30), {"player_id": "1"}, "points")


def test_the_command_gives_run_versions_and_source(w: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    row = w.store.read(TABLES[PLAYERS], [DAY]).iloc[0]
    arguments = ("explain", "player_game_summary", END, "--key", f"player_id={row['player_id']}", "--column", "usage_rate")
    answer = command(capsys, *arguments, "--json")
    assert answer.code == 0
    assert answer.json["agrees"] is True
    assert w.instance.get_run_by_id(answer.json["run_id"]) is not None
    assert answer.json["stored"]["content_hash"] == w.store.manifest(TABLES[PLAYERS])[DAY].content_hash
    assert answer.json["source"] == {"name": "simulated", "files": {}}
    shown = command(capsys, *arguments)
    assert "formula: 100 * plays_used" in shown.out
    assert command(capsys, *arguments[:4], "player", "--column", "usage_rate").code == 2


@pytest.mark.bulk
def test_the_incidents_value_is_explained_with_its_numbers_within_a_second(bulk_dir: Path) -> None:
    """CHI at GSW, 2024-03-07: Quinones, two seconds, one shot, 1196.81 percent."""
    day = date(2024, 3, 7)
    with dg.DagsterInstance.ephemeral() as instance:
        source = BulkSource(bulk_dir)
        runs = Runs(Settings(warehouse="memory", start_date=day), MemoryStore(), instance, source)
        runs.backfill([day], GAME_TABLES)
        start = time.perf_counter()
        found = explain(runs.store, TABLES, plan_of(PLAYERS), day, {"player": "Quinones"}, "usage_rate", source=source)
        took = time.perf_counter() - start
    assert (found.value, found.agrees) == (1196.81, True)
    assert found.key["game_id"] == "20240307_CHI_GSW"
    assert "(2 / 60)" in found.numbers
    assert "(240 / 5)" in found.numbers
    assert {Path(name).name for name in found.source["files"]} == {"games.parquet", "player_box.parquet", "shots_2023-24.parquet"}
    assert {len(digest) for digest in found.source["files"].values()} == {64}
    assert took < 1.0


def test_a_refused_value_is_computed_again_and_its_refusal_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The day is not stored, so the value is what a run computes from the stored inputs; a day that cannot be computed says why."""
    day = date(2024, 3, 7)
    settings = Settings(start_date=day, warehouse_dir=tmp_path / "warehouse", dagster_home=tmp_path)
    source = FaultySource(SimulatedSource(first_day=day), {day: Fault("stint", BOXSCORES, two_second_stint)})
    with open_with(settings, NARROW, source) as opened:
        Runs(settings, opened.store, opened.instance, source, NARROW).backfill([day], GAME_TABLES)
        rows = opened.store.read(TABLES[BOXSCORES], [day])
        (player,) = rows.loc[rows["seconds_played"].fillna(-1).eq(2).to_numpy(dtype=bool), "player_id"]
        found = explanation(opened, PLAYERS, day, {"player_id": str(player)}, "usage_rate")
        assert found.failed is not None
        assert (found.failed.failure_class, found.agrees, found.stored) == ("type_overflow", True, {})
        assert f"{found.value:.2f}" in found.failed.message
        show(found)
        assert "refused: type_overflow" in capsys.readouterr().out
        with pytest.raises(ConfigurationError, match="no stored day"):
            explanation(opened, CACHE, day, {"player_id": str(player)}, "points_avg_last_5")
