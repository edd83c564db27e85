"""The values of all tables over the real seasons are those of the code before formulas were declared with
columns.

Recorded from commit 51efad0, whose transforms were written out by hand, table by table. A change of a formula
on purpose changes a digest here; whoever does so records the new one and says in the commit what changed and
why.
"""

from __future__ import annotations

import hashlib

import pytest

from nba_pipeline.tables.names import COMPOSITES, FEATURES
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.render.arrow import to_arrow
from nba_pipeline.tables.render.content import content_hash
from nba_pipeline.warehouse.base import Store
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = pytest.mark.bulk

VERSION_OF = {COMPOSITES: "calculation_version", FEATURES: "feature_version"}
"""Columns that name the code; it has changed, the values beside them have not."""
DIGESTS = {
    # Since a season is the one of the game's id, the preseason games of 2022-09-30 are of 2022-23.
    "nba_raw.games": "663e17ca0bf61501",
    "nba_raw.player_boxscores": "cb016f7f927be0a0",
    "nba_raw.shot_attempts": "025be7edd66f1b48",
    "nba_analytics.team_offense_game_summary": "3bc31dc32b0d6e9e",
    "nba_analytics.team_defense_game_summary": "8853c3bf76b7e900",
    "nba_analytics.player_game_summary": "2196b377d025609a",
    # Since these have history_gaps, 0 in every row of these seasons; without it the digests are the old.
    "nba_analytics.upcoming_player_game_context": "db1ae5f0074ef099",
    "nba_precompute.team_defense_zone_analysis": "06ab638b42ad99bb",
    "nba_precompute.player_shot_zone_analysis": "a2e4933688f5be05",
    "nba_precompute.player_composite_factors": "81795463b2696781",
    "nba_precompute.player_daily_cache": "d4e1dc9fdaebfc94",
    "nba_precompute.ml_feature_store": "d7d2dcac325e47a1",
}


def digest(store: Store, table: str) -> str:
    """Of the content hashes of all days; of tables that name a version, of all rows without it."""
    declared = TABLES[table]
    entries = store.manifest(declared)
    if table in VERSION_OF:
        rows = store.read(declared, sorted(entries)).assign(**{VERSION_OF[table]: ""})
        said = content_hash(declared, to_arrow(declared, rows))
    else:
        said = "\n".join(f"{day} {entry.content_hash}" for day, entry in sorted(entries.items()))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@pytest.mark.parametrize("table", TABLES)
def test_every_value_is_the_one_it_was(phase4: Pipeline, table: str) -> None:
    assert digest(phase4.store, table) == DIGESTS[table]
