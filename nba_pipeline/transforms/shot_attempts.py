"""nba_raw.shot_attempts: published shots with their three-way zone; and shots counted by zone for other
transforms.

Belongs here: the zone of each shot and counts of shots. Does not belong here: the zone rule
(``formulas/zones.py``).
"""

from __future__ import annotations

import pandas as pd

from nba_pipeline.formulas.zones import shot_zones
from nba_pipeline.tables.render.frames import STRING_DTYPE
from nba_pipeline.tables.vocabulary import ZONES


def with_zones(shots: pd.DataFrame) -> pd.DataFrame:
    """Published shots plus ``zone`` and ``zone_method``."""
    zone, method = shot_zones(shots["is_three"], shots["zone_basic"], shots["distance_ft"])
    return shots.assign(
        zone=pd.array(zone, dtype=STRING_DTYPE), zone_method=pd.array(method, dtype=STRING_DTYPE)
    )


def zone_counts(shots: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Makes, attempts and assisted makes per zone.

    Returns one row per group of ``by`` (a column each), with ``{zone}_makes``, ``{zone}_attempts``,
    ``assisted_fg_makes``, ``unassisted_fg_makes`` and ``shots`` as int64. Groups without a shot have no row.
    """
    made = shots["is_made"].to_numpy(dtype=bool)
    assisted = made & shots["assist_player_id"].notna().to_numpy()
    counted = {key: shots[key] for key in by}
    for zone in ZONES:
        in_zone = (shots["zone"] == zone).to_numpy(dtype=bool)
        counted[f"{zone}_attempts"] = in_zone.astype("int64")
        counted[f"{zone}_makes"] = (in_zone & made).astype("int64")
    counted["assisted_fg_makes"] = assisted.astype("int64")
    counted["unassisted_fg_makes"] = (made & ~assisted).astype("int64")
    counted["shots"] = 1
    return pd.DataFrame(counted).groupby(by, sort=False, observed=True).sum().reset_index()


def block_counts(shots: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Blocks by zone of the blocked shot: one row per group of ``by``, ``blocks_{zone}`` as int64."""
    blocked = shots[shots["block_player_id"].notna()]
    counted = {key: blocked[key] for key in by}
    for zone in ZONES:
        counted[f"blocks_{zone}"] = (blocked["zone"] == zone).to_numpy(dtype=bool).astype("int64")
    return pd.DataFrame(counted).groupby(by, sort=False, observed=True).sum().reset_index()
