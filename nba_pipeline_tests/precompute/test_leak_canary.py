"""The `no_lookahead` check on the real seasons: silent as things are, and loud about a `<=` in any single
window.

Each plant lets one window (or all of them, or the league's averages) see the day itself. The protocol must
then refuse the sampled day, name the columns of that window and no others, and never write the day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from nba_pipeline.failures import FailureClass
from nba_pipeline.formulas import arrays, windows
from nba_pipeline.formulas.windows import History, Slice
from nba_pipeline.rangerun.outcome import RangeOutcome
from nba_pipeline.tables.formula import (
    Window,
    head_to_head,
    last_appearance,
    last_days,
    last_games,
    season_to_date,
)
from nba_pipeline_tests.precompute.overlay import LOOKING_BACK, run_on
from nba_pipeline_tests.support.pipeline import Pipeline

pytestmark = pytest.mark.bulk

SLATE, DEFENSE, ZONES, FACTORS, CACHE, FEATURES = LOOKING_BACK
DAY = date(2023, 4, 9)
"""The last day of a regular season: every window is full, all thirty teams play, and the day after has no
games."""
MOST_NAMED = 8
"""So many columns does a message name at most."""
ZONE_NAMES = ("paint", "mid_range", "three")
SAMPLED_DAYS = [date(2022, 4, 10), DAY, date(2023, 10, 25)]
"""One per season; the canary itself is asked about more of them."""


def run(pipeline: Pipeline, table: str, day: date) -> RangeOutcome:
    """Two days, so that the results of the first are among what is read as history of the second."""
    return run_on(pipeline, table, [day, day + timedelta(days=1)])


def leaks(pipeline: Pipeline, table: str, day: date = DAY) -> set[str]:
    """The columns that the failed check of the day names (it names eight at most); none if the day was
    stored.

    A leak can make other checks fail as well: a game on the day itself is a rest of 0 days.
    """
    outcome = run(pipeline, table, day)
    found = [c.sample for c in outcome.checks if c.check == "no_lookahead" and c.day == day and not c.passed]
    assert (day in outcome.failed) == bool(found)
    if not found or found[0] is None:
        return set()
    (violation,) = found[0].to_dict("records")
    assert violation["failure_class"] == FailureClass.CODE_ERROR
    what, _, rule = violation["message"].partition(" change when results of that day or later change")
    assert "strictly before" in rule
    return set(what.split(f"{table} {day}: ")[1].split(", "))


def seeing_the_day(fact_keys: np.ndarray, as_of_keys: np.ndarray) -> np.ndarray:
    """The planted `<=`."""
    return np.searchsorted(fact_keys, as_of_keys, side="right")


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[Window], None]:
    """Lets windows equal to the given one, and no others, see the day itself."""
    honest_end, honest_before = windows._end_of_history, History.before

    def planted(kind: Window) -> None:
        def before(self: History, as_of: Any, window: Window, renamed: Any = None) -> Slice:
            monkeypatch.setattr(windows, "_end_of_history", seeing_the_day if window == kind else honest_end)
            try:
                return honest_before(self, as_of, window, renamed)
            finally:
                monkeypatch.setattr(windows, "_end_of_history", honest_end)

        monkeypatch.setattr(History, "before", before)

    return planted


@pytest.mark.parametrize("day", SAMPLED_DAYS, ids=str)
def test_no_table_looks_ahead(day: date, phase4: Pipeline) -> None:
    for table in LOOKING_BACK:
        outcome = run(phase4, table, day)
        assert outcome.failed == {}
        (check,) = [c for c in outcome.checks if c.check == "no_lookahead" and c.day == day]
        assert check.passed
        assert check.compared == outcome.stored[day].entry.row_count > 0


NAMED = {
    SLATE: {"(rows)", "pace_differential"},
    DEFENSE: {"paint_pct_allowed_last_15", "mid_range_pct_allowed_last_15", "three_pct_allowed_last_15"},
    ZONES: {"paint_rate_last_10", "mid_range_rate_last_10", "three_rate_last_10"},
    FACTORS: {"usage_spike_score", "total_composite_adjustment"},
    CACHE: {"games_played_season", "points_avg_last_3", "points_avg_season"},
    FEATURES: {"recent_trend", "minutes_change", "points_vs_opponent_avg", "games_vs_opponent"},
}
"""Some of the columns that an off-by-one in every window must bring to light."""


@pytest.mark.parametrize("table", LOOKING_BACK)
def test_a_planted_off_by_one_is_caught_in_every_table(
    table: str, phase4: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_end_of_history", seeing_the_day)
    assert NAMED[table] <= leaks(phase4, table)


BOOKKEEPING = {"known_feature_count", "missing_features", "feature_quality_score", "is_training_ready"}
"""Follow from which features are known, which a result of the day can change."""
PLANTS: dict[str, tuple[str, Window, set[str]]] = {
    "load of 7 days": (
        SLATE,
        last_days(7),
        {"games_in_last_7_days", "minutes_in_last_7_days", "avg_minutes_last_7_days"},
    ),
    "load of 14 days": (
        SLATE,
        last_days(14),
        {"games_in_last_14_days", "minutes_in_last_14_days"},
    ),
    "pairs of 15 days": (SLATE, last_days(15), {"back_to_backs_in_last_14_days"}),
    "pace of 10 games": (
        SLATE,
        last_games(10),
        {
            "team_days_rest",
            "opponent_days_rest",
            "team_pace_last_10",
            "opponent_pace_last_10",
            "pace_differential",
        },
    ),
    "defense of 15 games": (
        DEFENSE,
        last_games(15),
        {f"{z}_{w}" for z in ZONE_NAMES for w in ("pct_allowed_last_15", "attempts_allowed_per_game")},
    ),
    "shots of 10 games": (
        ZONES,
        last_games(10),
        {f"{zone}_{what}_last_10" for zone in ZONE_NAMES for what in ("rate", "pct")},
    ),
    "shots of 20 games": (
        ZONES,
        last_games(20),
        {*(f"{zone}_rate_last_20" for zone in ZONE_NAMES), "games_in_window_20"},
    ),
    "usage of 3 games": (FACTORS, last_games(3), {"usage_spike_score", "total_composite_adjustment"}),
    "usage of 10 games": (FACTORS, last_games(10), {"usage_spike_score", "total_composite_adjustment"}),
    "3 games": (CACHE, last_games(3), {"points_avg_last_3", "usage_rate_last_3"}),
    "5 games": (CACHE, last_games(5), {"points_avg_last_5", "minutes_avg_last_5", "games_in_window_5"}),
    "10 games": (
        CACHE,
        last_games(10),
        {"points_avg_last_10", "minutes_avg_last_10", "points_std_last_10", "rebounds_avg_last_10"},
    ),
    "the season": (
        CACHE,
        season_to_date(),
        {"games_played_season", "points_avg_season", "usage_rate_season", "team_win_pct_season"},
    ),
    "the last appearance": (CACHE, last_appearance(365), {"days_since_last_game"}),
    "a trend's 5 games": (FEATURES, last_games(5), {"recent_trend"}),
    "meetings": (FEATURES, head_to_head(), {"points_vs_opponent_avg", "games_vs_opponent"}),
    "a season's team": (FEATURES, season_to_date(), {"minutes_change", "games_since_team_change"}),
}
"""What the window is for: the table, the window, and its columns (all of them, or where there are more than
eight some)."""


@pytest.mark.parametrize(("table", "window", "columns"), PLANTS.values(), ids=list(PLANTS))
def test_an_off_by_one_in_a_single_window_is_caught_by_name(
    table: str, window: Window, columns: set[str], phase4: Pipeline, plant: Callable[[Window], None]
) -> None:
    plant(window)
    found = leaks(phase4, table) - BOOKKEEPING
    assert columns <= found
    assert found == columns or len(found) == MOST_NAMED


def test_league_averages_that_include_the_day_are_caught(
    phase4: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_the_day(allowed: Slice, column: str) -> np.ndarray:
        days = allowed.history._days
        next_is_today = (allowed.stop < len(days)) & (
            days[np.minimum(allowed.stop, len(days) - 1)] == allowed.as_of_days
        )
        seen = Slice(allowed.history, allowed.start, allowed.stop + next_is_today, allowed.as_of_days)
        return seen.total(column)

    monkeypatch.setitem(arrays._OVER_HISTORY, "league_sum", with_the_day)
    found = leaks(phase4, DEFENSE)
    assert {f"{zone}_defense_vs_league" for zone in ZONE_NAMES} <= found
    assert not {c for c in found if "_pct_allowed" in c or "_per_game" in c}
