"""An explanation is true: its formula comes to the stored value, its inputs and its window are those that
made it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from nba_pipeline.cli import console
from nba_pipeline.cli.explain import explanation, show
from nba_pipeline.demo.faulty import Fault, FaultySource
from nba_pipeline.demo.incident import NARROW, two_second_stint
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.formulas import dependencies
from nba_pipeline.formulas.dependencies import depends_on
from nba_pipeline.operations.explain.explain import Explanation, as_json, explain
from nba_pipeline.operations.workspace import Workspace, open_with, open_workspace
from nba_pipeline.orchestration.instance.provenance_reader import ProvenanceReader
from nba_pipeline.orchestration.instance.values import read_values
from nba_pipeline.settings import Settings
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.formula import Formula, Relation
from nba_pipeline.tables.names import BOXSCORES
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.render.frames import pandas_dtype
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.end_to_end.pipelines import GAME_TABLES, PLAYERS, RAW, Runs, command
from nba_pipeline_tests.operations.conftest import END
from nba_pipeline_tests.support.pipeline import recipe_of

DAY = date.fromisoformat(END)
OFFENSE, SLATE = "nba_analytics.team_offense_game_summary", "nba_analytics.upcoming_player_game_context"
ZONES, CACHE = "nba_precompute.team_defense_zone_analysis", "nba_precompute.player_daily_cache"
COMPOSITES, FEATURES = "nba_precompute.player_composite_factors", "nba_precompute.ml_feature_store"


@pytest.fixture
def w(home: Path) -> Iterator[Workspace]:
    with open_workspace() as opened:
        yield opened


def explained(w: Workspace, table: str, column: str, **key: str) -> Explanation:
    return explain(w.store, w.tables, recipe_of(table), DAY, key, column)


def test_a_value_that_the_formula_does_not_give_is_said_so(
    w: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = w.store.read(TABLES[PLAYERS], [DAY])
    player = str(rows.loc[rows["usage_rate"].astype(float).gt(5), "player_id"].iloc[0])
    right = TABLES[PLAYERS].column("usage_rate").formula
    assert isinstance(right, Formula)
    wrong = replace(right, text="100 * plays_used / team_plays_used")
    monkeypatch.setattr(dependencies, "TABLES", TABLES.with_column(PLAYERS, "usage_rate", formula=wrong))
    found = explained(w, PLAYERS, "usage_rate", player_id=player)
    assert found.agrees is False
    show(found)
    assert "differs" in capsys.readouterr().out


def test_the_inputs_are_the_rows_of_that_player_and_team(w: Workspace) -> None:
    row = w.store.read(TABLES[PLAYERS], [DAY]).iloc[0]
    found = explained(w, PLAYERS, "points", player_id=str(row["player_id"]))
    (line,) = found.inputs["nba_raw.player_boxscores"]
    (team,) = found.inputs[OFFENSE]
    assert (line["player_id"], line["points"]) == (row["player_id"], row["points"])
    assert team["team_abbr"] == row["team_abbr"]
    assert len(found.inputs["nba_raw.shot_attempts"]) == row["fg_attempts"]
    assert found.value == row["points"]


def test_the_window_is_shown_with_the_numbers_of_each_game(
    w: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = w.store.read(TABLES[CACHE], [DAY])
    row = cache[cache["games_in_window_5"].astype(int) >= 4].iloc[0]
    found = explained(w, CACHE, "points_avg_last_3", player_id=str(row["player_id"]))
    assert found.window is not None
    assert found.window.records is not None
    points = [g["points"] for g in found.window.records]
    assert found.numbers == f"({sum(points)} / {len(points)})"
    assert found.agrees is True
    assert max(g["game_date"] for g in found.window.records) < DAY
    show(found)
    printed = capsys.readouterr().out
    assert all(f"{g['game_id']}" in printed for g in found.window.records)
    assert "up to 3 games of the season before" in printed


def test_a_value_that_is_taken_over_is_followed_to_where_it_was_made(w: Workspace) -> None:
    """A feature is the cache's column, which is the slate's, which counts the player's games."""
    row = w.store.read(TABLES[CACHE], [DAY]).iloc[0]
    found = explained(w, FEATURES, "team_pace", player_id=str(row["player_id"]))
    (cached,) = found.behind
    (slate,) = cached.behind
    assert found.taken_from == f"{CACHE}.team_pace_last_10"
    assert (cached.taken_from, slate.formula) == (
        f"{SLATE}.team_pace_last_10",
        "48 * sum(possessions) / (sum(team_minutes) / 5)",
    )
    assert found.agrees and cached.agrees and slate.agrees
    assert as_json(found)["behind"][0]["behind"][0]["window"]["games"]


def test_what_stands_behind_a_value_that_is_taken_over_is_its_input_too() -> None:
    """The load of the slate makes fatigue, which is a feature; the opponent's rating is made of the
    opponent's games."""
    rests = depends_on(FEATURES, "fatigue_score")
    assert rests[COMPOSITES].columns == {"fatigue_score"}
    assert {"days_rest", "is_back_to_back"} <= rests[SLATE].columns
    assert rests[SLATE].relations == {Relation.PLAYER}
    rests = depends_on(FEATURES, "opponent_defensive_rating")
    assert rests["nba_analytics.team_defense_game_summary"].relations == {Relation.OPPONENT}


def test_only_what_the_value_rests_on_is_printed(w: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    row = w.store.read(TABLES[PLAYERS], [DAY]).iloc[0]
    found = explained(w, PLAYERS, "usage_rate", player_id=str(row["player_id"]))
    assert found.used[OFFENSE] == ["plays_used", "team_minutes"]
    assert found.used[BOXSCORES] == ["fg_attempts", "ft_attempts", "seconds_played", "turnovers"]
    assert {"assists", "personal_fouls"} <= set(as_json(found)["inputs"][BOXSCORES][0])
    show(found)
    printed = capsys.readouterr().out
    assert "assists" not in printed
    assert "in no formula above: shot_attempts" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (CACHE, "usage_rate_season"),
        (OFFENSE, "paint_makes"),
        (COMPOSITES, "total_composite_adjustment"),
        (ZONES, "weakest_zone"),
    ],
)
def test_an_explanation_fits_a_hundred_columns(
    w: Workspace, table: str, column: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console.out, "width", 100)
    row = w.store.read(TABLES[table], [DAY]).iloc[0]
    show(explained(w, table, column, **{k: str(row[k]) for k in TABLES[table].key if k != "game_date"}))
    printed = capsys.readouterr().out
    assert column in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_a_question_that_has_no_answer_says_why_and_what_may_have_been_meant(w: Workspace) -> None:
    rows = w.store.read(TABLES[PLAYERS], [DAY])
    name = str(rows["player_full_name"].iloc[0])
    team = str(rows["team_abbr"].iloc[0])
    for column, key, said in (
        ("points", {}, "rows match"),
        ("points", {"team": team}, "rows match"),
        ("points", {"player": "Nobody Atall"}, f"there are {len(rows)} rows, from "),
        ("points", {"player": f"{name[:-1]}q"}, f"did you mean .*{name}"),
        ("points", {"team_abr": team}, "did you mean team_abbr"),
        ("usage_rat", {"player": name}, "did you mean usage_rate"),
        ("shoe_size", {"player": name}, "has no column 'shoe_size'. See docs"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            explained(w, PLAYERS, column, **key)
    for day, said in (
        (date(2023, 11, 30), "no stored day.*backfill --tables player_game_summary"),
        (date(2023, 1, 1), "before the first day"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            explain(
                w.store,
                w.tables,
                recipe_of(PLAYERS),
                day,
                {"player_id": "1"},
                "points",
                start=date(2023, 10, 24),
            )


def test_a_name_is_found_without_its_accents_and_in_part(w: Workspace) -> None:
    rows = w.store.read(TABLES[PLAYERS], [DAY])
    name = str(rows["player_full_name"].iloc[0])
    for text in (name, name.upper(), name.replace(" ", ""), rows["player_lookup"].iloc[0]):
        assert explained(w, PLAYERS, "points", player=text).known_as[0] == name


def test_an_empty_day_says_why_it_is_empty() -> None:
    store, day = MemoryStore(), date(2023, 12, 25)
    empty = pd.DataFrame({c.name: pd.Series(dtype=pandas_dtype(c)) for c in TABLES[PLAYERS].columns})
    store.replace(TABLES[PLAYERS], {day: empty}, reasons={day: "off_day"})
    with pytest.raises(ConfigurationError, match="has no rows: off_day"):
        explain(store, TABLES, recipe_of(PLAYERS), day, {"player_id": "1"}, "points")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("player_game_sumary", END, "--key", "player_id=1", "--column", "points"),
            "did you mean nba_analytics.player_game_summary",
        ),
        (("player_game_summary", "yesterday", "--key", "player_id=1", "--column", "points"), "yesterday"),
        (("player_game_summary", END, "--key", "player", "--column", "points"), "is not column=value"),
        (("player_game_summary", END, "--key", "player_id=1", "--column", "pionts"), "did you mean points"),
        (
            ("player_game_summary", "2030-01-01", "--key", "player_id=1", "--column", "points"),
            "is in the future",
        ),
    ],
)
def test_a_wrong_question_is_wrong_usage(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    answer = command(capsys, "explain", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_the_command_gives_run_versions_and_source(w: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    row = w.store.read(TABLES[PLAYERS], [DAY]).iloc[0]
    arguments = (
        "explain",
        "player_game_summary",
        END,
        "--key",
        f"player_id={row['player_id']}",
        "--column",
        "usage_rate",
    )
    answer = command(capsys, *arguments, "--json")
    assert answer.code == 0
    assert answer.json["agrees"] is True
    assert w.instance.get_run_by_id(answer.json["run_id"]) is not None
    assert answer.json["stored"]["content_hash"] == w.store.manifest(TABLES[PLAYERS])[DAY].content_hash
    manifests = {name: w.store.manifest(TABLES[name])[DAY].content_hash for name in RAW}
    assert answer.json["source"] == {"name": "simulated", "days": manifests, "files": []}
    shown = command(capsys, *arguments)
    assert "formula  100 * plays_used" in shown.out


@pytest.mark.bulk
def test_the_incidents_value_is_explained_with_its_numbers(bulk_dir: Path) -> None:
    """CHI at GSW, 2024-03-07: Quinones, two seconds, one shot, 1196.81 percent."""
    day = date(2024, 3, 7)
    with dg.DagsterInstance.ephemeral() as instance:
        source = BulkSource(bulk_dir)
        runs = Runs(Settings(warehouse="memory", start_date=day), MemoryStore(), instance, source)
        runs.backfill([day], GAME_TABLES)
        recall = ProvenanceReader(lambda names: read_values(instance, names))
        found = explain(
            runs.store,
            TABLES,
            recipe_of(PLAYERS),
            day,
            {"player": "Quinones"},
            "usage_rate",
            recall=recall,
            source=source,
        )
    assert (found.value, found.agrees) == (1196.81, True)
    assert found.key["game_id"] == "20240307_CHI_GSW"
    assert "(2 / 60)" in found.numbers
    assert "(240 / 5)" in found.numbers
    hashes = {
        name: hashlib.sha256((bulk_dir / name).read_bytes()).hexdigest()
        for name in ("games.parquet", "player_box.parquet", "shots_2023-24.parquet")
    }
    assert found.source["files"] == [
        {"file": str(bulk_dir / n), "as_read": digest, "now": digest} for n, digest in hashes.items()
    ]


def test_a_refused_value_is_computed_again_and_its_refusal_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The day is not stored, so the value is what a run computes from the stored inputs; a day that cannot be
    computed says why."""
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
        assert "refused  type_overflow" in capsys.readouterr().out
        with pytest.raises(ConfigurationError, match="no stored day"):
            explanation(opened, CACHE, day, {"player_id": str(player)}, "points_avg_last_5")
