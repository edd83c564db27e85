"""Derived columns: playing time, possessions, ratings, usage and shooting efficiency.

The possession formula is the simple one with coefficient 0.44 (stats.nba.com); Basketball Reference's longer
formula uses 0.4 and gives several possessions a game less, so the two must not be mixed.
"""

from __future__ import annotations

from nba_pipeline.tables.formula import Formula, Ref, Relation
from nba_pipeline.tables.names import OFFENSE
from nba_pipeline.tables.spec import BOOL, Column, numeric

_GLOSSARY = "stats.nba.com / Basketball Reference glossary"
RELIABLE_USAGE_SECONDS = 300
"""Below five minutes a usage rate says little: the true maximum so far, 1196.81 %, was a stint of two
seconds."""


def _opponents(*columns: str) -> dict[str, Ref]:
    """Columns of the opponent's row in the same game, as ``opponent_...``."""
    return {f"opponent_{name}": Ref(OFFENSE, name, Relation.OPPONENT) for name in columns}


EFFICIENCY: tuple[Column, ...] = (
    Column(
        "team_minutes",
        numeric(6, 2),
        "Five players' minutes: 240 + 25 · overtime_periods.",
        unit="minutes",
        nullable=False,
        minimum=240,
        maximum=540,
        formula=Formula("240 + 25 * overtime_periods"),
    ),
    Column(
        "possessions",
        numeric(6, 2),
        "Mean over the two teams of FGA + 0.44·FTA − OREB + TOV; both teams of a game share it.",
        unit="possessions",
        nullable=False,
        minimum=40,
        maximum=250,
        source=_GLOSSARY,
        formula=Formula(
            "((fg_attempts + 0.44 * ft_attempts + turnovers - offensive_rebounds) + (opponent_fg_attempts"
            " + 0.44 * opponent_ft_attempts + opponent_turnovers - opponent_offensive_rebounds)) / 2",
            refs=_opponents("fg_attempts", "ft_attempts", "offensive_rebounds", "turnovers"),
        ),
    ),
    Column(
        "pace",
        numeric(6, 2),
        "Possessions per 48 minutes: 48 · possessions / (team_minutes / 5).",
        unit="possessions per 48 minutes",
        nullable=False,
        minimum=40,
        maximum=200,
        source=_GLOSSARY,
        formula=Formula("48 * possessions / (team_minutes / 5)"),
    ),
    Column(
        "offensive_rating",
        numeric(6, 2),
        "100 · points / possessions.",
        unit="points per 100 possessions",
        nullable=False,
        minimum=0,
        maximum=300,
        source=_GLOSSARY,
        formula=Formula("100 * points / possessions"),
    ),
    Column(
        "defensive_rating",
        numeric(6, 2),
        "100 · points_allowed / possessions.",
        unit="points per 100 possessions",
        nullable=False,
        minimum=0,
        maximum=300,
        source=_GLOSSARY,
        formula=Formula("100 * points_allowed / possessions"),
    ),
    Column(
        "ts_pct",
        numeric(5, 4),
        "True shooting: PTS / (2 · (FGA + 0.44·FTA)). Reaches 1.5; NULL only when the denominator is 0.",
        unit="ratio",
        minimum=0,
        maximum=3.5,
        source=_GLOSSARY,
        formula=Formula("points / (2 * (fg_attempts + 0.44 * ft_attempts))"),
    ),
    Column(
        "efg_pct",
        numeric(5, 4),
        "Effective field goal percentage: (FGM + 0.5·3PM) / FGA. Reaches 1.5; NULL only when FGA is 0.",
        unit="ratio",
        minimum=0,
        maximum=1.5,
        source=_GLOSSARY,
        formula=Formula("(fg_makes + 0.5 * three_pt_makes) / fg_attempts"),
    ),
    Column(
        "turnover_pct",
        numeric(6, 4),
        "TOV / (FGA + 0.44·FTA + TOV).",
        unit="ratio",
        minimum=0,
        maximum=1,
        source=_GLOSSARY,
        formula=Formula("turnovers / (fg_attempts + 0.44 * ft_attempts + turnovers)"),
    ),
    Column(
        "offensive_rebound_pct",
        numeric(6, 4),
        "OREB / (OREB + opponent's DREB).",
        unit="ratio",
        minimum=0,
        maximum=1,
        source=_GLOSSARY,
        formula=Formula(
            "offensive_rebounds / (offensive_rebounds + opponent_defensive_rebounds)",
            refs=_opponents("defensive_rebounds"),
        ),
    ),
    Column(
        "ft_rate",
        numeric(6, 4),
        "FTM / FGA.",
        unit="ratio",
        minimum=0,
        source=_GLOSSARY,
        formula=Formula("ft_makes / fg_attempts"),
    ),
    Column(
        "plays_used",
        numeric(7, 2),
        "FGA + 0.44·FTA + TOV, the numerator (player) and denominator (team) of usage.",
        unit="plays",
        nullable=False,
        minimum=0,
        maximum=400,
        source=_GLOSSARY,
        formula=Formula("fg_attempts + 0.44 * ft_attempts + turnovers"),
    ),
    Column(
        "minutes_played",
        numeric(7, 4),
        "seconds_played / 60; derived, never rounded before use. NULL when seconds_played is unknown.",
        unit="minutes",
        minimum=0,
        maximum=108,
        formula=Formula("seconds_played / 60"),
    ),
    Column(
        "usage_rate",
        numeric(6, 2),
        "100 · plays_used · (team_minutes/5) / (minutes · team plays_used); team_minutes/5, not 48. NULL when"
        " seconds_played is 0. True values in tiny stints are large: 1196.81 for L. Quinones in"
        " 20240307_CHI_GSW (2 seconds, one shot).",
        unit="percent",
        minimum=0,
        source=_GLOSSARY,
        formula=Formula(
            "100 * plays_used * (team_minutes / 5) / ((seconds_played / 60) * team_plays_used)",
            refs={
                "team_minutes": Ref(OFFENSE, "team_minutes", Relation.TEAM),
                "team_plays_used": Ref(OFFENSE, "plays_used", Relation.TEAM),
            },
            note=(
                "Minutes are seconds / 60, unrounded: rounding them first is what turned the incident's"
                " 1196.81 into 1329.79."
            ),
        ),
    ),
    Column(
        "usage_rate_reliable",
        BOOL,
        "seconds_played ≥ 300: the rate means something.",
        nullable=False,
        formula=Formula(f"seconds_played >= {RELIABLE_USAGE_SECONDS}"),
    ),
    Column(
        "points_per_36",
        numeric(6, 2),
        "36 · points / minutes. NULL when seconds_played is 0; 270 has happened.",
        unit="points per 36 minutes",
        minimum=0,
        formula=Formula("36 * 60 * points / seconds_played"),
    ),
    Column(
        "game_score",
        numeric(5, 1),
        "PTS + 0.4·FGM − 0.7·FGA − 0.4·(FTA − FTM) + 0.7·OREB + 0.3·DREB + STL + 0.7·AST + 0.7·BLK − 0.4·PF −"
        " TOV.",
        unit="points",
        nullable=False,
        minimum=-100,
        maximum=200,
        source="John Hollinger, Game Score (Basketball Reference glossary)",
        formula=Formula(
            "points + 0.4 * fg_makes - 0.7 * fg_attempts - 0.4 * (ft_attempts - ft_makes)"
            " + 0.7 * offensive_rebounds + 0.3 * defensive_rebounds + steals + 0.7 * assists + 0.7 * blocks"
            " - 0.4 * personal_fouls - turnovers"
        ),
    ),
)
