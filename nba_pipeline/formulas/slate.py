"""How the columns of the slate and of phase 4 come about: windows, factors, features; see ``formulas.py``."""

from __future__ import annotations

from collections.abc import Mapping

from nba_pipeline.formulas.declarations import AsStored, Formula, How, Past, Ref, Relation, taken, unrounded
from nba_pipeline.formulas.games import DEFENSE, IDENTITY, OFFENSE, PLAYERS
from nba_pipeline.formulas.windows import (
    Window,
    head_to_head,
    last_appearance,
    last_days,
    last_games,
    season_to_date,
)
from nba_pipeline.tables.precompute import FEATURE_NAMES, SCHEDULE_LOAD, SHOT_MIX
from nba_pipeline.tables.vocabulary import ZONES
from nba_pipeline.transforms import player_shot_zone_analysis, team_defense_zone_analysis
from nba_pipeline.transforms.ml_feature_store import (
    PLAYER_HISTORY_FEATURES,
    REST_LIMIT_DAYS,
    TAKEN_OVER,
    TRAINING_LEAST_GAMES,
    TREND_GAMES,
)
from nba_pipeline.transforms.player_composite_factors import FACTORS, INPUTS, ZONE_OF_PRIMARY
from nba_pipeline.transforms.player_daily_cache import (
    EARLY_SEASON_GAMES,
    FURTHEST_LAST_GAME_DAYS,
    HALF_LIFE_GAMES,
    SLOPE_LEAST_GAMES,
)

CONTEXT = "nba_analytics.upcoming_player_game_context"
TEAM_ZONES, PLAYER_ZONES = (
    "nba_precompute.team_defense_zone_analysis",
    "nba_precompute.player_shot_zone_analysis",
)
COMPOSITES, CACHE = "nba_precompute.player_composite_factors", "nba_precompute.player_daily_cache"
FEATURES = "nba_precompute.ml_feature_store"

_BY_NAME = {f"last_{n}": last_games(n) for n in (3, 5, 10, 20)} | {"season": season_to_date()}


def _own(window: Window, *, with_team: bool = False) -> Past:
    return Past(PLAYERS, Relation.PLAYER, window, with_team)


def _teams(window: Window, whose: Relation = Relation.TEAM) -> Past:
    return Past(OFFENSE, whose, window)


def _graded(column: str, grades: tuple[tuple[int, str], ...]) -> Formula:
    """``'high' if n >= 15 else 'medium' if ...`` of a table of least numbers."""
    steps = " else ".join(f"'{name}' if {column} >= {least}" for least, name in grades[:-1])
    return Formula(f"{steps} else '{grades[-1][1]}'")


_PACE = "48 * sum(possessions) / (sum(team_minutes) / 5)"
_CONTEXT: Mapping[str, How] = {
    **IDENTITY,
    "team_games_played_season": Formula("count()", _teams(season_to_date())),
    "is_season_opener_population": Formula("team_games_played_season == 0"),
    "player_games_played_season": Formula("count()", _own(season_to_date())),
    "days_rest": Formula("day - latest(game_date)", _own(season_to_date())),
    "is_back_to_back": Formula("days_rest == 1"),
    "team_days_rest": Formula("day - latest(game_date)", _teams(last_games(10))),
    "opponent_days_rest": Formula("day - latest(game_date)", _teams(last_games(10), Relation.OPPONENT)),
    **{f"games_in_last_{n}_days": Formula("count()", _own(last_days(n))) for n in (7, 14)},
    **{f"minutes_in_last_{n}_days": Formula("sum(seconds_played) / 60", _own(last_days(n))) for n in (7, 14)},
    "avg_minutes_last_7_days": Formula("sum(seconds_played) / 60 / count()", _own(last_days(7))),
    "back_to_backs_in_last_14_days": Formula(
        "back_to_backs(game_date)", _own(last_days(15))
    ),  # the earlier game may be on D−15
    "team_pace_last_10": Formula(_PACE, _teams(last_games(10))),
    "opponent_pace_last_10": Formula(_PACE, _teams(last_games(10), Relation.OPPONENT)),
    "pace_differential": Formula(
        "(opponent_pace_last_10 - team_pace_last_10) / 2",
        refs=unrounded(CONTEXT, "opponent_pace_last_10", "team_pace_last_10"),
    ),
}

_LEAST = next(least for least, name in team_defense_zone_analysis.QUALITY if name == "low")
_ALLOWED = Past(DEFENSE, Relation.TEAM, team_defense_zone_analysis.WINDOW)


def _known(text: str, past: Past = _ALLOWED) -> Formula:
    return Formula(f"{text} if count() >= {_LEAST} else NULL", past)


def _allowed(zone: str) -> dict[str, How]:
    makes, attempts = f"opp_{zone}_makes", f"opp_{zone}_attempts"
    return {
        f"{zone}_pct_allowed_last_15": _known(f"sum({makes}) / sum({attempts})"),
        f"{zone}_attempts_allowed_per_game": _known(f"mean({attempts})"),
        f"{zone}_blocks_per_game": _known(f"mean(blocks_{zone})"),
        f"{zone}_defense_vs_league": _known(
            f"100 * (sum({makes}) / sum({attempts}) - league_sum({makes}) / league_sum({attempts}))"
        ),
    }


_DIFFERENCES = unrounded(TEAM_ZONES, *(f"{zone}_defense_vs_league" for zone in ZONES))
_EACH_DIFFERENCE = ", ".join(f"{zone}={zone}_defense_vs_league" for zone in ZONES)
_TEAM_ZONES: Mapping[str, How] = {
    **{name: IDENTITY[name] for name in ("game_date", "team_abbr")},
    **{name: how for zone in ZONES for name, how in _allowed(zone).items()},
    "defensive_rating_last_15": _known("100 * sum(points_allowed) / sum(possessions)"),
    "opponent_points_per_game_last_15": _known("mean(points_allowed)"),
    "opponent_pace_last_15": _known(_PACE, _teams(team_defense_zone_analysis.WINDOW)),
    "games_in_window_15": Formula("count()", _ALLOWED),
    "strongest_zone": Formula(f"lowest({_EACH_DIFFERENCE})", refs=_DIFFERENCES),
    "weakest_zone": Formula(f"highest({_EACH_DIFFERENCE})", refs=_DIFFERENCES),
    "sample_quality": _graded("games_in_window_15", team_defense_zone_analysis.QUALITY),
}

_ATTEMPTS = " + ".join(f"sum({zone}_attempts)" for zone in ZONES)
_MAKES = "(sum(assisted_fg_makes) + sum(unassisted_fg_makes))"
_PRIMARY = " else ".join(
    f"'{name}' if {zone}_rate_last_10 >= {least:g}"
    for zone, name, least in player_shot_zone_analysis.PRIMARY_ZONE
)


def _shots_from(zone: str) -> dict[str, How]:
    return {
        **{
            f"{zone}_rate_last_{n}": Formula(
                f"100 * sum({zone}_attempts) / ({_ATTEMPTS})", _own(last_games(n))
            )
            for n in (10, 20)
        },
        f"{zone}_pct_last_10": Formula(f"sum({zone}_makes) / sum({zone}_attempts)", _own(last_games(10))),
        f"{zone}_attempts_per_game_last_10": Formula(f"mean({zone}_attempts)", _own(last_games(10))),
    }


_PLAYER_ZONES: Mapping[str, How] = {
    **IDENTITY,
    **{name: how for zone in ZONES for name, how in _shots_from(zone).items()},
    "shot_attempts_last_10": Formula(
        f"{_ATTEMPTS} if known(paint_attempts) > 0 else NULL", _own(last_games(10))
    ),
    **{
        f"{kind}_rate_last_10": Formula(f"100 * sum({kind}_fg_makes) / {_MAKES}", _own(last_games(10)))
        for kind in ("assisted", "unassisted")
    },
    "primary_scoring_zone": Formula(
        f"NULL if paint_rate_last_10 == NULL else {_PRIMARY} else 'balanced'",
        refs=unrounded(PLAYER_ZONES, *(f"{zone}_rate_last_10" for zone in ZONES)),
    ),
    **{f"games_in_window_{n}": Formula("count()", _own(last_games(n))) for n in (10, 20)},
    "sample_quality": _graded("games_in_window_10", player_shot_zone_analysis.QUALITY),
}


def _usage(window: str) -> Formula:
    return Formula(
        "100 * sum(usage_plays) * (sum(team_minutes) / 5) / (sum(usage_seconds) / 60 * sum(team_plays_used))",
        _own(_BY_NAME[window], with_team=True),
    )


def _shooting(window: str) -> Formula:
    return Formula("sum(points) / (2 * (sum(fg_attempts) + 0.44 * sum(ft_attempts)))", _own(_BY_NAME[window]))


_TEN = _own(last_games(10))
_CACHE: Mapping[str, How] = {
    **IDENTITY,
    "games_played_season": Formula("count()", _own(season_to_date())),
    **{
        f"points_avg_{w}": Formula("mean(points)", _own(_BY_NAME[w]))
        for w in ("last_3", "last_5", "last_10", "season")
    },
    "points_std_last_10": Formula("std(points)", _TEN),
    "points_ewma": Formula(f"ewma(points, {HALF_LIFE_GAMES:g})", _own(season_to_date())),
    "points_slope_last_10": Formula(f"slope(points) if count() >= {SLOPE_LEAST_GAMES} else NULL", _TEN),
    **{
        f"minutes_avg_{w}": Formula("mean(seconds_played) / 60", _own(_BY_NAME[w]))
        for w in ("last_5", "last_10", "season")
    },
    "minutes_std_last_10": Formula("std(seconds_played) / 60", _TEN),
    "minutes_ewma": Formula(f"ewma(seconds_played, {HALF_LIFE_GAMES:g}) / 60", _own(season_to_date())),
    "points_per_minute_last_10": Formula("sum(points) / (sum(seconds_played) / 60)", _TEN),
    "rebounds_avg_last_10": Formula("mean(rebounds)", _TEN),
    "assists_avg_last_10": Formula("mean(assists)", _TEN),
    **{f"usage_rate_{w}": _usage(w) for w in ("last_3", "last_10", "season")},
    **{f"ts_pct_{w}": _shooting(w) for w in ("last_10", "season")},
    "free_throw_points_share_last_10": Formula("sum(ft_makes) / sum(points)", _TEN),
    "start_rate_last_10": Formula("mean(is_starter)", _TEN),
    "team_offensive_rating_last_10": Formula("100 * sum(points) / sum(possessions)", _teams(last_games(10))),
    "team_win_pct_season": Formula("mean(win_flag)", _teams(season_to_date())),
    **{name: taken(CONTEXT, name, Relation.PLAYER) for name in (*SCHEDULE_LOAD, "team_pace_last_10")},
    **{name: taken(PLAYER_ZONES, name, Relation.PLAYER) for name in SHOT_MIX},
    **{f"games_in_window_{n}": Formula("count()", _own(last_games(n))) for n in (5, 10)},
    "days_since_last_game": Formula(
        "day - latest(game_date)", _own(last_appearance(FURTHEST_LAST_GAME_DAYS))
    ),
    "is_early_season": Formula(f"games_played_season < {EARLY_SEASON_GAMES}"),
}

_F = FACTORS
_LOAD = (
    "days_rest",
    "is_back_to_back",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "back_to_backs_in_last_14_days",
)
_BY_PRIMARY = (PLAYER_ZONES, "primary_scoring_zone", tuple(ZONE_OF_PRIMARY.items()))
_MEETING = {
    "player_zone_rate": Ref(PLAYER_ZONES, "{}_rate_last_10", Relation.PLAYER, chosen_by=_BY_PRIMARY),
    "opponent_zone_defense": Ref(
        TEAM_ZONES, "{}_defense_vs_league", Relation.OPPONENT, chosen_by=_BY_PRIMARY
    ),
}
_RECENT_USAGE = {
    name: Ref(CACHE, name, Relation.PLAYER, unrounded=True)
    for name in ("usage_rate_last_3", "usage_rate_last_10")
}
_ALL_INPUTS = {
    **{name: Ref(CONTEXT, name, Relation.PLAYER) for name in (*_LOAD, "pace_differential")},
    "primary_scoring_zone": Ref(PLAYER_ZONES, "primary_scoring_zone", Relation.PLAYER),
    "opponent_zone_defense": _MEETING["opponent_zone_defense"],
    **_RECENT_USAGE,
}
_SCORES = ("shot_zone_mismatch_score", "pace_score", "usage_spike_score")
_COMPOSITES: Mapping[str, How] = {
    **IDENTITY,
    "fatigue_score": Formula(
        f"clamp({_F.rested:g} + ({_F.back_to_back:g} if is_back_to_back else {_F.long_rest:g} if days_rest >="
        f" {_F.long_rest_days:g} else 0) + ({_F.many_games:g} if games_in_last_7_days >="
        f" {_F.many_games_in_7_days:g} else 0) + ({_F.many_minutes:g} if minutes_in_last_7_days >"
        f" {_F.many_minutes_in_7_days:g} else 0) + ({_F.heavy_games:g} if minutes_in_last_7_days >"
        f" {_F.heavy_average_minutes:g} * games_in_last_7_days else 0) + ({_F.two_back_to_backs:g} if"
        f" back_to_backs_in_last_14_days >= 2 else {_F.one_back_to_back:g} if back_to_backs_in_last_14_days"
        f" >= 1 else 0), 0, {_F.rested:g})",
        refs={name: _ALL_INPUTS[name] for name in _LOAD},
    ),
    "shot_zone_mismatch_score": Formula(
        f"clamp(opponent_zone_defense * min(player_zone_rate / {_F.full_weight_rate:g}, 1) "
        f"* ({_F.extreme_factor:g} if abs(opponent_zone_defense) > {_F.extreme_difference:g} else 1), "
        f"-{_F.mismatch_limit:g}, {_F.mismatch_limit:g})",
        refs=_MEETING,
    ),
    "pace_score": Formula(
        f"clamp(pace_differential, -{_F.pace_limit:g}, {_F.pace_limit:g})",
        refs={"pace_differential": _ALL_INPUTS["pace_differential"]},
    ),
    "usage_spike_score": Formula(
        f"clamp({_F.usage_factor:g} * (usage_rate_last_3 - usage_rate_last_10), -{_F.usage_limit:g},"
        f" {_F.usage_limit:g})",
        refs=_RECENT_USAGE,
    ),
    "total_composite_adjustment": Formula(
        f"(fatigue_score - {_F.rested:g}) / {_F.fatigue_scale:g} + "
        + " + ".join(f"or_zero({name})" for name in _SCORES),
        refs=unrounded(COMPOSITES, *_SCORES),
    ),
    "missing_inputs": Formula(
        f"missing({', '.join(INPUTS)})", refs={name: _ALL_INPUTS[name] for name in INPUTS}
    ),
    "data_completeness_pct": Formula(f"100 * ({len(INPUTS)} - listed(missing_inputs)) / {len(INPUTS)}"),
    "calculation_version": AsStored(
        "a digest of the code of the factors and of the windows behind them, written by the run"
    ),
}

_TABLE_OF = {
    "context": (CONTEXT, Relation.PLAYER),
    "cache": (CACHE, Relation.PLAYER),
    "shot_zones": (PLAYER_ZONES, Relation.PLAYER),
    "composites": (COMPOSITES, Relation.PLAYER),
    "team_defense": (TEAM_ZONES, Relation.OPPONENT),
}
_SLATE = {
    name: Ref(CONTEXT, name, Relation.PLAYER) for name in ("days_rest", "opponent_days_rest", "game_type")
}
_RECENT, _BOTH = TREND_GAMES
_FEATURES: Mapping[str, How] = {
    **IDENTITY,
    **{
        feature: taken(_TABLE_OF[given][0], column, _TABLE_OF[given][1])
        for given, columns in TAKEN_OVER.items()
        for column, feature in columns.items()
    },
    "rest_advantage": Formula(
        f"clamp(days_rest - opponent_days_rest, -{REST_LIMIT_DAYS:g}, {REST_LIMIT_DAYS:g})",
        refs={name: _SLATE[name] for name in ("days_rest", "opponent_days_rest")},
    ),
    "is_playoff": Formula("1 if game_type == 'playoffs' else 0", refs={"game_type": _SLATE["game_type"]}),
    "recent_trend": Formula(
        f"mean(points, last={_RECENT}) - mean(points, all_but={_RECENT}) if count() == {_BOTH} else NULL",
        _own(last_games(_BOTH)),
    ),
    "minutes_change": Formula(
        "(mean(seconds_played, last=10) - mean(seconds_played)) / mean(seconds_played)",
        _own(season_to_date()),
    ),
    "points_vs_opponent_avg": Formula("mean(points)", Past(PLAYERS, Relation.PAIR, head_to_head())),
    "games_vs_opponent": Formula("count()", Past(PLAYERS, Relation.PAIR, head_to_head())),
    "games_since_team_change": Formula("run(team_abbr)", _own(season_to_date())),
    "known_feature_count": Formula(f"{len(FEATURE_NAMES)} - listed(missing_features)"),
    "missing_features": Formula(f"missing({', '.join(FEATURE_NAMES)})"),
    "feature_quality_score": Formula(f"100 * known_feature_count / {len(FEATURE_NAMES)}"),
    "is_training_ready": Formula(
        f"games_played_season >= {TRAINING_LEAST_GAMES} and missing({', '.join(PLAYER_HISTORY_FEATURES)})"
        " == ''"
    ),
    "feature_version": AsStored(
        "names the feature list and a digest of the code behind it, written by the run"
    ),
}

SLATE_HOW: Mapping[str, Mapping[str, How]] = {
    CONTEXT: _CONTEXT,
    TEAM_ZONES: _TEAM_ZONES,
    PLAYER_ZONES: _PLAYER_ZONES,
    COMPOSITES: _COMPOSITES,
    CACHE: _CACHE,
    FEATURES: _FEATURES,
}
