"""`completeness`: every final competitive game of the day is there, both teams, with enough players.

Belongs here: rules that compare rows with the schedule. Does not belong here: sums (``conservation.py``).
"""

from __future__ import annotations

import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, no_violations, row_labels, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.names import BOXSCORES, GAMES, OFFENSE, PLAYERS
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES
from nba_pipeline.transforms.games import competitive_finals, team_sides

COMPLETENESS = "completeness"
MIN_PLAYERS = 5
"""Fewer than five players with playing time cannot be a team's game."""
_SIDE = ["nba_game_id", "team_abbr"]


def scheduled_sides(evidence: Evidence) -> pd.Series:
    """Team-games per day that the schedule says were played and count."""
    return team_sides(competitive_finals(evidence.inputs[GAMES]))["game_date"].value_counts()


def find_incomplete_boxscores(evidence: Evidence) -> pd.DataFrame:
    """For nba_raw.player_boxscores: sides of competitive games without five players, and lines that
    contradict the schedule."""
    lines = evidence.conformed
    return combined(
        [_short_sides(evidence, lines), _strangers(evidence, lines), _wrong_side(evidence, lines)]
    )


def find_incomplete_teams(evidence: Evidence) -> pd.DataFrame:
    """For team_offense_game_summary: sides of competitive games without five players in the box scores."""
    return _short_sides(evidence, evidence.inputs[BOXSCORES])


def find_incomplete_defense(evidence: Evidence) -> pd.DataFrame:
    """For team_defense_game_summary: games of the offense table that do not have exactly two rows, one per
    team."""
    offense = evidence.inputs[OFFENSE]
    sides = offense.groupby(["game_date", "game_id"])["team_abbr"].nunique().reset_index()
    short = sides[sides["team_abbr"] != 2]
    messages = [
        f"{row.game_id} has {row.team_abbr} team(s) in nba_analytics.team_offense_game_summary instead of 2"
        for row in short.itertuples()
    ]
    return violations(COMPLETENESS, short["game_date"], FailureClass.INCOMPLETE_INPUT, messages)


def find_incomplete_players(evidence: Evidence) -> pd.DataFrame:
    """For player_game_summary: team-games of the offense table with fewer than five players here, and players
    of a competitive game whose team has no row there."""
    offense = evidence.inputs[OFFENSE]
    short = _count_players(offense[["game_date", "game_id", *_SIDE]], evidence.computed)
    found = [_short_violations(short, PLAYERS)]
    lines = evidence.inputs[BOXSCORES]
    competitive = lines["nba_game_id"].str[2].isin(["2", "4", "5", "6"])
    timed = lines["seconds_played"].fillna(0) > 0
    orphans = lines[competitive & timed].merge(offense[_SIDE], on=_SIDE, how="left", indicator=True)
    orphans = orphans[orphans["_merge"] == "left_only"].drop(columns="_merge").reset_index(drop=True)
    messages = [
        f"{label} played, but his team has no row in nba_analytics.team_offense_game_summary"
        for label in row_labels(orphans, orphans.index)
    ]
    found.append(violations(COMPLETENESS, orphans["game_date"], FailureClass.INCOMPLETE_INPUT, messages))
    return combined(found)


def _count_players(sides: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The sides with fewer than five players with playing time, and how many they have."""
    timed = lines[lines["seconds_played"].fillna(0) > 0]
    players = (
        timed.drop_duplicates([*_SIDE, "player_id"]).groupby(_SIDE).size().rename("players").reset_index()
    )
    counted = sides.merge(players, on=_SIDE, how="left").fillna({"players": 0})
    return counted[counted["players"] < MIN_PLAYERS]


def _short_sides(evidence: Evidence, lines: pd.DataFrame) -> pd.DataFrame:
    sides = team_sides(competitive_finals(evidence.inputs[GAMES]))
    return _short_violations(_count_players(sides, lines), BOXSCORES)


def _short_violations(short: pd.DataFrame, where: str) -> pd.DataFrame:
    messages = [
        f"{row.game_id}: {row.team_abbr} has {int(row.players)} players with playing time in {where}; "
        f"a final game needs at least {MIN_PLAYERS}"
        for row in short.itertuples()
    ]
    return violations(COMPLETENESS, short["game_date"], FailureClass.INCOMPLETE_INPUT, messages)


def _competitive_lines(evidence: Evidence, lines: pd.DataFrame) -> pd.DataFrame:
    games = evidence.inputs[GAMES]
    played = games[games["game_type"].isin(COMPETITIVE_GAME_TYPES)]
    schedule = (
        played[["nba_game_id", "home_team_abbr", "away_team_abbr"]]
        .drop_duplicates("nba_game_id")
        .set_index("nba_game_id")
    )
    return lines[["game_date", "nba_game_id", "team_abbr", "is_home"]].join(
        schedule, on="nba_game_id", how="inner"
    )


def _strangers(evidence: Evidence, lines: pd.DataFrame) -> pd.DataFrame:
    merged = _competitive_lines(evidence, lines)
    bad = merged[
        (merged["team_abbr"] != merged["home_team_abbr"]) & (merged["team_abbr"] != merged["away_team_abbr"])
    ]
    if bad.empty:
        return no_violations()
    labels = row_labels(evidence.computed, bad.index)
    messages = [
        f"{label}: {row.team_abbr} does not play in this game"
        for label, row in zip(labels, bad.itertuples(), strict=True)
    ]
    return violations(
        COMPLETENESS,
        bad["game_date"],
        FailureClass.IMPOSSIBLE_VALUE,
        messages,
        rows=bad.index,
        column="team_abbr",
    )


def _wrong_side(evidence: Evidence, lines: pd.DataFrame) -> pd.DataFrame:
    merged = _competitive_lines(evidence, lines)
    home = (merged["team_abbr"] == merged["home_team_abbr"]).astype(bool)
    plays = home | (merged["team_abbr"] == merged["away_team_abbr"]).astype(bool)
    bad = merged[plays & (merged["is_home"].astype("boolean").fillna(False).astype(bool) != home)]
    if bad.empty:
        return no_violations()
    labels = row_labels(evidence.computed, bad.index)
    messages = [
        f"{label}: is_home contradicts the schedule; home and away are swapped in one of them"
        for label in labels
    ]
    return violations(
        COMPLETENESS,
        bad["game_date"],
        FailureClass.IMPOSSIBLE_VALUE,
        messages,
        rows=bad.index,
        column="is_home",
    )
