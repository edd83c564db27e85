"""Time left: what runs cost, how fast this machine is, and in which order the rest can go. Exact where runs
cost what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.build import RECIPES
from nba_pipeline.operations.backfill.estimate import (
    QUIET,
    STORED,
    Cost,
    Costs,
    Measured,
    costs,
    planned_ends,
    seconds_left,
)
from nba_pipeline.operations.backfill.execute import TableResult
from nba_pipeline.operations.backfill.remaining import Remaining
from nba_pipeline.operations.backfill.tasks import Backfill, Task, tasks_of
from nba_pipeline.ranges import span
from nba_pipeline.tables.calendar import days_in_play, season_of
from nba_pipeline.tables.registry import TABLES

FIRST = date(2022, 10, 1)
NAMES = [p.table for p in RECIPES]
GAMES, BOXSCORES = NAMES[:2]


def request(days: int, days_per_run: int = 400, tables: int = len(RECIPES)) -> Backfill:
    wanted = span(FIRST, FIRST + timedelta(days=days - 1))
    return Backfill(RECIPES[:tables], {p.table: wanted for p in RECIPES[:tables]}, days_per_run=days_per_run)


def runs_of(tasks: list[Task], cost: Costs, factor: float) -> dict[str, Measured]:
    """What is known once these tasks have run on a machine that takes ``factor`` times the cost."""
    done: dict[str, Measured] = {}
    for task in tasks:
        known, run = done.get(task.recipe.table, Measured(0, 0, 0.0, 0)), Measured.of_task(task)
        done[task.recipe.table] = Measured(
            known.runs + 1, known.days + run.days, 0.0, known.in_play + run.in_play
        )
    return {name: replace(m, seconds=factor * cost.of(name, m)) for name, m in done.items()}


def truth(tasks: list[Task], begun: int, cost: Costs, factor: float) -> float:
    """What the tasks take from number ``begun`` on."""

    def seconds(some: list[Task]) -> float:
        return sum(m.seconds for m in runs_of(some, cost, factor).values())

    return seconds(tasks) - seconds(tasks[:begun])


def test_every_table_has_a_stored_cost_and_an_unknown_one_costs_something() -> None:
    assert set(STORED) == set(TABLES)
    assert costs(["my.table"], {}).of("my.table", Measured(1, 10, 0.0, 10)) > 0


def test_a_day_between_seasons_costs_less() -> None:
    summer = Measured.of(1, span(date(2023, 7, 1), date(2023, 7, 10)))
    winter = Measured.of(1, span(date(2023, 1, 1), date(2023, 1, 10)))
    assert (summer.days, summer.in_play, winter.in_play) == (10, 0, 10)
    assert Cost(0.0, 1.0, 0.1).of(winter) == pytest.approx(2.0)
    assert Cost(0.0, 1.0, 0.1).of(summer) == pytest.approx(1.0 + QUIET)


@given(st.dates(date(2021, 1, 1), date(2026, 1, 1)), st.integers(0, 900))
def test_days_in_play_are_counted_as_the_calendar_says(first: date, more: int) -> None:
    last = first + timedelta(days=more)
    assert days_in_play(first, last) == sum(season_of(d).is_in_play(d) for d in span(first, last))


@given(st.integers(1, 900), st.integers(10, 400), st.floats(0.1, 10), st.integers(0, 200))
def test_one_run_at_a_time_is_estimated_exactly_from_the_first_run_on(
    days: int, per_run: int, factor: float, finished: int
) -> None:
    tasks, cost = tasks_of(request(days, per_run)), costs(NAMES, {})
    elapsed = truth(tasks[:finished], 0, cost, factor)
    left = seconds_left(cost, tasks[:finished], tasks[finished:], 1, elapsed)
    if finished >= len(tasks):
        assert left == 0.0
    elif not finished:
        assert left is None
    else:
        assert left == pytest.approx(truth(tasks, finished, cost, factor))


@given(
    st.integers(1, 300),
    st.integers(1, len(RECIPES)),
    st.floats(0, 1000),
    st.floats(0, 1000),
    st.integers(1, 3),
)
def test_it_is_never_negative_and_goes_down_with_the_clock(
    days: int, finished: int, took: float, since: float, slots: int
) -> None:
    tasks, cost = tasks_of(request(days)), costs(NAMES, {})
    at_end = seconds_left(cost, tasks[:finished], tasks[finished:], slots, took)
    later = seconds_left(cost, tasks[:finished], tasks[finished:], slots, took, since)
    assert at_end is not None
    assert later == pytest.approx(max(0.0, at_end - since))


def test_workers_help_only_where_runs_do_not_wait_for_each_other() -> None:
    tasks = tasks_of(request(30))
    one = dict.fromkeys(tasks, 1.0)
    assert list(planned_ends(one, 1).values()) == [float(n) for n in range(1, len(tasks) + 1)]
    two = planned_ends(one, 2)
    assert len(RECIPES) / 2 < max(two.values()) < len(tasks)
    first, second, third = tasks[:3]
    assert two[first] == 1.0  # box scores and shots wait for the schedule,
    assert two[second] == two[third] == pytest.approx(2.5)  # and then share the machine
    assert max(planned_ends({**one, second: 0.0}, 2).values()) < max(two.values())


@pytest.mark.parametrize("finished", range(1, len(RECIPES)))
def test_two_workers_that_share_as_assumed_are_estimated_exactly(finished: int) -> None:
    tasks, cost = tasks_of(request(100)), costs(NAMES, {})
    ends = planned_ends({t: cost.of(t.recipe.table, Measured.of_task(t)) for t in tasks}, 2)
    in_order = sorted(tasks, key=lambda t: ends[t])
    done, unfinished = (
        [t for t in tasks if t in in_order[:finished]],
        [t for t in tasks if t not in in_order[:finished]],
    )
    elapsed = 3.0 * ends[in_order[finished - 1]]
    assert seconds_left(cost, done, unfinished, 2, elapsed) == pytest.approx(
        3.0 * max(ends.values()) - elapsed
    )


def test_an_own_history_explains_itself_and_tells_runs_from_days() -> None:
    true = replace(STORED[GAMES].times(20.0), per_day=0.001)  # runs are much dearer than stored, days are not
    history = [Measured(n, days, 0.0, days) for n, days in ((1, 10), (1, 900), (20, 200))]
    found = costs([GAMES], {GAMES: [replace(m, seconds=true.of(m)) for m in history]})
    assert found.measured
    for m in (*history, Measured(3, 300, 0.0, 300)):
        assert found.of(GAMES, m) == pytest.approx(true.of(m), rel=0.05)
    alone = Measured(1, 100, 7.0, 90)
    assert costs([GAMES], {GAMES: [alone]}).of(GAMES, alone) == pytest.approx(
        7.0
    )  # stored proportions, own speed


def test_a_table_that_was_never_measured_goes_along_with_the_others() -> None:
    of_games = Measured(1, 100, 3 * STORED[GAMES].of(Measured(1, 100, 0.0, 100)), 100)
    found = costs([GAMES, BOXSCORES], {GAMES: [of_games]})
    assert found.of_table[BOXSCORES].per_run == pytest.approx(3 * STORED[BOXSCORES].per_run)
    assert found.of_table[BOXSCORES].per_day == pytest.approx(3 * STORED[BOXSCORES].per_day)
    assert not found.measured


def test_measurements_are_never_fitted_by_less_than_nothing() -> None:
    odd = [Measured(1, 10, 9.0, 10), Measured(1, 400, 1.0, 400), Measured(50, 60, 0.0, 60)]
    cost = costs([GAMES], {GAMES: odd}).of_table[GAMES]
    assert min(cost.per_run, cost.per_day) >= 0


def test_an_own_history_knows_the_time_before_anything_has_run_and_gives_way_to_today() -> None:
    tasks = tasks_of(request(100, tables=3))
    stored = costs(NAMES[:3], {})
    known: Mapping[str, list[Measured]] = {n: [m] for n, m in runs_of(tasks, stored, 2.0).items()}
    cost = costs(NAMES[:3], known)
    assert seconds_left(cost, [], tasks, 1, 0.0) == pytest.approx(truth(tasks, 0, stored, 2.0))
    slower = seconds_left(cost, tasks[:2], tasks[2:], 1, truth(tasks[:2], 0, stored, 8.0))
    assert slower is not None
    assert 0.8 * truth(tasks, 2, stored, 8.0) < slower < truth(tasks, 2, stored, 8.0)


def test_a_backfill_is_followed_task_by_task_and_ends_at_nothing_left() -> None:
    now = [0.0]
    asked = request(60, 30, tables=2)
    tasks, cost = tasks_of(asked), costs(NAMES[:2], {})
    remaining = Remaining(asked, cost, 1, clock=lambda: now[0])
    assert remaining.seconds() is None
    results = {name: TableResult(name, 60) for name in NAMES[:2]}
    for n, task in enumerate(tasks):
        took = truth(tasks[: n + 1], n, cost, 3.0)
        now[0] += took
        result = results[task.recipe.table]
        result.good.update(task.days)
        result.run_ids.append(str(n))
        result.seconds += took
        remaining.settle(result)
        assert remaining.seconds() == pytest.approx(truth(tasks, n + 1, cost, 3.0))
        if n == 0:
            now[0] += 1.0  # while the next one runs, its time goes by
            assert remaining.seconds() == pytest.approx(truth(tasks, 1, cost, 3.0) - 1.0)
            now[0] -= 1.0
    assert remaining.seconds() == 0.0


def test_a_blocked_task_is_no_work() -> None:
    asked = request(30, tables=2)
    remaining = Remaining(asked, costs(NAMES[:2], {}), 1, clock=lambda: 0.0)
    games = TableResult(GAMES, 30, run_ids=["1"], seconds=2.0, good=set(asked.days[GAMES]))
    remaining.settle(games)
    remaining.settle(replace(TableResult(BOXSCORES, 30), blocked=dict.fromkeys(asked.days[BOXSCORES], "x")))
    assert remaining.seconds() == 0.0
