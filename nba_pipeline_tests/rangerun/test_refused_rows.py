"""Rows that break the contract: too big is not impossible, and a quarantine loses none."""

from __future__ import annotations

import json

import pandas as pd

from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.spec import numeric
from nba_pipeline_tests.rangerun.sound import SOUND, classes, pipeline
from nba_pipeline_tests.support import league
from nba_pipeline_tests.support.league import DAYS, FrameSource
from nba_pipeline_tests.support.pipeline import Pipeline
from nba_pipeline_tests.support.poison import (
    BOXSCORES,
    GAMES,
    PLAYERS,
    PoisonedSource,
)


class TestTooBigIsNotImpossible:
    """The incident: a column that is too small for a true value."""

    def test_a_true_value_that_does_not_fit_fails_its_day_as_type_overflow(self) -> None:
        tables = pipeline().tables.with_column(PLAYERS, "usage_rate", type=numeric(5, 2))
        cameo = cameo_league(seconds=10)
        made = Pipeline(cameo, DAYS[0], tables=tables)
        failed = made.run(DAYS)[PLAYERS].failed
        assert {day: f.failure_class for day, f in failed.items()} == {
            league.SECOND: FailureClass.TYPE_OVERFLOW
        }
        message = failed[league.SECOND].message
        assert "NUMERIC(5,2)" in message
        assert "widen the column to NUMERIC(6,2)" in message
        wide = Pipeline(cameo, DAYS[0])
        assert wide.run(DAYS)[PLAYERS].failed == {}

    def test_quarantine_writes_the_other_rows_of_the_day(self) -> None:
        tables = pipeline().tables.with_column(PLAYERS, "usage_rate", type=numeric(5, 2))
        made = Pipeline(cameo_league(seconds=10), DAYS[0], tables=tables)
        outcome = made.run(DAYS, on_invalid_rows="quarantine")[PLAYERS]
        assert outcome.failed == {}
        assert outcome.stored[league.SECOND].rejected_rows == 1
        row = made.store.read(made.tables[PLAYERS].rejected(), DAYS).iloc[0]
        assert (row["failure_class"], row["check_name"], row["column_name"]) == (
            "type_overflow",
            "usage_rate_range",
            "usage_rate",
        )
        assert json.loads(row["inputs"])["seconds_played"] == 10


def cameo_league(seconds: int) -> FrameSource:
    """The league with player H's minutes on the second day cut to a cameo, player G playing the rest."""
    lines = SOUND.frames["player_boxscores"]
    on = (lines["game_date"] == pd.Timestamp(league.SECOND)) & (lines["team_abbr"] == "NYK")
    last, next_to_last = (
        on & lines["player_name"].str.endswith(" H"),
        on & lines["player_name"].str.endswith(" G"),
    )
    played = lines["seconds_played"].mask(last, seconds)
    return SOUND.changed(
        player_boxscores=lines.assign(seconds_played=played.mask(next_to_last, 1400 + 800 - seconds))
    )


class TestQuarantine:
    """`on_invalid_rows: quarantine`: rows in = stored + rejected, always."""

    def test_rows_in_are_rows_stored_plus_rows_rejected(self) -> None:
        source = PoisonedSource(
            SOUND,
            {league.SECOND: "negative_count", league.THIRD: "duplicate_row", league.OPENING: "wrong_type"},
        )
        made = pipeline(source)
        made.run(DAYS, [GAMES])
        outcome = made.run(DAYS, [BOXSCORES], on_invalid_rows="quarantine")[BOXSCORES]
        assert outcome.failed == {}
        rejected = made.store.read(made.tables[BOXSCORES].rejected(), DAYS)
        delivered = source.player_boxscores(DAYS).frame["game_date"].dt.date.value_counts()
        for day in DAYS:
            refused = int((rejected["game_date"] == pd.Timestamp(day)).sum())
            assert outcome.stored[day].rejected_rows == refused
            assert outcome.stored[day].entry.row_count + refused == delivered.get(day, 0)
        assert rejected.groupby("failure_class").size().to_dict() == {
            "impossible_value": 1,
            "duplicate_key": 1,  # of two equal rows one is kept
            "schema_drift": 1,
        }
        failed = {(c.check, c.day) for c in outcome.checks if not c.passed}
        assert failed == {
            ("schema_contract", league.SECOND),
            ("unique_key", league.THIRD),
            ("schema_contract", league.OPENING),
        }

    def test_a_rejected_row_keeps_its_values_as_they_came(self) -> None:
        made = pipeline(PoisonedSource(SOUND, {league.OPENING: "wrong_type"}))
        made.run(DAYS, [GAMES, BOXSCORES], on_invalid_rows="quarantine")
        row = made.store.read(made.tables[BOXSCORES].rejected(), DAYS).iloc[0]
        assert json.loads(row["row_values"])["points"] == "twelve"
        assert set(json.loads(row["row_key"])) == {"nba_game_id", "player_id"}
        assert "twelve" in row["message"]

    def test_a_repaired_day_leaves_nothing_in_quarantine(self) -> None:
        source = PoisonedSource(SOUND, {league.SECOND: "negative_count"})
        made = pipeline(source)
        made.run(DAYS, [GAMES, BOXSCORES], on_invalid_rows="quarantine")
        rejected = made.tables[BOXSCORES].rejected()
        assert len(made.store.read(rejected, DAYS)) == 1
        source.heal()
        made.run([league.SECOND], [BOXSCORES])
        assert len(made.store.read(rejected, DAYS)) == 0
        assert len(made.read(BOXSCORES, [league.SECOND])) == 18

    def test_a_finding_that_no_row_is_to_blame_for_still_fails_the_day(self) -> None:
        made = pipeline(PoisonedSource(SOUND, {league.SECOND: "halve_team"}))
        made.run(DAYS, [GAMES])
        outcome = made.run(DAYS, [BOXSCORES], on_invalid_rows="quarantine")[BOXSCORES]
        assert classes(outcome) == {league.SECOND: FailureClass.INCOMPLETE_INPUT}
        assert league.SECOND not in made.store.manifest(made.tables[BOXSCORES])

    def test_a_day_whose_rows_are_all_refused_is_not_stored_as_a_day_without_games(self) -> None:
        lines = SOUND.frames["player_boxscores"]
        bad = lines["game_date"] == pd.Timestamp(league.SECOND)
        made = pipeline(SOUND.changed(player_boxscores=lines.assign(team_id=lines["team_id"].mask(bad, -1))))
        made.run(DAYS, [GAMES])
        outcome = made.run(DAYS, [BOXSCORES], on_invalid_rows="quarantine")[BOXSCORES]
        stored = outcome.stored.get(league.SECOND)
        assert stored is None or stored.rejected_rows == 18
        if stored is not None:
            assert stored.entry.row_count == 0
