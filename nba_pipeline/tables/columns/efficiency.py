"""Derived columns: playing time, possessions, ratings, usage and shooting efficiency.

The possession formula is the simple one with coefficient 0.44 (stats.nba.com); Basketball Reference's longer
formula uses 0.4 and gives several possessions a game less, so the two must not be mixed.
"""

from __future__ import annotations

from nba_pipeline.tables.spec import BOOL, Column, numeric

_GLOSSARY = "stats.nba.com / Basketball Reference glossary"

EFFICIENCY: tuple[Column, ...] = (
    Column(
        "team_minutes",
        numeric(6, 2),
        "Five players' minutes: 240 + 25 · overtime_periods.",
        unit="minutes",
        nullable=False,
        minimum=240,
        maximum=540,
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
    ),
    Column(
        "ts_pct",
        numeric(5, 4),
        "True shooting: PTS / (2 · (FGA + 0.44·FTA)). Reaches 1.5; NULL only when the denominator is 0.",
        unit="ratio",
        minimum=0,
        maximum=3.5,
        source=_GLOSSARY,
    ),
    Column(
        "efg_pct",
        numeric(5, 4),
        "Effective field goal percentage: (FGM + 0.5·3PM) / FGA. Reaches 1.5; NULL only when FGA is 0.",
        unit="ratio",
        minimum=0,
        maximum=1.5,
        source=_GLOSSARY,
    ),
    Column(
        "turnover_pct",
        numeric(6, 4),
        "TOV / (FGA + 0.44·FTA + TOV).",
        unit="ratio",
        minimum=0,
        maximum=1,
        source=_GLOSSARY,
    ),
    Column(
        "offensive_rebound_pct",
        numeric(6, 4),
        "OREB / (OREB + opponent's DREB).",
        unit="ratio",
        minimum=0,
        maximum=1,
        source=_GLOSSARY,
    ),
    Column("ft_rate", numeric(6, 4), "FTM / FGA.", unit="ratio", minimum=0, source=_GLOSSARY),
    Column(
        "plays_used",
        numeric(7, 2),
        "FGA + 0.44·FTA + TOV, the numerator (player) and denominator (team) of usage.",
        unit="plays",
        nullable=False,
        minimum=0,
        maximum=400,
        source=_GLOSSARY,
    ),
    Column(
        "minutes_played",
        numeric(7, 4),
        "seconds_played / 60; derived, never rounded before use. NULL when seconds_played is unknown.",
        unit="minutes",
        minimum=0,
        maximum=108,
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
    ),
    Column("usage_rate_reliable", BOOL, "seconds_played ≥ 300: the rate means something.", nullable=False),
    Column(
        "points_per_36",
        numeric(6, 2),
        "36 · points / minutes. NULL when seconds_played is 0; 270 has happened.",
        unit="points per 36 minutes",
        minimum=0,
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
    ),
)
