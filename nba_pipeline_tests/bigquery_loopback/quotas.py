"""Counters per table and day, and the limits that turn them into errors.

Belongs here: what is counted, the limits and Google's words for passing one.
Does not belong here: the work that is counted.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from nba_pipeline_tests.bigquery_loopback.errors import invalid, quota_exceeded

PARTITIONS_PER_JOB = 4_000  # DOC
PARTITIONS_PER_TABLE = 10_000  # DOC
PARTITIONS_PER_TRANSACTION = 100_000  # DOC
TABLES_PER_TRANSACTION = 100  # DOC


@dataclass
class Limits:
    """Per table and day; a test lowers them. Two pages of the documentation disagree, so both limits are
    kept."""

    load_jobs: int = 1_500  # DOC: failed ones included, cannot be raised
    partition_modifications: int = (
        30_000  # DOC: by loads, copies and queries with a destination; DML is not counted
    )


class Counters:
    """What was done today, by full table name (``project:dataset.table``).

    ``load_jobs``, ``partition_modifications``, ``dml`` (mutating statements), ``metadata`` (creations,
    patches, DDL) are Counters; ``jobs`` counts the jobs that were inserted, ``child_jobs`` the statements of
    scripts.
    """

    def __init__(self) -> None:
        self.limits = Limits()
        self._lock = threading.Lock()
        self.new_day()

    def new_day(self) -> None:
        """Midnight Pacific time (DOC: when daily quotas start again)."""
        self.load_jobs: Counter[str] = Counter()
        self.partition_modifications: Counter[str] = Counter()
        self.dml: Counter[str] = Counter()
        self.metadata: Counter[str] = Counter()
        self.jobs = 0
        self.child_jobs = 0

    def count_load(self, table: str) -> None:
        """One more load job; over the limit it fails, and counts all the same."""
        with self._lock:
            self.load_jobs[table] += 1
            if self.load_jobs[table] > self.limits.load_jobs:
                # The words are publicly reported.
                raise quota_exceeded(
                    "Quota exceeded: Your table exceeded quota for imports or query appends per table."
                    f" Table: {table}. For more information, see"
                    " https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
                )

    def count_partitions(self, table: str, partitions: int) -> None:
        """A load, copy or query with a destination is about to change so many partitions."""
        if partitions > PARTITIONS_PER_JOB:
            raise too_many_partitions(partitions)
        with self._lock:
            if self.partition_modifications[table] + partitions > self.limits.partition_modifications:
                raise quota_exceeded(
                    "Quota exceeded: Your table exceeded quota for Number of partition modifications to a"
                    f" column partitioned table. Table: {table}. For more information, see"
                    " https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
                )
            self.partition_modifications[table] += partitions

    def add(self, counter: Counter[str], table: str) -> None:
        with self._lock:
            counter[table] += 1

    def add_job(self, *, child: bool = False) -> None:
        with self._lock:
            if child:
                self.child_jobs += 1
            else:
                self.jobs += 1


def too_many_partitions(partitions: int) -> Exception:
    """The words are publicly reported."""
    return invalid(
        f"Too many partitions produced by query, allowed {PARTITIONS_PER_JOB}, query produces at least"
        f" {partitions} partitions"
    )
