"""The layout of the ``bulk`` source's files: which columns each has, and what their values are.

Belongs here: declarations, and the columns of one file as rows whose unreadable values are marked. Does not
belong here: how single values are read (``reading.py``), what becomes of the rows (``schedule.py``,
``frames.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.sources.bulk.reading import Kind, read_columns

UNREADABLE, UNREADABLE_DATE, REPAIRED = "unreadable", "unreadable_date", "id_repaired"
"""Columns beside those of the layout: what of a row could not be read, in words (NULL: nothing), the same of
its date, and whether its game's id was not written with ten digits."""


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of file: what the values of each are, and which must be there. ``game_id`` and
    ``dated`` name the columns that say which game and day a row belongs to."""

    files: str
    required: Mapping[str, Kind]
    optional: Mapping[str, Kind]
    game_id: str
    dated: str

    @property
    def columns(self) -> dict[str, Kind]:
        return {**self.required, **self.optional}


GAME_LAYOUT = Layout(
    "games.parquet",
    {
        "game_id": Kind.GAME_ID,
        "game_date": Kind.DAY,
        "season": Kind.SEASON,
        "home_team": Kind.CODE,
        "away_team": Kind.CODE,
        "home_team_id": Kind.WHOLE,
        "away_team_id": Kind.WHOLE,
        "home_score": Kind.WHOLE,
        "away_score": Kind.WHOLE,
        "played": Kind.FLAG,
    },
    {"game_code": Kind.TEXT, "is_neutral": Kind.FLAG, "postponed_status": Kind.TEXT},
    "game_id",
    "game_date",
)

COUNT_NAMES = {
    "field_goals_made": "fg_makes",
    "field_goals_attempted": "fg_attempts",
    "three_pointers_made": "three_pt_makes",
    "three_pointers_attempted": "three_pt_attempts",
    "free_throws_made": "ft_makes",
    "free_throws_attempted": "ft_attempts",
    "rebounds_offensive": "offensive_rebounds",
    "rebounds_defensive": "defensive_rebounds",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "fouls_personal": "personal_fouls",
    "points": "points",
    "plus_minus_points": "plus_minus",
}
PLAYER_BOX_LAYOUT = Layout(
    "player_box.parquet",
    {
        "season": Kind.SEASON,
        "game_id": Kind.GAME_ID,
        "home_away": Kind.SIDE,
        "team_id": Kind.WHOLE,
        "team_tricode": Kind.CODE,
        "person_id": Kind.WHOLE,
        "player_name": Kind.TEXT,
        "minutes": Kind.MINUTES,
        **dict.fromkeys(COUNT_NAMES, Kind.WHOLE),
    },
    {
        "game_date": Kind.DAY,
        "is_starter": Kind.FLAG,
        "comment": Kind.TEXT,
        "seconds_pbp": Kind.WHOLE,
        "rebounds_total": Kind.WHOLE,
    },
    "game_id",
    "game_date",
)

SHOT_LAYOUT = Layout(
    "shots_<season>.parquet",
    {
        "GAME_ID": Kind.GAME_ID,
        "GAME_EVENT_ID": Kind.WHOLE,
        "PERIOD": Kind.WHOLE,
        "MINUTES_REMAINING": Kind.WHOLE,
        "SECONDS_REMAINING": Kind.CLOCK,
        "PLAYER_ID": Kind.WHOLE,
        "TEAM_ABBREVIATION": Kind.CODE,
        "SHOT_MADE_FLAG": Kind.FLAG,
        "IS_THREE": Kind.FLAG,
        "ASSIST_PLAYER_ID": Kind.WHOLE,
        "BLOCK_PLAYER_ID": Kind.WHOLE,
    },
    {
        "GAME_DATE": Kind.DAY,
        "PBP_DISTANCE": Kind.WHOLE,
        "SHOT_DISTANCE": Kind.WHOLE,
        "LOC_X": Kind.WHOLE,
        "LOC_Y": Kind.WHOLE,
        "SHOT_ZONE_BASIC": Kind.TEXT,
    },
    "GAME_ID",
    "GAME_DATE",
)


def read_rows(published: pd.DataFrame, layout: Layout, path: Path) -> pd.DataFrame:
    """The rows of a file with the types of its layout, and the columns that say what could not be read."""
    reading = read_columns(published, layout.columns)
    bad = reading.unreadable
    bad = bad.assign(
        said=[
            f"{path}, row {x.row}: {x.column} is {x.value}, which is not {x.kind}" for x in bad.itertuples()
        ]
    )
    of_date = bad["column"] == layout.dated
    marks = {
        UNREADABLE: bad[~of_date].drop_duplicates("row").set_index("row")["said"],
        UNREADABLE_DATE: bad[of_date].set_index("row")["said"],
    }
    rows = reading.frame
    columns = {name: said.reindex(rows.index).astype(object) for name, said in marks.items()}
    return rows.assign(**columns, **{REPAIRED: reading.repaired.get(layout.game_id, False)})


def refuse_unreadable(rows: pd.DataFrame, dates: pd.Series, days: Sequence[date]) -> None:
    """Raise ``SchemaDrift`` for the days on which a row has a value that does not mean one thing; a row
    without a readable date concerns all of ``days``."""
    bad = rows[UNREADABLE].notna() | rows[UNREADABLE_DATE].notna()
    if not bad.any():
        return
    said = rows.loc[bad, UNREADABLE].where(rows[UNREADABLE].notna(), rows[UNREADABLE_DATE])
    dates = dates[bad]
    concerned = set(days) if dates.isna().any() else {d.date() for d in dates} & set(days)
    if concerned:
        within = said[dates.isna() | dates.isin(pd.to_datetime(sorted(concerned)))]
        more = f"; {len(within) - 1} more row(s) like it" if len(within) > 1 else ""
        raise SchemaDrift(f"{within.iloc[0]}{more}", days=sorted(concerned))
