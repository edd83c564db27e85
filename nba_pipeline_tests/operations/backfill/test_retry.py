"""What a retry makes: what failed, what that blocked, and what was asked for and never came."""

from __future__ import annotations

from nba_pipeline.build import RECIPES
from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.backfill.retry import retry_request
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS
from nba_pipeline_tests.operations.backfill.test_plan import BOXSCORES, DAYS, GAMES, OFFENSE, D, failed, state

LATER = DAYS[7]


def test_failed_and_blocked_days_and_the_raw_days_that_they_blame() -> None:
    states = {p.table: state(p.table) for p in RECIPES}
    states[OFFENSE] = state(OFFENSE, failed=failed(D, FailureClass.INCOMPLETE_INPUT), blocked={LATER: "x"})
    days = retry_request(RECIPES, states).days
    assert {name: set(of) for name, of in days.items() if of} == {
        OFFENSE: {D, LATER},
        GAMES: {D},
        BOXSCORES: {D},
        "nba_raw.shot_attempts": {D},
    }


def test_a_green_day_that_lacks_refused_rows_is_made_again_with_what_failed_for_them() -> None:
    """After a quarantine: the row was refused on its way, and the table behind it fails for want of it."""
    states = {p.table: state(p.table) for p in RECIPES}
    states[PLAYERS] = state(PLAYERS, failed=failed(D, FailureClass.INCOMPLETE_INPUT))
    days = retry_request(RECIPES, states, refused={OFFENSE: {D, LATER}, GAMES: {LATER}}).days
    assert {name: set(of) for name, of in days.items() if of} == {
        table: {D} for table in (PLAYERS, OFFENSE, GAMES, BOXSCORES, "nba_raw.shot_attempts")
    }


def test_days_that_were_asked_for_are_made_whoever_healed_what_blocked_them() -> None:
    """The failed run was executed again in the UI: nothing is failed or blocked, and the rest is missing."""
    states = {p.table: state(p.table) for p in RECIPES}
    states[OFFENSE] = state(OFFENSE, missing=frozenset([D, LATER]))
    assert not any(retry_request(RECIPES, states).days.values())  # nobody asked for them
    days = retry_request(RECIPES, states, asked={OFFENSE: {D}}).days
    assert {name: set(of) for name, of in days.items() if of} == {OFFENSE: {D}}
