"""The raw tables: what the source publishes for a set of days.

Belongs here: the source call of each raw table. Does not belong here: anything about a source (``sources/``).
"""

from __future__ import annotations

from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS
from nba_pipeline.tables.vocabulary import EmptyReason

RAW_RECIPES: tuple[Recipe, ...] = (
    Recipe(GAMES, read=lambda source, days: source.games(days)),
    Recipe(
        BOXSCORES,
        read=lambda source, days: source.player_boxscores(days),
        rows_from={GAMES: None},
        summary_columns=("seconds_played", "points"),
    ),
    Recipe(
        SHOTS,
        read=lambda source, days: source.shot_attempts(days),
        rows_from={GAMES: None},
        empty_with_games=EmptyReason.NOT_PUBLISHED,
    ),
)
