"""The validation questions: all pass on a sound warehouse, and each finds exactly the defect that it asks
about."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.operations.audit.validate import (
    GAMES,
    OFFENSE,
    PLAYERS,
    QUESTIONS,
    Stored,
    read_stored,
    validate,
)
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline_tests.end_to_end.pipelines import command
from nba_pipeline_tests.operations.conftest import DAYS, END, START


@pytest.fixture
def sound(home: Path) -> Stored:
    with open_workspace() as w:
        return read_stored(w.store, w.tables, w.days(START, END), {})


def asked(stored: Stored) -> dict[str, bool]:
    """Question -> whether it passed."""
    return {question.__name__: question(stored).passed for question in QUESTIONS}


def but(*names: str) -> dict[str, bool]:
    return {question.__name__: question.__name__ not in names for question in QUESTIONS}


def changed(stored: Stored, table: str, frame: pd.DataFrame) -> Stored:
    return replace(stored, rows={**stored.rows, table: frame})


def test_a_sound_warehouse_passes_every_question_and_says_how_much_was_asked(sound: Stored) -> None:
    assert asked(sound) == but()
    found = {a.question: a.found for a in validate(sound)}
    assert f"{len(sound.rows[PLAYERS]):,}" in found["rows per date against the schedule"]
    assert "100.00 %" in found["usage_rate of players with minutes > 0"]


def test_an_absent_usage_rate_is_found_and_named(sound: Stored) -> None:
    players = sound.rows[PLAYERS].copy()
    players.loc[players.index[7], "usage_rate"] = None
    broken = changed(sound, PLAYERS, players)
    assert asked(broken) == but("usage_coverage")
    answer = next(a for a in validate(broken) if not a.passed)
    assert players["player_full_name"].iloc[7] in answer.exceptions[0]


def test_a_lost_team_is_found(sound: Stored) -> None:
    offense = sound.rows[OFFENSE]
    assert asked(changed(sound, OFFENSE, offense.iloc[1:])) == but("rows_per_date")
    first = offense.iloc[0]
    players = sound.rows[PLAYERS]
    without = players[
        ~((players["game_id"] == first["game_id"]) & (players["team_abbr"] == first["team_abbr"]))
    ]
    assert asked(changed(sound, PLAYERS, without)) == but("rows_per_date", "team_reconstruction")


def test_rows_of_a_game_that_is_not_on_the_schedule_are_found(sound: Stored) -> None:
    games = sound.rows[GAMES]
    first = games[games["status"].eq("final")].index[0]
    assert asked(changed(sound, GAMES, games.drop(index=first))) == but("rows_per_date")


def test_a_changed_count_is_found(sound: Stored) -> None:
    players = sound.rows[PLAYERS].copy()
    players.loc[players.index[3], "points"] += 1
    assert asked(changed(sound, PLAYERS, players)) == but("team_reconstruction")


@pytest.mark.parametrize("game_id", ["2023-10-24_AAA_BBB", "19990101_LAL_DEN"])
def test_a_wrong_game_id_is_found(sound: Stored, game_id: str) -> None:
    games = sound.rows[GAMES].copy()
    games["game_id"] = games["game_id"].astype(object)
    games.loc[games.index[0], "game_id"] = game_id
    assert asked(changed(sound, GAMES, games))["game_ids"] is False


def test_swapped_home_and_away_are_found(sound: Stored) -> None:
    games = sound.rows[GAMES].rename(
        columns={"home_team_abbr": "away_team_abbr", "away_team_abbr": "home_team_abbr"}
    )
    assert asked(changed(sound, GAMES, games)) == but("game_ids")


def test_failed_and_absent_days_are_told_apart(sound: Stored) -> None:
    day, other = date(2023, 10, 28), date(2023, 10, 29)
    gone = {**sound.present, PLAYERS: sound.present[PLAYERS] - {day, other}}
    broken = replace(sound, present=gone, failed={PLAYERS: [day]})
    assert asked(broken) == but("dates_stored")
    lines = next(a for a in validate(broken) if not a.passed).exceptions
    assert lines == (f"{PLAYERS}: 1 day(s) not stored: {other}", f"{PLAYERS}: 1 day(s) failed: {day}")


def test_duplicates_are_found(sound: Stored) -> None:
    broken = replace(sound, keys={**sound.keys, PLAYERS: (100, 2, ("game_id=a, player_id=1",))})
    assert asked(broken) == but("duplicates")


def test_a_day_without_games_has_nothing_to_be_wrong_about(home: Path) -> None:
    with open_workspace() as w:
        stored = read_stored(w.store, w.tables, [date(2023, 10, 24)], {})
    quiet = replace(stored, rows={name: frame.iloc[:0] for name, frame in stored.rows.items()})
    assert asked(quiet) == but()


def test_the_command_reads_the_rows_again(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command(capsys, "validate", *DAYS, "--json").json["passed"] is True
    folder = home / "warehouse" / "nba_analytics" / "player_game_summary" / f"game_date={END}"
    shutil.move(folder, tmp_path / "aside")
    try:
        answer = command(capsys, "validate", "--dates", f"{START},{END}", "--json")
        assert answer.code == 1
        assert [q["question"] for q in answer.json["questions"] if not q["passed"]] == [
            "rows per date against the schedule",
            "the dates in question",
            "team rows rebuilt from their players",
        ]
        shown = command(capsys, "validate", *DAYS)
        assert shown.code == 1
        assert "1 day(s) not stored" in " ".join(shown.out.split())
    finally:
        shutil.move(tmp_path / "aside", folder)
    assert command(capsys, "validate", "--dates", "tomorrow").code == 2
