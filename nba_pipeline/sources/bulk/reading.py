"""What a bulk file's values mean: columns of any type that a file may have, as the types of the layout.

Belongs here: ``Kind`` and ``read_columns``. A value that means one thing is read, however it is written (a
number as text, a flag as 0 or 1, an id without its leading zeros); of any other it is said which file,
column and row it is in. Does not belong here: reading files (``source.py``), what rows come of the columns
(``frames.py``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Kind(StrEnum):
    """What the values of a column are, in words."""

    GAME_ID = "a game id of ten digits"
    DAY = "a day"
    SEASON = "a season such as 2023-24"
    TEXT = "a text"
    CODE = "a team's code"
    SIDE = "home or away"
    WHOLE = "a whole number"
    CLOCK = "a number of seconds"
    FLAG = "true or false"
    MINUTES = "a playing time"


@dataclass(frozen=True)
class Reading:
    """``frame``: the columns with the types of the layout, NULL where a value could not be read.
    ``unreadable``: row, column, kind and value of those. ``repaired``: column -> rows whose value is not
    written as the layout says, but means one thing all the same."""

    frame: pd.DataFrame
    unreadable: pd.DataFrame
    repaired: Mapping[str, np.ndarray]


class _Unreadable(Exception):
    """A value that does not mean one thing."""


_GAME_ID = re.compile(r"[0-9]{10}")
_SHORT_ID = re.compile(r"0*([0-9]{8})(?:\.0+)?")
_SEASON = re.compile(r"(?:[1-6](?=[0-9]{4}$))?((?:19|20)[0-9]{2})(?:\.0+)?(?:[-/](?:[0-9]{2})?([0-9]{2}))?")
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:\.0+|[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+]00:?00)?)?")
_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}
_SIDES = {"home": "home", "h": "home", "away": "away", "a": "away"}


def read_columns(published: pd.DataFrame, kinds: Mapping[str, Kind]) -> Reading:
    """The columns of ``published`` as their kinds say; absent ones are NULL."""
    columns: dict[str, pd.Series] = {}
    bad: list[pd.DataFrame] = []
    repaired: dict[str, np.ndarray] = {}
    for name, kind in kinds.items():
        if name not in published:
            columns[name] = _typed([None] * len(published), kind)
            continue
        values, unreadable, changed = _column(published[name].reset_index(drop=True), kind)
        columns[name] = values
        if unreadable.any():
            rows = np.flatnonzero(unreadable)
            shown = [repr(v) for v in published[name].iloc[rows].tolist()]
            bad.append(pd.DataFrame({"row": rows, "column": name, "kind": kind.value, "value": shown}))
        if changed.any():
            repaired[name] = changed
    nothing = pd.DataFrame(columns=["row", "column", "kind", "value"])
    return Reading(pd.DataFrame(columns), pd.concat(bad, ignore_index=True) if bad else nothing, repaired)


def _column(published: pd.Series, kind: Kind) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """(values, which could not be read, which had to be repaired)."""
    values = _instants(published) if kind is Kind.DAY else published
    nothing = np.zeros(len(values), dtype=bool)
    if kind in (Kind.WHOLE, Kind.CLOCK) and pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("Int64"), nothing, nothing
    if kind is Kind.WHOLE and pd.api.types.is_float_dtype(
        values.dtype
    ):  # whole numbers with NULLs among them
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        with np.errstate(invalid="ignore"):
            if np.all(np.isnan(numbers) | ((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53))):
                return values.astype("Int64"), nothing, nothing
    if kind is Kind.FLAG and pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("boolean"), nothing, nothing
    if kind is Kind.MINUTES and pd.api.types.is_float_dtype(values.dtype):
        values = _decimal_minutes(values)
    codes, distinct = _distinct(values)
    read = [_read(_READERS[kind], value) for value in distinct]
    by_row = _typed([*(r.value for r in read), None], kind).take(codes)  # code -1, a NULL, is the last one
    return (
        by_row.reset_index(drop=True),
        ~np.array([*(r.good for r in read), True], dtype=bool)[codes],
        np.array([*(r.repaired for r in read), False], dtype=bool)[codes],
    )


class _Value(NamedTuple):
    value: Any
    repaired: bool = False
    good: bool = True


def _read(reader: Callable[[Any], tuple[Any, bool]], value: Any) -> _Value:
    try:
        return _Value(*reader(value))
    except _Unreadable:
        return _Value(None, good=False)


def _distinct(values: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """(position of each row's value among the distinct ones, -1 for NULL; the distinct ones).

    True and 1 are equal and have the same hash, yet they are not the same value: types are told apart.
    """
    if pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty", "floating", "integer"):
        codes, uniques = pd.factorize(values)
        return codes, list(uniques)
    seen: dict[object, int] = {}
    distinct: list[Any] = []
    codes = np.full(len(values), -1, dtype="int64")
    for row, value in enumerate(values.astype(object).tolist()):
        if pd.api.types.is_scalar(value) and pd.isna(value):
            continue
        key = (type(value), value if getattr(value, "__hash__", None) else repr(value))
        if key not in seen:
            seen[key] = len(distinct)
            distinct.append(value)
        codes[row] = seen[key]
    return codes, distinct


def _typed(values: Any, kind: Kind) -> pd.Series:
    if kind in (Kind.WHOLE, Kind.CLOCK):
        return pd.Series(pd.array(list(values), dtype="Int64"))
    if kind is Kind.FLAG:
        return pd.Series(pd.array(list(values), dtype="boolean"))
    if kind is Kind.DAY:
        return pd.Series(np.array(list(values), dtype="datetime64[s]"))
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return pd.Series(column)


def _instants(values: pd.Series) -> pd.Series:
    """Timestamps as days: of a column that is midnight throughout the days written; of any other the days in
    New York, where it says which instants it holds."""
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    known = values.dropna()
    if (known != known.dt.normalize()).any():
        if values.dt.tz is None:
            return values.astype(object)  # an hour of which clock? _day refuses it
        values = values.dt.tz_convert("America/New_York")
    return values.dt.tz_localize(None).dt.normalize().astype(object)


def _decimal_minutes(values: pd.Series) -> pd.Series:
    """Whole minutes with NULLs among them come as 31.0 and are rounded; a column with fractions is exact."""
    known = values.dropna()
    if np.isfinite(known).all() and (known == np.floor(known)).all():
        return values.map(lambda v: f"{v:.0f}", na_action="ignore").astype(object)
    return values.map(lambda v: f"{v:.6f}", na_action="ignore").astype(object)


def _text_of(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise _Unreadable from error
    if isinstance(value, str):
        return value
    raise _Unreadable


def _number(value: Any) -> Decimal:
    """The number that a value is or spells; a flag is none."""
    if isinstance(value, (bool, np.bool_)):
        raise _Unreadable
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, (int, np.integer)):
        number = Decimal(int(value))
    elif isinstance(value, (float, np.floating)):
        number = Decimal(repr(float(value)))
    else:
        text = _text_of(value).strip()
        if not re.fullmatch(r"[+-]?[0-9]+(?:\.[0-9]+)?", text, re.ASCII):
            raise _Unreadable
        number = Decimal(text)
    if not number.is_finite():
        raise _Unreadable
    return number


def _whole(value: Any) -> tuple[int | None, bool]:
    if _blank(value):
        return None, False
    number = _number(value)
    if abs(number) >= 2**63 or number != int(number):
        raise _Unreadable
    return int(number), False


def _clock(value: Any) -> tuple[int | None, bool]:
    """Seconds left: of the tenths of a last minute (51.6) the whole seconds, as the league's shot chart has
    them."""
    if _blank(value):
        return None, False
    number = _number(value)
    if abs(number) >= 2**31:
        raise _Unreadable
    return math.floor(number), number != math.floor(number)


def _blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _flag(value: Any) -> tuple[bool | None, bool]:
    if isinstance(value, (bool, np.bool_)):
        return bool(value), False
    if _blank(value):
        return None, False
    text = value.strip().casefold() if isinstance(value, str) else str(_whole(value)[0])
    if text not in _FLAGS:
        raise _Unreadable
    return _FLAGS[text], False


def _digits(value: Any) -> str:
    return str(_whole(value)[0]) if not isinstance(value, (str, bytes)) else _text_of(value).strip()


def _game_id(value: Any) -> tuple[str, bool]:
    if isinstance(value, str) and _GAME_ID.fullmatch(value):
        return value, False
    text = _digits(value)
    if match := _SHORT_ID.fullmatch(text):
        return match[1].zfill(10), True
    if _GAME_ID.fullmatch(text):
        return text, True
    raise _Unreadable


def _season(value: Any) -> tuple[str | None, bool]:
    if _blank(value):
        return None, False
    match = _SEASON.fullmatch(_digits(value))
    if not match:
        raise _Unreadable
    label = f"{match[1]}-{(int(match[1]) + 1) % 100:02d}"
    if match[2] and match[2] != label[-2:]:
        raise _Unreadable
    return label, False


def _day(value: Any) -> tuple[date | None, bool]:
    if isinstance(value, datetime):  # pandas' timestamps are
        if value.time() != datetime.min.time():
            raise _Unreadable
        return value.date(), False
    if isinstance(value, date):
        return value, False
    if _blank(value):
        return None, False
    text = _digits(value)
    try:
        if match := _DAY.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3])), False
        return datetime.strptime(text.title(), "%b %d, %Y").date(), False
    except ValueError as error:
        raise _Unreadable from error


def _side(value: Any) -> tuple[str | None, bool]:
    if _blank(value):
        return None, False
    side = _SIDES.get(_text_of(value).strip().casefold())
    if side is None:
        raise _Unreadable
    return side, False


def _minutes(value: Any) -> tuple[str, bool]:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return f"{int(seconds // 60)}:{seconds % 60:02.0f}", False
    if isinstance(value, (str, bytes)):
        return _text_of(value), False
    return format(_number(value), "f"), False


_READERS: dict[Kind, Callable[[Any], tuple[Any, bool]]] = {
    Kind.GAME_ID: _game_id,
    Kind.DAY: _day,
    Kind.SEASON: _season,
    Kind.TEXT: lambda value: (_text_of(value), False),
    Kind.CODE: lambda value: (_text_of(value).strip(), False),
    Kind.SIDE: _side,
    Kind.WHOLE: _whole,
    Kind.CLOCK: _clock,
    Kind.FLAG: _flag,
    Kind.MINUTES: _minutes,
}
