"""The simulated source as a source: its columns, what it covers, and the same answer to the same question."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest

from nba_pipeline.failures import FailureClass, SourceUnavailable
from nba_pipeline.sources.base import Source
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline_tests.sources.simulated.season import CHOSEN_DAY, COUNTS, TABLES

_COLUMNS = {
    "games": (
        """
        game_id nba_game_id game_date season_year game_type home_team_abbr away_team_abbr
        home_team_id away_team_id home_score away_score status is_neutral source"""
    ),
    "player_boxscores": (
        """
        game_id nba_game_id game_date team_id team_abbr opponent_team_abbr is_home player_id
        player_name player_lookup is_starter status comment minutes_text seconds_played seconds_source"""
    ),
    "shot_attempts": (
        """
        game_id nba_game_id game_date event_id period seconds_remaining team_abbr player_id is_made is_three
        distance_ft loc_x loc_y zone_basic assist_player_id block_player_id"""
    ),
}
COLUMNS = {
    table: names.split() + (COUNTS if table == "player_boxscores" else [])
    for table, names in _COLUMNS.items()
}


def fingerprint(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


# Shape
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_exactly_the_raw_tables(table: str, season: dict[str, pd.DataFrame]) -> None:
    assert list(season[table].columns) == COLUMNS[table]
    assert season[table]["game_date"].dtype == "datetime64[s]"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "days", [[], [date(2023, 8, 1)], [date(2024, 12, 24)]], ids=["no days", "off-season", "off day"]
)
def test_days_without_games_have_columns_and_types_but_no_rows(
    table: str, days: list[date], season: dict[str, pd.DataFrame]
) -> None:
    frame = getattr(SimulatedSource(), table)(days).frame
    assert frame.empty
    assert dict(frame.dtypes) == dict(season[table].dtypes)


def test_keys_are_unique(season: dict[str, pd.DataFrame]) -> None:
    keys = {
        "games": ["nba_game_id"],
        "player_boxscores": ["nba_game_id", "player_id"],
        "shot_attempts": ["nba_game_id", "event_id"],
    }
    for table, key in keys.items():
        assert not season[table].duplicated(key).any(), table
    assert not season["games"].duplicated("game_id").any()


def test_it_is_a_source() -> None:
    assert isinstance(SimulatedSource(), Source)
    assert SimulatedSource().games([CHOSEN_DAY]).unusable.empty


# Coverage
# ---------------------------------------------------------------------------------------------------------


def test_days_outside_coverage_are_unavailable() -> None:
    source = SimulatedSource(first_day=date(2021, 10, 19), last_day=date(2022, 1, 31))
    with pytest.raises(SourceUnavailable, match="2021-10-18") as error:
        source.games([date(2021, 10, 18), date(2021, 10, 20), date(2022, 2, 1)])
    assert error.value.days == (date(2021, 10, 18), date(2022, 2, 1))
    assert error.value.failure_class is FailureClass.SOURCE_UNAVAILABLE
    assert len(source.games([date(2022, 1, 31)]).frame)


def test_the_end_of_coverage_does_not_change_what_is_covered() -> None:
    day = [date(2023, 11, 10)]
    assert fingerprint(SimulatedSource(last_day=day[0]).player_boxscores(day).frame) == fingerprint(
        SimulatedSource().player_boxscores(day).frame
    )


def test_games_after_the_last_results_are_scheduled_and_nothing_else_changes() -> None:
    until, days = date(2023, 11, 9), [date(2023, 11, 9), date(2023, 11, 10)]
    known = [until]
    played, open_ = SimulatedSource(), SimulatedSource(results_until=lambda: known[0])
    before = open_.revision(), open_.fingerprints(days)
    games, all_final = open_.games(days).frame, played.games(days).frame
    tonight = games["game_date"] > pd.Timestamp(until)
    assert set(games.loc[tonight, "status"]) == {"scheduled"}
    assert games.loc[tonight, ["home_score", "away_score"]].isna().all(axis=None)
    changing = ["status", "home_score", "away_score"]
    pd.testing.assert_frame_equal(games.drop(columns=changing), all_final.drop(columns=changing))
    pd.testing.assert_frame_equal(games[~tonight], all_final[~tonight])
    for table in ("player_boxscores", "shot_attempts"):
        assert fingerprint(getattr(open_, table)(days).frame) == fingerprint(
            getattr(played, table)([until]).frame
        )

    known[0] = days[1]
    assert {t: fingerprint(getattr(open_, t)(days).frame) for t in TABLES} == {
        t: fingerprint(getattr(played, t)(days).frame) for t in TABLES
    }
    assert open_.revision() != before[0], "a sensor that looks at revisions alone sees it"
    assert {day for day, digest in open_.fingerprints(days).items() if digest != before[1][day]} == {days[1]}


@pytest.mark.parametrize("arguments", [{"seed": -1}, {"last_day": date(2020, 1, 1)}])
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(ValueError, match="simulated source"):
        SimulatedSource(**arguments)


# Determinism
# ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_day_alone_equals_the_day_out_of_the_season(table: str, season: dict[str, pd.DataFrame]) -> None:
    for day in (CHOSEN_DAY, date(2024, 2, 16), date(2024, 4, 16)):
        alone = getattr(SimulatedSource(), table)([day]).frame
        within = season[table][season[table]["game_date"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, within)


def test_the_order_of_the_days_does_not_matter() -> None:
    days = [date(2024, 1, 5), date(2023, 12, 31), date(2024, 1, 5), date(2024, 6, 1)]
    source = SimulatedSource()
    assert fingerprint(source.player_boxscores(days).frame) == fingerprint(
        source.player_boxscores(sorted(set(days))).frame
    )


def test_another_process_makes_the_same_rows() -> None:
    program = (
        "import hashlib; from datetime import date; from nba_pipeline.sources.simulated import"
        f" SimulatedSource as S\nfor t in {TABLES!r}: print(hashlib.sha256(getattr(S(), t)([date(2024, 1,"
        " 5)]).frame.to_csv(index=False).encode()).hexdigest())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.split() == [
        fingerprint(getattr(SimulatedSource(), t)([date(2024, 1, 5)]).frame) for t in TABLES
    ]


def test_another_seed_is_another_league() -> None:
    day = [date(2024, 1, 5)]
    assert fingerprint(SimulatedSource(1).games(day).frame) != fingerprint(
        SimulatedSource(2).games(day).frame
    )
