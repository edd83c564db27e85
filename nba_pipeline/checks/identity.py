"""`relations` of identity: names, ids, teams and seasons that speak of the same player, team or game agree.

Belongs here: rules about columns that say which one a row is about. Does not belong here: keys and the form
of game ids (``keys.py``), counts (``relations.py``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, row_labels, violations
from nba_pipeline.checks.relations import RELATIONS
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.calendar import season_years
from nba_pipeline.tables.names import GAMES
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES, TEAM_IDS


def find_contradicting_games(evidence: Evidence) -> pd.DataFrame:
    """For nba_raw.games: team ids of other teams, a team against itself, a final without a winner, and
    seasons that the id, the source and the calendar do not agree on."""
    games = evidence.conformed
    counts = games["game_type"].isin(COMPETITIVE_GAME_TYPES)
    final = counts & (games["status"] == "final")
    found = [
        _rows(
            evidence,
            final & (games["home_score"] == games["away_score"]),
            "home_score",
            "a final game has a winner",
        ),
        _rows(
            evidence,
            games["home_team_abbr"] == games["away_team_abbr"],
            "home_team_abbr",
            "a team does not play itself",
        ),
    ]
    for side in ("home", "away"):
        expected = games[f"{side}_team_abbr"].map(TEAM_IDS).astype("Int64")
        wrong = counts & expected.notna() & ~(games[f"{side}_team_id"] == expected).fillna(False)
        found.append(
            _rows(evidence, wrong, f"{side}_team_id", "it is the id of another team than the code says")
        )
    return combined([*found, *_seasons_and_dates(evidence, counts)])


def _seasons_and_dates(evidence: Evidence, counts: pd.Series) -> list[pd.DataFrame]:
    """Seasons and dates of which the id, the source's other columns and the calendar say different things."""
    games, found = evidence.conformed, list[pd.DataFrame]()
    said = evidence.computed.get("season")
    if said is not None:
        label = (
            games["season_year"].astype(str)
            + "-"
            + ((games["season_year"] + 1) % 100).astype(str).str.zfill(2)
        )
        wrong = said.notna() & (said.astype(object) != label)
        found.append(
            _rows(evidence, wrong, "season_year", "by the game's id, but the source says another season")
        )
    code = evidence.computed.get("code_date")
    if code is not None:
        words = "the date in its game_code is the day before (dates in UTC?)"
        late = counts & (games["game_date"] - code == pd.Timedelta(days=1))
        found.append(_rows(evidence, late, "game_date", words))
    elsewhere = counts & (season_years(games["game_date"]) != games["season_year"])
    words = "by the game's id, but the calendar has the day in another season (tables/calendar.py)"
    return [*found, _rows(evidence, elsewhere, "season_year", words)]


def find_contradicting_players(evidence: Evidence) -> pd.DataFrame:
    """For nba_raw.player_boxscores: one name for several players of a team, one player under several names
    or for several teams on a day, a name that is another player's, and team ids of other teams."""
    games = evidence.inputs[GAMES]
    competitive = games.loc[games["game_type"].isin(COMPETITIVE_GAME_TYPES), "nba_game_id"]
    lines = evidence.conformed
    counts = lines["nba_game_id"].isin(competitive)
    own = lines[counts]
    namesakes = (
        own.groupby(["nba_game_id", "team_abbr", "player_lookup"])["player_id"].transform("nunique") > 1
    )
    several = own.groupby(["game_date", "player_id"])[["player_lookup", "team_abbr"]].transform("nunique") > 1
    expected = own["team_abbr"].map(TEAM_IDS).astype("Int64")
    strangers = expected.notna() & (own["team_id"] != expected)
    return combined(
        [
            _rows(
                evidence, _all(namesakes, lines), "player_name", "several players of the team have this name"
            ),
            _rows(
                evidence, _all(several["player_lookup"], lines), "player_name", "he has two names on this day"
            ),
            _rows(
                evidence,
                _all(several["team_abbr"], lines),
                "team_abbr",
                "he played for two teams on this day",
            ),
            _rows(
                evidence, _all(strangers, lines), "team_id", "it is the id of another team than the code says"
            ),
            _other_names(evidence, counts),
        ]
    )


def _other_names(evidence: Evidence, counts: pd.Series) -> pd.DataFrame:
    """Lines whose name the source does not give this player on the days before and after, where it tells."""
    if "name_elsewhere" not in evidence.computed:
        return combined([])
    other = evidence.computed["name_elsewhere"]
    bad = counts.to_numpy(dtype=bool) & other.notna().to_numpy()
    found = []
    for name in other[bad].unique():
        of_name = bad & (other == name).to_numpy()
        found.append(_rows(evidence, of_name, "player_name", f"on other days this player is {name}"))
    return combined(found)


def _all(chosen: pd.Series, lines: pd.DataFrame) -> np.ndarray:
    return chosen.reindex(lines.index, fill_value=False).to_numpy(dtype=bool, na_value=False)


def _rows(evidence: Evidence, bad: pd.Series | np.ndarray, column: str, why: str) -> pd.DataFrame:
    mask = pd.Series(bad, index=evidence.conformed.index).fillna(False).to_numpy(dtype=bool)
    rows = evidence.conformed.index[mask].to_numpy()
    values = evidence.conformed.loc[rows, column].tolist()
    messages = [
        f"{evidence.table.full_name}.{column} is {value} in {label}; {why}"
        for value, label in zip(values, row_labels(evidence.computed, rows), strict=True)
    ]
    days = evidence.conformed.loc[rows, "game_date"]
    return violations(
        RELATIONS, days, FailureClass.IMPOSSIBLE_VALUE, messages, rows=rows, column=column, values=values
    )
