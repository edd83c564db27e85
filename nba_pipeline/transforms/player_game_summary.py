"""nba_analytics.player_game_summary: each player's game, with usage against his team's plays and minutes.

Belongs here: that one table. Does not belong here: formulas (``metrics/``), validation (``checks/``).
"""

from __future__ import annotations

import pandas as pd

from nba_pipeline.formulas import possessions as m
from nba_pipeline.formulas import shooting
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms.common import COUNTS, GAME_COLUMNS, as_float, participants
from nba_pipeline.transforms.shot_attempts import block_counts, zone_counts

_PLAYER = ["nba_game_id", "player_id"]
_ZONE_COLUMNS = [f"{zone}_{what}" for zone in ZONES for what in ("makes", "attempts")]
_SHOT_COLUMNS = [*_ZONE_COLUMNS, "assisted_fg_makes", "unassisted_fg_makes"]
_BLOCK_COLUMNS = [f"blocks_{zone}" for zone in ZONES]


def player_game_summary(
    player_boxscores: pd.DataFrame, team_offense: pd.DataFrame, shot_attempts: pd.DataFrame
) -> pd.DataFrame:
    """One row per player who played or left a mark in a game of ``team_offense``, columns of the table,
    unrounded.

    Inputs are nba_raw.player_boxscores, nba_analytics.team_offense_game_summary and nba_raw.shot_attempts of
    the same days. Teams come first: a line whose team has no row there is left out here and named by the
    completeness check. Carries ``team_minutes`` and ``team_plays_used`` as well, the inputs of usage, for
    checks and messages.
    """
    lines = player_boxscores[participants(player_boxscores)]
    teams = team_offense[
        [
            *GAME_COLUMNS,
            "team_abbr",
            "opponent_team_abbr",
            "is_home",
            "win_flag",
            "team_minutes",
            "plays_used",
        ]
    ]
    teams = teams.rename(columns={"plays_used": "team_plays_used"})
    own = lines[
        [
            *_PLAYER,
            "team_abbr",
            "player_lookup",
            "player_name",
            "is_starter",
            "plus_minus",
            "seconds_played",
            *COUNTS,
        ]
    ]
    frame = own.rename(columns={"player_name": "player_full_name"}).merge(
        teams, on=["nba_game_id", "team_abbr"], how="inner"
    )
    frame["rebounds"] = frame["offensive_rebounds"] + frame["defensive_rebounds"]
    return _with_efficiency(_with_shots(frame, shot_attempts))


def _with_shots(frame: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Zone counts; zeros for a player without shots where the game has shots, NULL where it has none."""
    frame = frame.merge(zone_counts(shots, _PLAYER).drop(columns="shots"), on=_PLAYER, how="left")
    blocks = block_counts(shots, ["nba_game_id", "block_player_id"]).rename(
        columns={"block_player_id": "player_id"}
    )
    frame = frame.merge(blocks.astype({"player_id": "int64"}), on=_PLAYER, how="left")
    has_shots = frame["nba_game_id"].isin(shots["nba_game_id"].unique())
    columns = [*_SHOT_COLUMNS, *_BLOCK_COLUMNS]
    filled = frame[columns].fillna(0).where(has_shots)
    return frame.assign(**{c: filled[c].astype("Int64") for c in columns})


def _with_efficiency(frame: pd.DataFrame) -> pd.DataFrame:
    f = as_float(frame, [*COUNTS, "seconds_played", "team_plays_used", "team_minutes"])
    plays_used = m.plays(f["fg_attempts"], f["ft_attempts"], f["turnovers"])
    return frame.assign(
        minutes_played=f["seconds_played"] / 60.0,
        plays_used=plays_used,
        usage_rate=shooting.usage_rate(
            plays_used, f["seconds_played"], f["team_plays_used"], f["team_minutes"]
        ),
        usage_rate_reliable=(f["seconds_played"] >= shooting.RELIABLE_USAGE_SECONDS).astype(bool),
        ts_pct=shooting.true_shooting(f["points"], f["fg_attempts"], f["ft_attempts"]),
        efg_pct=shooting.effective_fg(f["fg_makes"], f["three_pt_makes"], f["fg_attempts"]),
        points_per_36=shooting.per_36(f["points"], f["seconds_played"]),
        game_score=shooting.game_score(f),
    )
