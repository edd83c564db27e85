"""What is on where, and what a deployment is given."""

from __future__ import annotations

import ast
import inspect
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.automation import conditions, switches
from nba_pipeline.orchestration.automation.source_sensor import RANGE_END, RANGE_START
from nba_pipeline.settings import ENVIRONMENTS, Settings

SENSORS, SCHEDULES = (
    {switches.SOURCE_CHANGES, switches.CONTINUE, switches.ALERTS},
    {
        switches.MORNING,
        switches.INVENTORY,
    },
)


def running(environment: str | None) -> set[str]:
    repository = build_defs(Settings(warehouse="memory", environment=environment)).get_repository_def()
    assert {s.name for s in repository.sensor_defs} == SENSORS
    assert {s.name for s in repository.schedule_defs} == SCHEDULES
    on = {s.name for s in repository.sensor_defs if s.default_status is dg.DefaultSensorStatus.RUNNING}
    return on | {
        s.name for s in repository.schedule_defs if s.default_status is dg.DefaultScheduleStatus.RUNNING
    }


def test_without_an_environment_everything_is_stopped() -> None:
    assert Settings.from_environment({}).environment is None
    assert running(None) == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_map_is_the_only_place_that_switches_on(environment: str) -> None:
    assert set(switches.ON) == set(ENVIRONMENTS)
    assert running(environment) == set(switches.ON[environment])


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_ENVIRONMENT='prod' is unknown"):
        Settings.from_environment({"NBA_PIPELINE_ENVIRONMENT": "prod"})


@pytest.mark.parametrize("text", ["0", "-1", "many"])
def test_a_limit_that_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_MAX_DAYS_PER_TICK"):
        Settings.from_environment({"NBA_PIPELINE_MAX_DAYS_PER_TICK": text})


@pytest.mark.parametrize("text", ["0", "9", "all"])
def test_a_run_too_short_for_the_graph_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_MAX_DAYS_PER_RUN"):
        Settings.from_environment({"NBA_PIPELINE_MAX_DAYS_PER_RUN": text})


def test_every_condition_says_which_failure_it_prevents() -> None:
    named = [
        f
        for _, f in inspect.getmembers(conditions, inspect.isfunction)
        if f.__module__ == conditions.__name__
    ]
    made = [f for f in named if inspect.signature(f).return_annotation == conditions.Condition]
    assert len(made) >= 8
    assert all("Prevents:" in (f.__doc__ or "") for f in made)
    assert "Prevents:" in (conditions.OldestFirst.__doc__ or "")
    used = {
        n.func.id
        for n in ast.walk(ast.parse(inspect.getsource(conditions.restate_what_changed)))
        if _called(n)
    }  # type: ignore[attr-defined]
    assert used - {"OldestFirst"} == {f.__name__ for f in made} - {"restate_what_changed"}, (
        "every condition is part of the rule"
    )


def _called(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_every_table_made_from_others_follows_the_rule_and_has_one_writer() -> None:
    graph = build_defs(Settings(warehouse="memory")).resolve_asset_graph()
    for recipe in RECIPES:
        node = graph.get(dg.AssetKey(recipe.table.split(".")))
        assert (node.automation_condition is not None) is bool(recipe.inputs), recipe.table
        assert node.pools == {recipe.table.replace(".", "__")}


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (
            datetime(2024, 3, 11, 6, 30),
            date(2024, 3, 8),
            date(2024, 3, 11),
        ),  # after the night of the change to summer time
        (datetime(2023, 10, 24, 6, 30), date(2023, 10, 24), date(2023, 10, 24)),  # only one partition yet
    ],
)
def test_the_morning_fetches_todays_slate_and_the_last_days_in_new_york(
    now: datetime, first: date, last: date
) -> None:
    repository = build_defs(Settings(warehouse="memory", start_date=date(2023, 10, 24))).get_repository_def()
    schedule = repository.get_schedule_def(switches.MORNING)
    assert schedule.execution_timezone == "America/New_York"
    moment = now.replace(tzinfo=ZoneInfo("America/New_York"))
    with dg.build_schedule_context(scheduled_execution_time=moment, repository_def=repository) as context:
        [request] = _requests(schedule.evaluate_tick(context))
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (first.isoformat(), last.isoformat())
    assert request.run_key == f"morning {last}"


def _requests(answer: Any) -> list[dg.RunRequest]:
    return list(answer.run_requests)
