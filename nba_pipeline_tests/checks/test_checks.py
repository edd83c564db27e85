"""Each check against violations made by hand: the right class, the right rows, and words that name what is
wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.checks.contract import conform
from nba_pipeline.checks.model import plain, row_labels
from nba_pipeline.checks.suite import Examination, checks_of, examine
from nba_pipeline.failures import FailureClass, SchemaDrift, worst
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import numeric
from nba_pipeline_tests.support.league import DAYS, OVERTIME, SECOND, THIRD, hand_made_league
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline, recipe_of

GAMES, BOXSCORES, SHOTS, OFFENSE, DEFENSE, PLAYERS = GAME_TABLES
STAMPS = pd.DatetimeIndex(pd.to_datetime(list(DAYS))).as_unit("s")
_F = FailureClass
Change = Callable[[pd.DataFrame], pd.DataFrame]


@lru_cache(maxsize=1)
def pipeline() -> Pipeline:
    made = Pipeline(hand_made_league(), DAYS[0])
    made.run(DAYS)
    return made


@lru_cache(maxsize=16)
def computed(table: str) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """What the table's plan computes from the sound league, and its inputs."""
    recipe = recipe_of(table)
    inputs = {i.table: pipeline().read(i.table, DAYS) for i in recipe.inputs}
    return recipe.compute(pipeline().source, inputs, DAYS).frame.reset_index(drop=True), inputs


def examined(
    table: str, change: Change = lambda frame: frame, inputs: dict[str, Change] | None = None, **columns: Any
) -> Examination:
    """The sound rows, changed, before the checks of the table (``columns``: other types of its columns)."""
    frame, given = computed(table)
    declared = TABLES[table]
    for name, kind in columns.items():
        declared = declared.with_column(name, type=kind)
    changed = {name: (inputs or {}).get(name, lambda f: f)(f) for name, f in given.items()}
    return examine(declared, STAMPS, change(frame.copy()), changed)


def put(column: str, value: object, row: int = 0) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(
            **{column: [value if n == row else v for n, v in enumerate(frame[column].tolist())]}
        )

    return change


def class_of_the_day(examination: Examination) -> FailureClass:
    """The class that explains the others."""
    return worst(FailureClass(c) for c in examination.violations["failure_class"])


def found(examination: Examination) -> set[tuple[str, str]]:
    return {(str(v.check), str(v.failure_class)) for v in examination.violations.itertuples()}


@pytest.mark.parametrize("table", GAME_TABLES)
def test_sound_rows_break_nothing_and_are_all_compared(table: str) -> None:
    examination = examined(table)
    assert examination.violations.empty, examination.violations["message"].tolist()
    assert all(examination.compared[c.name].sum() > 0 for c in checks_of(TABLES[table]))


@pytest.mark.parametrize(
    ("table", "column", "value", "check", "failure_class", "words"),
    [
        (GAMES, "game_id", "20231024_DEN_LAL", "game_id_format", _F.IMPOSSIBLE_VALUE, "20231024_DEN_LAL"),
        (GAMES, "game_id", None, "schema_contract", _F.INCOMPLETE_INPUT, "REQUIRED"),
        (GAMES, "game_type", "friendly", "schema_contract", _F.IMPOSSIBLE_VALUE, "one of preseason"),
        (GAMES, "home_score", 3.5, "schema_contract", _F.SCHEMA_DRIFT, "3.5"),
        (GAMES, "home_score", "many", "schema_contract", _F.SCHEMA_DRIFT, "'many'"),
        (BOXSCORES, "points", float("inf"), "schema_contract", _F.SCHEMA_DRIFT, "inf"),
        (BOXSCORES, "assists", -1, "schema_contract", _F.IMPOSSIBLE_VALUE, "at least 0"),
        (BOXSCORES, "team_abbr", "XXX", "game_id_format", _F.IMPOSSIBLE_VALUE, "XXX"),
        (BOXSCORES, "is_home", True, "completeness", _F.IMPOSSIBLE_VALUE, "swapped"),
        (SHOTS, "period", 0, "schema_contract", _F.IMPOSSIBLE_VALUE, "at least 1"),
        (SHOTS, "zone", "corner", "schema_contract", _F.IMPOSSIBLE_VALUE, "corner"),
        (OFFENSE, "points", 999, "conservation", _F.IMPOSSIBLE_VALUE, "2·FGM"),
        (OFFENSE, "player_seconds", 14_390, "conservation", _F.INCOMPLETE_INPUT, "10 less"),
        (OFFENSE, "player_seconds", 14_410, "conservation", _F.IMPOSSIBLE_VALUE, "10 more"),
        (OFFENSE, "overtime_periods", 1, "conservation", _F.INCOMPLETE_INPUT, "different overtimes"),
        (OFFENSE, "paint_attempts", 0, "conservation", _F.INCOMPLETE_INPUT, "fg_attempts is"),
        (OFFENSE, "three_makes", 99, "conservation", _F.IMPOSSIBLE_VALUE, "fg_makes is"),
        (DEFENSE, "points_allowed", 1, "conservation", _F.IMPOSSIBLE_VALUE, "points_allowed 1"),
        (DEFENSE, "opp_paint_attempts", 0, "conservation", _F.INCOMPLETE_INPUT, "opp_fg_attempts"),
        (PLAYERS, "usage_rate", np.nan, "usage_rate_coverage", _F.INCOMPLETE_INPUT, "no usage_rate"),
        (PLAYERS, "usage_rate", 5_000.0, "usage_rate_range", _F.IMPOSSIBLE_VALUE, "the bound of the row is"),
        (PLAYERS, "usage_rate", -1.0, "usage_rate_range", _F.IMPOSSIBLE_VALUE, "impossible"),
        (PLAYERS, "assists", 30, "conservation", _F.IMPOSSIBLE_VALUE, "assists"),
        (PLAYERS, "seconds_played", 2_000, "conservation", _F.INCOMPLETE_INPUT, "seconds_played"),
    ],
)
def test_one_wrong_value_is_found_with_its_class_and_named(
    table: str, column: str, value: object, check: str, failure_class: FailureClass, words: str
) -> None:
    examination = examined(table, put(column, value))
    mine = examination.violations[examination.violations["check"] == check]
    assert (check, failure_class.value) in found(examination)
    assert any(words in message for message in mine["message"]), mine["message"].tolist()
    frame, _ = computed(table)
    assert set(mine["day"]) == {frame["game_date"].iloc[0]}
    rows = set(mine["row"].dropna())
    if column in ("overtime_periods",) or (table == PLAYERS and check == "conservation"):
        assert 0 in rows  # the whole game or team is in question
    else:
        assert rows == {0}


@pytest.mark.parametrize("table", GAME_TABLES)
def test_of_equal_rows_the_copies_are_named_and_of_others_all(table: str) -> None:
    def twins_of(change: Change) -> pd.DataFrame:
        violations = examined(table, change).violations
        return violations[violations["check"] == "unique_key"]

    names = ("points", "distance_ft", "home_score", "points_allowed")
    column = next(name for name in names if TABLES[table].has(name))
    other = twins_of(lambda f: pd.concat([f, f.iloc[[1]].assign(**{column: f[column].iloc[1] + 1})]))
    assert other["row"].tolist() == [1, len(computed(table)[0])]
    twins = twins_of(lambda f: pd.concat([f, f.iloc[[1]]]))
    assert twins["row"].tolist() == [len(computed(table)[0])]
    assert set(twins["failure_class"]) == {"duplicate_key"}
    assert "appears 2 times" in twins["message"].iloc[0]


def test_home_and_away_swapped_in_the_schedule_is_a_wrong_id() -> None:
    def swap(games: pd.DataFrame) -> pd.DataFrame:
        return games.assign(home_team_abbr=games["away_team_abbr"], away_team_abbr=games["home_team_abbr"])

    swapped = found(examined(GAMES, swap))
    assert swapped == {("game_id_format", "impossible_value"), ("relations", "impossible_value")}  # team ids


@pytest.mark.parametrize("table", [GAMES, BOXSCORES, OFFENSE, PLAYERS])
def test_a_row_of_another_day_is_a_wrong_id(table: str) -> None:
    moved = examined(
        table, lambda f: f.assign(game_date=f["game_date"].mask(f.index == 0, pd.Timestamp(OVERTIME)))
    )
    assert ("game_id_format", "impossible_value") in found(moved)


def test_a_team_that_is_missing_from_a_final_game_is_incomplete() -> None:
    examination = examined(
        BOXSCORES, lambda f: f[~((f["game_date"] == pd.Timestamp(SECOND)) & (f["team_abbr"] == "NYK"))]
    )
    assert found(examination) == {("completeness", "incomplete_input")}
    assert "NYK has 0 players" in examination.violations["message"].iloc[0]
    assert examination.violations["row"].isna().all()


def test_scores_swapped_in_the_schedule_are_impossible_and_a_missing_player_is_incomplete() -> None:
    def swap(games: pd.DataFrame) -> pd.DataFrame:
        return games.assign(home_score=games["away_score"], away_score=games["home_score"])

    def lose(lines: pd.DataFrame) -> pd.DataFrame:
        scorers = (lines["game_date"] == pd.Timestamp(THIRD)) & (lines["points"].fillna(0) > 0)
        return lines.drop(index=lines.index[scorers][0])

    swapped = examined(OFFENSE, inputs={GAMES: swap})
    assert {(str(v.check), str(v.failure_class)) for v in swapped.violations.itertuples()} == {
        ("conservation", "impossible_value")
    }
    recipe, (_, given) = recipe_of(OFFENSE), computed(OFFENSE)
    short = {**given, BOXSCORES: lose(given[BOXSCORES])}
    examination = examine(
        TABLES[OFFENSE], STAMPS, recipe.compute(pipeline().source, short, DAYS).frame, short
    )
    assert class_of_the_day(examination) is _F.INCOMPLETE_INPUT
    assert set(examination.violations["day"]) == {pd.Timestamp(THIRD)}


def test_a_player_dropped_on_the_way_is_missed() -> None:
    examination = examined(PLAYERS, lambda f: f.drop(index=f.index[3]))
    assert class_of_the_day(examination) is _F.INCOMPLETE_INPUT
    assert any("players do not sum to the team" in m for m in examination.violations["message"])


def test_truncated_shots_are_incomplete_input_of_the_team() -> None:
    recipe, (_, given) = recipe_of(OFFENSE), computed(OFFENSE)
    cut = {**given, SHOTS: given[SHOTS].iloc[1:]}
    examination = examine(TABLES[OFFENSE], STAMPS, recipe.compute(pipeline().source, cut, DAYS).frame, cut)
    assert set(examination.violations["failure_class"]) == {"incomplete_input"}
    assert len(examination.violations) in (1, 2)  # an attempt, and a make if it went in


class TestUsage:
    """The column of the incident: too big and impossible need opposite cures."""

    def test_a_true_value_that_does_not_fit_says_how_to_widen(self) -> None:
        examination = examined(PLAYERS, usage_rate=numeric(3, 2))
        (violations,) = [examination.violations[examination.violations["check"] == "usage_rate_range"]]
        assert set(violations["failure_class"]) == {"type_overflow"}
        first = violations.iloc[0]
        assert "NUMERIC(3,2)" in first["message"]
        assert "widen the column to NUMERIC(4,2)" in first["message"]
        assert set(examination.violations["check"]) == {
            "usage_rate_range"
        }  # not reported a second time by the contract

    def test_impossible_wins_over_too_big_and_shows_its_inputs(self) -> None:
        examination = examined(PLAYERS, put("usage_rate", 123_456.0))
        first = examination.violations[examination.violations["check"] == "usage_rate_range"].iloc[0]
        assert first["failure_class"] == "impossible_value"
        assert "seconds_played" in first["inputs"]

    def test_a_row_at_its_bound_is_true(self) -> None:
        frame, _ = computed(PLAYERS)
        bound = 100 * 48 / (float(frame["seconds_played"].iloc[0]) / 60)
        for usage, fine in ((bound, True), (bound * 1.0001, False)):
            hit = examined(PLAYERS, put("usage_rate", usage)).violations
            assert ("usage_rate_range" not in set(hit["check"])) == fine

    def test_a_player_in_zero_seconds_needs_no_usage(self) -> None:
        examination = examined(PLAYERS, lambda f: put("seconds_played", 0)(put("usage_rate", np.nan)(f)))
        assert "usage_rate_coverage" not in set(examination.violations["check"])


class TestConform:
    """Casting: every value that cannot be cast is a violation of its row, the others arrive unharmed."""

    @pytest.mark.parametrize(
        ("column", "hostile"),
        [
            ("points", ["twelve", 3.5, float("inf"), True, 1e30, object()]),
            ("player_name", [7, b"bytes", 1.5]),
            ("is_starter", ["yes", 1, 0.0]),
        ],
    )
    def test_hostile_values_become_null_and_are_named(self, column: str, hostile: list[object]) -> None:
        frame, _ = computed(BOXSCORES)
        for value in hostile:
            values = [value, *frame[column].tolist()[1:]]
            conformed, uncastable = conform(
                TABLES[BOXSCORES], frame.assign(**{column: pd.Series(values, dtype=object)})
            )
            assert pd.isna(conformed[column].iloc[0]), value
            assert uncastable["row"].tolist() == [0], value
            assert uncastable["failure_class"].tolist() == ["schema_drift"]
            assert f"{BOXSCORES}.{column}" in uncastable["message"].iloc[0]
            clean, _ = conform(TABLES[BOXSCORES], frame)
            assert conformed[column].iloc[1:].astype(object).equals(clean[column].iloc[1:].astype(object)), (
                value
            )

    @pytest.mark.filterwarnings("ignore:Could not infer format")
    def test_a_row_whose_day_cannot_be_read_is_schema_drift(self) -> None:
        frame, _ = computed(BOXSCORES)
        days = pd.Series(["soon", *frame["game_date"].dt.strftime("%Y-%m-%d").tolist()[1:]], dtype=object)
        with pytest.raises(SchemaDrift, match="'soon' is no day"):
            conform(TABLES[BOXSCORES], frame.assign(game_date=days))

    def test_a_column_of_booleans_is_no_number(self) -> None:
        frame, _ = computed(BOXSCORES)
        _, uncastable = conform(TABLES[BOXSCORES], frame.assign(points=True))
        assert len(uncastable) == len(frame)

    def test_decimals_are_rounded_half_even_and_whole_floats_become_integers(self) -> None:
        frame, _ = computed(PLAYERS)
        conformed, uncastable = conform(TABLES[PLAYERS], frame.assign(usage_rate=12.345, points=7.0))
        assert uncastable.empty
        assert set(conformed["usage_rate"]) == {12.34}
        assert str(conformed["points"].dtype) == "int64"

    def test_an_absent_column_is_schema_drift_that_names_it(self) -> None:
        frame, _ = computed(BOXSCORES)
        with pytest.raises(SchemaDrift, match="turnovers"):
            conform(TABLES[BOXSCORES], frame.drop(columns="turnovers"))

    def test_no_rows_conform(self) -> None:
        frame, _ = computed(BOXSCORES)
        conformed, uncastable = conform(TABLES[BOXSCORES], frame.iloc[:0])
        assert (len(conformed), len(uncastable)) == (0, 0)


@pytest.mark.parametrize("table", GAME_TABLES)
def test_no_rows_at_all_pass_every_check(table: str) -> None:
    frame, given = computed(table)
    nothing = {name: f.iloc[:0] for name, f in given.items()}
    assert examine(TABLES[table], STAMPS[:1], frame.iloc[:0], nothing).violations.empty


def test_labels_name_the_game_the_team_and_the_player() -> None:
    frame, _ = computed(PLAYERS)
    label = row_labels(frame, [0])[0]
    assert str(frame["game_id"].iloc[0]) in label
    assert str(frame["player_full_name"].iloc[0]) in label
    assert row_labels(pd.DataFrame({"other": [1]}), [0]) == ["row 0"]


@pytest.mark.parametrize(
    ("value", "as_json"),
    [
        (pd.NA, None),
        (float("nan"), None),
        (pd.NaT, None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (pd.Timestamp("2024-03-07"), "2024-03-07"),
    ],
)
def test_cells_as_json_values(value: object, as_json: object) -> None:
    assert plain(value) == as_json


def test_a_team_that_plays_twice_on_a_day_is_named_with_its_games() -> None:
    """A date in UTC puts an evening game on the next day, on which one of its teams may play again."""

    def moved(frame: pd.DataFrame) -> pd.DataFrame:
        game = frame["game_id"] == "20231026_DEN_LAL"
        assert game.sum() == 1
        # LAL opens on the 24th as well
        return frame.assign(
            game_date=frame["game_date"].mask(game, pd.Timestamp("2023-10-24")),
            game_id=frame["game_id"].mask(game, "20231024_DEN_LAL"),
        )

    examination = examined(GAMES, moved)
    twice = examination.violations[examination.violations["check"] == "one_game_a_day"]
    assert set(twice["message"].str.extract(r": (\w{3}) has more", expand=False)) == {"LAL", "DEN"}
    assert twice["day"].dt.strftime("%Y-%m-%d").unique().tolist() == ["2023-10-24"]
    assert set(twice["failure_class"]) == {_F.IMPOSSIBLE_VALUE}
    assert "20231024_DEN_LAL, 20231024_LAL_DEN" in twice["message"].iloc[0]


def test_exhibitions_and_games_that_were_called_off_may_share_a_day() -> None:
    def moved(status: str, game_type: str) -> Change:
        def change(frame: pd.DataFrame) -> pd.DataFrame:
            game = frame["game_id"] == "20231026_DEN_LAL"
            return frame.assign(
                game_date=frame["game_date"].mask(game, pd.Timestamp("2023-10-24")),
                game_id=frame["game_id"].mask(game, "20231024_DEN_LAL"),
                status=frame["status"].mask(game, status),
                game_type=frame["game_type"].mask(game, game_type),
            )

        return change

    for other in (moved("postponed", "regular"), moved("final", "all_star")):
        assert "one_game_a_day" not in {check for check, _ in found(examined(GAMES, other))}
