"""Phase 4 in the tests: all of it over a random league, and the plain-Python history that slow references
read.

Belongs here: what several test modules of phase 4 share. Does not belong here: tests, expected values of a
table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.calendar import season_year_of
from nba_pipeline.tables.names import (
    CACHE,
    COMPOSITES,
    CONTEXT,
    DEFENSE,
    FEATURES,
    GAMES,
    OFFENSE,
    PLAYER_ZONES,
    PLAYERS,
    TEAM_ZONES,
)
from nba_pipeline_tests.support.pipeline import recipe_of
from nba_pipeline_tests.transforms.leagues import League

Row = dict[str, Any]


def phase_4(league: League, days: Sequence[date] | None = None) -> dict[str, pd.DataFrame]:
    """Every look-back table over ``days``, by name."""
    frames = {
        GAMES: league.games,
        PLAYERS: league.player_games,
        OFFENSE: league.team_games,
        DEFENSE: league.defense_games,
    }
    made = {}
    for table in (CONTEXT, TEAM_ZONES, PLAYER_ZONES, COMPOSITES, CACHE, FEATURES):
        made[table] = recipe_of(table).compute(SimulatedSource(), frames | made, days or league.days).frame
    return {name.split(".")[1]: frame for name, frame in made.items()}


class Past:
    """What a day may know, as lists of dictionaries, oldest first."""

    def __init__(self, league: League) -> None:
        self.players = _records(league.player_games[league.player_games["seconds_played"] > 0])
        self.teams = _records(league.team_games)
        self.defenses = _records(league.defense_games)

    def season(self, facts: list[Row], day: date, last: int | None = None, **entity: Any) -> list[Row]:
        """The entity's games of the season of ``day`` before it, or the last few of them."""
        found = [
            f
            for f in self.ever(facts, day, **entity)
            if season_year_of(f["game_date"].date()) == season_year_of(day)
        ]
        return found[-last:] if last else found

    def ever(self, facts: list[Row], day: date, **entity: Any) -> list[Row]:
        return [f for f in facts if f["game_date"].date() < day and all(f[k] == v for k, v in entity.items())]

    def team_of(self, line: Row) -> Row:
        return next(
            t for t in self.teams if t["game_id"] == line["game_id"] and t["team_abbr"] == line["team_abbr"]
        )


def _records(frame: pd.DataFrame) -> list[Row]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return sorted(rows, key=lambda r: r["game_date"])


def total(games: list[Row], name: str) -> float:
    return sum(g[name] for g in games if g[name] is not None)


def div(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


def assert_row(got: Row, want: Row) -> None:
    """Each expected value; None is NULL."""
    for name, value in want.items():
        if value is None:
            assert pd.isna(got[name]), f"{name}: {got[name]!r} instead of NULL"
        elif isinstance(value, float):
            assert got[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
        else:
            assert got[name] == value, name
