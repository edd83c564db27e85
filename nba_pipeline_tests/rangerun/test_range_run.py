"""The range protocol without Dagster: each defect costs its own day and nothing else, and says what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.failures import FailureClass
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.rangerun.sound import SOUND, classes, pipeline, reasons
from nba_pipeline_tests.support import league
from nba_pipeline_tests.support.league import DAYS, GAME_DAYS
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline, recipe_of
from nba_pipeline_tests.support.poison import (
    BOXSCORES,
    GAMES,
    OFFENSE,
    PLAYERS,
    POISONS,
    SHOTS,
    PoisonedSource,
)

SLATE = "nba_analytics.upcoming_player_game_context"


@pytest.fixture(scope="module")
def sound() -> Pipeline:
    """The whole league without a defect."""
    made = pipeline()
    made.run(DAYS, (*GAME_TABLES, SLATE))
    return made


def test_a_sound_league_is_stored_completely(sound: Pipeline) -> None:
    for outcome in sound.outcomes.values():
        assert outcome.failed == {}
        assert set(outcome.stored) == set(DAYS)
        assert all(check.passed for check in outcome.checks)
    assert len(sound.read(OFFENSE)) == 14
    assert len(sound.read(PLAYERS)) == 14 * 8


def test_an_empty_day_says_why(sound: Pipeline) -> None:
    quiet = {league.OFF_SEASON: "off_season", league.OFF_DAY: "off_day", league.POSTPONED: "postponed"}
    exhibition = {league.EXHIBITION: "exhibition_only"}
    assert reasons(sound.outcomes[BOXSCORES]) == quiet  # raw tables keep exhibitions
    assert reasons(sound.outcomes[OFFENSE]) == quiet | exhibition
    assert reasons(sound.outcomes[PLAYERS]) == quiet | exhibition
    assert reasons(sound.outcomes[SHOTS]) == quiet | exhibition | dict.fromkeys(
        (league.NO_SHOTS, league.LAST), "not_published"
    )
    assert reasons(sound.outcomes[SLATE]) == quiet | exhibition | dict.fromkeys(
        (league.OPENING, league.SECOND), "no_history"
    )


def test_a_postponed_game_next_to_a_played_one_is_no_hole(sound: Pipeline) -> None:
    teams = sound.read(OFFENSE, [league.THIRD])
    assert set(teams["team_abbr"]) == {"DEN", "LAL"}


def test_shots_that_are_not_published_leave_zones_null_and_not_zero(sound: Pipeline) -> None:
    players = sound.read(PLAYERS)
    unpublished = players["game_date"].isin(pd.to_datetime([league.NO_SHOTS, league.LAST]))
    zones = ["paint_attempts", "mid_range_makes", "three_attempts", "assisted_fg_makes", "blocks_paint"]
    assert players.loc[unpublished, zones].isna().all(axis=None)
    assert players.loc[~unpublished, zones].notna().all(axis=None)


@pytest.mark.parametrize("name", [n for n in POISONS if n != "missing_column"])
def test_each_defect_costs_its_own_day_and_names_its_class(name: str) -> None:
    poison, bad = POISONS[name], league.THIRD
    made = pipeline(PoisonedSource(SOUND, {bad: name}))
    outcomes = made.run(DAYS)
    first = next(table for table in GAME_TABLES if outcomes[table].failed)
    assert first in poison.fails_at
    for table, outcome in outcomes.items():
        assert set(outcome.failed) <= {bad}, table
        assert set(outcome.stored) == set(DAYS) - set(outcome.failed)
    assert classes(outcomes[first]) == {bad: poison.failure_class}
    assert classes(outcomes[PLAYERS]) == {bad: FailureClass.INCOMPLETE_INPUT}
    if first != PLAYERS:  # what is made from the bad day waits for it, by name
        assert "has no partition 2023-10-26" in outcomes[PLAYERS].failed[bad].message


def test_a_missing_column_is_schema_drift_that_names_the_column() -> None:
    made = pipeline(PoisonedSource(SOUND, {league.SECOND: "missing_column"}))
    made.run(DAYS, [GAMES])
    failure = made.run([league.SECOND], [BOXSCORES])[BOXSCORES].failed[league.SECOND]
    assert failure.failure_class is FailureClass.SCHEMA_DRIFT
    assert "turnovers" in failure.message


def test_several_defects_in_one_range_fail_each_for_itself() -> None:
    names = ["halve_team", "duplicate_row", "negative_count", "wrong_type", "outage", "swap_home_away"]
    wrong = dict(zip(GAME_DAYS, names, strict=True))
    outcomes = pipeline(PoisonedSource(SOUND, wrong)).run(DAYS, [GAMES, BOXSCORES])
    assert classes(outcomes[BOXSCORES]) == {day: POISONS[name].failure_class for day, name in wrong.items()}


def test_messages_name_the_row_and_the_bound() -> None:
    outcome = pipeline(PoisonedSource(SOUND, {league.SECOND: "negative_count"})).run(
        DAYS, [GAMES, BOXSCORES]
    )[BOXSCORES]
    failure = outcome.failed[league.SECOND]
    assert "assists is -3" in failure.message
    assert "Player" in failure.message
    assert "at least 0" in failure.message
    assert failure.sample["check"].tolist() == ["schema_contract"]
    assert [c.check for c in outcome.checks if c.day == league.SECOND and not c.passed] == ["schema_contract"]


def test_a_failed_day_keeps_what_was_stored_before() -> None:
    source = PoisonedSource(SOUND, {})
    made = pipeline(source)
    made.run(DAYS)
    before = made.store.manifest(made.tables[BOXSCORES])[league.SECOND]
    source.faults = {league.SECOND: POISONS["drop_player"], league.THIRD: POISONS["negative_count"]}
    outcomes = made.run(DAYS)
    assert classes(outcomes[BOXSCORES]) == {league.THIRD: FailureClass.IMPOSSIBLE_VALUE}
    assert classes(outcomes[OFFENSE]) == {league.SECOND: FailureClass.INCOMPLETE_INPUT}
    assert made.store.manifest(made.tables[BOXSCORES])[league.SECOND].row_count == before.row_count - 1
    assert len(made.read(BOXSCORES, [league.THIRD])) == 18
    assert len(made.read(OFFENSE, [league.SECOND])) == 2


def test_a_second_run_changes_nothing_and_a_repaired_day_is_stored() -> None:
    source = PoisonedSource(SOUND, {league.SECOND: "drop_player"})
    made = pipeline(source)
    made.run(DAYS)
    source.heal()
    again = made.run(DAYS)
    assert all(outcome.failed == {} for outcome in again.values())
    changed = {
        table: {day for day, s in outcome.stored.items() if s.changed} for table, outcome in again.items()
    }
    assert changed == {table: set() if table in (GAMES, SHOTS) else {league.SECOND} for table in GAME_TABLES}


@pytest.mark.slow
def test_content_does_not_depend_on_the_range_it_was_made_in(sound: Pipeline) -> None:
    single = pipeline()
    for day in DAYS:
        single.run([day], (*GAME_TABLES, SLATE))
    for table in (*GAME_TABLES, SLATE):
        hashes = [
            {d: e.content_hash for d, e in p.store.manifest(p.tables[table]).items()} for p in (single, sound)
        ]
        assert hashes[0] == hashes[1], table


class TestInputs:
    """A day is computed only from days that are there."""

    def test_a_missing_upstream_partition_is_incomplete_input(self) -> None:
        made = pipeline()
        made.run(DAYS[:4], [GAMES])
        outcome = made.run(DAYS[:6], [BOXSCORES])[BOXSCORES]
        assert classes(outcome) == dict.fromkeys(DAYS[4:6], FailureClass.INCOMPLETE_INPUT)
        assert f"nba_raw.games has no partition {DAYS[4]}" in outcome.failed[DAYS[4]].message

    def test_a_hole_in_the_history_stops_the_days_after_it_and_is_named(self) -> None:
        made = pipeline(PoisonedSource(SOUND, {league.THIRD: "drop_player"}))
        outcome = made.run(DAYS, (*GAME_TABLES, SLATE))[SLATE]
        later = {day for day in DAYS if day > league.THIRD}
        assert classes(outcome) == dict.fromkeys(later, FailureClass.INCOMPLETE_INPUT)
        assert str(league.THIRD) in outcome.failed[league.LAST].message

    def test_an_unexplained_empty_day_fails(self) -> None:
        lines = SOUND.frames["player_boxscores"]
        without = SOUND.changed(player_boxscores=lines[lines["game_date"] != pd.Timestamp(league.SECOND)])
        outcome = pipeline(without).run(DAYS, [GAMES, BOXSCORES])[BOXSCORES]
        assert classes(outcome) == {league.SECOND: FailureClass.INCOMPLETE_INPUT}

    def test_what_the_source_cannot_use_reaches_the_outcome(self) -> None:
        note = pd.DataFrame(
            {"game_date": pd.to_datetime([league.SECOND]), "reason": ["odd"], "count": [3], "sample": ["x"]}
        )
        outcome = pipeline(replace(SOUND, unusable=note)).run(DAYS, [GAMES, BOXSCORES])[BOXSCORES]
        assert outcome.unusable == {league.SECOND: [{"reason": "odd", "count": 3, "sample": "x"}]}


def test_a_damaged_stored_day_costs_itself_and_what_needs_it(tmp_path: Path) -> None:
    """One byte of one stored day of the schedule is flipped. Every table reads the schedule; none fails as a
    whole, and the message has the command that makes the day again."""
    made = Pipeline(SOUND, DAYS[0], store=ParquetStore(tmp_path))
    made.run(DAYS, (*GAME_TABLES, SLATE))
    bad = league.THIRD
    file = tmp_path / GAMES.replace(".", "/") / f"game_date={bad}" / "part.parquet"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    for table, expected in ((BOXSCORES, {bad}), (OFFENSE, {bad}), (SLATE, {d for d in DAYS if d >= bad})):
        outcome = made.run_plan(recipe_of(table), DAYS)
        assert classes(outcome) == dict.fromkeys(expected, FailureClass.UNPARSEABLE_SOURCE), table
        assert set(outcome.stored) == set(DAYS) - expected
        message = outcome.failed[max(expected)].message
        assert f"--tables {GAMES} --start {bad} --end {bad}" in message
    made.run_plan(recipe_of(GAMES), [bad])
    assert made.run_plan(recipe_of(SLATE), DAYS).failed == {}
