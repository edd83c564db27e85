"""The column dictionary: one definition per column name, for every table.

Belongs here: putting the thematic modules of this package together, and refusing a name that is defined
twice. Does not belong here: which table has which column (``tables/raw.py``, ``tables/analytics.py``, ...).
"""

from __future__ import annotations

from nba_pipeline.tables.columns.boxscore import BOXSCORE
from nba_pipeline.tables.columns.composites import COMPOSITE_FACTORS
from nba_pipeline.tables.columns.context import CONTEXT
from nba_pipeline.tables.columns.efficiency import EFFICIENCY
from nba_pipeline.tables.columns.features import FEATURES
from nba_pipeline.tables.columns.identity import IDENTITY
from nba_pipeline.tables.columns.recent import RECENT
from nba_pipeline.tables.columns.shots import SHOTS
from nba_pipeline.tables.columns.zones import ZONE_ANALYSIS
from nba_pipeline.tables.spec import Column

THEMES: tuple[tuple[Column, ...], ...] = (
    IDENTITY,
    BOXSCORE,
    SHOTS,
    EFFICIENCY,
    CONTEXT,
    ZONE_ANALYSIS,
    COMPOSITE_FACTORS,
    RECENT,
    FEATURES,
)


def _dictionary(themes: tuple[tuple[Column, ...], ...]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for theme in themes:
        for column in theme:
            if column.name in columns:
                raise ValueError(f"column {column.name} is defined twice")
            columns[column.name] = column
    return columns


COLUMNS: dict[str, Column] = _dictionary(THEMES)
