"""Declarations of ``nba_analytics`` (phase 3): competitive games only, one table per question.

Belongs here: the analytics tables. Does not belong here: column definitions (``columns/``) or how values are
computed (``transforms/``).
"""

from __future__ import annotations

from nba_pipeline.tables.columns import COLUMNS
from nba_pipeline.tables.columns.shots import blocks_by_zone, zone_counts
from nba_pipeline.tables.formula import Formula, Lines, Ref, Relation, taken
from nba_pipeline.tables.names import BOXSCORES, OFFENSE
from nba_pipeline.tables.spec import Table, numeric, pick

_GAME = "game_id nba_game_id game_date season_year game_type".split()
_COUNTS = (
    "points fg_makes fg_attempts three_pt_makes three_pt_attempts ft_makes ft_attempts offensive_rebounds"
    " defensive_rebounds rebounds assists steals blocks turnovers personal_fouls"
).split()
_ZONES = "paint_makes paint_attempts mid_range_makes mid_range_attempts three_makes three_attempts".split()
_BLOCKS_BY_ZONE = "blocks_paint blocks_mid_range blocks_three".split()
_OF_LINE = [name for name in _COUNTS if name != "rebounds"]
_OF_TEAM = "steals defensive_rebounds possessions pace win_flag margin_of_victory".split()
"""Columns of a team's own offense that its defense repeats."""

TEAM_OFFENSE_GAME_SUMMARY = Table(
    dataset="nba_analytics",
    name="team_offense_game_summary",
    description=(
        "What each team did with the ball: counts summed from its players' lines, possessions, pace and"
        " efficiency."
    ),
    grain="one row per team and competitive game",
    phase="analytics",
    key=("game_id", "team_abbr"),
    columns=pick(
        COLUMNS,
        [
            *_GAME,
            *"team_abbr opponent_team_abbr is_home".split(),
            *_COUNTS,
            *_ZONES,
            *(
                "player_seconds overtime_periods team_minutes possessions pace offensive_rating ts_pct"
                " efg_pct turnover_pct offensive_rebound_pct ft_rate plays_used win_flag margin_of_victory"
                " shot_data_complete"
            ).split(),
        ],
        formulas={
            **{name: Formula(f"sum({name})", Lines(BOXSCORES, Relation.TEAM)) for name in _OF_LINE},
            **zone_counts(Relation.TEAM),
            "margin_of_victory": Formula(
                "points - opponent_points",
                refs={"opponent_points": Ref(OFFENSE, "points", Relation.OPPONENT)},
            ),
            "win_flag": Formula("margin_of_victory > 0 if margin_of_victory != NULL else NULL"),
        },
    ),
)

TEAM_DEFENSE_GAME_SUMMARY = Table(
    dataset="nba_analytics",
    name="team_defense_game_summary",
    description=(
        "What each team allowed: its opponent's offense seen from the defending team, with blocks by zone."
    ),
    grain="one row per defending team and competitive game",
    phase="analytics",
    key=("game_id", "team_abbr"),
    columns=pick(
        COLUMNS,
        [
            *_GAME,
            *"team_abbr opponent_team_abbr is_home".split(),
            *(
                "points_allowed opp_fg_makes opp_fg_attempts opp_three_pt_makes opp_three_pt_attempts"
                " opp_ft_makes opp_ft_attempts opp_offensive_rebounds turnovers_forced"
            ).split(),
            *(f"opp_{name}" for name in _ZONES),
            *_BLOCKS_BY_ZONE,
            *"steals defensive_rebounds possessions pace defensive_rating win_flag margin_of_victory".split(),
        ],
        formulas={
            **{name: taken(OFFENSE, name, Relation.TEAM) for name in _OF_TEAM},
            **blocks_by_zone(Relation.OPPONENT),
        },
    ),
)

PLAYER_GAME_SUMMARY = Table(
    dataset="nba_analytics",
    name="player_game_summary",
    description=(
        "Each player's game: counts, shooting by zone, usage and efficiency. A player who did not play has no"
        " row."
    ),
    grain="one row per player and competitive game in which he played or left a mark",
    phase="analytics",
    key=("game_id", "player_id"),
    columns=pick(
        COLUMNS,
        [
            *_GAME,
            *"player_id player_lookup player_full_name team_abbr opponent_team_abbr is_home is_starter"
            " win_flag".split(),
            *_COUNTS,
            *"plus_minus seconds_played".split(),
            *_ZONES,
            *"assisted_fg_makes unassisted_fg_makes".split(),
            *_BLOCKS_BY_ZONE,
            *(
                "minutes_played plays_used usage_rate usage_rate_reliable ts_pct efg_pct points_per_36"
                " game_score"
            ).split(),
        ],
        required=("seconds_played", "minutes_played"),
        formulas={
            **{
                name: taken(BOXSCORES, name, Relation.PLAYER)
                for name in (*_OF_LINE, "is_starter", "plus_minus", "seconds_played")
            },
            **zone_counts(Relation.PLAYER),
            **blocks_by_zone(Relation.BLOCKER),
            "win_flag": taken(OFFENSE, "win_flag", Relation.TEAM),
        },
    ),
).with_column("plays_used", type=numeric(6, 2))

UPCOMING_PLAYER_GAME_CONTEXT = Table(
    dataset="nba_analytics",
    name="upcoming_player_game_context",
    description=(
        "The slate of the day as known before it: every player who last appeared, within 30 days, for a team"
        " that plays; with rest, schedule load and recent pace."
    ),
    grain="one row per player of the slate",
    phase="analytics",
    key=("game_date", "player_id"),
    columns=pick(
        COLUMNS,
        (
            "game_date player_id player_lookup player_full_name game_id season_year game_type team_abbr"
            " opponent_team_abbr is_home is_season_opener_population days_rest is_back_to_back team_days_rest"
            " opponent_days_rest games_in_last_7_days games_in_last_14_days minutes_in_last_7_days"
            " minutes_in_last_14_days back_to_backs_in_last_14_days avg_minutes_last_7_days"
            " team_games_played_season player_games_played_season team_pace_last_10 opponent_pace_last_10"
            " pace_differential history_gaps"
        ).split(),
    ),
)

ANALYTICS_TABLES: tuple[Table, ...] = (
    TEAM_OFFENSE_GAME_SUMMARY,
    TEAM_DEFENSE_GAME_SUMMARY,
    PLAYER_GAME_SUMMARY,
    UPCOMING_PLAYER_GAME_CONTEXT,
)
