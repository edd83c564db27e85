"""Columns of phase 4 about shot zones and about the factors made of them: team defense, player shot mix,
composites.

Belongs here: families by zone (``paint_*``, ``mid_range_*``, ``three_*``) over windows, and composite scores.
Does not belong here: counts of a single game (``shots.py``), scoring and playing-time windows
(``features.py``). Every window ends the day before D. Rates are ratios of sums over the window's games that
have shot data.
"""

from __future__ import annotations

from nba_pipeline.tables.spec import INT64, STRING, Column, numeric
from nba_pipeline.tables.vocabulary import ZONES

PRIMARY_ZONES = ("paint", "perimeter", "mid_range", "balanced")
TEAM_SAMPLE_QUALITIES = ("high", "medium", "low", "insufficient")
PLAYER_SAMPLE_QUALITIES = ("excellent", "good", "limited", "insufficient")

_WHERE = {"paint": "in the paint", "mid_range": "from mid-range", "three": "from three-point range"}
_TEAM_WINDOW = "team's last 15 games of the season"
_THIN = "NULL below 5 games"


def _team_zone(zone: str) -> tuple[Column, ...]:
    where = _WHERE[zone]
    return (
        Column(
            f"{zone}_pct_allowed_last_15",
            numeric(5, 4),
            f"Σ makes / Σ attempts allowed {where}, {_TEAM_WINDOW}; {_THIN}.",
            unit="ratio",
            minimum=0,
            maximum=1,
        ),
        Column(
            f"{zone}_attempts_allowed_per_game",
            numeric(5, 2),
            f"Attempts allowed {where} per game, {_TEAM_WINDOW}; games without shot data do not count;"
            f" {_THIN}.",
            unit="attempts per game",
            minimum=0,
            maximum=150,
        ),
        Column(
            f"{zone}_blocks_per_game",
            numeric(5, 2),
            f"Blocks of shots taken {where} per game, {_TEAM_WINDOW}; games without shot data do not count;"
            f" {_THIN}.",
            unit="blocks per game",
            minimum=0,
            maximum=50,
        ),
        Column(
            f"{zone}_defense_vs_league",
            numeric(6, 3),
            f"100 · ({zone}_pct_allowed_last_15 − Σ makes / Σ attempts {where} of all 30 teams' own last 15"
            f" games before D); positive is a worse defense; {_THIN}.",
            unit="percentage points",
            minimum=-100,
            maximum=100,
        ),
    )


def _player_zone(zone: str) -> tuple[Column, ...]:
    where = _WHERE[zone]
    rates = tuple(
        Column(
            f"{zone}_rate_last_{n}",
            numeric(5, 2),
            f"Share of the player's attempts {where} among the attempts of all three zones, his last {n}"
            " games; the three sum to 100.",
            unit="percent",
            minimum=0,
            maximum=100,
        )
        for n in (10, 20)
    )
    return (
        *rates,
        Column(
            f"{zone}_pct_last_10",
            numeric(5, 4),
            f"Σ makes / Σ attempts of the player {where}, his last 10 games.",
            unit="ratio",
            minimum=0,
            maximum=1,
        ),
        Column(
            f"{zone}_attempts_per_game_last_10",
            numeric(5, 2),
            f"Attempts of the player {where} per game with shot data, his last 10 games.",
            unit="attempts per game",
            minimum=0,
            maximum=120,
        ),
    )


def games_in_window(n: int) -> Column:
    return Column(
        f"games_in_window_{n}",
        INT64,
        f"Games actually behind the `last {n}` windows: games of the season before D, at most {n}.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=n,
    )


_TEAM_DEFENSE: tuple[Column, ...] = (
    *(column for zone in ZONES for column in _team_zone(zone)),
    Column(
        "defensive_rating_last_15",
        numeric(6, 2),
        f"100 · Σ points allowed / Σ possessions, {_TEAM_WINDOW}; {_THIN}.",
        unit="points per 100 possessions",
        minimum=0,
        maximum=300,
    ),
    Column(
        "opponent_points_per_game_last_15",
        numeric(5, 2),
        f"Points allowed per game, {_TEAM_WINDOW}; {_THIN}.",
        unit="points per game",
        minimum=0,
        maximum=250,
    ),
    Column(
        "opponent_pace_last_15",
        numeric(6, 2),
        f"48 · Σ possessions / Σ (team_minutes/5), {_TEAM_WINDOW} (both teams of a game share its pace);"
        f" {_THIN}.",
        unit="possessions per 48 minutes",
        minimum=40,
        maximum=200,
    ),
    Column(
        "strongest_zone",
        STRING,
        "Zone with the lowest defense_vs_league, in the order paint, mid_range, three when equal; NULL when"
        " no zone is known.",
        allowed=ZONES,
    ),
    Column(
        "weakest_zone",
        STRING,
        "Zone with the highest defense_vs_league, in the order paint, mid_range, three when equal; NULL when"
        " no zone is known.",
        allowed=ZONES,
    ),
)

_SAMPLE_QUALITY = Column(
    "sample_quality",
    STRING,
    "How far the sample can be trusted. Teams, of 15 games: high ≥ 15, medium ≥ 10, low ≥ 5, else"
    " insufficient. Players, of 10 games: excellent ≥ 10, good ≥ 7, limited ≥ 5, else insufficient.",
    nullable=False,
    allowed=tuple(dict.fromkeys((*TEAM_SAMPLE_QUALITIES, *PLAYER_SAMPLE_QUALITIES))),
)

_PLAYER_SHOTS: tuple[Column, ...] = (
    *(column for zone in ZONES for column in _player_zone(zone)),
    Column(
        "shot_attempts_last_10",
        INT64,
        "Attempts of all zones in the player's last 10 games, the denominator of the rates; NULL when none of"
        " them has shot data.",
        unit="attempts",
        minimum=0,
        maximum=2000,
    ),
    *(
        Column(
            f"{kind}_rate_last_10",
            numeric(5, 2),
            f"{kind.capitalize()} share of the player's field goals made, his last 10 games with shot data;"
            " NULL without makes.",
            unit="percent",
            minimum=0,
            maximum=100,
        )
        for kind in ("assisted", "unassisted")
    ),
    Column(
        "primary_scoring_zone",
        STRING,
        "`paint` if its unrounded rate_last_10 ≥ 40, else `perimeter` if three's ≥ 40, else `mid_range` if ≥"
        " 35, else `balanced`; NULL without shots.",
        allowed=PRIMARY_ZONES,
    ),
)

_COMPOSITES: tuple[Column, ...] = (
    Column(
        "fatigue_score",
        INT64,
        "100 is rested. −15 back-to-back, else +5 if days_rest ≥ 3; −10 if ≥ 4 games in 7 days; −10 if > 140"
        " minutes in 7 days; −8 if they averaged > 35; −12 / −5 for ≥ 2 / 1 back-to-backs in 14 days;"
        " clamped. What is unknown changes nothing.",
        unit="points of 100",
        nullable=False,
        minimum=0,
        maximum=100,
    ),
    Column(
        "shot_zone_mismatch_score",
        numeric(4, 1),
        "The opponent's defense_vs_league in the player's primary zone (balanced → paint, perimeter → three)"
        " × min(the zone's rate_last_10 / 50, 1); × 1.2 where defense_vs_league is beyond ±5; clamped to ±10."
        " NULL when either side is unknown.",
        unit="points",
        minimum=-10,
        maximum=10,
    ),
    Column(
        "pace_score", numeric(3, 1), "pace_differential clamped to ±3.", unit="points", minimum=-3, maximum=3
    ),
    Column(
        "usage_spike_score",
        numeric(3, 1),
        "0.3 · (usage_rate_last_3 − usage_rate_last_10), clamped to ±3.",
        unit="points",
        minimum=-3,
        maximum=3,
    ),
    Column(
        "total_composite_adjustment",
        numeric(5, 2),
        "(fatigue_score − 100) / 20 + those of the three other scores that are known, before they are"
        " rounded.",
        unit="points",
        nullable=False,
        minimum=-21,
        maximum=16,
    ),
    Column(
        "missing_inputs",
        STRING,
        "Inputs that were unknown, comma-separated in declared order; the empty text when all were known. The"
        " average minutes of the last 7 days is derived from two other inputs, so no games in 7 days is not a"
        " missing input.",
        nullable=False,
    ),
    Column(
        "data_completeness_pct",
        numeric(5, 2),
        "100 · known inputs / all inputs.",
        unit="percent",
        nullable=False,
        minimum=0,
        maximum=100,
    ),
    Column(
        "calculation_version",
        STRING,
        "Version of the factors' constants and formulas; changes whenever one of them does.",
        nullable=False,
        pattern=r"c[0-9a-f]{10}",
    ),
)

ZONE_ANALYSIS: tuple[Column, ...] = (
    *_TEAM_DEFENSE,
    *_PLAYER_SHOTS,
    *(games_in_window(n) for n in (5, 10, 15, 20)),
    _SAMPLE_QUALITY,
    *_COMPOSITES,
)
