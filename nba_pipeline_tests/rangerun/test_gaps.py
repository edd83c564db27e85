"""Declared gaps: a game that never comes is left out, its absence counted wherever a window holds it, and
nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.failures import FailureClass
from nba_pipeline.rangerun.gaps import GAP_TABLES, Gap, Gaps, declare
from nba_pipeline.ranges import span
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.sources.simulated import SimulatedSource
from nba_pipeline.tables.names import (
    BOXSCORES,
    CACHE,
    CONTEXT,
    DEFENSE,
    FEATURES,
    GAMES,
    OFFENSE,
    PLAYER_ZONES,
    PLAYERS,
    SHOTS,
    TEAM_ZONES,
)
from nba_pipeline.tables.registry import TABLES
from nba_pipeline_tests.support.pipeline import Pipeline
from nba_pipeline_tests.support.poison import PoisonedSource

FIRST, GAP_DAY, LAST = date(2023, 11, 3), date(2023, 11, 6), date(2023, 11, 9)
DAYS = span(FIRST, LAST)
RESULTS = (BOXSCORES, OFFENSE, DEFENSE, PLAYERS)
LOOKING_BACK = tuple(name for name, table in TABLES.items() if table.has("history_gaps"))


@dataclass
class Lacking:
    """The simulated league; of some games no more than ``lines`` lines of players, and of some no more shots,
    were ever published."""

    games_without: dict[str, set[str]] = field(default_factory=dict)
    lines: int = 0
    source: SimulatedSource = field(default_factory=lambda: SimulatedSource(first_day=FIRST))
    name: str = "simulated"

    def games(self, days: list[date]) -> SourceFrame:
        return self.source.games(days)

    def player_boxscores(self, days: list[date]) -> SourceFrame:
        return self._left(BOXSCORES, self.source.player_boxscores(days))

    def shot_attempts(self, days: list[date]) -> SourceFrame:
        return self._left(SHOTS, self.source.shot_attempts(days))

    def _left(self, table: str, published: SourceFrame) -> SourceFrame:
        gone = published.frame["nba_game_id"].isin(self.games_without.get(table, set()))
        gone &= published.frame.groupby("nba_game_id").cumcount() >= self.lines
        return replace(published, frame=published.frame[~gone].reset_index(drop=True))


@cache
def the_game() -> pd.DataFrame:
    """The first game of GAP_DAY, as the schedule has it."""
    games = SimulatedSource(first_day=FIRST).games([GAP_DAY]).frame.sort_values("game_id")
    return games.iloc[[0]]


def declared(games: pd.DataFrame, *tables: str, **more: Any) -> tuple[Gap, ...]:
    gaps = declare(games, tables or GAP_TABLES, "the league never published it", datetime.now(UTC))
    return tuple(replace(gap, **more) for gap in gaps)


def run_all(pipeline: Pipeline, days: list[date] | None = None, *more: str) -> None:
    """The tables of games and ``more``, each knowing what the ones before it were made without, as the
    instance tells it."""
    for name in (GAMES, SHOTS, *RESULTS, *more):
        outcome = pipeline.run(days or DAYS, [name])[name]
        if outcome.gaps:
            used = {day: tuple(g.game_id for g in gaps) for day, gaps in outcome.gaps.items()}
            pipeline.gaps = replace(pipeline.gaps, used={**pipeline.gaps.used, name: used})


@pytest.fixture(scope="module")
def whole() -> Pipeline:
    """Everything of every game."""
    pipeline = Pipeline(Lacking(), FIRST)
    run_all(pipeline, DAYS, *LOOKING_BACK)
    return pipeline


@pytest.fixture(scope="module")
def gapped() -> Pipeline:
    """One game of GAP_DAY has no box score and no shots, and is declared a gap."""
    game = the_game()
    ids = set(game["nba_game_id"])
    pipeline = Pipeline(Lacking({BOXSCORES: ids, SHOTS: ids}), FIRST, gaps=Gaps(declared(game)))
    run_all(pipeline, DAYS, *LOOKING_BACK)
    return pipeline


def test_without_a_declaration_the_day_is_red_and_what_looks_back_waits() -> None:
    ids = set(the_game()["nba_game_id"])
    pipeline = Pipeline(Lacking({BOXSCORES: ids}), FIRST)
    run_all(pipeline, DAYS, CONTEXT)
    failed = pipeline.outcomes[BOXSCORES].failed
    assert set(failed) == {GAP_DAY}
    assert failed[GAP_DAY].failure_class is FailureClass.INCOMPLETE_INPUT
    assert set(pipeline.outcomes[CONTEXT].failed) == {day for day in DAYS if day > GAP_DAY}


def test_with_it_every_day_is_stored_and_the_game_is_in_none(gapped: Pipeline, whole: Pipeline) -> None:
    game = the_game().iloc[0]
    for name in TABLES:
        assert gapped.outcomes[name].failed == {}, name
    for name in RESULTS:
        rows, all_rows = gapped.read(name), whole.read(name)
        assert game.nba_game_id not in set(rows["nba_game_id"])
        others = all_rows[all_rows["nba_game_id"] != game.nba_game_id].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, others)


def test_the_days_say_so_with_a_warning_and_the_reason(gapped: Pipeline) -> None:
    for name in RESULTS:
        outcome = gapped.outcomes[name]
        assert set(outcome.gaps) == {GAP_DAY}
        warned = [check for check in outcome.checks if not check.passed]
        assert [(check.check, check.day, check.violations) for check in warned] == [
            ("completeness", GAP_DAY, 1)
        ]
        assert warned[0].sample is not None
        assert "the league never published it" in warned[0].sample["message"].iloc[0]


def test_gaps_are_counted_exactly_where_a_window_holds_them(gapped: Pipeline) -> None:
    lines = gapped.read(PLAYERS)
    lines = lines[(lines["seconds_played"] > 0) & (lines["game_date"] < pd.Timestamp(GAP_DAY))]
    teams = dict(zip(lines["player_id"], lines["team_abbr"], strict=True))  # in order of date: the last one
    for name in LOOKING_BACK:
        rows = gapped.read(name)
        expected = [expected_count(name, row, teams) for row in rows.to_dict("records")]
        assert rows["history_gaps"].tolist() == expected, name
        assert 0 < sum(expected) < len(expected)


def expected_count(table: str, row: Mapping[Any, Any], teams: Mapping[int, str]) -> int:
    """In the third week of a season every window of a number of games holds all of them."""
    game = the_game().iloc[0]
    if row["game_date"].date() <= GAP_DAY:
        return 0
    looks_at = {row["team_abbr"]} if table == TEAM_ZONES else {teams.get(row["player_id"], row["team_abbr"])}
    if table not in (TEAM_ZONES, PLAYER_ZONES, CACHE):
        looks_at.add(row["opponent_team_abbr"])
    if table != PLAYER_ZONES:
        looks_at.add(row["team_abbr"])
    return int(bool(looks_at & {game.home_team_abbr, game.away_team_abbr}))


def test_features_say_it_and_are_of_lower_quality(gapped: Pipeline, whole: Pipeline) -> None:
    rows, before = gapped.read(FEATURES), whole.read(FEATURES)
    both = rows.merge(before, on=["game_date", "player_id"], suffixes=("", "_whole"))
    same = both[both["known_feature_count"] == both["known_feature_count_whole"]]
    lower = same["feature_quality_score_whole"] - same["feature_quality_score"]
    assert (lower.astype("float64").to_numpy() == same["history_gaps"].to_numpy()).all()
    assert (before["history_gaps"] == 0).all()
    told = gapped.outcomes[FEATURES].statistics
    counted = rows[rows["history_gaps"] > 0]["game_date"].dt.date.value_counts()
    assert {d: s["rows_with_history_gaps"] for d, s in told.items() if "rows_with_history_gaps" in s} == (
        counted.to_dict()
    )


def test_a_game_that_the_source_has_after_all_is_whole(whole: Pipeline) -> None:
    pipeline = Pipeline(Lacking(), FIRST, gaps=Gaps(declared(the_game())))
    run_all(pipeline)
    for name in RESULTS:
        assert pipeline.outcomes[name].gaps == {}
        assert all(check.passed for check in pipeline.outcomes[name].checks)
        pd.testing.assert_frame_equal(pipeline.read(name), whole.read(name))


def test_half_a_box_score_is_not_used_and_counted() -> None:
    game = the_game()
    ids = set(game["nba_game_id"])
    pipeline = Pipeline(Lacking({BOXSCORES: ids}, lines=3), FIRST, gaps=Gaps(declared(game)))
    run_all(pipeline, [GAP_DAY])
    assert all(pipeline.outcomes[name].failed == {} for name in RESULTS)
    assert not ids & {*pipeline.read(BOXSCORES)["nba_game_id"], *pipeline.read(OFFENSE)["nba_game_id"]}
    (note,) = (n for n in pipeline.outcomes[BOXSCORES].unusable[GAP_DAY] if n["reason"] == "declared_gap")
    assert (note["count"], note["sample"]) == (3, *ids)


@pytest.mark.slow  # all tables of a week
def test_a_day_of_which_every_game_is_a_gap_is_empty_and_says_why() -> None:
    games = SimulatedSource(first_day=FIRST).games([GAP_DAY]).frame
    ids = set(games["nba_game_id"])
    pipeline = Pipeline(Lacking({BOXSCORES: ids, SHOTS: ids}), FIRST, gaps=Gaps(declared(games)))
    run_all(pipeline, DAYS, CONTEXT)
    for name in RESULTS:
        assert pipeline.outcomes[name].failed == {}
        entry = pipeline.store.manifest(TABLES[name])[GAP_DAY]
        assert (entry.row_count, entry.reason) == (0, "declared_gap")
    assert pipeline.outcomes[CONTEXT].failed == {}


@pytest.mark.parametrize("tables", [(SHOTS,), GAP_TABLES])
def test_shots_that_contradict_the_box_score_are_done_without_and_the_lines_stay(
    tables: tuple[str, ...],
) -> None:
    """Also where both were declared: no more of the game is left out than has to be."""
    game = the_game()
    league = PoisonedSource(SimulatedSource(first_day=FIRST), {GAP_DAY: "misattributed_shot"})
    pipeline = Pipeline(league, FIRST, gaps=Gaps(declared(game, *tables)))
    run_all(pipeline, [GAP_DAY])
    assert pipeline.outcomes[PLAYERS].failed == {}
    lines = pipeline.read(PLAYERS)
    without = lines["nba_game_id"] == game["nba_game_id"].iloc[0]
    assert without.any()
    assert lines.loc[without, "paint_attempts"].isna().all()
    assert lines.loc[~without, "paint_attempts"].notna().all()
    (gap,) = pipeline.outcomes[PLAYERS].gaps[GAP_DAY]
    assert gap.tables == (SHOTS,)


@pytest.mark.parametrize("ended", [{"revoked_at": "2023-12-01T00:00:00+00:00"}, {"until": LAST}])
def test_a_gap_that_holds_no_more_puts_the_block_back(gapped: Pipeline, ended: dict[str, Any]) -> None:
    gaps = replace(gapped.gaps, declared=declared(the_game(), **ended), today=LAST + timedelta(days=1))
    again = Pipeline(gapped.source, FIRST, store=gapped.store, gaps=gaps)
    assert gaps.withdrawn(OFFENSE) == {GAP_DAY: the_game()["game_id"].iloc[0]}
    late = again.run([LAST], [CONTEXT, FEATURES])
    for name in (CONTEXT, FEATURES):
        failure = late[name].failed[LAST]
        assert failure.failure_class is FailureClass.INCOMPLETE_INPUT
        assert str(GAP_DAY) in failure.message
    failure = again.run([GAP_DAY], [OFFENSE])[OFFENSE].failed[GAP_DAY]
    assert "gap holds no more" in failure.message


def test_a_setting_accepts_games_without_a_box_score_after_some_days() -> None:
    ids = set(the_game()["nba_game_id"])
    for after, failed in ((5, {GAP_DAY}), (4, set()), (None, {GAP_DAY})):
        gaps = Gaps(today=GAP_DAY + timedelta(days=4), after_days=after)
        pipeline = Pipeline(Lacking({BOXSCORES: ids}), FIRST, gaps=gaps)
        outcome = pipeline.run(DAYS, [GAMES, BOXSCORES])[BOXSCORES]
        assert set(outcome.failed) == failed
        if not failed:
            (gap,) = outcome.gaps[GAP_DAY]
            assert gap.nba_game_id in ids
            assert "NBA_PIPELINE_GAPS_AFTER_DAYS" in gap.reason
