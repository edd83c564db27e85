"""What writes cost, and the budget that refuses them before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from nba_pipeline.build import PLANS
from nba_pipeline.operations.quota import check_quota
from nba_pipeline.operations.tasks import Backfill
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.bigquery_quota import Budget, Cost, Limits, OverBudget, plan, quota_day, shortages, write_cost
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.bigquery.support import store_over
from nba_pipeline_tests.warehouse.support import TABLE, day, many


@pytest.mark.parametrize(
    ("days", "cost"),
    [(0, Cost()), (1, Cost(1, 4, 1)), (1_538, Cost(1, 4, 1_538)), (4_000, Cost(1, 4, 4_000)), (4_001, Cost(2, 8, 4_001))],
)
def test_the_cost_of_a_write(days, cost):
    assert write_cost(days) == cost


def test_the_cost_is_what_the_server_counts(fake, store):
    days = [day(n) for n in range(5)]
    store.replace_range(TABLE, many(days), days)
    target, manifest = "test-project:analytics.box_scores", "test-project:analytics.box_scores__manifest"
    assert fake.counters.dml[target] + fake.counters.dml[manifest] == write_cost(5).dml == 4
    assert sum(fake.counters.load_jobs.values()) == write_cost(5).loads == 1
    assert store.budget.used() == {"analytics.box_scores": write_cost(5)}
    store.replace_range(TABLE, many(days), days)  # unchanged: costs nothing
    assert store.budget.used() == {"analytics.box_scores": write_cost(5)}


def test_a_plan_and_its_shortages():
    costs = plan({"a.x": [400, 400, 200], "a.y": [10]})
    assert costs == {"a.x": Cost(3, 12, 1_000), "a.y": Cost(1, 4, 10)}
    assert shortages(costs, {}, Limits()) == []
    (short,) = shortages(costs, {"a.x": Cost(partitions=29_500)}, Limits())
    assert (short.table, short.unit, short.needed, short.used, short.limit) == ("a.x", "partitions", 1_000, 29_500, 30_000)
    assert str(short) == "a.x needs 1,000 partition modifications, and 500 of 30,000 are left today"
    assert shortages(costs, {"a.x": Cost(partitions=29_000)}, Limits()) == []
    assert [s.unit for s in shortages(costs, {"a.y": Cost(loads=1_500, dml=1_500)}, Limits())] == ["loads", "dml"]


def test_the_budget_starts_again_at_midnight_pacific():
    now = [datetime(2024, 1, 10, 7, 59, tzinfo=UTC)]
    budget = Budget(Limits(partitions=10), lambda: now[0])
    budget.spend(TABLE, write_cost(10))
    with pytest.raises(OverBudget, match=r"box_scores needs 1 partition modifications, and 0 of 10 are left today.*midnight Pacific"):
        budget.spend(TABLE, write_cost(1))
    now[0] = datetime(2024, 1, 10, 8, 0, tzinfo=UTC)
    budget.spend(TABLE, write_cost(1))
    assert quota_day(now[0]) == date(2024, 1, 10)
    assert quota_day(datetime(2024, 7, 10, 6, 59, tzinfo=UTC)) == date(2024, 7, 9)


def test_a_write_over_budget_sends_no_job(fake, store):
    days = [day(n) for n in range(5)]
    small = store_over(fake, budget=Budget(Limits(partitions=4)))
    with pytest.raises(OverBudget, match="needs 5 partition modifications, and 4 of 4 are left"):
        small.replace_range(TABLE, many(days), days)
    assert len(fake.jobs) == 0
    small.replace_range(TABLE, many(days[:4]), days[:4])
    assert sorted(small.manifest(TABLE)) == days[:4]


def test_what_other_processes_used_today_counts(fake, store):
    days = [day(n) for n in range(5)]
    store.replace_range(TABLE, many(days), days)
    store.replace_range(TABLE, many(days[:2], shift=1), days[:2])
    other = store_over(fake, budget=Budget(Limits(loads=3)))
    assert other.used_today([TABLE]) == {"analytics.box_scores": Cost(2, 8, 7)}
    with pytest.raises(OverBudget, match="needs 2 load jobs, and 1 of 3 are left"):
        other.check_budget({TABLE: [400, 400]})
    other.check_budget({TABLE: [400]})


def test_a_backfill_asks_first(fake, store):
    first, second = PLANS[:2]
    request = Backfill([first, second], {first.table: [day(n) for n in range(900)], second.table: [day(0), day(5)]})
    asked = {}

    class Asked:
        def check_budget(self, runs):
            asked.update({table.full_name: sizes for table, sizes in runs.items()})

    check_quota(Asked(), TABLES, request)
    assert asked == {first.table: [400, 400, 100], second.table: [1, 1]}
    check_quota(MemoryStore(), TABLES, request)  # no quotas: nothing to ask
    small = store_over(fake, budget=Budget(Limits(partitions=899)))
    with pytest.raises(OverBudget, match="needs 900 partition modifications"):
        check_quota(small, TABLES, request)
