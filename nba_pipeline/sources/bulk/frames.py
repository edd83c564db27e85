"""The ``bulk`` source's rows: published columns to raw tables' columns, every oddity classified.

Belongs here: pure functions from the frames of the bulk files to ``SourceFrame``.
Does not belong here: reading files (``bulk_files.py``), parsing shared by sources (``parsing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from nba_pipeline.failures import UnparseableSource
from nba_pipeline.sources import parsing
from nba_pipeline.sources.base import UNUSABLE_COLUMNS, SourceFrame, no_unusable
from nba_pipeline.tables.calendar import season_year_of

GAME_COLUMNS = dict.fromkeys(
    [
        "game_id",
        "game_date",
        "season",
        "home_team",
        "away_team",
        "home_team_id",
        "away_team_id",
        "home_score",
        "away_score",
        "played",
    ],
    True,
)
GAME_COLUMNS |= dict.fromkeys(("game_code", "is_neutral", "postponed_status"), False)

_COUNT_NAMES = {
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
_MARKS = [name for name in _COUNT_NAMES.values() if name != "plus_minus"]

PLAYER_BOX_COLUMNS = dict.fromkeys(
    [
        "season",
        "game_id",
        "home_away",
        "team_id",
        "team_tricode",
        "person_id",
        "player_name",
        "minutes",
        *_COUNT_NAMES,
    ],
    True,
)
PLAYER_BOX_COLUMNS |= dict.fromkeys(("game_date", "is_starter", "comment", "seconds_pbp"), False)

SHOT_COLUMNS = dict.fromkeys(
    [
        "GAME_ID",
        "GAME_EVENT_ID",
        "PERIOD",
        "MINUTES_REMAINING",
        "SECONDS_REMAINING",
        "PLAYER_ID",
        "TEAM_ABBREVIATION",
        "SHOT_MADE_FLAG",
        "IS_THREE",
    ],
    True,
)
SHOT_COLUMNS |= dict.fromkeys(
    (
        "GAME_DATE",
        "PBP_DISTANCE",
        "SHOT_DISTANCE",
        "LOC_X",
        "LOC_Y",
        "SHOT_ZONE_BASIC",
        "ASSIST_PLAYER_ID",
        "BLOCK_PLAYER_ID",
    ),
    False,
)


def season_label(day: date) -> str:
    """``2023-24`` for a day of that season."""
    year = season_year_of(day)
    return f"{year}-{(year + 1) % 100:02d}"


def dated_schedule(games: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The schedule with ``game_date`` as datetime64; a date that cannot be read is taken from
    ``game_code``."""
    dates = pd.to_datetime(games["game_date"], format="%Y-%m-%d", errors="coerce")
    from_code = pd.to_datetime(games["game_code"].astype(str).str[:8], format="%Y%m%d", errors="coerce")
    dates = dates.fillna(from_code)
    if dates.isna().any():
        row = int(np.flatnonzero(dates.isna())[0])
        game, text = games["game_id"].iloc[row], games["game_date"].iloc[row]
        raise UnparseableSource(f"{path}, row {row}: game {game} has no readable date ({text!r})")
    return games.assign(game_date=dates.astype("datetime64[s]"))


def games(schedule: pd.DataFrame, source: str) -> SourceFrame:
    """nba_raw.games from the schedule's rows of some days."""
    types = parsing.game_types(schedule["game_id"])
    frame = _renamed(
        schedule,
        {"home_team": "home_team_abbr", "away_team": "away_team_abbr"},
        "home_team_id away_team_id home_score away_score is_neutral",
    )
    frame = frame.assign(
        game_date=schedule["game_date"],
        nba_game_id=schedule["game_id"],
        game_id=parsing.game_ids(schedule["game_date"], schedule["away_team"], schedule["home_team"]),
        season_year=parsing.season_years(schedule["game_date"]),
        game_type=types,
        status=_statuses(schedule),
        source=source,
    )
    unknown = _unusable(frame[types.isna()], "game_type_unknown", "nba_game_id")
    return SourceFrame(frame[types.notna()].reset_index(drop=True), unknown)


def _statuses(schedule: pd.DataFrame) -> np.ndarray:
    played = schedule["played"].astype("boolean").fillna(False).astype(bool)
    has_score = schedule["home_score"].notna() & schedule["away_score"].notna()
    postponed = (
        schedule["postponed_status"].fillna("").astype(str).str.upper().isin(["Y", "P", "PPD", "POSTPONED"])
    )
    playoffs = parsing.game_types(schedule["game_id"]) == "playoffs"
    never = schedule["played"].notna() & ~played
    conditions = [played & has_score, postponed, never & playoffs, never]
    return np.select(conditions, ["final", "postponed", "not_needed", "cancelled"], default="scheduled")


_LINE_NAMES = {
    "game_id": "nba_game_id",
    "team_tricode": "team_abbr",
    "person_id": "player_id",
    "minutes": "minutes_text",
}


def player_boxscores(schedule: pd.DataFrame, lines: pd.DataFrame, days: Sequence[date]) -> SourceFrame:
    """nba_raw.player_boxscores of some days from the whole schedule and all published lines.

    Ids and dates come from the schedule. Lines of games that it does not know are counted on the date they
    carry.
    """
    orphans = _orphans(lines, schedule, ("game_id", "game_date", "player_name"), days)
    lines = _joined(lines, of_days(schedule, days), "game_id")
    frame = _renamed(lines, {**_LINE_NAMES, **_COUNT_NAMES}, "team_id player_name is_starter game_date")
    seconds, source, corrected = _seconds(lines)
    marks = frame[_MARKS].apply(pd.to_numeric, errors="coerce").fillna(0).ne(0).any(axis=1)
    played = (seconds > 0) | marks
    comment = lines["comment"].where(lines["comment"].fillna("").astype(str).str.strip() != "")
    not_with_team = comment.fillna("").astype(str).str.upper().str.startswith(("NWT", "INACTIVE"))
    frame = frame.assign(
        game_id=lines["project_game_id"],
        opponent_team_abbr=np.where(
            lines["team_tricode"] == lines["home_team"], lines["away_team"], lines["home_team"]
        ),
        is_home=lines["home_away"] == "home",
        player_lookup=parsing.player_lookups(lines["player_name"]),
        status=np.select([played, not_with_team], ["played", "inactive"], default="dnp"),
        comment=comment,
        seconds_played=seconds.where(played).astype("Int64"),
        seconds_source=source.where(played & seconds.notna()),
    )
    frame = frame.assign(**{name: frame[name].where(played) for name in _COUNT_NAMES.values()})
    no_time = lines["minutes"].fillna("").isin(["0", "0:00", "00:00"])
    notes = [
        orphans,
        _unusable(frame[played & seconds.isna()], "minutes_not_a_duration", "minutes_text"),
        _unusable(frame[corrected], "play_by_play_seconds_contradicted_rounded_minutes", "player_name"),
        _unusable(frame[~played & no_time], "line_without_time_or_stats", "player_name"),
    ]
    return SourceFrame(frame.reset_index(drop=True), _together(notes))


def _seconds(lines: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """(seconds, where they come from, corrected): the official text where it is exact, else the
    play-by-play."""
    text = lines["minutes"].fillna("").astype(str)
    official = parsing.seconds_of(text)
    whole = text.str.fullmatch(r"\d+")
    rounded = pd.to_numeric(text.where(whole), errors="coerce")
    seconds, corrected = parsing.reconcile_seconds(
        rounded,
        pd.to_numeric(lines["seconds_pbp"], errors="coerce").where(whole),
        lines["game_id"].astype(str) + lines["team_tricode"].astype(str),
    )
    source = pd.Series("official", index=lines.index, dtype=object).where(official.notna(), "play_by_play")
    source = source.where(official.notna() | seconds.notna())
    return official.fillna(seconds), source, corrected


def shot_attempts(schedule: pd.DataFrame, files: Sequence[pd.DataFrame], days: Sequence[date]) -> SourceFrame:
    """nba_raw.shot_attempts (without zones, which the pipeline adds) of some days from the whole schedule and
    some files.

    Dates come from the schedule. Shots of games that it does not know are counted on the date they carry.
    """
    orphans = [_orphans(shots, schedule, ("GAME_ID", "GAME_DATE", "GAME_ID"), days) for shots in files]
    schedule = of_days(schedule, days)
    wanted = schedule["game_id"].unique()
    parts = [shots[shots["GAME_ID"].isin(wanted)] for shots in files] or [
        pd.DataFrame(columns=list(SHOT_COLUMNS))
    ]
    shots = _joined(pd.concat(parts, ignore_index=True), schedule, "GAME_ID")
    distance = pd.to_numeric(shots["PBP_DISTANCE"]).fillna(pd.to_numeric(shots["SHOT_DISTANCE"]))
    frame = _renamed(
        shots,
        {
            "GAME_ID": "nba_game_id",
            "GAME_EVENT_ID": "event_id",
            "PERIOD": "period",
            "PLAYER_ID": "player_id",
            "TEAM_ABBREVIATION": "team_abbr",
            "IS_THREE": "is_three",
            "LOC_X": "loc_x",
            "LOC_Y": "loc_y",
            "SHOT_ZONE_BASIC": "zone_basic",
            "ASSIST_PLAYER_ID": "assist_player_id",
            "BLOCK_PLAYER_ID": "block_player_id",
        },
        "game_date",
    ).assign(
        game_id=shots["project_game_id"],
        seconds_remaining=60 * shots["MINUTES_REMAINING"].astype("Int64")
        + shots["SECONDS_REMAINING"].astype("Int64"),
        is_made=shots["SHOT_MADE_FLAG"] == 1,
        distance_ft=distance,
    )
    return SourceFrame(frame.reset_index(drop=True), _together(orphans))


def of_days(schedule: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The schedule's rows on some days."""
    return schedule[schedule["game_date"].isin(_stamps(days))]


def _stamps(days: Sequence[date]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(list(days))).as_unit("s")


def _orphans(
    rows: pd.DataFrame, schedule: pd.DataFrame, columns: tuple[str, str, str], days: Sequence[date]
) -> pd.DataFrame:
    """How many rows of the days are of games that are not in the (whole) schedule.

    ``columns`` names the game id, the date and the sample. Such a row has only its own date to go by.
    """
    game_id, dated, sample = columns
    lost = rows[~rows[game_id].isin(schedule["game_id"].unique())]
    dates = pd.to_datetime(lost[dated], format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")
    lost = lost[[sample]].assign(game_date=dates)
    return _unusable(lost[dates.isin(_stamps(days))], "game_not_in_schedule", sample)


def _joined(rows: pd.DataFrame, schedule: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of the scheduled games with the schedule's date, teams and the game id (as
    ``project_game_id``)."""
    games = schedule.drop_duplicates("game_id").set_index("game_id")
    ids = parsing.game_ids(games["game_date"], games["away_team"], games["home_team"])
    games = games[["game_date", "home_team", "away_team"]].assign(project_game_id=ids)
    position = games.index.get_indexer(rows[key])
    found = position >= 0
    matched = games.take(position[found])
    joined = rows[found].reset_index(drop=True)
    return joined.assign(**{name: matched[name].to_numpy() for name in games.columns})


def _renamed(frame: pd.DataFrame, names: dict[str, str], kept: str) -> pd.DataFrame:
    return frame[[*names, *kept.split()]].rename(columns=names)


def _unusable(rows: pd.DataFrame, reason: str, sample: str) -> pd.DataFrame:
    """One row per day: how many rows of it show ``reason``, and the first one's ``sample`` column."""
    if rows.empty:
        return no_unusable()
    grouped = rows.groupby("game_date")[sample].agg(count="size", sample="first").reset_index()
    return grouped.assign(reason=reason, sample=grouped["sample"].astype(str))[list(UNUSABLE_COLUMNS)]


def _together(notes: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [note for note in notes if len(note)]
    return pd.concat(filled, ignore_index=True) if filled else no_unusable()
