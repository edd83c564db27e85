"""Time left: days weigh what a day of their table costs, measured here or stored."""

from __future__ import annotations

import pytest

from nba_pipeline.operations.eta import RELATIVE_COST, costs, seconds_left
from nba_pipeline.operations.pace import Measured
from nba_pipeline.tables.registry import TABLES


def test_cheap_days_first_do_not_promise_a_quick_end() -> None:
    total = {"cheap": 100, "dear": 100}
    cost = {"cheap": 1.0, "dear": 3.0}
    assert seconds_left(total, {}, cost, 1.0) is None
    assert seconds_left(total, {"cheap": 100}, cost, 50.0) == pytest.approx(150.0)
    assert seconds_left(total, {"cheap": 100, "dear": 50}, cost, 125.0) == pytest.approx(75.0)
    assert seconds_left(total, total, cost, 200.0) == 0.0


def test_every_table_has_a_stored_cost_and_measurements_win_when_all_tables_have_them() -> None:
    assert set(RELATIVE_COST) == set(TABLES)
    names = ["nba_raw.games", "nba_raw.shot_attempts"]
    history = {names[0]: [Measured(1, 100, 2.0), Measured(1, 100, 4.0)]}
    assert costs(names, history) == {name: RELATIVE_COST[name] for name in names}  # seconds and shares do not mix
    history[names[1]] = [Measured(1, 10, 1.0)]
    assert costs(names, history) == pytest.approx({names[0]: 0.03, names[1]: 0.1})
