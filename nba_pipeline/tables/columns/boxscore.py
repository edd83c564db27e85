"""Counting columns of box scores: what was made, taken, grabbed, given and lost, for players, teams and
opponents.

One generator names the three families (a player's or team's own counts, ``opp_*`` counts of the opponent), so
a bound is written once. Bounds are *semantic*: no player or team of a competitive NBA game has come near
them, so a value outside is a defect of the input (records: 100 points, 55 rebounds, 30 assists by a player;
186 points by a team).
"""

from __future__ import annotations

from nba_pipeline.tables.formula import Formula, Lines, Relation, Taken, taken
from nba_pipeline.tables.names import BOXSCORES, OFFENSE
from nba_pipeline.tables.spec import INT64, Column

REGULATION_SECONDS = 14_400
"""Five players for 48 minutes."""
OVERTIME_SECONDS = 1_500
"""Five players for 5 minutes."""


def _taken_from_opponent(column: str) -> Taken:
    return taken(OFFENSE, column, Relation.OPPONENT)


_COUNTS: tuple[tuple[str, str, float], ...] = (
    ("points", "Points scored", 250),
    ("fg_makes", "Field goals made", 120),
    ("fg_attempts", "Field goals attempted", 200),
    ("three_pt_makes", "Three-pointers made", 80),
    ("three_pt_attempts", "Three-pointers attempted", 120),
    ("ft_makes", "Free throws made", 90),
    ("ft_attempts", "Free throws attempted", 120),
    ("offensive_rebounds", "Offensive rebounds by players", 60),
    ("defensive_rebounds", "Defensive rebounds by players", 100),
    ("rebounds", "Rebounds by players: offensive + defensive", 130),
    ("assists", "Assists", 80),
    ("steals", "Steals", 50),
    ("blocks", "Shots blocked", 50),
    ("turnovers", "Turnovers charged to players (team turnovers are not included)", 60),
    ("personal_fouls", "Personal fouls", 80),
)

_OWN = tuple(
    Column(
        name,
        INT64,
        f"{words}; a sum over the players in team tables.",
        unit="count",
        nullable=False,
        minimum=0,
        maximum=most,
        formula=Formula("offensive_rebounds + defensive_rebounds") if name == "rebounds" else None,
    )
    for name, words, most in _COUNTS
)

_OPPONENT = tuple(
    Column(
        f"opp_{name}",
        INT64,
        f"{words.removesuffix(' by players')} by the opponent.",
        unit="count",
        nullable=False,
        minimum=0,
        maximum=most,
        formula=_taken_from_opponent(name),
    )
    for name, words, most in _COUNTS
    if name
    in {
        "fg_makes",
        "fg_attempts",
        "three_pt_makes",
        "three_pt_attempts",
        "ft_makes",
        "ft_attempts",
        "offensive_rebounds",
    }
)

BOXSCORE: tuple[Column, ...] = (
    *_OWN,
    *_OPPONENT,
    Column(
        "points_allowed",
        INT64,
        "Points scored by the opponent.",
        unit="points",
        nullable=False,
        minimum=0,
        maximum=250,
        formula=_taken_from_opponent("points"),
    ),
    Column(
        "turnovers_forced",
        INT64,
        "Turnovers charged to the opponent's players.",
        unit="count",
        nullable=False,
        minimum=0,
        maximum=60,
        formula=_taken_from_opponent("turnovers"),
    ),
    Column(
        "plus_minus",
        INT64,
        "Score difference while the player was on court.",
        unit="points",
        minimum=-100,
        maximum=100,
    ),
    Column(
        "seconds_played",
        INT64,
        "Playing time, exact. NULL when the player did not play or the published text cannot be a duration.",
        unit="seconds",
        minimum=0,
        maximum=48 * 60 + 12 * 5 * 60,
    ),
    Column(
        "player_seconds",
        INT64,
        "Σ seconds_played of the team: 14,400 + 1,500 per overtime, within the rounding of the source.",
        unit="seconds",
        nullable=False,
        minimum=0,
        maximum=14_400 + 12 * 1_500,
        formula=Formula("sum(seconds_played)", Lines(BOXSCORES, Relation.TEAM)),
    ),
    Column(
        "overtime_periods",
        INT64,
        "round((player_seconds − 14,400) / 1,500), at least 0. The record is six.",
        unit="periods",
        nullable=False,
        minimum=0,
        maximum=12,
        formula=Formula(f"max(round((player_seconds - {REGULATION_SECONDS}) / {OVERTIME_SECONDS}), 0)"),
    ),
)
