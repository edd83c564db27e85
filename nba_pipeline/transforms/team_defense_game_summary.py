"""nba_analytics.team_defense_game_summary: the opponent's offense seen from the defending team.

Belongs here: that one table. Does not belong here: formulas (``metrics/``), validation (``checks/``).
"""

from __future__ import annotations

import pandas as pd

from nba_pipeline.formulas.possessions import rating
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms.common import GAME_COLUMNS
from nba_pipeline.transforms.shot_attempts import block_counts

OF_OPPONENT = {
    "points": "points_allowed",
    "turnovers": "turnovers_forced",
    **{
        name: f"opp_{name}"
        for name in (
            "fg_makes fg_attempts three_pt_makes three_pt_attempts ft_makes ft_attempts offensive_rebounds "
            "paint_makes paint_attempts mid_range_makes mid_range_attempts three_makes three_attempts"
        ).split()
    },
}
"""Columns of the opponent's offense -> what they are called here."""
OF_TEAM = "steals defensive_rebounds possessions pace win_flag margin_of_victory".split()
"""Columns of the team's own row that are repeated here."""


def team_defense_game_summary(team_offense: pd.DataFrame, shot_attempts: pd.DataFrame) -> pd.DataFrame:
    """One row per row of nba_analytics.team_offense_game_summary, columns of the table, unrounded.

    ``shot_attempts`` (nba_raw, the same days) gives the blocks by zone; a game without shots has NULL blocks
    by zone.
    """
    offense = team_offense[[*"nba_game_id team_abbr".split(), *OF_OPPONENT]].rename(
        columns={"team_abbr": "opponent_team_abbr", **OF_OPPONENT}
    )
    own = team_offense[[*GAME_COLUMNS, "team_abbr", "opponent_team_abbr", "is_home", *OF_TEAM]]
    frame = own.merge(offense, on=["nba_game_id", "opponent_team_abbr"], how="left")
    frame = _with_blocks(frame, shot_attempts)
    points = frame["points_allowed"].to_numpy(dtype="float64", na_value=float("nan"))
    frame["defensive_rating"] = rating(points, frame["possessions"])
    return frame


def _with_blocks(frame: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Blocks by zone: a blocked shot of the opponent is a block of this team."""
    blocks = block_counts(shots, ["nba_game_id", "team_abbr"]).rename(
        columns={"team_abbr": "opponent_team_abbr"}
    )
    frame = frame.merge(blocks, on=["nba_game_id", "opponent_team_abbr"], how="left")
    has_shots = frame["nba_game_id"].isin(shots["nba_game_id"].unique())
    columns = [f"blocks_{zone}" for zone in ZONES]
    filled = frame[columns].fillna(0).where(has_shots)
    return frame.assign(**{c: filled[c].astype("Int64") for c in columns})
