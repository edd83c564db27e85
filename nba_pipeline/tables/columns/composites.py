"""Columns of player_composite_factors: fatigue, shot-zone matchup, pace and usage spike of a slate player,
and what was unknown.

Belongs here: those scores, with every constant in the formula that uses it. Does not belong here: shot mix
and team defense themselves (``zones.py``), rest and load (``context.py``).
"""

from __future__ import annotations

from nba_pipeline.tables.formula import AsStored, Formula, Ref, Relation, unrounded
from nba_pipeline.tables.names import CACHE, COMPOSITES, CONTEXT, PLAYER_ZONES, TEAM_ZONES
from nba_pipeline.tables.spec import INT64, STRING, Column, numeric

_ZONE_OF_PRIMARY = (
    ("paint", "paint"),
    ("perimeter", "three"),
    ("mid_range", "mid_range"),
    ("balanced", "paint"),
)
"""primary_scoring_zone -> the zone whose defense it meets."""
_BY_PRIMARY = (PLAYER_ZONES, "primary_scoring_zone", _ZONE_OF_PRIMARY)
_MEETING = {
    "player_zone_rate": Ref(PLAYER_ZONES, "{}_rate_last_10", Relation.PLAYER, chosen_by=_BY_PRIMARY),
    "opponent_zone_defense": Ref(
        TEAM_ZONES, "{}_defense_vs_league", Relation.OPPONENT, chosen_by=_BY_PRIMARY
    ),
}
_LOAD = ("days_rest", "games_in_last_7_days", "minutes_in_last_7_days", "back_to_backs_in_last_14_days")
_USAGE = ("usage_rate_last_3", "usage_rate_last_10")
_SCORES = ("shot_zone_mismatch_score", "pace_score", "usage_spike_score")
INPUTS = (*_LOAD, "primary_scoring_zone", "opponent_zone_defense", "pace_differential", *_USAGE)
"""What missing_inputs and data_completeness_pct speak of."""
_REFS = {
    **{
        name: Ref(CONTEXT, name, Relation.PLAYER) for name in (*_LOAD, "is_back_to_back", "pace_differential")
    },
    "primary_scoring_zone": Ref(PLAYER_ZONES, "primary_scoring_zone", Relation.PLAYER),
    "opponent_zone_defense": _MEETING["opponent_zone_defense"],
    **{name: Ref(CACHE, name, Relation.PLAYER, unrounded=True) for name in _USAGE},
}


def _refs(*names: str) -> dict[str, Ref]:
    return {name: _REFS[name] for name in names}


COMPOSITE_FACTORS: tuple[Column, ...] = (
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
        formula=Formula(
            "clamp(100 + (-15 if is_back_to_back else 5 if days_rest >= 3 else 0)"
            " + (-10 if games_in_last_7_days >= 4 else 0) + (-10 if minutes_in_last_7_days > 140 else 0)"
            " + (-8 if minutes_in_last_7_days > 35 * games_in_last_7_days else 0)"
            " + (-12 if back_to_backs_in_last_14_days >= 2"
            " else -5 if back_to_backs_in_last_14_days >= 1 else 0), 0, 100)",
            refs=_refs("is_back_to_back", *_LOAD),
            note=(
                "The average of the week's games is judged on their sum: 35.004 minutes are stored as 35.00,"
                " but four games of them as 140.02."
            ),
        ),
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
        formula=Formula(
            "clamp(opponent_zone_defense * min(player_zone_rate / 50, 1)"
            " * (1.2 if abs(opponent_zone_defense) > 5 else 1), -10, 10)",
            refs=_MEETING,
        ),
    ),
    Column(
        "pace_score",
        numeric(3, 1),
        "pace_differential clamped to ±3.",
        unit="points",
        minimum=-3,
        maximum=3,
        formula=Formula("clamp(pace_differential, -3, 3)", refs=_refs("pace_differential")),
    ),
    Column(
        "usage_spike_score",
        numeric(3, 1),
        "0.3 · (usage_rate_last_3 − usage_rate_last_10), clamped to ±3.",
        unit="points",
        minimum=-3,
        maximum=3,
        formula=Formula("clamp(0.3 * (usage_rate_last_3 - usage_rate_last_10), -3, 3)", refs=_refs(*_USAGE)),
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
        formula=Formula(
            f"(fatigue_score - 100) / 20 + ({' + '.join(f'or_zero({name})' for name in _SCORES)})",
            refs=unrounded(COMPOSITES, *_SCORES),
        ),
    ),
    Column(
        "missing_inputs",
        STRING,
        "Inputs that were unknown, comma-separated in declared order; the empty text when all were known. The"
        " average minutes of the last 7 days is derived from two other inputs, so no games in 7 days is not a"
        " missing input.",
        nullable=False,
        formula=Formula(f"missing({', '.join(INPUTS)})", refs=_refs(*INPUTS)),
    ),
    Column(
        "data_completeness_pct",
        numeric(5, 2),
        "100 · known inputs / all inputs.",
        unit="percent",
        nullable=False,
        minimum=0,
        maximum=100,
        formula=Formula(f"100 * ({len(INPUTS)} - listed(missing_inputs)) / {len(INPUTS)}"),
    ),
    Column(
        "calculation_version",
        STRING,
        "Version of the factors' constants and formulas; changes whenever one of them does.",
        nullable=False,
        pattern=r"c[0-9a-f]{10}",
        formula=AsStored(
            "a digest of the formulas of the factors and of what they rest on, written by the run"
        ),
    ),
)
