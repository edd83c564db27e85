"""A backfill cut into tasks, and what each task waits for. Pure functions.

Belongs here: the units of work and their order. Does not belong here: executing them (``execute.py``,
``workers.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.ranges import contiguous, span
from nba_pipeline.recipes.recipe import LOOKBACK_DAYS, Recipe
from nba_pipeline.settings import DAYS_PER_RUN
from nba_pipeline.tables.names import GAMES


@dataclass(frozen=True)
class Backfill:
    """A request: days per table, plans in dependency order. ``days_per_run``: where its ranges are cut."""

    recipes: Sequence[Recipe]
    days: Mapping[str, Collection[date]]
    on_invalid_rows: str = "fail"
    days_per_run: int = DAYS_PER_RUN["parquet"]


@dataclass(frozen=True)
class Task:
    """Contiguous days of one table, at most as many as one run may hold."""

    recipe: Recipe
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return span(self.first, self.last)


@dataclass
class TaskResult:
    """What became of a task's ranges; plain data, because it may come from another process."""

    rows: dict[date, int] = field(default_factory=dict)
    reasons: dict[date, str] = field(default_factory=dict)
    failed: dict[date, Failed] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)
    seconds: float = 0.0


def tasks_of(backfill: Backfill) -> list[Task]:
    """The tasks of a request, oldest days first and tables in dependency order within the same days.

    Going through all tables before the next stretch of days keeps what was just written and read at hand, and
    every task comes after those that it waits for.
    """
    tasks = [
        (first, position, Task(recipe, first, last))
        for position, recipe in enumerate(backfill.recipes)
        for first, last in contiguous(backfill.days.get(recipe.table, ()), backfill.days_per_run)
    ]
    return [task for _, _, task in sorted(tasks, key=lambda t: t[:2])]


def waits_for(task: Task, other: Task) -> bool:
    """Whether the other task makes days that this one is made from, or that say why its days are empty."""
    if other.recipe.table == GAMES and task.recipe.table != GAMES:
        back = timedelta(days=LOOKBACK_DAYS if task.recipe.history else 0)
        if other.first <= task.last and other.last >= task.first - back:
            return True
    for given in task.recipe.inputs:
        if given.table != other.recipe.table:
            continue
        if given.history:
            if other.first < task.last and other.last >= task.first - timedelta(days=LOOKBACK_DAYS):
                return True
        elif other.first <= task.last and other.last >= task.first:
            return True
    return False


def ready(pending: Sequence[Task], running: Sequence[Task], slots: int) -> list[Task]:
    """The next tasks that wait for nothing, as many as there are free slots."""
    chosen: list[Task] = []
    unfinished = [*pending, *running]
    for task in pending:
        if len(running) + len(chosen) >= slots:
            break
        if not any(waits_for(task, other) for other in unfinished):
            chosen.append(task)
    return chosen
