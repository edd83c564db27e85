"""nba_analytics.upcoming_player_game_context: who is on the slate of D, and with how much rest, as known
before it.

Belongs here: that one table: its population, schedule load and recent pace. Does not belong here: selecting
history (``windows.py``), what later tables compute for this population.

Of the schedule only date, teams, type and whether the game is to be played are used, never scores: the
population of D comes from the schedule of D and past appearances, never from who played on D.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.formulas.possessions import pace, ratio
from nba_pipeline.formulas.windows import (
    History,
    day_numbers,
    last_appearance,
    last_days,
    last_games,
    season_to_date,
)
from nba_pipeline.tables.analytics import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES
from nba_pipeline.transforms.shaping import shaped

ROSTER_DAYS = 30
"""A player who has not appeared for this long is not on the slate."""
OPENER_DAYS = 365
"""Before a team's first game its players are those who last appeared for it within this stretch: the previous
season."""

_OPPONENT = {"team_abbr": "opponent_team_abbr"}
_NAMES = ["player_id", "player_lookup", "player_full_name"]


def upcoming_player_game_context(
    days: Sequence[date], games: pd.DataFrame, player_games: pd.DataFrame, team_games: pd.DataFrame
) -> pd.DataFrame:
    """One row per (day, player of the day's slate), columns of the table, unrounded, in key order.

    ``games``: nba_raw.games rows of ``days`` (game_id, game_date, season_year, game_type, status,
    home_team_abbr, away_team_abbr). ``player_games``: history rows of nba_analytics.player_game_summary
    (game_date, player_id, player_lookup, player_full_name, team_abbr, seconds_played). ``team_games``:
    history rows of nba_analytics.team_offense_game_summary (game_date, team_abbr, possessions, team_minutes).
    Both may reach into ``days`` and beyond: for each day only what is before it is seen. ValueError on two
    games of an entity on one day.
    """
    teams = History(team_games, ["team_abbr"])
    players = History(player_games[appeared(player_games)], ["player_id"])
    slate = _team_slate(slate_games(days, games), teams)
    rows = _population(slate, players)
    known = {str(name): rows[name] for name in rows.columns}
    return shaped(UPCOMING_PLAYER_GAME_CONTEXT, {**known, **_load(rows, players), **_pace(rows, teams)})


def appeared(player_games: pd.DataFrame) -> np.ndarray:
    """Rows that count as a game of the player: two free throws in 0 seconds are in the table but are no
    appearance."""
    return player_games["seconds_played"].to_numpy(dtype="float64", na_value=0.0) > 0


def slate_games(days: Sequence[date], games: pd.DataFrame) -> pd.DataFrame:
    """The competitive games of ``days`` that are to be played: scheduled or final, one row per game, in order
    of id.

    A final game of the past was scheduled on its morning; postponed, cancelled and not needed games were
    known not to be played, as far as the schedule says today.
    """
    wanted = games["game_date"].isin(pd.to_datetime(list(days)))
    playable = games["game_type"].isin(COMPETITIVE_GAME_TYPES) & games["status"].isin(["scheduled", "final"])
    return games[(wanted & playable).to_numpy(dtype=bool)].sort_values("game_id", ignore_index=True)


def _team_slate(games: pd.DataFrame, teams: History) -> pd.DataFrame:
    """Two rows per game, with what is known of each team: is its season still to open?"""
    shared = games[["game_id", "game_date", "season_year", "game_type"]]
    home, away = games["home_team_abbr"], games["away_team_abbr"]
    slate = pd.concat(
        [
            shared.assign(team_abbr=home, opponent_team_abbr=away, is_home=True),
            shared.assign(team_abbr=away, opponent_team_abbr=home, is_home=False),
        ],
        ignore_index=True,
    )
    played = teams.before(slate, season_to_date()).games
    return slate.assign(team_games_played_season=played, is_season_opener_population=played == 0)


def _population(slate: pd.DataFrame, players: History) -> pd.DataFrame:
    """The slate's rows, once per player whose latest appearance before the day was for the row's team."""
    squads = players.by("team_abbr")
    opener = slate["is_season_opener_population"].to_numpy(dtype=bool)
    parts = [
        _latest_for_team(slate[~opener].reset_index(drop=True), squads, players, ROSTER_DAYS),
        _latest_for_team(slate[opener].reset_index(drop=True), squads, players, OPENER_DAYS),
    ]
    return pd.concat(parts, ignore_index=True)


def _latest_for_team(slate: pd.DataFrame, squads: History, players: History, reach: int) -> pd.DataFrame:
    """Appearances are read twice: as the team's (who played for it within ``reach`` days?) and as the
    player's (was that his latest one, or has he appeared for somebody else since?)."""
    seen = squads.before(slate, last_days(reach))
    row_numbers, facts = seen.pairs()
    rows = slate.take(row_numbers).reset_index(drop=True)
    appearance = seen.facts_at(facts, [*_NAMES, "game_date"]).rename(columns={"game_date": "appeared_on"})
    rows = pd.concat([rows, appearance], axis=1)
    age = day_numbers(rows["game_date"]) - day_numbers(rows["appeared_on"])
    latest = players.before(rows, last_appearance(reach)).days_since() == age
    return rows[latest].drop(columns="appeared_on")


def _load(rows: pd.DataFrame, players: History) -> dict[str, Any]:
    """Rest and schedule load of the player."""
    season = players.before(rows, season_to_date())
    week, fortnight = players.before(rows, last_days(7)), players.before(rows, last_days(14))
    days_rest = season.days_since()
    minutes_week = week.total("seconds_played") / 60.0
    return {
        "player_games_played_season": season.games,
        "days_rest": days_rest,
        "is_back_to_back": days_rest == 1,
        "games_in_last_7_days": week.games,
        "games_in_last_14_days": fortnight.games,
        "minutes_in_last_7_days": minutes_week,
        "minutes_in_last_14_days": fortnight.total("seconds_played") / 60.0,
        "avg_minutes_last_7_days": ratio(minutes_week, week.games),
        "back_to_backs_in_last_14_days": fortnight.total_of(players.gap_days() == 1),
    }


def _pace(rows: pd.DataFrame, teams: History) -> dict[str, Any]:
    """Rest and recent pace of the two teams."""
    own, other = teams.before(rows, last_games(10)), teams.before(rows, last_games(10), _OPPONENT)
    own_pace = pace(own.total("possessions", 2), own.total("team_minutes", 2))
    other_pace = pace(other.total("possessions", 2), other.total("team_minutes", 2))
    return {
        "team_days_rest": own.days_since(),
        "opponent_days_rest": other.days_since(),
        "team_pace_last_10": own_pace,
        "opponent_pace_last_10": other_pace,
        "pace_differential": (other_pace - own_pace) / 2.0,
    }
