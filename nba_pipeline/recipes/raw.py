"""The raw tables: what the source publishes for a set of days.

Belongs here: inputs and source call of each raw table. Does not belong here: anything about a source
(``sources/``).
"""

from __future__ import annotations

from nba_pipeline.recipes.recipe import Input, Recipe
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.transforms.shot_attempts import with_zones

RAW_RECIPES: tuple[Recipe, ...] = (
    Recipe("nba_raw.games", 0, (), lambda source, frames, days: source.games(days)),
    Recipe(
        "nba_raw.player_boxscores",
        1,
        (Input("nba_raw.games"),),
        lambda source, frames, days: source.player_boxscores(days),
        summary_columns=("seconds_played", "points"),
    ),
    Recipe(
        "nba_raw.shot_attempts",
        1,
        (Input("nba_raw.games"),),
        lambda source, frames, days: _zoned(source.shot_attempts(days)),
        empty_with_games=EmptyReason.NOT_PUBLISHED,
    ),
)


def _zoned(shots: SourceFrame) -> SourceFrame:
    return SourceFrame(with_zones(shots.frame), shots.unusable)
