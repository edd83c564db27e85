"""Gaps from the command line and the UI: declared, listed, taken back; and the whole story of one on real
games."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.orchestration.automation.alert_sensor import alert_tick
from nba_pipeline.settings import AlertSettings
from nba_pipeline.tables.names import BOXSCORES, CONTEXT, DEFENSE, GAMES, OFFENSE, PLAYERS, TEAM_ZONES
from nba_pipeline_tests.end_to_end.pipelines import command, environment
from nba_pipeline_tests.operations.conftest import END, START

Capture = pytest.CaptureFixture[str]
REASON = "the league never published it"


def games_of(day: str) -> list[Any]:
    with open_workspace() as w:
        rows = w.store.read(w.tables[GAMES], [date.fromisoformat(day)])
    return list(rows.sort_values("game_id").itertuples())


def test_a_gap_is_declared_listed_and_taken_back(own_home: Path, capsys: Capture) -> None:
    game, *others = games_of(END)
    capsys.readouterr()
    assert command(capsys, "gaps", "list").out == "No gap is declared.\n"
    accepted = command(capsys, "gaps", "accept", game.game_id, "--reason", REASON)
    assert accepted.code == 0
    assert (
        f"{game.game_id} has no player_boxscores or shot_attempts, declared a gap: {REASON}" in accepted.out
    )
    assert "nba-pipeline retry" in accepted.out
    (listed,) = command(capsys, "gaps", "list", "--json").json
    assert (listed["nba_game_id"], listed["state"], listed["used_by"]) == (game.nba_game_id, "holds", [])
    assert command(capsys, "status", "--json").json["gaps"] == [listed]
    again = command(
        capsys, "gaps", "accept", END, "--reason", "all", "--tables", "shot_attempts", "--until", "2999-01-01"
    )
    assert again.code == 0
    held = command(capsys, "gaps", "list", "--json").json
    assert [g["game_id"] for g in held] == [g.game_id for g in (game, *others)]
    assert {(*g["tables"], g["until"]) for g in held} == {("nba_raw.shot_attempts", "2999-01-01")}
    assert command(capsys, "gaps", "revoke", game.nba_game_id).code == 0
    assert len(command(capsys, "gaps", "list", "--json").json) == len(others)
    assert command(capsys, "gaps", "revoke", END).code == 0
    assert command(capsys, "gaps", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("20231024_XXX_YYY",), "is no game of nba_raw.games"),
        (("0012300001\n",), "is no game of nba_raw.games"),
        (("2024-02-30",), "is no game of nba_raw.games"),
        (("2019-01-01",), "has no 2019-01-01"),
        (("2023-10-24", "--tables", "team_offense_game_summary"), "there is no table"),
        (("2023-10-24", "--until", "2023-10-25"), "is over already"),
        (("2023-10-24", "--until", "soon"), "--until"),
    ],
)
def test_what_cannot_be_a_gap_is_refused_by_name(
    home: Path, capsys: Capture, arguments: tuple[str, ...], words: str
) -> None:
    refused = command(capsys, "gaps", "accept", *arguments, "--reason", REASON)
    assert refused.code == 2
    assert words in refused.err
    assert command(capsys, "gaps", "accept", START, "--reason", " ").code == 2
    assert command(capsys, "gaps", "list", "--json").json == []
    assert command(capsys, "gaps", "revoke", START).code == 2


def test_the_ui_declares_and_revokes_by_jobs(own_home: Path) -> None:
    game = games_of(END)[0]
    with open_workspace() as w:
        config = {"game": game.game_id, "reason": REASON, "tables": ["player_boxscores"]}
        job = w.defs.get_job_def("accept_gap")
        assert job.execute_in_process({"ops": {"accept": {"config": config}}}, w.instance).success
        (gap,) = w.gaps().declared
        assert (gap.game_id, gap.tables, gap.reason) == (game.game_id, (BOXSCORES,), REASON)
        job = w.defs.get_job_def("revoke_gap")
        config = {"game": game.game_id}
        assert job.execute_in_process({"ops": {"revoke": {"config": config}}}, w.instance).success
        assert not w.gaps().of_day(BOXSCORES, date.fromisoformat(END))


# ------------------------------------------------------------------------------------------------------------
# the whole story, on real games

FIRST, GAP_DAY, LAST = "2023-01-02", "2023-01-07", "2023-01-08"
TABLES = ("--tables", f"nba_raw,{OFFENSE},{DEFENSE},{PLAYERS},{TEAM_ZONES},{CONTEXT}")
FILES = {
    "games.parquet": "game_date",
    "player_box.parquet": "game_date",
    "shots_2022-23.parquet": "GAME_DATE",
}


def publish(bulk_dir: Path, folder: Path, without: str | None) -> None:
    """The days' files, without the lines and shots of a game."""
    folder.mkdir(exist_ok=True)
    for name, dated in FILES.items():
        rows = pd.read_parquet(bulk_dir / name, filters=[(dated, ">=", FIRST), (dated, "<=", LAST)])
        if without is not None and name != "games.parquet":
            rows = rows[rows["GAME_ID" if dated.isupper() else "game_id"] != without]
        rows.to_parquet(folder / name)


class Told:
    """A channel that keeps the subjects."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def send(self, subject: str, text: str) -> None:
        self.subjects.append(subject)


@pytest.mark.slow
@pytest.mark.bulk
def test_a_game_that_never_comes_from_the_red_day_to_the_block_and_back(
    bulk_dir: Path, tmp_path: Path, capsys: Capture
) -> None:
    slates = pd.read_parquet(bulk_dir / "games.parquet", filters=[("game_date", ">=", GAP_DAY)])
    tomorrow = slates[slates["game_date"].astype(str) == LAST]
    plays_again = slates["home_team"].isin({*tomorrow["home_team"], *tomorrow["away_team"]})
    games = slates[(slates["game_date"].astype(str) == GAP_DAY) & plays_again]
    game = str(games["game_id"].iloc[0])
    sides = {games["home_team"].iloc[0], games["away_team"].iloc[0]}
    publish(bulk_dir, tmp_path / "bulk", without=game)
    given = {"SOURCE": "bulk", "BULK_DIR": tmp_path / "bulk", "START_DATE": FIRST, "END_DATE": LAST}
    settings = {f"NBA_PIPELINE_{name}": value for name, value in given.items()}
    query = f"SELECT team_abbr FROM {TEAM_ZONES} WHERE history_gaps = 1 AND game_date = '{LAST}'"

    def gaps_of_the_last_day() -> set[str]:
        return {row["team_abbr"] for row in command(capsys, "sql", query, "--json").json}

    with environment(DAGSTER_HOME=tmp_path / "home", **settings):
        red = command(capsys, "backfill", *TABLES, "--json")
        assert red.code == 1
        assert [f["date"] for f in red.json["tables"][BOXSCORES]["failed"]] == [GAP_DAY]
        assert red.json["tables"][TEAM_ZONES]["blocked"] == [LAST]

        assert command(capsys, "gaps", "accept", game, "--reason", REASON).code == 0
        assert command(capsys, "retry").code == 0
        assert gaps_of_the_last_day() == sides
        (listed,) = command(capsys, "gaps", "list", "--json").json
        assert set(listed["used_by"]) == {BOXSCORES, OFFENSE, PLAYERS, DEFENSE}
        assert command(capsys, "plan", *TABLES, "--json").json["nothing_to_do"]
        validated = command(capsys, "validate", "--start", GAP_DAY, "--end", GAP_DAY)
        assert "declared gaps, not asked" in " ".join(validated.out.split())
        assert REASON in command(capsys, "report", "--format", "md").out
        explained = command(
            capsys, "explain", TEAM_ZONES, LAST, "--key", f"team={min(sides)}", "--column", "history_gaps"
        )
        assert "declared gaps: `nba-pipeline gaps list`" in " ".join(explained.out.split())
        assert command(capsys, "backfill", "--tables", "+ml_feature_store").code == 0
        exported = command(capsys, "export", "training", "--out", str(tmp_path / "rows"), "--json").json
        assert REASON in exported["declared_gaps"][0]
        assert 0 < exported["rows_with_history_gaps"] < exported["rows"]
        with open_workspace() as w:
            told, settings_of = Told(), AlertSettings()
            cursor, _ = alert_tick(w.instance, None, [told], settings_of, 0.0)
            cursor, _ = alert_tick(w.instance, cursor, [told], settings_of, 1.0)
            alert_tick(w.instance, cursor, [told], settings_of, 2.0)
        assert sum("1 declared gaps in use" in subject for subject in told.subjects) == 1

        publish(bulk_dir, tmp_path / "bulk", without=None)  # it comes after all
        assert command(capsys, "backfill", *TABLES).code == 0
        assert gaps_of_the_last_day() == set()
        assert command(capsys, "gaps", "list", "--json").json[0]["used_by"] == []

        publish(bulk_dir, tmp_path / "bulk", without=game)
        assert command(capsys, "backfill", *TABLES).code == 0
        assert gaps_of_the_last_day() == sides
        assert command(capsys, "gaps", "revoke", game).code == 0
        planned = command(capsys, "plan", *TABLES, "--json").json["tables"]
        assert set(planned[BOXSCORES]["why"]) == {"gap_withdrawn"}
        blocked = command(capsys, "backfill", *TABLES, "--json")
        assert blocked.code == 1
        assert blocked.json["tables"][TEAM_ZONES]["blocked"] == [LAST]
        assert command(capsys, "backfill", "--start", LAST, "--force", *TABLES).code == 1
