"""team_defense_zone_analysis and player_shot_zone_analysis against slow references written from their
definitions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.tables.vocabulary import TEAM_IDS, ZONES
from nba_pipeline_tests.transforms.leagues import random_league
from nba_pipeline_tests.transforms.precompute import Past, Row, assert_row, div, phase_4, total


def reference_defense(past: Past, day: date, team: str) -> Row:
    games = past.season(past.defenses, day, 15, team_abbr=team)
    n = len(games)
    row: Row = {"games_in_window_15": n}
    row["sample_quality"] = (
        "high" if n >= 15 else "medium" if n >= 10 else "low" if n >= 5 else "insufficient"
    )
    everyone = [g for code in TEAM_IDS for g in past.season(past.defenses, day, 15, team_abbr=code)]
    with_shots = [g for g in games if g["opp_paint_attempts"] is not None]
    for zone in ZONES:
        pct = div(total(games, f"opp_{zone}_makes"), total(games, f"opp_{zone}_attempts"))
        league = div(total(everyone, f"opp_{zone}_makes"), total(everyone, f"opp_{zone}_attempts"))
        row[f"{zone}_pct_allowed_last_15"] = pct
        row[f"{zone}_attempts_allowed_per_game"] = div(total(games, f"opp_{zone}_attempts"), len(with_shots))
        row[f"{zone}_blocks_per_game"] = div(total(games, f"blocks_{zone}"), len(with_shots))
        row[f"{zone}_defense_vs_league"] = None if pct is None or league is None else 100 * (pct - league)
    row["defensive_rating_last_15"] = div(100 * total(games, "points_allowed"), total(games, "possessions"))
    row["opponent_points_per_game_last_15"] = div(total(games, "points_allowed"), n)
    played = past.season(past.teams, day, 15, team_abbr=team)
    row["opponent_pace_last_15"] = div(48 * total(played, "possessions"), total(played, "team_minutes") / 5)
    if n < 5:
        row = {k: v if k in ("games_in_window_15", "sample_quality") else None for k, v in row.items()}
    known = [
        (row[f"{zone}_defense_vs_league"], zone)
        for zone in ZONES
        if row[f"{zone}_defense_vs_league"] is not None
    ]
    row["strongest_zone"] = min(known, key=lambda k: k[0])[1] if known else None
    row["weakest_zone"] = max(known, key=lambda k: k[0])[1] if known else None
    return row


def reference_zones(past: Past, day: date, player: int) -> Row:
    row: Row = {}
    for n in (10, 20):
        games = past.season(past.players, day, n, player_id=player)
        row[f"games_in_window_{n}"] = len(games)
        shots = sum(total(games, f"{zone}_attempts") for zone in ZONES)
        for zone in ZONES:
            row[f"{zone}_rate_last_{n}"] = div(100 * total(games, f"{zone}_attempts"), shots)
    games = past.season(past.players, day, 10, player_id=player)
    with_shots = [g for g in games if g["paint_attempts"] is not None]
    row["shot_attempts_last_10"] = (
        int(sum(total(games, f"{zone}_attempts") for zone in ZONES)) if with_shots else None
    )
    for zone in ZONES:
        row[f"{zone}_pct_last_10"] = div(total(games, f"{zone}_makes"), total(games, f"{zone}_attempts"))
        row[f"{zone}_attempts_per_game_last_10"] = div(total(games, f"{zone}_attempts"), len(with_shots))
    makes = total(with_shots, "fg_makes")
    row["assisted_rate_last_10"] = div(100 * total(games, "assisted_fg_makes"), makes)
    row["unassisted_rate_last_10"] = div(100 * total(games, "unassisted_fg_makes"), makes)
    paint, middle, three = (row[f"{zone}_rate_last_10"] for zone in ZONES)
    if paint is None:
        row["primary_scoring_zone"] = None
    else:
        row["primary_scoring_zone"] = (
            "paint"
            if paint >= 40
            else "perimeter"
            if three >= 40
            else "mid_range"
            if middle >= 35
            else "balanced"
        )
    n = len(games)
    row["sample_quality"] = (
        "excellent" if n >= 10 else "good" if n >= 7 else "limited" if n >= 5 else "insufficient"
    )
    return row


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([14, 30]))
def test_tables_equal_their_definitions(seed: int, game_days: int) -> None:
    league = random_league(seed, game_days=game_days)
    tables, past = phase_4(league), Past(league)
    defense = tables["team_defense_zone_analysis"].astype(object)
    played = league.games["game_type"].isin(["regular", "playoffs"]) & league.games["status"].isin(
        ["scheduled", "final"]
    )
    busy = {d.date() for d in league.games.loc[played, "game_date"]} & set(league.days)
    found = [(d.date(), team) for d, team in zip(defense["game_date"], defense["team_abbr"], strict=True)]
    assert sorted(found) == sorted((d, team) for d in busy for team in TEAM_IDS)
    for got in defense[defense["team_abbr"].isin([*list(TEAM_IDS)[:4], "WAS"])].to_dict("records"):
        assert_row(got, reference_defense(past, got["game_date"].date(), got["team_abbr"]))
    for got in tables["player_shot_zone_analysis"].astype(object).to_dict("records"):
        assert_row(got, reference_zones(past, got["game_date"].date(), got["player_id"]))


def test_a_team_without_games_is_insufficient_and_unknown() -> None:
    league = random_league(5)
    defense = phase_4(league)["team_defense_zone_analysis"]
    idle = defense[defense["team_abbr"] == "WAS"]
    assert set(idle["sample_quality"]) == {"insufficient"}
    assert (
        idle.drop(columns=["game_date", "team_abbr", "games_in_window_15", "sample_quality", "history_gaps"])
        .isna()
        .all(axis=None)
    )


@pytest.mark.parametrize("n", [10, 20])
def test_the_three_rates_sum_to_100(n: int) -> None:
    zones = phase_4(random_league(5, game_days=30))["player_shot_zone_analysis"]
    sums = zones[[f"{zone}_rate_last_{n}" for zone in ZONES]].sum(axis=1, skipna=False).dropna()
    assert len(sums) > 50
    assert sums.to_numpy() == pytest.approx(100.0)
