"""Bulk files damaged or rewritten at random: a day has the same rows, or is red with a class that is no
defect of ours, or says what it could not use. Never green with other values.

Belongs here: ways in which files differ, and that property. Does not belong here: what is said of each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline

FIRST, LAST = date(2023, 1, 13), date(2023, 1, 14)
Files = dict[str, pd.DataFrame]
Mutation = Callable[[Files, np.random.Generator], None]
GAMES, LINES, SHOTS = "games.parquet", "player_box.parquet", "shots_2022-23.parquet"
DATED = {GAMES: "game_date", LINES: "game_date", SHOTS: "GAME_DATE"}
KEYS = {GAMES: "game_id", LINES: "game_id", SHOTS: "GAME_ID"}
BOUND = {
    GAMES: "game_id home_team away_team home_team_id away_team_id home_score away_score played".split(),
    LINES: (
        "game_id home_away team_id team_tricode person_id player_name field_goals_made field_goals_attempted"
        " three_pointers_made three_pointers_attempted free_throws_made rebounds_offensive rebounds_defensive"
        " assists blocks points"
    ).split(),
    SHOTS: (
        "GAME_ID GAME_EVENT_ID PERIOD MINUTES_REMAINING PLAYER_ID TEAM_ABBREVIATION SHOT_MADE_FLAG IS_THREE"
    ).split(),
}
"""Columns of which something else says what they must be; of the others a plausible value is a true one."""


COUNTED = "assists steals blocks turnovers fouls_personal rebounds_defensive points plus_minus_points".split()


def pick(rng: np.random.Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def played(lines: pd.DataFrame) -> pd.Index:
    return lines.index[lines["minutes"].fillna("").str.match(r"[1-9]\d*:")]


def a_row(files: Files, name: str, rng: np.random.Generator) -> int:
    return int(pick(rng, played(files[name]) if name == LINES else files[name].index))


def shuffled(files: Files, rng: np.random.Generator) -> None:
    name = pick(rng, list(files))
    files[name] = files[name].iloc[rng.permutation(len(files[name]))].reset_index(drop=True)


def retyped(files: Files, rng: np.random.Generator) -> None:
    """A column in another type whose values mean the same."""
    name = pick(rng, list(files))
    column = pick(rng, BOUND[name])
    ways: list[Callable[[pd.Series], pd.Series]] = [
        lambda v: v.astype(object).map(str),
        lambda v: v.astype("category"),
        lambda v: v.astype(object),
    ]
    if pd.api.types.is_numeric_dtype(files[name][column].dtype):
        ways += [lambda v: v.astype(float), lambda v: v.astype(object).map(lambda x: Decimal(int(x)))]
    files[name][column] = pick(rng, ways)(files[name][column])


def redated(files: Files, rng: np.random.Generator) -> None:
    """Dates as something else than texts."""
    name = pick(rng, list(files))
    dates = pd.to_datetime(files[name][DATED[name]])
    files[name][DATED[name]] = pick(
        rng, [dates, dates.dt.date, dates.dt.strftime("%Y%m%d"), dates.dt.tz_localize("UTC")]
    )


def numbered(files: Files, rng: np.random.Generator) -> None:
    """Ids without their leading zeros."""
    name = pick(rng, list(files))
    files[name][KEYS[name]] = files[name][KEYS[name]].astype("int64").astype(pick(rng, [int, float, str]))


def spoilt(files: Files, rng: np.random.Generator) -> None:
    """A value that is absent or means nothing."""
    name = pick(rng, list(files))
    column, row = pick(rng, BOUND[name]), a_row(files, name, rng)
    values = files[name][column].astype(object)
    if values[row] in (0, False):  # absent, it would be the same
        return
    values[row] = pick(rng, [None, "?", "x1"])
    files[name][column] = values.map(lambda v: None if v is None or v is pd.NA else str(v))


def shifted(files: Files, rng: np.random.Generator) -> None:
    """A number that is another one."""
    name = pick(rng, list(files))
    numbers = [c for c in BOUND[name] if pd.api.types.is_integer_dtype(files[name][c].dtype)]
    numbers = [c for c in numbers if c not in ("GAME_EVENT_ID", "PERIOD", "MINUTES_REMAINING", "person_id")]
    column, row = pick(rng, numbers), a_row(files, name, rng)
    files[name][column] = files[name][column].astype("int64")
    files[name].loc[row, column] += int(pick(rng, [-7, 1, 100]))


def scaled(files: Files, rng: np.random.Generator) -> None:
    """A counting column that was not counted, or a sixth of it."""
    column = pick(rng, COUNTED)
    part = pick(rng, [0.0, 1 / 6]) if column != "plus_minus_points" else 0.0
    files[LINES][column] = (files[LINES][column].astype(float) * part).round().astype(int)


def dropped(files: Files, rng: np.random.Generator) -> None:
    name = pick(rng, list(files))
    files[name] = files[name].drop(index=a_row(files, name, rng)).reset_index(drop=True)


def repeated(files: Files, rng: np.random.Generator) -> None:
    name = pick(rng, list(files))
    files[name] = pd.concat([files[name], files[name].loc[[a_row(files, name, rng)]]], ignore_index=True)


def without_column(files: Files, rng: np.random.Generator) -> None:
    name = pick(rng, list(files))
    files[name] = files[name].drop(columns=pick(rng, BOUND[name]))


def of_another_game(files: Files, rng: np.random.Generator) -> None:
    """A row whose id is another game's, or no game's."""
    name = pick(rng, [LINES, SHOTS])
    row, key = a_row(files, name, rng), KEYS[name]
    others = files[GAMES]["game_id"][files[GAMES]["game_id"].astype(str) != str(files[name].loc[row, key])]
    files[name][key] = files[name][key].astype(object)
    files[name].loc[row, key] = pick(rng, [*others.astype(str), "0022299999"])


def moved(files: Files, rng: np.random.Generator) -> None:
    """A game on another date, by the schedule only or by its lines as well."""
    row = a_row(files, GAMES, rng)
    dates = files[GAMES]["game_date"].astype(str)
    dates[row] = str(LAST if dates[row] == str(FIRST) else FIRST)
    files[GAMES]["game_date"] = dates


def renamed(files: Files, rng: np.random.Generator) -> None:
    """A line under the name of another player of the game."""
    lines = files[LINES]
    row = a_row(files, LINES, rng)
    same = lines[(lines["game_id"] == lines.loc[row, "game_id"]) & (lines.index != row)]
    lines.loc[row, "player_name"] = pick(rng, same["player_name"].tolist())


def torn(files: Files, rng: np.random.Generator) -> None:
    files.pop(pick(rng, [GAMES, LINES]))


MUTATIONS: tuple[Mutation, ...] = (
    shuffled,
    retyped,
    redated,
    numbered,
    spoilt,
    shifted,
    scaled,
    dropped,
    repeated,
    without_column,
    of_another_game,
    moved,
    renamed,
    torn,
)


@pytest.fixture(scope="module")
def files(bulk_dir: Path) -> Files:
    found = {}
    for name, dated in DATED.items():
        within = [(dated, ">=", str(FIRST)), (dated, "<=", str(LAST))]
        found[name] = pd.read_parquet(bulk_dir / name, filters=within).reset_index(drop=True)
    return found


@pytest.fixture(scope="module")
def sound(files: Files) -> dict[date, Any]:
    return told(files)


def told(files: Files) -> dict[date, Any]:
    """Day -> (contents of its tables, classes of its failures, what could not be used)."""
    with TemporaryDirectory() as folder:
        for name, frame in files.items():
            frame.to_parquet(Path(folder) / name)
        outcomes = Pipeline(BulkSource(Path(folder)), FIRST).run([FIRST, LAST], GAME_TABLES)
    return {
        day: (
            [o.stored[day].entry.content_hash for o in outcomes.values() if day in o.stored],
            {str(o.failed[day].failure_class) for o in outcomes.values() if day in o.failed},
            [note for o in outcomes.values() for note in o.unusable.get(day, [])],
        )
        for day in (FIRST, LAST)
    }


def check(files: Files, sound: dict[date, Any], mutation: Mutation, seed: int) -> None:
    changed = {name: frame.copy() for name, frame in files.items()}
    mutation(changed, np.random.default_rng(seed))
    for day, (contents, failures, unusable) in told(changed).items():
        assert "code_error" not in failures, (day, failures)
        if not failures and unusable == sound[day][2]:
            assert contents == sound[day][0], f"{day} is green with other values"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_files_are_read_as_they_mean_or_refused(
    files: Files, sound: dict[date, Any], mutation: Mutation
) -> None:
    check(files, sound, mutation, seed=1)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(mutation=st.sampled_from(MUTATIONS), seed=st.integers(0, 2**32))
def test_whatever_happens_to_files(
    files: Files, sound: dict[date, Any], mutation: Mutation, seed: int
) -> None:
    check(files, sound, mutation, seed)
