"""The quarantine from the command line: list, show, and a replay after which every row is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import build
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline_tests.end_to_end.pipelines import command, environment
from nba_pipeline_tests.support.poison import PoisonedSource

DAY = date(2023, 10, 26)
DAYS = ("--start", str(DAY), "--end", str(DAY))
BOXSCORES = "nba_raw.player_boxscores"
TABLES = "games,player_boxscores,shot_attempts,team_offense_game_summary"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PoisonedSource]:
    """A home whose source gives one line of DAY with a negative count."""
    source = PoisonedSource(SimulatedSource(first_day=DAY), {DAY: "negative_count"})
    monkeypatch.setattr(build, "make_source", lambda settings: source)
    with environment(DAGSTER_HOME=tmp_path / "home", NBA_PIPELINE_START_DATE=DAY):
        yield source


def test_refused_rows_are_listed_shown_and_replayed_after_the_fix(
    poisoned: PoisonedSource, capsys: Capture
) -> None:
    given = len(poisoned.player_boxscores([DAY]).frame)
    command(
        capsys, "backfill", *DAYS, "--tables", "games,player_boxscores", "--on-invalid-rows", "quarantine"
    )
    listed = command(capsys, "rejected", "list", *DAYS, "--json").json
    (cell,) = listed["days"]
    assert (cell["table"], cell["date"], cell["classes"]) == (BOXSCORES, str(DAY), {"impossible_value": 1})
    assert (listed["rejected"], cell["stored"] + cell["rejected"]) == (1, given)
    assert f"{given - 1} stored + 1 rejected" in " ".join(command(capsys, "rejected", "list").out.split())

    (row,) = command(capsys, "rejected", "show", "player_boxscores", str(DAY), "--json").json["rows"]
    assert row["class"] == "impossible_value"
    assert row["key"]["player_id"] == row["row"]["player_id"]
    assert "rejected replay" in row["what_to_do"]
    shown = " ".join(command(capsys, "rejected", "show", "player_boxscores", str(DAY)).out.split())
    assert str(row["key"]["player_id"]) in shown
    assert "what to do" in shown

    still = command(capsys, "rejected", "replay", "--json")  # the source is as it was
    assert still.code == 1
    assert still.json["left"] == 1
    poisoned.heal()
    healed = command(capsys, "rejected", "replay", "--json")
    assert healed.json["left"] == 0
    (cell,) = healed.json["days"]
    assert cell["before"] == {"stored": given - 1, "rejected": 1}
    assert cell["after"] == {"stored": given, "rejected": 0}
    assert "The quarantine is empty" in command(capsys, "rejected", "list").out
    assert command(capsys, "rejected", "replay").code == 2  # nothing to replay


def test_what_was_asked_for_must_exist(poisoned: PoisonedSource, capsys: Capture) -> None:
    assert command(capsys, "rejected", "show", "no_such_table", str(DAY)).code == 2
    assert command(capsys, "rejected", "show", "games", "tomorrow").code == 2
    assert "No row of games" in command(capsys, "rejected", "show", "games", str(DAY)).out
