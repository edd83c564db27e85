"""Columns of phase 4 about shot zones and about the factors made of them: team defense, player shot mix,
composites.

Belongs here: families by zone (``paint_*``, ``mid_range_*``, ``three_*``) over windows, and composite scores.
Does not belong here: counts of a single game (``shots.py``), scoring and playing-time windows
(``features.py``). Every window ends the day before D. Rates are ratios of sums over the window's games that
have shot data.
"""

from __future__ import annotations

from nba_pipeline.tables.columns.context import PACE
from nba_pipeline.tables.formula import Formula, Past, Relation, last_games, unrounded
from nba_pipeline.tables.names import DEFENSE, OFFENSE, PLAYER_ZONES, PLAYERS, TEAM_ZONES
from nba_pipeline.tables.spec import INT64, STRING, Column, numeric
from nba_pipeline.tables.vocabulary import ZONES

PRIMARY_ZONES = ("paint", "perimeter", "mid_range", "balanced")
TEAM_QUALITY = {15: "high", 10: "medium", 5: "low", 0: "insufficient"}
"""Least number of games in the window -> sample_quality."""
PLAYER_QUALITY = {10: "excellent", 7: "good", 5: "limited", 0: "insufficient"}

_WHERE = {"paint": "in the paint", "mid_range": "from mid-range", "three": "from three-point range"}
_TEAM_WINDOW = "team's last 15 games of the season"
_THIN = "NULL below 5 games"


_ALLOWED = Past(DEFENSE, Relation.TEAM, last_games(15))
_ATTEMPTS = " + ".join(f"sum({zone}_attempts)" for zone in ZONES)
_DIFFERENCES = unrounded(TEAM_ZONES, *(f"{zone}_defense_vs_league" for zone in ZONES))
_EACH_DIFFERENCE = ", ".join(f"{zone}={zone}_defense_vs_league" for zone in ZONES)


def _known(text: str, past: Past = _ALLOWED) -> Formula:
    """NULL below five games."""
    return Formula(f"{text} if count() >= 5 else NULL", past)


def _own(n: int) -> Past:
    """The player's own last n games."""
    return Past(PLAYERS, Relation.PLAYER, last_games(n))


def graded(column: str, grades: dict[int, str]) -> Formula:
    """``'high' if n >= 15 else 'medium' if ...`` from least number -> grade, the last of which needs none."""
    *steps, (_, rest) = grades.items()
    said = " else ".join(f"'{name}' if {column} >= {least}" for least, name in steps)
    return Formula(f"{said} else '{rest}'")


def _team_shooting(zone: str) -> tuple[Column, ...]:
    where, makes, attempts = _WHERE[zone], f"opp_{zone}_makes", f"opp_{zone}_attempts"
    return (
        Column(
            f"{zone}_pct_allowed_last_15",
            numeric(5, 4),
            f"Σ makes / Σ attempts allowed {where}, {_TEAM_WINDOW}; {_THIN}.",
            unit="ratio",
            minimum=0,
            maximum=1,
            formula=_known(f"sum({makes}) / sum({attempts})"),
        ),
        Column(
            f"{zone}_defense_vs_league",
            numeric(6, 3),
            f"100 · ({zone}_pct_allowed_last_15 − Σ makes / Σ attempts {where} of all 30 teams' own last 15"
            f" games before D); positive is a worse defense; {_THIN}.",
            unit="percentage points",
            minimum=-100,
            maximum=100,
            formula=_known(
                f"100 * (sum({makes}) / sum({attempts}) - league_sum({makes}) / league_sum({attempts}))"
            ),
        ),
    )


def _team_volume(zone: str) -> tuple[Column, ...]:
    where, attempts = _WHERE[zone], f"opp_{zone}_attempts"
    return (
        Column(
            f"{zone}_attempts_allowed_per_game",
            numeric(5, 2),
            f"Attempts allowed {where} per game, {_TEAM_WINDOW}; games without shot data do not count;"
            f" {_THIN}.",
            unit="attempts per game",
            minimum=0,
            maximum=150,
            formula=_known(f"mean({attempts})"),
        ),
        Column(
            f"{zone}_blocks_per_game",
            numeric(5, 2),
            f"Blocks of shots taken {where} per game, {_TEAM_WINDOW}; games without shot data do not count;"
            f" {_THIN}.",
            unit="blocks per game",
            minimum=0,
            maximum=50,
            formula=_known(f"mean(blocks_{zone})"),
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
            formula=Formula(f"100 * sum({zone}_attempts) / ({_ATTEMPTS})", _own(n)),
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
            formula=Formula(f"sum({zone}_makes) / sum({zone}_attempts)", _own(10)),
        ),
        Column(
            f"{zone}_attempts_per_game_last_10",
            numeric(5, 2),
            f"Attempts of the player {where} per game with shot data, his last 10 games.",
            unit="attempts per game",
            minimum=0,
            maximum=120,
            formula=Formula(f"mean({zone}_attempts)", _own(10)),
        ),
    )


def games_in_window(n: int) -> Column:
    return Column(
        f"games_in_window_{n}",
        INT64,
        f"Games that the `last {n}` windows really hold: games of the season before D, at most {n}.",
        unit="games",
        nullable=False,
        minimum=0,
        maximum=n,
        formula=Formula("count()", _ALLOWED if n == 15 else _own(n)),
    )


_TEAM_DEFENSE: tuple[Column, ...] = (
    *(column for zone in ZONES for column in (*_team_shooting(zone), *_team_volume(zone))),
    Column(
        "defensive_rating_last_15",
        numeric(6, 2),
        f"100 · Σ points allowed / Σ possessions, {_TEAM_WINDOW}; {_THIN}.",
        unit="points per 100 possessions",
        minimum=0,
        maximum=300,
        formula=_known("100 * sum(points_allowed) / sum(possessions)"),
    ),
    Column(
        "opponent_points_per_game_last_15",
        numeric(5, 2),
        f"Points allowed per game, {_TEAM_WINDOW}; {_THIN}.",
        unit="points per game",
        minimum=0,
        maximum=250,
        formula=_known("mean(points_allowed)"),
    ),
    Column(
        "opponent_pace_last_15",
        numeric(6, 2),
        f"48 · Σ possessions / Σ (team_minutes/5), {_TEAM_WINDOW} (both teams of a game share its pace);"
        f" {_THIN}.",
        unit="possessions per 48 minutes",
        minimum=40,
        maximum=200,
        formula=_known(PACE, Past(OFFENSE, Relation.TEAM, last_games(15))),
    ),
    Column(
        "strongest_zone",
        STRING,
        "Zone with the lowest defense_vs_league, in the order paint, mid_range, three when equal; NULL when"
        " no zone is known.",
        allowed=ZONES,
        formula=Formula(f"lowest({_EACH_DIFFERENCE})", refs=_DIFFERENCES),
    ),
    Column(
        "weakest_zone",
        STRING,
        "Zone with the highest defense_vs_league, in the order paint, mid_range, three when equal; NULL when"
        " no zone is known.",
        allowed=ZONES,
        formula=Formula(f"highest({_EACH_DIFFERENCE})", refs=_DIFFERENCES),
    ),
)

_SAMPLE_QUALITY = Column(
    "sample_quality",
    STRING,
    "How far the sample can be trusted. Teams, of 15 games: high ≥ 15, medium ≥ 10, low ≥ 5, else"
    " insufficient. Players, of 10 games: excellent ≥ 10, good ≥ 7, limited ≥ 5, else insufficient.",
    nullable=False,
    allowed=tuple(dict.fromkeys((*TEAM_QUALITY.values(), *PLAYER_QUALITY.values()))),
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
        formula=Formula(f"{_ATTEMPTS} if known(paint_attempts) > 0 else NULL", _own(10)),
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
            formula=Formula(
                f"100 * sum({kind}_fg_makes) / (sum(assisted_fg_makes) + sum(unassisted_fg_makes))", _own(10)
            ),
        )
        for kind in ("assisted", "unassisted")
    ),
    Column(
        "primary_scoring_zone",
        STRING,
        "`paint` if its unrounded rate_last_10 ≥ 40, else `perimeter` if three's ≥ 40, else `mid_range` if ≥"
        " 35, else `balanced`; NULL without shots.",
        allowed=PRIMARY_ZONES,
        formula=Formula(
            "NULL if paint_rate_last_10 == NULL else 'paint' if paint_rate_last_10 >= 40"
            " else 'perimeter' if three_rate_last_10 >= 40 else 'mid_range' if mid_range_rate_last_10 >= 35"
            " else 'balanced'",
            refs=unrounded(PLAYER_ZONES, *(f"{zone}_rate_last_10" for zone in ZONES)),
            note="Judged on unrounded rates: 39.996 is printed as 40.00 but is not 40.",
        ),
    ),
)

ZONE_ANALYSIS: tuple[Column, ...] = (
    *_TEAM_DEFENSE,
    *_PLAYER_SHOTS,
    *(games_in_window(n) for n in (5, 10, 15, 20)),
    _SAMPLE_QUALITY,
)
