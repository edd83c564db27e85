"""Reading what sources publish: game ids, game types, names and playing times. Columns in, columns out.

Belongs here: parsing that every source shares, so that each oddity is understood in one place.
Does not belong here: files, networks, or anything a particular source decides.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from nba_pipeline.tables.vocabulary import GAME_TYPE_BY_DIGIT

_CLOCK = re.compile(
    r"(?P<minutes>\d+)(?:\.0+)?:(?P<seconds>(?:[0-5]?\d|60)(?:\.\d+)?)"
)  # 17:60 is published for 18:00
_ISO = re.compile(r"PT(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?")
ROUNDING_SECONDS = 31
"""Most that exact seconds of the play-by-play can differ from whole minutes: half a minute, and a second of
its own."""
_NOT_A_Z_0_9 = re.compile(r"[^a-z0-9]")
_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"}
)


def game_ids(dates: pd.Series, away: pd.Series, home: pd.Series) -> pd.Series:
    """``YYYYMMDD_AWAY_HOME`` from the schedule's date (datetime64) and team codes: the only constructor of
    game ids."""
    return dates.dt.strftime("%Y%m%d") + "_" + away.astype(str) + "_" + home.astype(str)


def game_types(nba_game_ids: pd.Series) -> pd.Series:
    """Game type from the third digit of the league's 10-digit id; None where the digit is unknown."""
    return nba_game_ids.astype(str).str[2].map(GAME_TYPE_BY_DIGIT)


def season_years_of_ids(nba_game_ids: pd.Series) -> pd.Series:
    """Year in which the season of each game starts, from digits 4 and 5 of the league's id (Int64); NULL
    where they are none."""
    digits = pd.to_numeric(nba_game_ids.astype(str).str.extract(r"^[0-9]{3}([0-9]{2})[0-9]{5}$")[0])
    return (digits + 1900 + 100 * (digits < 46)).astype("Int64")  # the league's first season is 1946-47


def player_lookup(name: str) -> str:
    """The name without accents, case-folded, a-z and 0-9 only: ``Nikola Vučević`` -> ``nikolavucevic``."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS_WITHOUT_DECOMPOSITION))
    return _NOT_A_Z_0_9.sub("", folded)


def player_lookups(names: pd.Series) -> pd.Series:
    """``player_lookup`` of each name; each distinct spelling is folded once."""
    return names.map({name: player_lookup(str(name)) for name in names.dropna().unique()})


def parse_seconds(text: str) -> float:
    """Seconds in a published playing time: ``38:34``, ``38.000000:34``, ``PT36M12.00S``, ``48.0`` (minutes).

    NaN for what cannot be a duration to the second: empty, negative (``-79:0-6``), and a bare integer
    (``31``), which is a rounded number of minutes. Fractions of a second are rounded: cut, the ten or so of a
    team would fall several seconds short of its game.
    """
    text = text.strip()
    if match := _CLOCK.fullmatch(text) or (_ISO.fullmatch(text) if len(text) > 2 else None):
        seconds = Decimal(match["seconds"] or 0).quantize(Decimal(1), ROUND_HALF_UP)
        return 60.0 * int(match["minutes"] or 0) + float(seconds)
    if re.fullmatch(r"\d+\.\d+", text):
        return float(round(60 * float(text)))
    return float("nan")


def seconds_of(minutes_text: pd.Series) -> pd.Series:
    """``parse_seconds`` of each text as float64; each distinct text is parsed once."""
    parsed = {text: parse_seconds(str(text)) for text in minutes_text.dropna().unique()}
    return minutes_text.map(parsed).astype("float64")


def reconcile_seconds(
    rounded_minutes: pd.Series, play_by_play: pd.Series, team_game: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """(seconds, corrected) where the box score has whole minutes and the play-by-play has seconds.

    The play-by-play counts a player as on court when a substitution is missing from it: 8 of the 26,039 lines
    of 2021-22 contradict their rounded minutes by 74 to 707 seconds, one line in each of eight team-games
    whose other lines agree within 31 seconds (half a minute of rounding and the play-by-play's own second).
    There the line gets what its team's 14,400 + 1,500·OT seconds leave over, if that rounds to its minutes; a
    contradiction that cannot be resolved so becomes NaN rather than a guess. ``team_game`` identifies the
    team's lines of a game. float64 in, float64 and bool out.
    """
    minutes = rounded_minutes.astype("float64")
    seconds = play_by_play.astype("float64")
    contradicts = (seconds - 60.0 * minutes).abs() > ROUNDING_SECONDS
    if not contradicts.any():
        return seconds, contradicts
    credible = seconds.where(~contradicts)
    overtimes = np.rint((minutes.groupby(team_game).transform("sum") - 240.0) / 25.0).clip(lower=0)
    left_over = 14_400.0 + 1_500.0 * overtimes - credible.groupby(team_game).transform("sum")
    alone = contradicts.groupby(team_game).transform("sum") == 1
    resolved = left_over.where(alone & ((left_over - 60.0 * minutes).abs() <= ROUNDING_SECONDS))
    return credible.where(~contradicts, resolved), contradicts
