"""player_composite_factors, player_daily_cache and ml_feature_store against slow references written from
their definitions."""

from __future__ import annotations

import statistics
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.formulas.arrays import evaluate
from nba_pipeline.tables.columns.features import FEATURE_NAMES, PLAYER_HISTORY_FEATURES
from nba_pipeline.tables.formula import Formula
from nba_pipeline.tables.precompute import PLAYER_COMPOSITE_FACTORS, SCHEDULE_LOAD, SHOT_MIX
from nba_pipeline_tests.transforms.leagues import random_league
from nba_pipeline_tests.transforms.precompute import Past, Row, assert_row, div, phase_4, total

INPUTS = [
    "days_rest",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "back_to_backs_in_last_14_days",
    "primary_scoring_zone",
    "opponent_zone_defense",
    "pace_differential",
    "usage_rate_last_3",
    "usage_rate_last_10",
]


def usage(past: Past, games: list[Row]) -> float | None:
    teams = [past.team_of(g) for g in games]
    floor = total(games, "seconds_played") / 60 * total(teams, "plays_used")
    return div(100 * total(games, "plays_used") * total(teams, "team_minutes") / 5, floor)


def reference_factors(past: Past, day: date, slate: Row, zones: Row, defense: Row) -> Row:
    player = slate["player_id"]
    recent, usual = (usage(past, past.season(past.players, day, n, player_id=player)) for n in (3, 10))
    primary = zones["primary_scoring_zone"]
    zone = {"paint": "paint", "perimeter": "three", "mid_range": "mid_range", "balanced": "paint"}.get(
        primary
    )
    difference = defense[f"{zone}_defense_vs_league"] if zone else None
    mismatch = None
    if zone and difference is not None:
        mismatch = (
            difference * min(zones[f"{zone}_rate_last_10"] / 50, 1) * (1.2 if abs(difference) > 5 else 1)
        )
        mismatch = max(-10.0, min(10.0, mismatch))
    pace = None if slate["pace_differential"] is None else max(-3.0, min(3.0, slate["pace_differential"]))
    spike = None if recent is None or usual is None else max(-3.0, min(3.0, 0.3 * (recent - usual)))
    fatigue = reference_fatigue(slate)
    inputs = [*(slate[n] for n in INPUTS[:4]), primary, difference, slate["pace_differential"], recent, usual]
    return {
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": mismatch,
        "pace_score": pace,
        "usage_spike_score": spike,
        "total_composite_adjustment": (
            (fatigue - 100) / 20 + sum(s for s in (mismatch, pace, spike) if s is not None)
        ),
        "missing_inputs": ",".join(n for n, v in zip(INPUTS, inputs, strict=True) if v is None),
        "data_completeness_pct": 100 * sum(v is not None for v in inputs) / 9,
    }


def reference_fatigue(slate: Row) -> int:
    score, rest = 100, slate["days_rest"]
    if slate["is_back_to_back"]:
        score -= 15
    elif rest is not None and rest >= 3:
        score += 5
    score -= 10 if slate["games_in_last_7_days"] >= 4 else 0
    score -= 10 if slate["minutes_in_last_7_days"] > 140 else 0
    average = slate["avg_minutes_last_7_days"]
    score -= 8 if average is not None and average > 35 else 0
    backs = slate["back_to_backs_in_last_14_days"]
    score -= 12 if backs >= 2 else 5 if backs == 1 else 0
    return max(0, min(100, score))


def reference_cache(past: Past, day: date, slate: Row, zones: Row) -> Row:
    mine = past.season(past.players, day, player_id=slate["player_id"])
    team, ten = past.season(past.teams, day, team_abbr=slate["team_abbr"]), mine[-10:]
    points, seconds = [g["points"] for g in ten], [g["seconds_played"] for g in ten]
    row: Row = {
        "games_played_season": len(mine),
        "games_in_window_5": len(mine[-5:]),
        "games_in_window_10": len(ten),
    }
    for name, games in (("last_3", mine[-3:]), ("last_5", mine[-5:]), ("last_10", ten), ("season", mine)):
        row[f"points_avg_{name}"] = div(total(games, "points"), len(games))
        if name != "last_3":
            row[f"minutes_avg_{name}"] = div(total(games, "seconds_played") / 60, len(games))
        if name != "last_5":
            row[f"usage_rate_{name}"] = usage(past, games)
        if name in ("last_10", "season"):
            row[f"ts_pct_{name}"] = div(
                total(games, "points"), 2 * (total(games, "fg_attempts") + 0.44 * total(games, "ft_attempts"))
            )
    row["points_std_last_10"] = float(statistics.stdev(points)) if len(ten) > 1 else None
    row["minutes_std_last_10"] = statistics.stdev(seconds) / 60 if len(ten) > 1 else None
    row["points_slope_last_10"] = float(np.polyfit(range(len(ten)), points, 1)[0]) if len(ten) >= 4 else None
    weights = [0.5 ** (k / 8) for k in range(len(mine))][::-1]
    for name, column, unit in (("points", "points", 1), ("minutes", "seconds_played", 60)):
        row[f"{name}_ewma"] = div(
            sum(w * g[column] / unit for w, g in zip(weights, mine, strict=True)), sum(weights)
        )
    row["points_per_minute_last_10"] = div(sum(points), sum(seconds) / 60)
    row |= {f"{n}_avg_last_10": div(total(ten, n), len(ten)) for n in ("rebounds", "assists")}
    row["free_throw_points_share_last_10"] = div(total(ten, "ft_makes"), sum(points))
    starts = [g["is_starter"] for g in ten if g["is_starter"] is not None]
    row["start_rate_last_10"] = div(sum(starts), len(starts))
    row["team_offensive_rating_last_10"] = div(
        100 * total(team[-10:], "points"), total(team[-10:], "possessions")
    )
    row["team_win_pct_season"] = div(total(team, "win_flag"), len(team))
    row["days_since_last_game"] = (
        day - past.ever(past.players, day, player_id=slate["player_id"])[-1]["game_date"].date()
    ).days
    row["is_early_season"] = len(mine) < 10
    return (
        row | {n: slate[n] for n in (*SCHEDULE_LOAD, "team_pace_last_10")} | {n: zones[n] for n in SHOT_MIX}
    )


def reference_features(
    past: Past, day: date, slate: Row, cache: Row, zones: Row, factors: Row, defense: Row
) -> Row:
    player = slate["player_id"]
    mine = past.season(past.players, day, player_id=player)
    met = past.ever(past.players, day, player_id=player, opponent_team_abbr=slate["opponent_team_abbr"])
    met = [g for g in met if (day - g["game_date"].date()).days <= 365]
    since = next((k for k, g in enumerate(reversed(mine)) if g["team_abbr"] != slate["team_abbr"]), len(mine))
    rest, theirs = slate["days_rest"], slate["opponent_days_rest"]
    last, before = [g["points"] for g in mine[-2:]], [g["points"] for g in mine[-5:-2]]
    average, season = cache["minutes_avg_last_10"], cache["minutes_avg_season"]
    same = {n: cache[n] for n in FEATURE_NAMES if n in cache} | {
        n: factors[n] for n in FEATURE_NAMES if n in factors
    }
    same |= {n: slate[n] for n in ("games_in_last_7_days", "is_home", "is_back_to_back", "days_rest")}
    return same | {
        "rest_advantage": None if rest is None or theirs is None else max(-2, min(2, rest - theirs)),
        "recent_trend": sum(last) / 2 - sum(before) / 3 if len(mine) >= 5 else None,
        "minutes_change": None if season is None else (average - season) / season,
        "opponent_defensive_rating": defense["defensive_rating_last_15"],
        "opponent_pace": slate["opponent_pace_last_10"],
        "is_playoff": float(slate["game_type"] == "playoffs"),
        **{f"{zone}_rate": zones[f"{zone}_rate_last_10"] for zone in ("paint", "mid_range", "three")},
        "free_throw_points_share": cache["free_throw_points_share_last_10"],
        "team_pace": slate["team_pace_last_10"],
        "team_offensive_rating": cache["team_offensive_rating_last_10"],
        "team_win_pct": cache["team_win_pct_season"],
        "points_vs_opponent_avg": div(total(met, "points"), len(met)),
        "games_vs_opponent": float(len(met)),
        "games_since_team_change": float(since),
    }


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([14, 30]))
def test_tables_equal_their_definitions(seed: int, game_days: int) -> None:
    league = random_league(seed, game_days=game_days)
    tables, past = phase_4(league), Past(league)
    rows = {n: f.astype(object).where(f.notna(), None).to_dict("records") for n, f in tables.items()}
    defenses = {(r["game_date"], r["team_abbr"]): r for r in rows.pop("team_defense_zone_analysis")}
    names = (
        "upcoming_player_game_context player_shot_zone_analysis player_composite_factors player_daily_cache"
        " ml_feature_store"
    )
    for slate, zones, factors, cache, features in zip(*(rows[n] for n in names.split()), strict=True):
        assert len({(r["game_date"], r["player_id"]) for r in (slate, zones, factors, cache, features)}) == 1
        day, defense = slate["game_date"].date(), defenses[slate["game_date"], slate["opponent_team_abbr"]]
        assert_row(factors, reference_factors(past, day, slate, zones, defense))
        assert_row(cache, reference_cache(past, day, slate, zones))
        want = reference_features(past, day, slate, cache, zones, factors, defense)
        assert sorted(want) == sorted(FEATURE_NAMES)
        assert_row(features, want | reference_quality(features))


def reference_quality(features: Row) -> Row:
    missing = [n for n in FEATURE_NAMES if features[n] is None]
    own = all(features[n] is not None for n in PLAYER_HISTORY_FEATURES)
    return {
        "known_feature_count": 39 - len(missing),
        "missing_features": ",".join(missing),
        "feature_quality_score": 100 * (39 - len(missing)) / 39,
        "is_training_ready": features["games_played_season"] >= 5 and own,
    }


def factor(column: str, **values: object) -> np.ndarray:
    """A factor's formula on these values, one each."""
    formula = PLAYER_COMPOSITE_FACTORS.column(column).formula
    assert isinstance(formula, Formula)
    given = {name: np.atleast_1d(np.asarray(value, dtype="float64")) for name, value in values.items()}
    return evaluate(formula.text, given)


def load(**changes: object) -> dict[str, object]:
    rested = {
        "days_rest": 2,
        "is_back_to_back": False,
        "games_in_last_7_days": 2,
        "minutes_in_last_7_days": 60.0,
    }
    rested |= {"back_to_backs_in_last_14_days": 0}
    return {**rested, **changes}


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 100),
        ({"days_rest": 1, "is_back_to_back": True}, 85),
        ({"days_rest": 3}, 100),
        ({"days_rest": 3, "games_in_last_7_days": 4}, 95),
        ({"games_in_last_7_days": 4}, 90),
        ({"games_in_last_7_days": 4, "minutes_in_last_7_days": 140.0}, 90),
        ({"games_in_last_7_days": 5, "minutes_in_last_7_days": 140.01}, 80),
        ({"games_in_last_7_days": 3, "minutes_in_last_7_days": 105.0}, 100),
        ({"games_in_last_7_days": 3, "minutes_in_last_7_days": 105.02}, 92),
        ({"games_in_last_7_days": 4, "minutes_in_last_7_days": 140.02}, 72),
        ({"back_to_backs_in_last_14_days": 1}, 95),
        ({"back_to_backs_in_last_14_days": 3}, 88),
        ({"days_rest": None, "games_in_last_7_days": 0, "minutes_in_last_7_days": 0.0}, 100),
    ],
)
def test_fatigue_at_its_edges(changes: dict[str, object], score: int) -> None:
    assert factor("fatigue_score", **load(**changes)).tolist() == [score]


def test_mismatch_at_its_edges() -> None:
    rate = np.array([50.0, 25.0, 80.0, 50.0, 50.0, 50.0, np.nan])
    difference = np.array([5.0, 4.0, -4.0, 6.0, -20.0, np.nan, 3.0])
    scores = factor("shot_zone_mismatch_score", player_zone_rate=rate, opponent_zone_defense=difference)
    np.testing.assert_allclose(scores, [5.0, 2.0, -4.0, 7.2, -10.0, np.nan, np.nan])
