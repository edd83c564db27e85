"""How the columns of the raw and analytics tables of games come about; see ``formulas.py``."""

from __future__ import annotations

from collections.abc import Mapping

from nba_pipeline.formulas.declarations import AsStored, Formula, How, Lines, Ref, Relation, taken
from nba_pipeline.formulas.possessions import OVERTIME_SECONDS, REGULATION_SECONDS
from nba_pipeline.formulas.shooting import RELIABLE_USAGE_SECONDS
from nba_pipeline.formulas.zones import PAINT_MAX_DISTANCE_FT
from nba_pipeline.tables.raw import RAW_TABLES
from nba_pipeline.tables.vocabulary import PAINT_LABELS, ZONES
from nba_pipeline.transforms.common import COUNTS
from nba_pipeline.transforms.team_defense_game_summary import OF_OPPONENT, OF_TEAM

BOXSCORES, SHOTS = "nba_raw.player_boxscores", "nba_raw.shot_attempts"
OFFENSE, DEFENSE = "nba_analytics.team_offense_game_summary", "nba_analytics.team_defense_game_summary"
PLAYERS = "nba_analytics.player_game_summary"

_PUBLISHED = AsStored("as the source publishes it, typed; nothing is computed")
_IDENTITY = AsStored(
    "says which game, team or player the row is about; it comes with the row and is not computed from values"
)
_KEYS = (
    "game_date game_id nba_game_id season_year game_type team_abbr opponent_team_abbr is_home player_id"
    " player_lookup player_full_name"
)
IDENTITY: Mapping[str, How] = dict.fromkeys(_KEYS.split(), _IDENTITY)

_SHOOTING: Mapping[str, How] = {
    "plays_used": Formula("fg_attempts + 0.44 * ft_attempts + turnovers"),
    "rebounds": Formula("offensive_rebounds + defensive_rebounds"),
    "ts_pct": Formula("points / (2 * (fg_attempts + 0.44 * ft_attempts))"),
    "efg_pct": Formula("(fg_makes + 0.5 * three_pt_makes) / fg_attempts"),
}


def _by_zone(whose: Relation) -> dict[str, How]:
    """Makes and attempts by zone, counted over published shots."""
    shots = Lines(SHOTS, whose, null_without=True)
    makes = {f"{zone}_makes": Formula(f"count(zone == '{zone}' and is_made)", shots) for zone in ZONES}
    return {**makes, **{f"{zone}_attempts": Formula(f"count(zone == '{zone}')", shots) for zone in ZONES}}


def _blocks(whose: Relation) -> dict[str, How]:
    shots = Lines(SHOTS, whose, null_without=True)
    return {
        f"blocks_{zone}": Formula(f"count(zone == '{zone}' and block_player_id != NULL)", shots)
        for zone in ZONES
    }


def _opponents(*columns: str) -> dict[str, Ref]:
    return {f"opponent_{name}": Ref(OFFENSE, name, Relation.OPPONENT) for name in columns}


_LINES_OF_TEAM, _SHOTS_OF_TEAM = (
    Lines(BOXSCORES, Relation.TEAM),
    Lines(SHOTS, Relation.TEAM, null_without=True),
)
_SHOTS_OF_PLAYER = Lines(SHOTS, Relation.PLAYER, null_without=True)

_OFFENSE: Mapping[str, How] = {
    **IDENTITY,
    **{name: Formula(f"sum({name})", _LINES_OF_TEAM) for name in COUNTS},
    **_by_zone(Relation.TEAM),
    **_SHOOTING,
    "player_seconds": Formula("sum(seconds_played)", _LINES_OF_TEAM),
    "overtime_periods": Formula(
        f"max(round((player_seconds - {REGULATION_SECONDS}) / {OVERTIME_SECONDS}), 0)"
    ),
    "team_minutes": Formula("240 + 25 * overtime_periods"),
    "possessions": Formula(
        "(fg_attempts + 0.44 * ft_attempts - offensive_rebounds + turnovers + opponent_fg_attempts "
        "+ 0.44 * opponent_ft_attempts - opponent_offensive_rebounds + opponent_turnovers) / 2",
        refs=_opponents("fg_attempts", "ft_attempts", "offensive_rebounds", "turnovers"),
    ),
    "pace": Formula("48 * possessions / (team_minutes / 5)"),
    "offensive_rating": Formula("100 * points / possessions"),
    "turnover_pct": Formula("turnovers / (fg_attempts + 0.44 * ft_attempts + turnovers)"),
    "offensive_rebound_pct": Formula(
        "offensive_rebounds / (offensive_rebounds + opponent_defensive_rebounds)",
        refs=_opponents("defensive_rebounds"),
    ),
    "ft_rate": Formula("ft_makes / fg_attempts"),
    "margin_of_victory": Formula("points - opponent_points", refs=_opponents("points")),
    "win_flag": Formula("margin_of_victory > 0"),
    "shot_data_complete": Formula("count() == fg_attempts", _SHOTS_OF_TEAM),
}

_DEFENSE: Mapping[str, How] = {
    **IDENTITY,
    **{name: taken(OFFENSE, theirs, Relation.OPPONENT) for theirs, name in OF_OPPONENT.items()},
    **{name: taken(OFFENSE, name, Relation.TEAM) for name in OF_TEAM},
    **_blocks(Relation.OPPONENT),
    "defensive_rating": Formula("100 * points_allowed / possessions"),
}

_PLAYERS: Mapping[str, How] = {
    **IDENTITY,
    **{
        name: taken(BOXSCORES, name, Relation.PLAYER)
        for name in (*COUNTS, "is_starter", "plus_minus", "seconds_played")
    },
    **_by_zone(Relation.PLAYER),
    **_blocks(Relation.BLOCKER),
    **_SHOOTING,
    "win_flag": taken(OFFENSE, "win_flag", Relation.TEAM),
    "assisted_fg_makes": Formula("count(is_made and assist_player_id != NULL)", _SHOTS_OF_PLAYER),
    "unassisted_fg_makes": Formula("count(is_made and assist_player_id == NULL)", _SHOTS_OF_PLAYER),
    "minutes_played": Formula("seconds_played / 60"),
    "usage_rate": Formula(
        "100 * plays_used * (team_minutes / 5) / ((seconds_played / 60) * team_plays_used)",
        refs={
            "team_minutes": Ref(OFFENSE, "team_minutes", Relation.TEAM),
            "team_plays_used": Ref(OFFENSE, "plays_used", Relation.TEAM),
        },
    ),
    "usage_rate_reliable": Formula(f"seconds_played >= {RELIABLE_USAGE_SECONDS}"),
    "points_per_36": Formula("36 * points / (seconds_played / 60)"),
    "game_score": Formula(
        "points + 0.4 * fg_makes - 0.7 * fg_attempts - 0.4 * (ft_attempts - ft_makes) + 0.7 *"
        " offensive_rebounds + 0.3 * defensive_rebounds + steals + 0.7 * assists + 0.7 * blocks - 0.4 *"
        " personal_fouls - turnovers"
    ),
}

_ZONE = Formula(
    f"'three' if is_three else ('paint' if zone_basic in {PAINT_LABELS} else 'mid_range') if zone_basic !="
    f" NULL else 'paint' if or_zero(distance_ft) <= {PAINT_MAX_DISTANCE_FT} else 'mid_range'"
)
_DERIVED: Mapping[str, Mapping[str, How]] = {
    SHOTS: {
        "zone": _ZONE,
        "zone_method": Formula("'label' if is_three or zone_basic != NULL else 'distance'"),
    },
}

GAMES_HOW: Mapping[str, Mapping[str, How]] = {
    **{
        t.full_name: {c.name: _PUBLISHED for c in t.columns} | dict(_DERIVED.get(t.full_name, {}))
        for t in RAW_TABLES
    },
    OFFENSE: _OFFENSE,
    DEFENSE: _DEFENSE,
    PLAYERS: _PLAYERS,
}
