"""nba_analytics.team_offense_game_summary: what each team did with the ball, from its players' lines and
shots.

Belongs here: that one table. Does not belong here: formulas (``metrics/``), validation (``checks/``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_pipeline.formulas import possessions as m
from nba_pipeline.formulas import shooting
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms.common import COUNTS, as_float, competitive_finals, participants, team_sides
from nba_pipeline.transforms.shot_attempts import zone_counts

_SIDE = ["nba_game_id", "team_abbr"]


def team_offense_game_summary(
    games: pd.DataFrame, player_boxscores: pd.DataFrame, shot_attempts: pd.DataFrame
) -> pd.DataFrame:
    """Two rows per final competitive game of ``games``, columns of the table, unrounded.

    Inputs are nba_raw.games, nba_raw.player_boxscores and nba_raw.shot_attempts of the same days. The
    schedule decides which rows exist and who is home; a team without lines gets NULL counts, which the
    completeness check refuses.
    """
    sides = team_sides(competitive_finals(games)).drop(columns="scheduled_score")
    frame = sides.merge(_summed_lines(player_boxscores), on=_SIDE, how="left")
    frame["rebounds"] = frame["offensive_rebounds"] + frame["defensive_rebounds"]
    frame = _with_zones(frame, shot_attempts)
    frame["overtime_periods"] = m.overtime_periods(frame["player_seconds"])
    frame["team_minutes"] = m.team_minutes(frame["overtime_periods"])
    return _with_efficiency(frame)


def _summed_lines(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines[participants(lines)]
    summed = as_float(lines, [*COUNTS, "seconds_played"]).rename(columns={"seconds_played": "player_seconds"})
    return pd.concat([lines[_SIDE], summed], axis=1).groupby(_SIDE, sort=False).sum().reset_index()


def _with_zones(frame: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Zone counts; where a game has shots a team without any has zeros, where it has none they are NULL."""
    counts = zone_counts(shots, _SIDE)
    frame = frame.merge(
        counts.drop(columns=["assisted_fg_makes", "unassisted_fg_makes"]), on=_SIDE, how="left"
    )
    has_shots = frame["nba_game_id"].isin(shots["nba_game_id"].unique())
    zone_columns = [f"{zone}_{what}" for zone in ZONES for what in ("makes", "attempts")]
    filled = frame[zone_columns].fillna(0).where(has_shots)
    frame = frame.assign(**{c: filled[c].astype("Int64") for c in zone_columns})
    frame["shot_data_complete"] = has_shots & (frame["shots"].fillna(0) == frame["fg_attempts"])
    return frame.drop(columns="shots")


def _with_efficiency(frame: pd.DataFrame) -> pd.DataFrame:
    f = frame
    own = m.raw_possessions(f["fg_attempts"], f["ft_attempts"], f["offensive_rebounds"], f["turnovers"])
    other = _of_opponent(
        f, pd.DataFrame({"own": own, "points": f["points"], "dreb": f["defensive_rebounds"]})
    )
    possessions = (own + other["own"]) / 2.0
    margin = f["points"] - other["points"]
    return f.assign(
        possessions=possessions,
        pace=m.pace(possessions, f["team_minutes"]),
        offensive_rating=m.rating(f["points"], possessions),
        ts_pct=shooting.true_shooting(f["points"], f["fg_attempts"], f["ft_attempts"]),
        efg_pct=shooting.effective_fg(f["fg_makes"], f["three_pt_makes"], f["fg_attempts"]),
        turnover_pct=m.turnover_pct(f["fg_attempts"], f["ft_attempts"], f["turnovers"]),
        offensive_rebound_pct=m.offensive_rebound_pct(f["offensive_rebounds"], other["dreb"]),
        ft_rate=m.ratio(f["ft_makes"], f["fg_attempts"]),
        plays_used=m.plays(f["fg_attempts"], f["ft_attempts"], f["turnovers"]),
        margin_of_victory=margin,
        win_flag=pd.array(np.where(margin.isna(), pd.NA, margin > 0), dtype="boolean"),
    )


def _of_opponent(frame: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """``values`` (aligned with ``frame``) of each row's opponent in the same game."""
    theirs = values.assign(nba_game_id=frame["nba_game_id"], team_abbr=frame["team_abbr"]).set_index(_SIDE)
    wanted = pd.MultiIndex.from_frame(frame[["nba_game_id", "opponent_team_abbr"]], names=_SIDE)
    return theirs[~theirs.index.duplicated()].reindex(wanted).set_axis(frame.index)
