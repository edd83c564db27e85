"""Driving real ticks: Dagster's own evaluation of the conditions, and what it requests executed range by
range.

Belongs here: a pipeline with a clock, and a source whose rows can be corrected. Does not belong here:
expectations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import dagster as dg
import pandas as pd

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.orchestration.automation.ticks import evaluate
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.launch import execute_range
from nba_pipeline.orchestration.table_asset import SOURCE, STORE, op_name
from nba_pipeline.ranges import contiguous, span
from nba_pipeline.settings import Settings
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.base import Store
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.support.league import ThreeTables

START = date(2023, 10, 24)
"""Opening night of 2023-24: the first partition of these pipelines."""
RAW = ("nba_raw.games", "nba_raw.player_boxscores", "nba_raw.shot_attempts")
OFFENSE, DEFENSE = "nba_analytics.team_offense_game_summary", "nba_analytics.team_defense_game_summary"
PLAYERS, SLATE = "nba_analytics.player_game_summary", "nba_analytics.upcoming_player_game_context"
ZONES, CACHE = "nba_precompute.team_defense_zone_analysis", "nba_precompute.player_daily_cache"
FEATURES = "nba_precompute.ml_feature_store"
MADE_FROM_OTHERS = tuple(recipe.table for recipe in RECIPES if recipe.inputs)
LOOKING_BACK = tuple(recipe.table for recipe in RECIPES if recipe.history)


class CorrectedSource(ThreeTables):
    """The simulated league until ``correct`` is called; then one table's rows of a day are what the
    correction makes of them."""

    name = "simulated"

    def __init__(self, first_day: date = START) -> None:
        self.league = SimulatedSource(first_day=first_day)
        self._corrections: dict[tuple[str, date], Callable[[pd.DataFrame], pd.DataFrame]] = {}

    def correct(self, table: str, day: date, correction: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        self._corrections[(table, day)] = correction

    def restore(self) -> None:
        self._corrections.clear()

    def _of(self, name: str, days: Sequence[date]) -> SourceFrame:
        made = getattr(self.league, name)(days)
        frame = made.frame
        for (table, day), correction in self._corrections.items():
            if table == name and day in days:
                of_day = frame["game_date"] == pd.Timestamp(day)
                frame = pd.concat([frame[~of_day], correction(frame[of_day].copy())], ignore_index=True)
        return SourceFrame(frame, made.unusable)


def one_more_rebound(lines: pd.DataFrame) -> pd.DataFrame:
    """A late correction as the league publishes them: one player's defensive rebounds."""
    first = lines.index[lines["seconds_played"].fillna(0) > 0][0]
    lines.loc[first, "defensive_rebounds"] += 1
    return lines


def one_more_point(lines: pd.DataFrame) -> pd.DataFrame:
    """A defect: points that the shots and the score contradict, which the checks of the analytics tables
    refuse."""
    first = lines.index[lines["seconds_played"].fillna(0) > 0][0]
    lines.loc[first, "points"] += 1
    return lines


def one_row_twice(lines: pd.DataFrame) -> pd.DataFrame:
    """A defect that rows can be blamed for: both copies of a line break the key."""
    return pd.concat([lines, lines.iloc[[0]]])


Requests = dict[str, list[date]]


@dataclass
class Clockwork:
    """A pipeline whose ticks happen when the test says so. ``now``: the last day of the partitions, whatever
    the real date."""

    now: date
    source: CorrectedSource = field(default_factory=CorrectedSource)
    store: Store = field(default_factory=MemoryStore)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    limit: int = 400
    start: date = START
    cursor: Any = None
    """What the conditions remember from one tick to the next."""
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What the runs that failed said."""

    @cached_property
    def defs(self) -> dg.Definitions:
        settings = Settings(warehouse="memory", start_date=self.start, max_days_per_tick=self.limit)
        return build_defs(settings, resources={STORE: self.store, SOURCE: self.source})

    @property
    def days(self) -> list[date]:
        return span(self.start, self.now)

    def tick(self) -> Requests:
        """One evaluation of every condition; the requested days of each table. Nothing is run."""
        begun = time.perf_counter()
        found = evaluate(self.defs, self.instance, self.now, self.cursor)
        self.seconds.append(time.perf_counter() - begun)
        self.cursor = found.cursor
        return found.requested

    def run(self, table: str, days: Iterable[date], policy: str = "fail") -> int:
        """Run the days as ranges, as a backfill does; returns the number of runs."""
        ranges = list(contiguous(days))
        config = {"ops": {op_name(table): {"config": {"on_invalid_rows": policy}}}}
        for first, last in ranges:
            run = execute_range(self.defs, self.instance, asset_key(table), first, last, config)
            self.errors += [run.error] if run.error else []
        return len(ranges)

    def fetch(self, days: Iterable[date], tables: Sequence[str] = RAW) -> None:
        """What the source sensor asks for: the raw tables of these days."""
        wanted = sorted(days)
        for table in tables:
            self.run(table, wanted)

    def settle(self, most: int = 40) -> list[Requests]:
        """Ticks and their runs until a tick requests nothing; what each tick requested."""
        ticks: list[Requests] = []
        while requested := self.tick():
            ticks.append(requested)
            assert len(ticks) <= most, f"still not at rest after {most} ticks: {requested}"
            for table, days in requested.items():
                self.run(table, days)
        return ticks

    def stored(self, table: str) -> list[date]:
        return sorted(self.store.manifest(TABLES[table]))

    def hashes(self, table: str) -> dict[date, str]:
        return {day: entry.content_hash for day, entry in self.store.manifest(TABLES[table]).items()}


def total(ticks: Sequence[Requests]) -> dict[str, list[date]]:
    """All days that were requested of each table over some ticks, with repetitions."""
    found: dict[str, list[date]] = {}
    for requested in ticks:
        for table, days in requested.items():
            found.setdefault(table, []).extend(days)
    return {table: sorted(days) for table, days in found.items()}


def copy_of(store: MemoryStore) -> MemoryStore:
    """Another store with the same days; both go their own way from here."""
    other = MemoryStore()
    other._tables = {key: dict(days) for key, days in store._tables.items()}
    return other
