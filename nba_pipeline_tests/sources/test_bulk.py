"""Lines and shots of the bulk source: small folders with one oddity each, and those of the real seasons."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from nba_pipeline.failures import (
    SchemaDrift,
)
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.sources.bulk_rows import (
    DAY,
    GAME,
    LINE,
    NEXT_DAY,
    NEXT_GAME,
    SHOT,
    ZEROS,
    Folder,
    reasons,
)


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


def test_shots_without_a_file_are_no_shots(folder: Folder) -> None:
    assert folder(shots=None).shot_attempts([DAY]).frame.empty


def test_a_shot_takes_its_distance_from_the_chart_where_the_play_by_play_has_none(folder: Folder) -> None:
    shot = folder().shot_attempts([DAY]).frame.iloc[0]
    assert (shot["distance_ft"], shot["seconds_remaining"], bool(shot["is_made"])) == (3, 700, True)


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
