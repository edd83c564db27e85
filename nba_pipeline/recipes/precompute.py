"""The precompute tables (phase 4): the slate of a day, and what was known the day before.

Belongs here: the recipe of each precompute table. Does not belong here: windows and formulas (the columns'
declarations), which players are on a slate (``transforms/slate.py``).

Every table has an input of the same day (the schedule or the slate) besides its look-back: the backfill
daemon reaches a day only through a parent partition that maps to it, and the first day of all has no day
before it (fact F10).
"""

from __future__ import annotations

from functools import partial

from nba_pipeline.formulas.versions import calculation_version, feature_version
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.names import CACHE, COMPOSITES, CONTEXT, FEATURES, GAMES, PLAYER_ZONES, TEAM_ZONES
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.slate import every_team, rows_of

_of_slate = partial(
    Recipe,
    rows=lambda frames, days: rows_of(days, frames[CONTEXT]),
    rows_from={CONTEXT: None},
    carries=CONTEXT,
    empty_with_games=EmptyReason.NO_HISTORY,
)
"""A table with a row for each player of the slate."""

PRECOMPUTE_RECIPES: tuple[Recipe, ...] = (
    Recipe(
        TEAM_ZONES,
        rows=lambda frames, days: every_team(days, frames[GAMES]),
        rows_from={GAMES: None},
        summary_columns=("games_in_window_15",),
    ),
    _of_slate(PLAYER_ZONES, summary_columns=("games_in_window_10",)),
    _of_slate(
        COMPOSITES,
        constants=lambda: {"calculation_version": calculation_version()},
        summary_columns=("fatigue_score", "data_completeness_pct"),
    ),
    _of_slate(CACHE, summary_columns=("points_avg_last_10", "games_played_season")),
    _of_slate(
        FEATURES,
        constants=lambda: {"feature_version": feature_version()},
        summary_columns=("feature_quality_score", "known_feature_count"),
    ),
)
