"""Columns of the slate as it is known before its games: rest, schedule load and recent pace.

A window of *days* `last_n_days` is [D−n, D−1]; a window of *games* counts the games that the player or team
played in the current season. Everything here looks strictly before D.
"""

from __future__ import annotations

from nba_pipeline.tables.formula import (
    AsStored,
    Formula,
    Past,
    Relation,
    last_days,
    last_games,
    season_to_date,
    unrounded,
)
from nba_pipeline.tables.names import CONTEXT as CONTEXT_TABLE
from nba_pipeline.tables.names import OFFENSE, PLAYERS
from nba_pipeline.tables.spec import BOOL, INT64, Column, numeric

PACE = "48 * sum(possessions) / (sum(team_minutes) / 5)"
"""Possessions per 48 minutes over a team's games, from five players' minutes, so that overtime is right."""

CONTEXT: tuple[Column, ...] = (
    Column(
        "is_season_opener_population",
        BOOL,
        "The row is here because of the previous season: the team has not played in this one yet.",
        nullable=False,
        formula=Formula("team_games_played_season == 0"),
    ),
    Column(
        "days_rest",
        INT64,
        "Days since the player's last game of the season; 1 is a back-to-back. NULL before the first.",
        unit="days",
        minimum=1,
        maximum=366,
        formula=Formula("day - latest(game_date)", Past(PLAYERS, Relation.PLAYER, season_to_date())),
    ),
    Column(
        "is_back_to_back",
        BOOL,
        "days_rest is 1; a season's first game is never a back-to-back.",
        nullable=False,
        formula=Formula("days_rest == 1"),
    ),
    Column(
        "team_days_rest",
        INT64,
        "Days since the team's last game of the season; NULL before its first.",
        unit="days",
        minimum=1,
        maximum=366,
        formula=Formula("day - latest(game_date)", Past(OFFENSE, Relation.TEAM, last_games(10))),
    ),
    Column(
        "opponent_days_rest",
        INT64,
        "Days since the opponent's last game of the season; NULL before its first.",
        unit="days",
        minimum=1,
        maximum=366,
        formula=Formula("day - latest(game_date)", Past(OFFENSE, Relation.OPPONENT, last_games(10))),
    ),
    Column(
        "games_in_last_7_days",
        INT64,
        "Games the player played in [D−7, D−1].",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=7,
        formula=Formula("count()", Past(PLAYERS, Relation.PLAYER, last_days(7))),
    ),
    Column(
        "games_in_last_14_days",
        INT64,
        "Games the player played in [D−14, D−1].",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=14,
        formula=Formula("count()", Past(PLAYERS, Relation.PLAYER, last_days(14))),
    ),
    Column(
        "minutes_in_last_7_days",
        numeric(6, 2),
        "Minutes the player played in [D−7, D−1].",
        unit="minutes",
        nullable=False,
        minimum=0,
        maximum=800,
        formula=Formula("sum(seconds_played) / 60", Past(PLAYERS, Relation.PLAYER, last_days(7))),
    ),
    Column(
        "minutes_in_last_14_days",
        numeric(6, 2),
        "Minutes the player played in [D−14, D−1].",
        unit="minutes",
        nullable=False,
        minimum=0,
        maximum=1600,
        formula=Formula("sum(seconds_played) / 60", Past(PLAYERS, Relation.PLAYER, last_days(14))),
    ),
    Column(
        "avg_minutes_last_7_days",
        numeric(6, 2),
        "minutes_in_last_7_days / games_in_last_7_days; NULL without games.",
        unit="minutes per game",
        minimum=0,
        maximum=108,
        formula=Formula("sum(seconds_played) / 60 / count()", Past(PLAYERS, Relation.PLAYER, last_days(7))),
    ),
    Column(
        "back_to_backs_in_last_14_days",
        INT64,
        "Games in [D−14, D−1] that the player played on the day after another game of his; the earlier one"
        " may be on D−15.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=14,
        formula=Formula(
            "back_to_backs(game_date)",
            Past(PLAYERS, Relation.PLAYER, last_days(15)),
            note="The earlier game of the first pair may be on D−15.",
        ),
    ),
    Column(
        "team_games_played_season",
        INT64,
        "Competitive games the team has played this season before D.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=120,
        formula=Formula("count()", Past(OFFENSE, Relation.TEAM, season_to_date())),
    ),
    Column(
        "player_games_played_season",
        INT64,
        "Competitive games the player has played this season before D.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=120,
        formula=Formula("count()", Past(PLAYERS, Relation.PLAYER, season_to_date())),
    ),
    Column(
        "team_pace_last_10",
        numeric(6, 2),
        "Pace of the team over its last 10 games of the season: 48 · Σ possessions / Σ (team_minutes/5). NULL"
        " before the first.",
        unit="possessions per 48 minutes",
        minimum=40,
        maximum=200,
        formula=Formula(PACE, Past(OFFENSE, Relation.TEAM, last_games(10))),
    ),
    Column(
        "opponent_pace_last_10",
        numeric(6, 2),
        "Pace of the opponent over its last 10 games of the season: 48 · Σ possessions / Σ (team_minutes/5)."
        " NULL before its first.",
        unit="possessions per 48 minutes",
        minimum=40,
        maximum=200,
        formula=Formula(PACE, Past(OFFENSE, Relation.OPPONENT, last_games(10))),
    ),
    Column(
        "pace_differential",
        numeric(6, 2),
        "(opponent_pace_last_10 − team_pace_last_10) / 2; positive when the opponent speeds the game up.",
        unit="possessions per 48 minutes",
        minimum=-80,
        maximum=80,
        formula=Formula(
            "(opponent_pace_last_10 - team_pace_last_10) / 2",
            refs=unrounded(CONTEXT_TABLE, "opponent_pace_last_10", "team_pace_last_10"),
        ),
    ),
    Column(
        "history_gaps",
        INT64,
        "Declared gaps in the windows that the row rests on: games that were played, but of which the box"
        " score or the shots are missing for good, so that the windows do without them. 0 almost always; NULL"
        " in rows from before the column was there.",
        unit="games",
        minimum=0,
        maximum=366,
        formula=AsStored("the declared gaps that the row's windows reach back to, counted by the run"),
    ),
)
