"""The ``bulk`` source's rows: published columns to raw tables' columns, every oddity classified.

Belongs here: pure functions from the rows of the bulk files to ``SourceFrame``.
Does not belong here: reading files (``source.py``), what the schedule says of games (``schedule.py``),
parsing shared by sources (``parsing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.sources import parsing
from nba_pipeline.sources.base import UNUSABLE_COLUMNS, SourceFrame, no_unusable
from nba_pipeline.sources.bulk.layout import (
    COUNT_NAMES,
    PLAYER_BOX_LAYOUT,
    REPAIRED,
    SHOT_LAYOUT,
    UNREADABLE,
    UNREADABLE_DATE,
    Layout,
    read_rows,
    refuse_unreadable,
)
from nba_pipeline.sources.bulk.schedule import of_days, own_games, stamps
from nba_pipeline.tables.calendar import season_years
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES

_MARKS = [name for name in COUNT_NAMES.values() if name != "plus_minus"]


def games(schedule: pd.DataFrame, days: Sequence[date], source: str) -> SourceFrame:
    """nba_raw.games of some days from the whole schedule."""
    own_games(schedule, days)
    rows = of_days(schedule, days)
    left = schedule[schedule["code_date"].isin(stamps(days))].assign(game_date=schedule["code_date"])
    refuse_unreadable(rows, rows["game_date"], days)
    types = parsing.game_types(rows["game_id"])
    final = rows["status"] == "final"
    frame = _renamed(
        rows,
        {"home_team": "home_team_abbr", "away_team": "away_team_abbr", "game_id": "nba_game_id"},
        "game_date home_team_id away_team_id is_neutral season_year status season code_date",
    ).assign(
        game_id=parsing.game_ids(rows["game_date"], rows["away_team"], rows["home_team"]),
        game_type=types,
        home_score=rows["home_score"].where(final),
        away_score=rows["away_score"].where(final),
        source=source,
    )
    elsewhere = frame[season_years(frame["game_date"]) != frame["season_year"]]
    notes = [
        _unusable(frame[types.isna()], "game_type_unknown", "nba_game_id"),
        _unusable(frame[frame["code_date"].notna()], "date_differs_from_game_code", "nba_game_id"),
        _unusable(left, "game_code_of_the_day_stands_on_another_day", "game_id"),
        _unusable(elsewhere, "season_of_the_game_differs_from_the_calendar", "nba_game_id"),
        _unusable(frame[rows[REPAIRED].to_numpy(dtype=bool)], "game_id_repaired", "nba_game_id"),
    ]
    return SourceFrame(frame[types.notna()].reset_index(drop=True), _together(notes))


_LINE_NAMES = {
    "game_id": "nba_game_id",
    "team_tricode": "team_abbr",
    "person_id": "player_id",
    "minutes": "minutes_text",
}


def player_boxscores(schedule: pd.DataFrame, lines: pd.DataFrame, days: Sequence[date]) -> SourceFrame:
    """nba_raw.player_boxscores of some days from the whole schedule and all published lines.

    Ids and dates come from the schedule. Lines of games that it does not know are counted on the date they
    carry, unless no line of that date matches a game: then the files do not belong together.
    """
    lines = lines.assign(name_elsewhere=_names_elsewhere(lines, schedule))
    ids = lines.groupby("player_name")["person_id"].nunique()
    lines, notes = _of_known_games(lines, schedule, PLAYER_BOX_LAYOUT, "player_name", days)
    frame = _renamed(lines, {**_LINE_NAMES, **COUNT_NAMES}, "team_id player_name is_starter game_date")
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
        published_rebounds=lines["rebounds_total"].where(played),
        name_elsewhere=lines["name_elsewhere"],
    )
    frame = frame.assign(**{name: frame[name].where(played) for name in COUNT_NAMES.values()})
    no_time = lines["minutes"].fillna("").isin(["0", "0:00", "00:00"])
    notes = [
        notes,
        _unusable(frame[played & seconds.isna()], "minutes_not_a_duration", "minutes_text"),
        _unusable(frame[corrected], "play_by_play_seconds_contradicted_rounded_minutes", "player_name"),
        _unusable(frame[frame["player_name"].map(ids) > 1], "name_of_several_players", "player_name"),
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


RARE_LINES = 2
"""A name on so few lines of a player is no new name of his."""


def _names_elsewhere(lines: pd.DataFrame, schedule: pd.DataFrame) -> pd.Series:
    """For each line the player's name on other days, where it is another one than the line's: he has it
    before and after the day, or the line's name is somebody else's. NULL for every other line, spellings
    and new names included."""
    lookup = parsing.player_lookups(lines["player_name"])
    sizes = lines.assign(lookup=lookup).groupby(["person_id", "lookup"], sort=False).size()
    usual = sizes.sort_values(ascending=False, kind="stable").reset_index().drop_duplicates("person_id")
    of_id = usual.set_index("person_id")["lookup"]
    expected = lines["person_id"].map(of_id)
    other = ((lookup != expected) & lookup.notna() & expected.notna()).to_numpy(dtype=bool)
    nothing = pd.Series(None, index=lines.index, dtype=object)
    if not other.any():
        return nothing
    names = lines.loc[~other].drop_duplicates("person_id").set_index("person_id")["player_name"]
    dates = lines["game_id"].map(schedule.drop_duplicates("game_id").set_index("game_id")["game_date"])
    under_usual = dates[~other].groupby(lines.loc[~other, "person_id"]).agg(["min", "max"])
    odd = lines.loc[other]
    around = under_usual.reindex(odd["person_id"]).set_axis(odd.index)
    returns = (around["min"] < dates[odd.index]) & (dates[odd.index] < around["max"])
    times = sizes.reindex(pd.MultiIndex.from_arrays([odd["person_id"], lookup[odd.index]])).set_axis(
        odd.index
    )
    spelling = [
        _same_person(a, b) for a, b in zip(odd["player_name"], odd["person_id"].map(names), strict=True)
    ]
    stranger = (returns | (times <= RARE_LINES)) & ~np.array(spelling, dtype=bool)
    wrong = lookup[odd.index].isin(of_id) | stranger
    return nothing.where(~wrong.reindex(lines.index, fill_value=False), lines["person_id"].map(names))


def _same_person(one: str, other: str) -> bool:
    """Whether two spellings share a word: `Jimmy Butler` and `Jimmy Butler III`."""
    words = [
        {w for part in name.split() if len(w := parsing.player_lookup(part)) > 2} for name in (one, other)
    ]
    return bool(words[0] & words[1])


def shot_attempts(schedule: pd.DataFrame, files: Sequence[pd.DataFrame], days: Sequence[date]) -> SourceFrame:
    """nba_raw.shot_attempts (without zones, which the pipeline adds) of some days from the whole schedule and
    some files.

    Dates come from the schedule. Shots of games that it does not know are counted on the date they carry,
    unless no shot of that date matches a game.
    """
    found = [_of_known_games(shots, schedule, SHOT_LAYOUT, "GAME_ID", days) for shots in files]
    if not found:
        nothing = read_rows(pd.DataFrame(), SHOT_LAYOUT, Path())
        found = [_of_known_games(nothing, schedule, SHOT_LAYOUT, "GAME_ID", days)]
    shots = pd.concat([rows for rows, _ in found], ignore_index=True)
    notes = [note for _, note in found]
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
        seconds_remaining=60 * shots["MINUTES_REMAINING"] + shots["SECONDS_REMAINING"],
        is_made=shots["SHOT_MADE_FLAG"],
        distance_ft=shots["PBP_DISTANCE"].fillna(shots["SHOT_DISTANCE"]),
    )
    return SourceFrame(frame.reset_index(drop=True), _together(notes))


def _of_known_games(
    rows: pd.DataFrame, schedule: pd.DataFrame, layout: Layout, sample: str, days: Sequence[date]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(the rows of the days' games beside their game, what is to be counted of the days).

    A row of a game that is not in the whole schedule has only its own date to go by. Where no row of a day
    matches a game, ``SchemaDrift``: an empty day would look as if the source had nothing for it.
    """
    key, dated = layout.game_id, layout.dated
    known = own_games(schedule, days)
    lost = rows[~rows[key].isin(schedule["game_id"].unique())]
    refuse_unreadable(lost, lost[dated], days)
    joined = _joined(rows, known, key)
    refuse_unreadable(joined, joined["game_date"], days)
    _refuse_strangers(rows, lost, set(joined["game_date"].dt.date), layout, known, days)
    lost = lost[[sample]].assign(game_date=lost[dated].astype("datetime64[s]"))
    moved = joined[dated if dated != "game_date" else "own_date"]
    notes = [
        _unusable(lost[lost["game_date"].isin(stamps(days))], "game_not_in_schedule", sample),
        _unusable(joined[joined[REPAIRED].to_numpy(dtype=bool)], "game_id_repaired", key),
        _unusable(
            joined[(moved.notna() & (moved != joined["game_date"])).to_numpy()],
            "date_differs_from_schedule",
            sample,
        ),
    ]
    return joined.drop(columns=[UNREADABLE, UNREADABLE_DATE, REPAIRED]), _together(notes)


def _refuse_strangers(
    rows: pd.DataFrame,
    lost: pd.DataFrame,
    matched: set[date],
    layout: Layout,
    known: pd.DataFrame,
    days: Sequence[date],
) -> None:
    """Raise for days of which rows of competitive games are there, but none of a game of the schedule."""
    counts = parsing.game_types(lost[layout.game_id]).isin(COMPETITIVE_GAME_TYPES)
    counted, dates = lost, lost[layout.dated]
    played = known[
        (known["status"] == "final") & parsing.game_types(known["game_id"]).isin(COMPETITIVE_GAME_TYPES)
    ]
    expected = {d.date() for d in played["game_date"]}
    bad = {d.date() for d in dates[counts].dropna().unique()} | expected & {d.date() for d in dates.dropna()}
    bad = bad & set(days) - matched
    if len(rows) and len(lost) == len(rows) and dates.isna().any():  # no date to go by, and nothing matches
        bad |= expected & set(days)
    if bad:
        first = counted[dates.isna() | dates.isin(stamps(bad))]
        raise SchemaDrift(
            f"{layout.files}: {len(first)} row(s) of {len(bad)} day(s), but none of a game that games.parquet"
            f" has (the first is of game {first[layout.game_id].iloc[0]}); are ids alike in both files?",
            days=sorted(bad),
        )


def _joined(rows: pd.DataFrame, schedule: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of the scheduled games with the schedule's date (their own as ``own_date``), teams and the game
    id (as ``project_game_id``)."""
    if "game_date" in rows:
        rows = rows.rename(columns={"game_date": "own_date"})
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
