"""Keys and game ids: `unique_key` and `game_id_format`.

Belongs here: rules about identity that every table shares. Does not belong here: rules about values.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, no_violations, row_labels, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.names import GAMES
from nba_pipeline.tables.render.frames import STRING_DTYPE
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES, TEAM_IDS

UNIQUE_KEY = "unique_key"
GAME_ID_FORMAT = "game_id_format"
ONE_GAME_A_DAY = "one_game_a_day"


def find_duplicate_keys(evidence: Evidence) -> pd.DataFrame:
    """Every row that shares its key with another: which of them is right cannot be known, so all are named.
    Of rows that are equal in every column the first is as right as the others, and only its copies are
    named: a quarantine keeps it."""
    key = list(evidence.table.key)
    frame = evidence.conformed
    duplicated = frame.duplicated(key, keep=False).to_numpy()
    if evidence.table.full_name == GAMES:  # a game that was postponed stands on both its days
        within_day = frame.duplicated([*key, evidence.table.partition_column], keep=False)
        moved = (frame["status"] == "postponed").fillna(False)
        again = frame[~moved].duplicated(key, keep=False).reindex(frame.index, fill_value=False)
        duplicated = (within_day | again).to_numpy(dtype=bool)
    sharing = frame[duplicated]
    if sharing.empty:
        return no_violations()
    groups = sharing.groupby(key, dropna=False)
    first = ~sharing.duplicated()
    all_equal = first.groupby([sharing[name] for name in key], dropna=False).transform("sum") == 1
    rows = sharing.index[~(first & all_equal)].to_numpy()
    times = groups[evidence.table.partition_column].transform("size").loc[rows]
    messages = [
        f"{evidence.table.full_name}: {label} appears {n} times under the key ({', '.join(key)})"
        for label, n in zip(row_labels(evidence.computed, rows), times, strict=True)
    ]
    days = frame.loc[rows, evidence.table.partition_column]
    return violations(
        UNIQUE_KEY, days, FailureClass.DUPLICATE_KEY, messages, rows=rows, column=", ".join(key)
    )


def find_two_games_a_day(evidence: Evidence) -> pd.DataFrame:
    """Days on which a team (or, in a table of players, a player) has two competitive games that were or are
    to be played. Windows count days, so such a day would end them for everybody; a date in UTC makes one."""
    frame = evidence.conformed
    if "home_team_abbr" in frame:
        counts = frame["game_type"].isin(COMPETITIVE_GAME_TYPES) & frame["status"].isin(
            ("final", "scheduled")
        )
        games = frame[counts]
        sides = [games[["game_date", "game_id", c]].rename(columns={c: "who"}) for c in _SIDES]
        lines = pd.concat(sides, ignore_index=True)
    else:
        who = "player_id" if "player_id" in evidence.table.key else "team_abbr"
        lines = frame[["game_date", "game_id", who]].rename(columns={who: "who"})
    lines = lines[lines["who"].notna()].drop_duplicates()
    twice = lines[lines.duplicated(["game_date", "who"], keep=False)]
    if twice.empty:
        return no_violations()
    found = twice.groupby(["game_date", "who"], sort=True)["game_id"].agg(lambda ids: ", ".join(sorted(ids)))
    days = found.index.get_level_values("game_date")
    messages = [
        f"{evidence.table.full_name}: {who} has more than one competitive game on {day:%Y-%m-%d}: {ids}. A"
        " date in UTC puts an evening game on the next day; correct the date at the source"
        for (day, who), ids in found.items()
    ]
    return violations(
        ONE_GAME_A_DAY, days.to_numpy(), FailureClass.IMPOSSIBLE_VALUE, messages, column="game_date"
    )


_SIDES = ("home_team_abbr", "away_team_abbr")


def find_bad_game_ids(evidence: Evidence) -> pd.DataFrame:
    """Rows whose game_id is not ``YYYYMMDD_AWAY_HOME`` of their own date and teams, or names a team outside
    the league in a competitive game."""
    columns = [c for c in _ID_COLUMNS if c in evidence.conformed.columns]
    frame = evidence.conformed[columns]
    # A game's id is the same on its hundreds of rows (700,000 shots): the distinct combinations are judged,
    # not the rows.
    distinct = frame.drop_duplicates(ignore_index=True)
    wrong, strangers, expected = _judge_ids(distinct)
    found = []
    for bad, what in (
        (wrong, f"is not built from {expected}"),
        (strangers, "names a team that is not one of the league's thirty"),
    ):
        if bad.any():
            guilty = pd.MultiIndex.from_frame(distinct[bad].astype(object))
            found.append(
                _id_violations(evidence, pd.MultiIndex.from_frame(frame.astype(object)).isin(guilty), what)
            )
    return combined(found)


_ID_COLUMNS = (
    "game_id game_date game_type home_team_abbr away_team_abbr team_abbr opponent_team_abbr is_home".split()
)


def _judge_ids(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, str]:
    """(wrong ids, competitive games with a team outside the league, what the id should have been built
    from)."""
    dates = (
        frame["game_date"].dt.strftime("%Y%m%d").astype(STRING_DTYPE)
    )  # without rows it would be no text at all
    if "home_team_abbr" in frame:
        away, home = frame["away_team_abbr"], frame["home_team_abbr"]
        bad = frame["game_id"] != dates + "_" + away + "_" + home
        expected = "the schedule's date and teams"
    elif {"opponent_team_abbr", "is_home"} <= set(frame.columns):
        at_home = frame["is_home"].fillna(False).to_numpy(dtype=bool)
        away = frame["opponent_team_abbr"].where(at_home, frame["team_abbr"])
        home = frame["team_abbr"].where(at_home, frame["opponent_team_abbr"])
        bad = frame["game_id"] != dates + "_" + away + "_" + home
        expected = "the row's date, teams and side (home and away swapped?)"
    else:
        away, home = frame["game_id"].str.slice(9, 12), frame["game_id"].str.slice(13, 16)
        bad = (frame["game_id"].str.slice(0, 8) != dates) | (
            (frame["team_abbr"] != away) & (frame["team_abbr"] != home)
        )
        expected = "the row's date and team"
    wrong = bad.fillna(True).to_numpy(dtype=bool)
    if "game_type" not in frame:
        return wrong, np.zeros(len(frame), dtype=bool), expected
    competitive = frame["game_type"].isin(COMPETITIVE_GAME_TYPES).to_numpy(dtype=bool)
    known = (away.isin(TEAM_IDS) & home.isin(TEAM_IDS)).to_numpy(dtype=bool)
    return wrong, competitive & ~known & ~wrong, expected


def _id_violations(evidence: Evidence, bad: np.ndarray, what: str) -> pd.DataFrame:
    rows = evidence.conformed.index[bad].to_numpy()
    ids = evidence.conformed.loc[rows, "game_id"].tolist()
    messages = [
        f"{evidence.table.full_name}: game_id {value} of {label} {what}"
        for value, label in zip(ids, row_labels(evidence.computed, rows), strict=True)
    ]
    return violations(
        GAME_ID_FORMAT,
        evidence.conformed.loc[rows, "game_date"],
        FailureClass.IMPOSSIBLE_VALUE,
        messages,
        rows=rows,
        column="game_id",
        values=ids,
    )
