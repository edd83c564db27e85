"""How a table is made: its inputs, its transform and why a day of it may be empty.

Belongs here: ``Recipe`` and ``Input``, the declarative half of every asset.
Does not belong here: executing a plan (``range_run.py``) and Dagster (``partitioned.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from nba_pipeline.sources.base import Source, SourceFrame
from nba_pipeline.tables.vocabulary import EmptyReason

Frames = Mapping[str, pd.DataFrame]
Compute = Callable[[Source, Frames, Sequence[date]], SourceFrame]


@dataclass(frozen=True)
class Input:
    """A table that another is made from.

    ``history`` inputs give the look-back before each day, strictly; the others give the same day.
    ``columns``: only these are read.
    """

    table: str
    history: bool = False
    columns: tuple[str, ...] | None = None


PLAYER_HISTORY = Input(
    "nba_analytics.player_game_summary",
    history=True,
    columns=tuple(
        (
            "game_date game_id season_year player_id player_lookup player_full_name team_abbr"
            " opponent_team_abbr seconds_played plays_used points rebounds assists fg_attempts ft_makes"
            " ft_attempts is_starter paint_makes paint_attempts mid_range_makes mid_range_attempts"
            " three_makes three_attempts assisted_fg_makes unassisted_fg_makes"
        ).split()
    ),
)
"""What the tables of the slate and of phase 4 read of players' past games. One set of columns for all,
although each needs only some: a store that keeps what it read recently then opens each day once and not once
per table."""

TEAM_HISTORY = Input(
    "nba_analytics.team_offense_game_summary",
    history=True,
    columns=(
        "game_date",
        "game_id",
        "season_year",
        "team_abbr",
        "points",
        "possessions",
        "plays_used",
        "team_minutes",
        "win_flag",
    ),
)
"""The same for teams."""


@dataclass(frozen=True)
class Recipe:
    """One table: ``compute(source, frames by table name, days)`` makes all its rows for a set of days.

    ``level`` is the table's depth in the graph. ``empty_with_games`` is the reason under which a day may be
    empty although competitive games were played on it; without one such a day fails.
    """

    table: str
    level: int
    inputs: tuple[Input, ...]
    compute: Compute
    empty_with_games: EmptyReason | None = None
    summary_columns: tuple[str, ...] = field(default=())

    @property
    def shows_results(self) -> bool:
        """Whether its rows are of games played on the day; the others are about what is known before it."""
        return self.empty_with_games is not EmptyReason.NO_HISTORY

    @property
    def same_day(self) -> tuple[Input, ...]:
        return tuple(i for i in self.inputs if not i.history)

    @property
    def history(self) -> tuple[Input, ...]:
        return tuple(i for i in self.inputs if i.history)
