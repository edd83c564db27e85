"""Talking to BigQuery with patience that ends: calls tried again, jobs started once, waited for and
cancelled.

Belongs here: ``Patience`` and ``Runner``. Does not belong here: what the jobs do (``bigquery_write.py``),
what errors mean (``bigquery_errors.py``).

A job's id is chosen by us. BigQuery runs an id at most once, so a start whose answer was lost is simply
repeated: a 409 says that the job exists, and it is fetched. The library's own retries are switched off,
because two layers of them multiply.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.api_core import exceptions as api
from google.cloud import bigquery

from nba_pipeline.warehouse.bigquery.errors import REMOTE_ERRORS, JobFailed, JobOverdue, Trouble, trouble_of

_Result = TypeVar("_Result")
_EARLIER_FAILURES = (
    3  # numbered ids of failed earlier attempts that are stepped over before the id becomes a random one
)


@dataclass(frozen=True)
class Patience:
    """Every bound, in seconds. ``sleep`` and ``clock`` are there for tests."""

    call: float = 60.0  # one HTTP call without an answer
    upload: float = 600.0  # one HTTP call that carries rows
    transient: float = 180.0  # from the first transient error to giving up
    first_wait: float = 1.0
    longest_wait: float = 30.0
    quota: float = 900.0  # from the first quota error to giving up
    quota_wait: float = 60.0
    job: float = 1800.0  # one job
    stop: float = 30.0  # for a cancelled job to end
    poll: float = 0.25
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class _Waits:
    """The pauses of one piece of work: short ones that double, long ones for quotas; ``again`` says when they
    are used up."""

    patience: Patience
    started: dict[Trouble, float] = field(default_factory=dict)
    count: dict[Trouble, int] = field(default_factory=dict)

    def again(self, trouble: Trouble) -> bool:
        """Sleep before another attempt; False when there is none left."""
        if trouble not in (Trouble.TRANSIENT, Trouble.QUOTA):
            return False
        now, patience = self.patience.clock(), self.patience
        first, longest, most = (
            (patience.quota_wait, patience.quota, patience.quota)
            if trouble is Trouble.QUOTA
            else (patience.first_wait, patience.longest_wait, patience.transient)
        )
        turn = self.count.get(trouble, 0)
        wait = min(longest, first * 2**turn) * random.uniform(0.75, 1.25)  # noqa: S311, RUF100 - spreads clients, no secret
        if now + wait - self.started.setdefault(trouble, now) > most:
            return False
        self.count[trouble] = turn + 1
        patience.sleep(wait)
        return True


class Runner:
    """Calls and jobs of one client."""

    def __init__(self, client: bigquery.Client, location: str, patience: Patience) -> None:
        self.client: Any = client  # the library's signatures forget that retry=None means "no retries"
        self.location, self.patience = location, patience

    def call(self, work: Callable[[], _Result]) -> _Result:
        """The work's result; transient errors and used-up quotas are waited out, everything else is raised at
        once."""
        waits = _Waits(self.patience)
        while True:
            try:
                return work()
            except REMOTE_ERRORS as error:
                if not waits.again(trouble_of(error)):
                    raise

    def run(self, base_id: str, start: Callable[[str], Any]) -> tuple[Any, bool]:
        """Start a job, wait for it, and start another attempt where that makes sense.

        ``start(job_id)`` inserts the job and must be repeatable. Returns the finished job, and whether a job
        of this id was found instead of started (a lost answer, or somebody else with the same content).
        Raises ``JobFailed``, ``JobOverdue`` or what the client raises.
        """
        waits, attempt, stepped = _Waits(self.patience), 0, 0
        while True:
            job_id = (
                f"{base_id}-{attempt}"
                if stepped <= _EARLIER_FAILURES
                else f"{base_id}-{uuid.uuid4().hex[:8]}"
            )
            job, found = self._insert(job_id, start)
            was_over = found and job.state == "DONE"
            job = self._wait(job)
            if not job.error_result:
                return job, found
            attempt += 1
            error = JobFailed(job_id, job.error_result)
            # an earlier run's attempt (or ours, whose answer was lost): its failure says nothing about now
            if was_over:
                stepped += 1
                if stepped <= _EARLIER_FAILURES + 1:
                    continue
            if not waits.again(trouble_of(error)):
                raise error

    def _insert(self, job_id: str, start: Callable[[str], Any]) -> tuple[Any, bool]:
        try:
            return self.call(lambda: start(job_id)), False
        except api.Conflict:
            seconds = self.patience.call
            job = self.call(
                lambda: self.client.get_job(job_id, location=self.location, retry=None, timeout=seconds)
            )
            return job, True

    def _wait(self, job: Any) -> Any:
        started, turn = self.patience.clock(), 0
        try:
            while job.state != "DONE":
                if self.patience.clock() - started > self.patience.job:
                    raise JobOverdue(job.job_id, self.patience.job, self._stop(job))
                self.patience.sleep(min(5.0, self.patience.poll * 1.5**turn))
                turn += 1
                self.call(lambda: job.reload(retry=None, timeout=self.patience.call))
        except JobOverdue:
            raise
        except (
            BaseException
        ):  # an interrupt, or patience that ended: a job that nobody waits for should not go on
            self._stop(job, wait=False)
            raise
        return job

    def _stop(self, job: Any, *, wait: bool = True) -> bool:
        """Cancel a job; whether it is known to have ended. Never raises: it runs while another error is being
        told."""
        until = self.patience.clock() + self.patience.stop
        try:
            job.cancel(retry=None, timeout=self.patience.call)
            while wait and job.state != "DONE" and self.patience.clock() < until:
                self.patience.sleep(self.patience.poll)
                job.reload(retry=None, timeout=self.patience.call)
        except REMOTE_ERRORS:
            return False
        return job.state == "DONE"
