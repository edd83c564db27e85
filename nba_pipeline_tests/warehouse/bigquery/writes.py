"""Two writes of the same three days, and what must be so between and after them.

Belongs here: what several test modules of writing share. Does not belong here: tests.
"""

from __future__ import annotations

from dataclasses import replace

from pandas.testing import assert_frame_equal

from nba_pipeline.tables.render.bigquery import STAGING_DATASET
from nba_pipeline_tests.bigquery_loopback import FakeBigQuery
from nba_pipeline_tests.warehouse.bigquery.support import PROJECT, QUICK, store_over
from nba_pipeline_tests.warehouse.support import TABLE, day, many

DAYS = [day(0), day(1), day(2)]


OLD, NEW = many(DAYS, 4), many(DAYS, 4, shift=1)


IMPATIENT = replace(QUICK, transient=0.0, quota=0.0)


def staging(fake: FakeBigQuery) -> list[str]:
    return [t.table_id for t in fake.client(PROJECT).list_tables(f"{PROJECT}.{STAGING_DATASET}")]


def assert_whole(fake: FakeBigQuery) -> bool:
    """Every day is old or new, all of one write alike, and the manifest says the same; True when they are
    new."""
    found = store_over(fake).read(TABLE, DAYS)  # a store that has cached nothing
    new = int(found["points"].iloc[0]) == 1
    assert_frame_equal(found, NEW if new else OLD)
    counted = [
        tuple(r.values())
        for r in (
            fake.client(PROJECT)
            .query(
                f"SELECT COUNT(*), COUNT(DISTINCT game_date) FROM `{PROJECT}.analytics.box_scores__manifest`"
            )
            .result()
        )
    ]
    assert counted == [(3, 3)]
    return new
