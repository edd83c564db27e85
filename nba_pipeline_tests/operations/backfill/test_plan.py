"""What a backfill would do: every day that needs making with its reason, and no other."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.failures import FailureClass
from nba_pipeline.operations.backfill.history import history_of
from nba_pipeline.operations.backfill.plan import PipelinePlan, Why, as_json, make_plan
from nba_pipeline.operations.backfill.timings import expected_rows
from nba_pipeline.operations.status.staleness import Stale, StaleDays
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.ranges import span
from nba_pipeline.tables.names import FEATURES
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE
from nba_pipeline_tests.support.pipeline import recipe_of

DAYS = span(date(2023, 11, 1), date(2023, 11, 10))
D = DAYS[4]
GAMES, BOXSCORES, OFFENSE = (
    "nba_raw.games",
    "nba_raw.player_boxscores",
    "nba_analytics.team_offense_game_summary",
)


def state(table: str, **open_days: object) -> TableState:
    """A table all of whose days are stored with ten rows, except those named."""
    parts = {"failed": {}, "blocked": {}, "in_progress": frozenset(), "missing": frozenset()} | open_days
    taken = {day for part in parts.values() for day in part}  # type: ignore[attr-defined]
    stored = {d: ManifestEntry(d, 10, "hash", "schema", datetime(2024, 1, 1)) for d in DAYS if d not in taken}
    return TableState(table, stored, **parts)  # type: ignore[arg-type]


def planned(
    *changed: TableState,
    stale: StaleDays | None = None,
    names: tuple[str, ...] | None = None,
    force: bool = False,
) -> PipelinePlan:
    states = {p.table: state(p.table) for p in RECIPES} | {s.table: s for s in changed}
    recipes = [p for p in RECIPES if names is None or p.table in names]
    return make_plan(recipes, states, stale or {}, DAYS, force=force)


def reasons(plan: PipelinePlan) -> dict[str, dict[date, Why]]:
    return {name: dict(t.reasons) for name, t in plan.tables.items() if t.reasons}


def failed(day: date, failure_class: FailureClass) -> dict[date, Failed]:
    return {day: Failed(day, failure_class.value, "why")}


def test_an_unchanged_pipeline_plans_nothing() -> None:
    plan = planned()
    assert reasons(plan) == {}
    assert plan.table_days == 0
    assert not any(plan.runs().values())
    assert as_json(plan)["nothing_to_do"] is True
    assert {t.up_to_date for t in plan.tables.values()} == {len(DAYS)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"missing": frozenset([D])}, Why.MISSING),
        ({"in_progress": frozenset([D])}, Why.UNFINISHED),
        ({"blocked": {D: "x"}}, Why.BLOCKED),
        ({"failed": failed(D, FailureClass.CODE_ERROR)}, Why.FAILED),
    ],
)
def test_a_day_that_is_not_there_is_planned_and_so_is_what_is_made_from_it(
    change: dict, expected: Why
) -> None:
    later = {d: Why.UPSTREAM_PLANNED for d in DAYS if d > D}
    found = reasons(planned(state(PLAYERS, **change)))
    assert found.pop(PLAYERS) == {D: expected}
    assert found.pop(SLATE) == later  # looks back on D, strictly
    assert {name: set(days) for name, days in found.items()} == {name: set(later) for name in found}
    assert {n.split(".")[1] for n in found} == {
        *("player_shot_zone_analysis", "player_composite_factors", "player_daily_cache", "ml_feature_store")
    }


@pytest.mark.parametrize("why", list(Stale))
def test_a_stale_day_is_planned_with_its_reason(why: Stale) -> None:
    found = reasons(planned(stale={"nba_precompute.ml_feature_store": {D: why}}))
    assert found == {"nba_precompute.ml_feature_store": {D: Why(why.value)}}


def test_a_failure_that_blames_the_input_fetches_the_raw_day_again() -> None:
    found = reasons(
        planned(
            state(OFFENSE, failed=failed(D, FailureClass.INCOMPLETE_INPUT)), names=(GAMES, BOXSCORES, OFFENSE)
        )
    )
    assert found == {GAMES: {D: Why.INPUT_BLAMED}, BOXSCORES: {D: Why.INPUT_BLAMED}, OFFENSE: {D: Why.FAILED}}
    found = reasons(
        planned(state(OFFENSE, failed=failed(D, FailureClass.CODE_ERROR)), names=(GAMES, BOXSCORES, OFFENSE))
    )
    assert found == {OFFENSE: {D: Why.FAILED}}


def test_force_plans_everything_asked_for_and_still_says_why() -> None:
    plan = planned(state(PLAYERS, missing=frozenset([D])), names=(PLAYERS,), force=True)
    assert plan.tables[PLAYERS].counts == {Why.MISSING: 1, Why.ASKED_FOR: len(DAYS) - 1}
    assert plan.request().days == {PLAYERS: set(DAYS)}


def test_the_request_and_the_runs_are_the_plan() -> None:
    plan = planned(state(BOXSCORES, missing=frozenset([DAYS[0], DAYS[1], DAYS[5]])), names=(GAMES, BOXSCORES))
    assert plan.runs() == {GAMES: [], BOXSCORES: [(DAYS[0], DAYS[1]), (DAYS[5], DAYS[5])]}
    answer = as_json(plan)["tables"][BOXSCORES]
    assert (answer["planned"], answer["up_to_date"]) == (3, 7)
    assert answer["why"]["missing"] == {
        "days": 3,
        "ranges": [["2023-11-01", "2023-11-02"], ["2023-11-06", "2023-11-06"]],
    }
    assert {n: set(d) for n, d in plan.request().days.items()} == {
        GAMES: set(),
        BOXSCORES: {DAYS[0], DAYS[1], DAYS[5]},
    }


def test_tables_that_were_not_asked_for_are_left_alone() -> None:
    assert reasons(planned(state(PLAYERS, missing=frozenset(DAYS)), names=(SLATE,))) == {}


def test_expected_rows_are_those_of_today_or_the_average() -> None:
    plan = planned(
        state(PLAYERS, missing=frozenset([D])), stale={PLAYERS: {DAYS[0]: Stale.CODE}}, names=(PLAYERS,)
    )
    assert expected_rows(plan.tables[PLAYERS]) == 20
    nothing = planned(state(PLAYERS, missing=frozenset(DAYS)), names=(PLAYERS,))
    assert expected_rows(nothing.tables[PLAYERS]) is None


def test_a_look_back_ends_after_its_days() -> None:
    recipes = [p for p in RECIPES if p.table in (PLAYERS, SLATE)]
    old, edge, beyond = date(2021, 1, 1), date(2021, 9, 30), date(2021, 11, 30)  # one season and the next
    entries = {d: ManifestEntry(d, 1, "h", "s", datetime(2024, 1, 1)) for d in (old, edge, beyond)}
    states = {
        PLAYERS: TableState(PLAYERS, entries, {}, {}, frozenset(), frozenset()),
        SLATE: TableState(SLATE, entries, {}, {}, frozenset(), frozenset()),
    }
    plan = make_plan(recipes, states, {PLAYERS: {old: Stale.CODE}}, [old, edge, beyond])
    assert dict(plan.tables[SLATE].reasons) == {edge: Why.UPSTREAM_PLANNED}
    assert recipe_of(SLATE).history


def test_days_whose_history_is_neither_stored_nor_planned_are_not_planned_and_said() -> None:
    start, first, last = date(2023, 10, 1), date(2023, 12, 1), date(2023, 12, 3)
    days = span(first, last)
    nothing = TableState("", {}, {}, {}, frozenset(), frozenset(days))
    states = {p.table: nothing for p in RECIPES}
    plan = make_plan(RECIPES, states, {}, days, scheduled=(), start=start)
    looking_back = {p.table for p in RECIPES if p.history}
    assert {name: dict(of) for name, of in plan.lacking.items()} == {
        name: dict.fromkeys(days, start) for name in looking_back
    }
    assert {name for name, t in plan.tables.items() if t.reasons} == set(states) - looking_back
    assert as_json(plan)["lacks_history"][SLATE] == {
        "days": 3,
        "ranges": [[str(first), str(last)]],
        "first_missing": str(start),
    }
    # The schedule of the days before is stored, or planned with them, or they are before the pipeline.
    history = history_of(RECIPES, [FEATURES], first, start)
    assert set(history) == {GAMES, BOXSCORES, "nba_raw.shot_attempts", OFFENSE, PLAYERS}
    assert set(history[PLAYERS]) == set(span(start, first - timedelta(days=1)))
    for known, of, begin in (
        (span(start, first), {}, start),
        ((), history, start),
        ((), {}, first),
    ):
        whole = make_plan(RECIPES, states, {}, days, scheduled=known, start=begin, history=of)
        assert whole.lacking == {}
        assert set(whole.tables[FEATURES].reasons) == set(days)


def test_a_season_s_tables_need_no_season_before() -> None:
    first = date(2023, 12, 1)
    needed = {
        name: min(history_of(RECIPES, [name], first, date(2021, 1, 1))[PLAYERS]) for name in (SLATE, FEATURES)
    }
    assert needed == {SLATE: date(2023, 10, 1), FEATURES: first - timedelta(days=365)}
