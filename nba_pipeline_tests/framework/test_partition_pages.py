"""Fact F15: what the pages of partitions cannot show; the documents say it only as long as it is so."""

from __future__ import annotations

from datetime import date

from dagster._core.definitions.partitions.context import partition_loading_context

from nba_pipeline.orchestration.partitions import daily_partitions

FIRST, LAST = date(2021, 10, 19), date(2024, 6, 30)


def test_f15_the_latest_partitions_begin_at_today_whatever_the_end() -> None:
    """The plots by partition ask for the latest partitions, newest first. Dagster forgets the end there, so
    with NBA_PIPELINE_END_DATE they are empty. When this fails, docs/operating.md need not say so any more."""
    partitions = daily_partitions(FIRST, LAST)
    assert partitions.get_last_partition_key() == str(LAST)
    with partition_loading_context() as context:
        newest = partitions.get_paginated_partition_keys(context, limit=3, ascending=False).results
    assert min(newest) > str(LAST)
