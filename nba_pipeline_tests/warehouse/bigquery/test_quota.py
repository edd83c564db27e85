"""What writes cost, and the budget that refuses them before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.operations.backfill.quota import Share, costs_of, share, share_of_today
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.orchestration.instance.counts import InstanceCounts
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.warehouse.bigquery.quota import (
    Budget,
    DailyQuota,
    cost,
    next_quota_day,
    quota_day,
    row_bytes,
    write_cost,
)
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline.warehouse.quota import Cost, Limits, OverBudget, Quota, shortages
from nba_pipeline_tests.warehouse.bigquery.support import store_over
from nba_pipeline_tests.warehouse.support import TABLE, day, many


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, Cost()),
        (1, Cost(1, 4, 1)),
        (1_538, Cost(1, 4, 1_538)),
        (4_000, Cost(1, 4, 4_000)),
        (4_001, Cost(2, 8, 4_001)),
    ],
)
def test_the_cost_of_a_write(days, expected):
    assert write_cost(days) == expected


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
    costs = cost({"a.x": [400, 400, 200], "a.y": [10]})
    assert costs == {"a.x": Cost(3, 12, 1_000), "a.y": Cost(1, 4, 10)}
    assert shortages(costs, {}, Limits()) == []
    (short,) = shortages(costs, {"a.x": Cost(partitions=29_500)}, Limits())
    assert (short.table, short.unit, short.needed, short.used, short.limit) == (
        "a.x",
        "partitions",
        1_000,
        29_500,
        30_000,
    )
    assert str(short) == "a.x needs 1,000 partition modifications, and 500 of 30,000 are left today"
    assert shortages(costs, {"a.x": Cost(partitions=29_000)}, Limits()) == []
    assert [s.unit for s in shortages(costs, {"a.y": Cost(loads=1_500, dml=1_500)}, Limits())] == [
        "loads",
        "dml",
    ]


def test_the_budget_starts_again_at_midnight_pacific():
    now = [datetime(2024, 1, 10, 7, 59, tzinfo=UTC)]
    budget = Budget(Limits(partitions=10), lambda: now[0])
    budget.spend(TABLE, write_cost(10))
    with pytest.raises(
        OverBudget,
        match=r"box_scores needs 1 partition modifications, and 0 of 10 are left today.*midnight Pacific",
    ):
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
    quota = other.quota.today([TABLE])
    assert quota.used == {"analytics.box_scores": Cost(2, 8, 7)}
    assert 0 < (quota.resets_at - other.budget.now()).total_seconds() <= 25 * 3_600
    assert other.used_today([TABLE]) == {"analytics.box_scores": Cost(2, 8, 7)}
    with pytest.raises(OverBudget, match="needs 2 load jobs, and 1 of 3 are left"):
        other.budget.check(cost({TABLE.full_name: [400, 400]}))
    other.budget.check(cost({TABLE.full_name: [400]}))


FIRST, SECOND = RECIPES[:2]
COSTS = DailyQuota(Budget(), lambda tables: {})


def quota(partitions: int, **used: Cost) -> Quota:
    tables = {"first": FIRST.table, "second": SECOND.table}
    return Quota(
        {tables[name]: spent for name, spent in used.items()},
        Limits(partitions=partitions),
        datetime(2024, 1, 11, 8, tzinfo=UTC),
    )


def test_a_request_that_fits_is_left_as_it_is():
    request = Backfill(
        [FIRST, SECOND], {FIRST.table: [day(n) for n in range(900)], SECOND.table: [day(0), day(5)]}
    )
    assert costs_of(request, COSTS) == {FIRST.table: Cost(3, 12, 900), SECOND.table: Cost(2, 8, 2)}
    assert share(request, COSTS, quota(900)) == Share(request)
    assert str(share(request, COSTS, quota(900))) == ""
    assert share_of_today(MemoryStore(), TABLES, request) == Share(request)  # no quotas: nothing to ask


def test_over_budget_the_oldest_days_that_fit_are_done_in_every_table():
    days = [day(n) for n in range(10)]
    request = Backfill([FIRST, SECOND], {FIRST.table: days, SECOND.table: [*days[:2], *days[4:]]})
    found = share(
        request, COSTS, quota(10, first=Cost(partitions=4))
    )  # 6 are left for the first table, 10 for the second
    assert {name: sorted(d) for name, d in found.today.days.items()} == {
        FIRST.table: days[:6],
        SECOND.table: [*days[:2], *days[4:6]],
    }
    assert found.left == {FIRST.table: days[6:], SECOND.table: days[6:]}
    assert not shortages(
        costs_of(found.today, COSTS), {FIRST.table: Cost(partitions=4)}, Limits(partitions=10)
    )
    text = str(found)
    assert "4 day(s) of 2 table(s) are left for another day" in text
    assert f"{days[6]} .. {days[9]}" in text
    assert "needs 10 partition modifications, and 6 of 10 are left today" in text
    assert "2024-01-11 08:00 UTC" in text
    assert found.as_json()["tables"][SECOND.table] == [[str(days[6]), str(days[9])]]


def test_a_gap_costs_a_load_and_is_cut_by_loads_too():
    apart = Backfill([FIRST], {FIRST.table: [day(n) for n in range(0, 20, 2)]})
    limited = Quota({}, Limits(loads=3), datetime(2024, 1, 11, 8, tzinfo=UTC))
    assert sorted(share(apart, COSTS, limited).today.days[FIRST.table]) == [day(0), day(2), day(4)]


def test_nothing_fits_and_nothing_is_begun(fake, store):
    request = Backfill([FIRST, SECOND], {FIRST.table: [day(0)], SECOND.table: [day(0)]})
    with pytest.raises(
        OverBudget,
        match=(
            r"player_boxscores needs 1 partition modifications, and 0 of 5 are left today.*Nothing was sent"
        ),
    ):
        share(request, COSTS, quota(5, second=Cost(partitions=5)))
    small = store_over(fake, budget=Budget(Limits(partitions=0)))
    with pytest.raises(OverBudget, match="games needs 1 partition modifications"):
        share_of_today(small, TABLES, request)
    assert len(fake.jobs) == 0


def test_the_bytes_of_a_row_are_its_types():
    assert row_bytes(TABLE) == sum(
        {"STRING": 14, "BOOL": 1}.get(str(c.type), 16 if "NUMERIC" in str(c.type) else 8)
        for c in TABLE.columns
    )


def test_the_next_quota_day_over_a_change_of_the_clock():
    assert next_quota_day(datetime(2024, 3, 10, 12, tzinfo=UTC)).astimezone(UTC) == datetime(
        2024, 3, 11, 7, tzinfo=UTC
    )
    assert next_quota_day(datetime(2024, 11, 3, 7, 30, tzinfo=UTC)).astimezone(UTC) == datetime(
        2024, 11, 4, 8, tzinfo=UTC
    )
    assert next_quota_day(datetime(2024, 1, 10, 7, 59, tzinfo=UTC)).astimezone(UTC) == datetime(
        2024, 1, 10, 8, tzinfo=UTC
    )


def test_two_processes_of_an_instance_share_the_budget():
    with dg.DagsterInstance.ephemeral() as instance:
        one, other = (
            Budget(Limits(partitions=10), ledger=InstanceCounts(instance, "quota")) for _ in range(2)
        )
        one.spend(TABLE, write_cost(6))
        with pytest.raises(OverBudget, match="needs 5 partition modifications, and 4 of 10 are left today"):
            other.spend(TABLE, write_cost(5))
        other.spend(TABLE, write_cost(4))  # what was refused was given back
        with pytest.raises(OverBudget):
            one.spend(TABLE, write_cost(1))
