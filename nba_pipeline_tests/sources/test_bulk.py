"""The bulk source: small folders with one oddity each, and the oddities of the real seasons."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.failures import (
    FailureClass,
    PipelineError,
    SchemaDrift,
    SourceUnavailable,
    UnparseableSource,
)
from nba_pipeline.sources.bulk.source import BulkSource

DAY, NEXT_DAY = date(2024, 3, 7), date(2024, 3, 8)
GAME = {
    "game_id": "0022300907",
    "game_code": "20240307/CHIGSW",
    "game_date": "2024-03-07",
    "season": "2023-24",
    "home_team": "GSW",
    "away_team": "CHI",
    "home_team_id": 1610612744,
    "away_team_id": 1610612741,
    "home_score": 120,
    "away_score": 125,
    "played": True,
    "is_neutral": "False",
    "postponed_status": None,
}
ZEROS = dict.fromkeys(
    [
        "field_goals_made",
        "field_goals_attempted",
        "three_pointers_made",
        "three_pointers_attempted",
        "free_throws_made",
        "free_throws_attempted",
        "rebounds_offensive",
        "rebounds_defensive",
        "assists",
        "steals",
        "blocks",
        "turnovers",
        "fouls_personal",
        "points",
        "plus_minus_points",
    ],
    0,
)
LINE = {
    "season": "2023-24",
    "game_id": "0022300907",
    "game_date": "2024-03-07",
    "home_away": "home",
    "team_id": 1610612744,
    "team_tricode": "GSW",
    "person_id": 1,
    "player_name": "Ann Őne",
    "is_starter": True,
    "comment": "",
    "minutes": "38:34",
    "seconds_pbp": None,
    **ZEROS,
    "points": 2,
    "field_goals_made": 1,
    "field_goals_attempted": 1,
}
SHOT = {
    "GAME_ID": "0022300907",
    "GAME_DATE": "2024-03-07",
    "GAME_EVENT_ID": 7,
    "PERIOD": 1,
    "MINUTES_REMAINING": 11,
    "SECONDS_REMAINING": 40,
    "PLAYER_ID": 1,
    "TEAM_ABBREVIATION": "GSW",
    "SHOT_MADE_FLAG": 1,
    "IS_THREE": False,
    "ASSIST_PLAYER_ID": None,
    "BLOCK_PLAYER_ID": None,
    "PBP_DISTANCE": None,
    "SHOT_DISTANCE": 3,
}
Folder = Callable[..., BulkSource]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(games: Any = (GAME,), lines: Any = (LINE,), shots: Any = (SHOT,)) -> BulkSource:
        files = {"games.parquet": games, "player_box.parquet": lines, "shots_2023-24.parquet": shots}
        for name, rows in files.items():
            if rows is not None:
                pd.DataFrame(list(rows)).to_parquet(tmp_path / name)
        return BulkSource(tmp_path)

    return write


def reasons(unusable: pd.DataFrame) -> dict[str, tuple[int, str]]:
    """reason -> (count, sample)"""
    return {
        reason: (count, sample)
        for reason, count, sample in unusable[["reason", "count", "sample"]].itertuples(
            index=False, name=None
        )
    }


def test_a_line_gets_its_ids_and_side_from_the_schedule(folder: Folder) -> None:
    row = folder().player_boxscores([DAY]).frame.iloc[0]
    assert (row["game_id"], row["opponent_team_abbr"], row["is_home"]) == ("20240307_CHI_GSW", "CHI", True)
    assert (row["player_lookup"], row["seconds_played"], row["seconds_source"], row["status"]) == (
        "annone",
        2314,
        "official",
        "played",
    )


def test_a_player_who_did_not_play_has_null_counts_even_where_the_source_prints_zeros(folder: Folder) -> None:
    dnp = {**LINE, **ZEROS, "person_id": 2, "minutes": "", "comment": "DNP - Coach's Decision"}
    away = {**LINE, **ZEROS, "person_id": 3, "minutes": "", "comment": "NWT - Personal"}
    frame = folder(lines=(LINE, dnp, away)).player_boxscores([DAY]).frame
    assert frame["status"].tolist() == ["played", "dnp", "inactive"]
    assert (
        frame.loc[1:, ["points", "fg_attempts", "plus_minus", "seconds_played", "seconds_source"]]
        .isna()
        .all(axis=None)
    )


def test_minutes_that_are_no_duration_leave_a_line_without_seconds_and_are_counted(folder: Folder) -> None:
    line = {**LINE, "person_id": 2, "player_name": "Bob Two", "minutes": "-79:0-6"}
    odd = folder(lines=(LINE, line)).player_boxscores([DAY])
    assert pd.isna(odd.frame["seconds_played"].iloc[1])
    assert odd.frame["points"].iloc[1] == 2
    assert reasons(odd.unusable) == {"minutes_not_a_duration": (1, "-79:0-6")}


def test_a_line_without_time_or_stats_is_a_dnp_and_is_counted(folder: Folder) -> None:
    ghost = folder(
        lines=(LINE, {**LINE, **ZEROS, "person_id": 2, "player_name": "Ghost", "minutes": "0:00"})
    ).player_boxscores([DAY])
    assert ghost.frame["status"].tolist() == ["played", "dnp"]
    assert reasons(ghost.unusable) == {"line_without_time_or_stats": (1, "Ghost")}


NEXT_GAME = {**GAME, "game_id": "0022300908", "game_code": None, "game_date": "2024-03-08"}


def test_rows_of_games_that_the_schedule_does_not_know_are_counted_on_their_own_date(folder: Folder) -> None:
    stray = {"game_id": "0022399999", "game_date": "2024-03-08", "player_name": "Stray"}
    known = {"game_id": "0022300908", "game_date": "2024-03-08"}
    source = folder(
        games=(GAME, NEXT_GAME),
        lines=(LINE, {**LINE, **known}, {**LINE, **stray}, {**LINE, **stray, "person_id": 9}),
        shots=(
            SHOT,
            {**SHOT, "GAME_ID": "0022300908", "GAME_DATE": "2024-03-08"},
            {**SHOT, "GAME_ID": "0022399998", "GAME_DATE": "2024-03-08"},
        ),
    )
    assert source.player_boxscores([DAY]).unusable.empty
    assert source.shot_attempts([DAY]).unusable.empty
    lines, shots = source.player_boxscores([DAY, NEXT_DAY]), source.shot_attempts([NEXT_DAY])
    assert (len(lines.frame), len(shots.frame)) == (2, 1)
    assert reasons(lines.unusable) == {"game_not_in_schedule": (2, "Stray")}
    assert reasons(shots.unusable) == {"game_not_in_schedule": (1, "0022399998")}
    assert lines.unusable["game_date"].tolist() == [pd.Timestamp(NEXT_DAY)]


def test_a_day_of_which_no_row_matches_a_game_is_refused_and_the_other_days_are_not(folder: Folder) -> None:
    """It would look as if the source had nothing for the day."""
    source = folder(
        games=(GAME, NEXT_GAME),
        lines=(LINE, {**LINE, "game_id": "0022399999", "game_date": "2024-03-08"}),
        shots=(SHOT, {**SHOT, "GAME_ID": "0022399998", "GAME_DATE": "2024-03-08"}),
    )
    for ask in (source.player_boxscores, source.shot_attempts):
        with pytest.raises(SchemaDrift, match="none of a game that") as caught:
            ask([DAY, NEXT_DAY])
        assert caught.value.days == (NEXT_DAY,)
        assert len(ask([DAY]).frame) == 1


def test_rows_without_a_date_of_which_none_matches_are_refused(folder: Folder) -> None:
    undated = {**SHOT, "GAME_ID": "0022399998", "GAME_DATE": None}
    with pytest.raises(SchemaDrift, match="0022399998"):
        folder(shots=(undated,)).shot_attempts([DAY])


def test_a_game_of_another_day_is_no_orphan(folder: Folder) -> None:
    answer = folder(
        games=(GAME, {**GAME, "game_id": "0022300908", "game_date": "2024-03-08"})
    ).player_boxscores([NEXT_DAY])
    assert answer.frame.empty
    assert answer.unusable.empty


def test_games_of_an_unknown_type_are_counted_and_left_out(folder: Folder) -> None:
    answer = folder(games=(GAME, {**GAME, "game_id": "0092300001"})).games([DAY])
    assert answer.frame["nba_game_id"].tolist() == [GAME["game_id"]]
    assert reasons(answer.unusable) == {"game_type_unknown": (1, "0092300001")}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "final"),
        ({"played": False, "home_score": None, "away_score": None}, "scheduled"),
        ({"played": False, "home_score": 0, "away_score": 0}, "scheduled"),
        ({"played": False, "home_score": None, "away_score": None, "game_id": "0042300407"}, "scheduled"),
        ({"played": False, "postponed_status": "Y"}, "postponed"),
        ({"played": False, "postponed_status": "Cancelled"}, "cancelled"),
        ({"played": True, "home_score": None}, "scheduled"),
        ({"played": None, "home_score": None, "away_score": None}, "scheduled"),
    ],
)
def test_the_state_of_a_game(folder: Folder, changes: dict[str, Any], status: str) -> None:
    assert folder(games=({**GAME, **changes},)).games([DAY]).frame["status"].tolist() == [status]


def test_a_playoff_game_is_not_needed_once_a_team_has_won_the_series(folder: Folder) -> None:
    """`played` false alone is how sources write "not yet"."""
    series = [
        {**GAME, "game_id": f"004230040{n}", "game_date": f"2024-03-{n:02d}", "game_code": None}
        for n in range(1, 5)
    ]
    fifth = {**series[0], "game_id": "0042300405", "game_date": "2024-03-07", "played": False}
    assert folder(games=(*series[:3], fifth)).games([DAY]).frame["status"].tolist() == ["scheduled"]
    assert folder(games=(*series, fifth)).games([DAY]).frame["status"].tolist() == ["not_needed"]


def test_a_game_on_two_dates_belongs_to_the_one_on_which_it_was_played(folder: Folder) -> None:
    unplayed = {**GAME, "played": False, "home_score": None, "away_score": None}
    source = folder(games=(unplayed, {**GAME, "game_date": "2024-03-08"}))
    games = source.games([DAY, NEXT_DAY]).frame
    assert games["status"].tolist() == ["postponed", "final"]
    assert source.player_boxscores([DAY]).frame.empty
    lines = source.player_boxscores([DAY, NEXT_DAY])
    assert lines.frame["game_date"].tolist() == [pd.Timestamp(NEXT_DAY)]
    assert reasons(lines.unusable) == {"date_differs_from_schedule": (1, "Ann Őne")}
    still_to_come = folder(games=(unplayed, {**unplayed, "game_date": "2024-03-08"}))
    assert still_to_come.games([DAY, NEXT_DAY]).frame["status"].tolist() == ["postponed", "scheduled"]


def test_a_game_that_was_played_on_two_dates_is_refused_on_both(folder: Folder) -> None:
    source = folder(games=(GAME, {**GAME, "game_date": "2024-03-08"}))
    for ask in (source.games, source.player_boxscores):
        with pytest.raises(PipelineError, match="a game is played once") as caught:
            ask([DAY, NEXT_DAY, date(2024, 3, 9)])
        assert caught.value.failure_class is FailureClass.DUPLICATE_KEY
        assert caught.value.days == (DAY, NEXT_DAY)


def test_the_season_is_the_game_s_and_not_the_calendar_s(folder: Folder) -> None:
    """The Finals of October 2020 belong to 2019-20."""
    day = {"season": "2019-20", "game_date": "2020-10-11", "game_code": None}
    before = {**GAME, **day, "game_id": "0021900001", "game_date": "2019-10-22"}
    source = folder(games=(before, {**GAME, **day, "game_id": "0041900406"}))
    answer = source.games([date(2020, 10, 11)])
    assert answer.frame["season_year"].tolist() == [2019]
    assert source.games([date(2020, 10, 10)]).frame.empty
    odd = folder(games=({**GAME, "game_id": "0022200907", "season": "2022-23"},)).games([DAY])
    assert odd.frame["season_year"].tolist() == [2022]
    assert reasons(odd.unusable) == {"season_of_the_game_differs_from_the_calendar": (1, "0022200907")}


def test_a_date_that_cannot_be_read_comes_from_the_game_code(folder: Folder) -> None:
    assert len(folder(games=({**GAME, "game_date": "soon"},)).games([DAY]).frame) == 1
    with pytest.raises(UnparseableSource, match="0022300907 has no readable date"):
        folder(games=({**GAME, "game_date": "soon", "game_code": "?"},)).games([DAY])


def test_shots_without_a_file_are_no_shots(folder: Folder) -> None:
    assert folder(shots=None).shot_attempts([DAY]).frame.empty


def test_a_shot_takes_its_distance_from_the_chart_where_the_play_by_play_has_none(folder: Folder) -> None:
    shot = folder().shot_attempts([DAY]).frame.iloc[0]
    assert (shot["distance_ft"], shot["seconds_remaining"], bool(shot["is_made"])) == (3, 700, True)


def test_a_day_of_a_season_that_the_folder_does_not_hold_is_unavailable(folder: Folder) -> None:
    for ask in (folder().games, folder().player_boxscores, folder().shot_attempts):
        with pytest.raises(SourceUnavailable, match="2023-24") as caught:
            ask([date(2022, 1, 1), DAY])
        assert caught.value.days == (date(2022, 1, 1),)


def test_a_schedule_without_the_lines_of_a_season_is_unavailable_for_lines_only(folder: Folder) -> None:
    source = folder(
        games=(GAME, {**GAME, "game_id": "0022200907", "season": "2022-23", "game_date": "2023-03-07"})
    )
    assert len(source.games([date(2023, 3, 7)]).frame) == 1
    with pytest.raises(SourceUnavailable, match=r"player_box\.parquet"):
        source.player_boxscores([date(2023, 3, 7)])


def test_a_season_whose_lines_begin_with_its_first_game_lacks_nothing_before_it(folder: Folder) -> None:
    """The morning of opening night: preseason without lines, and a first game that is still to come."""
    preseason = {**GAME, "game_id": "0012400001", "game_date": "2024-10-10", "season": "2024-25"}
    tonight = {**GAME, "game_id": "0022400001", "game_date": "2024-10-22", "season": "2024-25"}
    tonight |= {"home_score": None, "away_score": None, "played": None}
    source = folder(games=(GAME, preseason, tonight))
    quiet = [date(2024, 10, 1), date(2024, 10, 10), date(2024, 10, 22)]
    assert source.player_boxscores(quiet).frame.empty
    assert len(source.player_boxscores([DAY, *quiet]).frame) == len(source.player_boxscores([DAY]).frame)


@pytest.mark.parametrize("file", ["games.parquet", "player_box.parquet", "shots_2023-24.parquet"])
def test_damaged_files_are_named(folder: Folder, tmp_path: Path, file: str) -> None:
    folder()
    path = tmp_path / file
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"not parquet at all", b""):
        path.write_bytes(damage)
        with pytest.raises(UnparseableSource, match=file):
            _everything(BulkSource(tmp_path))


@pytest.mark.parametrize(
    ("file", "column"),
    [("games.parquet", "played"), ("player_box.parquet", "turnovers"), ("shots_2023-24.parquet", "PERIOD")],
)
def test_a_missing_column_is_schema_drift_that_names_file_and_column(
    folder: Folder, tmp_path: Path, file: str, column: str
) -> None:
    folder()
    pd.read_parquet(tmp_path / file).drop(columns=column).to_parquet(tmp_path / file)
    with pytest.raises(SchemaDrift, match=f"{file}.*{column}"):
        _everything(BulkSource(tmp_path))


@pytest.mark.parametrize("file", ["games.parquet", "player_box.parquet"])
def test_a_missing_file_is_unavailable(folder: Folder, tmp_path: Path, file: str) -> None:
    folder()
    (tmp_path / file).unlink()
    with pytest.raises(PipelineError, match=file) as caught:
        _everything(BulkSource(tmp_path))
    assert caught.value.failure_class is FailureClass.SOURCE_UNAVAILABLE


def test_a_file_that_changes_on_disk_is_read_again(folder: Folder, tmp_path: Path) -> None:
    source = folder()
    assert source.player_boxscores([DAY]).frame["points"].tolist() == [2]
    folder(lines=({**LINE, "points": 3},))
    os.utime(tmp_path / "player_box.parquet", (1, 1))
    assert source.player_boxscores([DAY]).frame["points"].tolist() == [3]


def test_what_was_read_is_known_by_its_hash(folder: Folder, tmp_path: Path) -> None:
    """Of the bytes that were read: a file that is replaced afterwards keeps the hash under which its rows
    came."""
    source = folder()
    assert source.payloads("nba_raw.player_boxscores", [DAY]) == {}
    _everything(source)
    files = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("games.parquet", "player_box.parquet")
    }
    assert source.payloads("nba_raw.player_boxscores", [DAY]) == {
        str(tmp_path / name): digest for name, digest in files.items()
    }
    assert {Path(p).name for p in source.payloads("nba_raw.shot_attempts", [DAY])} == {
        "games.parquet",
        "shots_2023-24.parquet",
    }
    folder(lines=({**LINE, "points": 3},))
    assert (
        source.payloads("nba_raw.player_boxscores", [DAY])[str(tmp_path / "player_box.parquet")]
        == files["player_box.parquet"]
    )


def _everything(source: BulkSource) -> None:
    source.games([DAY])
    source.player_boxscores([DAY])
    source.shot_attempts([DAY])


@pytest.mark.bulk
class TestRealSeasons:
    """The oddities of 2021-24, by date."""

    @pytest.mark.parametrize(
        ("day", "name", "seconds"),
        [(date(2021, 10, 28), "KJ Martin", 970), (date(2022, 3, 16), "Kevin Huerter", 2130)],
    )
    def test_seconds_that_the_play_by_play_has_wrong_are_corrected_and_counted(
        self, bulk_source: BulkSource, day: date, name: str, seconds: int
    ) -> None:
        answer = bulk_source.player_boxscores([day])
        line = answer.frame[answer.frame["player_name"] == name].iloc[0]
        assert (line["seconds_played"], line["seconds_source"]) == (seconds, "play_by_play")
        assert name in reasons(answer.unusable)["play_by_play_seconds_contradicted_rounded_minutes"][1]

    def test_two_free_throws_in_no_time_are_a_line_that_was_played(self, bulk_source: BulkSource) -> None:
        frame = bulk_source.player_boxscores([date(2021, 11, 8)]).frame
        line = frame[frame["player_name"] == "Bol Bol"].iloc[0]
        assert (line["status"], line["seconds_played"], line["ft_attempts"]) == ("played", 0, 2)

    def test_exhibition_minutes_are_counted_as_no_durations(self, bulk_source: BulkSource) -> None:
        for day in (date(2022, 2, 18), date(2024, 2, 16)):
            assert "minutes_not_a_duration" in reasons(bulk_source.player_boxscores([day]).unusable)

    def test_every_row_of_the_real_files_is_of_a_scheduled_game(self, bulk_source: BulkSource) -> None:
        days = [d.date() for d in pd.date_range("2021-10-03", "2024-06-30")]
        notes = bulk_source.player_boxscores(days).unusable
        assert "game_not_in_schedule" not in set(notes["reason"])
        assert notes.loc[notes["reason"].str.startswith("play_by_play"), "count"].sum() == 8
