"""Jobs: their states, their resources, and the thread that each one runs on.

Belongs here: the life of a job, from insertion (a job id succeeds at most once) to its result or error;
cancellation. Does not belong here: the work (``loads``, ``queries``).
"""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from nba_pipeline_tests.bigquery_loopback.answers import Answer
from nba_pipeline_tests.bigquery_loopback.catalog import milliseconds
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, duplicate, not_found

Hold = Callable[["Job"], bool]


class Job:
    """One job; ``result`` is set for queries that gave rows or changed some."""

    def __init__(
        self, project: str, body: dict[str, Any], payload: bytes | None, parent: Job | None = None
    ) -> None:
        reference = body.get("jobReference") or {}
        self.id: str = reference.get("jobId") or f"job_{uuid.uuid4().hex}"
        self.project: str = reference.get("projectId") or project
        self.location: str = reference.get("location") or ""
        self.config: dict[str, Any] = body.get("configuration") or {}
        self.payload = payload
        self.parent = parent
        self.children: list[Job] = []
        self.state = "PENDING"
        self.error: BigQueryError | None = None
        self.result: Answer | None = None
        self.schema_only: list[dict[str, Any]] | None = None
        self.statistics: dict[str, Any] = {"creationTime": milliseconds()}
        self.cancelled = threading.Event()
        self.released = threading.Event()
        self.done = threading.Event()

    @property
    def kind(self) -> str:
        return next((k for k in ("query", "load", "copy", "extract") if k in self.config), "unknown")

    def check_cancelled(self) -> None:
        """DOC: a cancelled job ends with the reason ``stopped``."""
        if self.cancelled.is_set():
            raise BigQueryError("stopped", "Job execution was cancelled: User requested cancellation")

    def resource(self) -> dict[str, Any]:
        status: dict[str, Any] = {"state": self.state}
        if self.error is not None:
            status |= {"errorResult": self.error.proto(), "errors": [self.error.proto()]}
        found: dict[str, Any] = {
            "kind": "bigquery#job",
            "id": f"{self.project}:{self.location}.{self.id}",
            "jobReference": {"projectId": self.project, "jobId": self.id, "location": self.location},
            "configuration": {**self.config, "jobType": self.kind.upper()},
            "status": status,
            "statistics": dict(self.statistics),
            "user_email": "fake@example.com",
        }
        if self.children:
            found["statistics"]["numChildJobs"] = str(len(self.children))
        if self.parent is not None:
            found["statistics"]["parentJobId"] = self.parent.id
        return found


class Jobs:
    """All jobs by id, oldest first (iterate, ``len``, index)."""

    WAIT_SECONDS = 2.0
    """How long an insert waits for its job, so that most answers already say DONE (allowed: the state is
    whatever it is)."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Job] = {}
        self._lock = threading.Lock()
        self._holds: list[Hold] = []

    def __iter__(self) -> Any:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: int) -> Job:
        return list(self._all.values())[index]

    def of_kind(self, kind: str) -> list[Job]:
        return [job for job in self if job.kind == kind and job.parent is None]

    def hold(self, chosen: Hold = lambda job: True) -> None:
        """From now on the chosen jobs stay RUNNING, before their work, until ``release`` or a
        cancellation."""
        self._holds.append(chosen)

    def release(self) -> None:
        self._holds.clear()
        for job in self:
            job.released.set()

    def add(self, job: Job) -> Job:
        with self._lock:
            if (job.project, job.id) in self._all:  # DOC
                raise duplicate(f"Job {job.project}:{job.location}.{job.id}")
            self._all[job.project, job.id] = job
        return job

    def get(self, project: str, name: str, location: str | None = None) -> Job:
        job = self._all.get((project, name))
        # DOC: a job is found in its own location only; without one, in the multi-regions US and EU.
        if (
            job is None
            or (location and location.upper() != job.location.upper())
            or (not location and job.location.upper() not in {"US", "EU"})
        ):
            raise not_found(f"Job {project}:{name}")
        return job

    def start(self, job: Job, work: Callable[[Job], None]) -> None:
        self.add(job)
        threading.Thread(target=self._run, args=(job, work), name=f"bigquery-{job.id}", daemon=True).start()
        job.done.wait(self.WAIT_SECONDS if not self._held(job) else 0)

    def _held(self, job: Job) -> bool:
        return any(hold(job) for hold in self._holds)

    def _run(self, job: Job, work: Callable[[Job], None]) -> None:
        job.state = "RUNNING"
        job.statistics["startTime"] = milliseconds()
        try:
            if self._held(job):
                while not (job.released.is_set() or job.cancelled.is_set()):
                    time.sleep(0.01)
            job.check_cancelled()
            work(job)
        except BigQueryError as error:
            job.error = error
        except Exception:
            # A defect of this server, shown as one: a test that meets it must not take it for BigQuery's
            # behaviour.
            job.error = BigQueryError(
                "internalError", "defect of the fake: " + traceback.format_exc(), status=500
            )
            job.error.reason = "notImplemented"  # not retried by the client, unlike internalError
        job.payload = None
        job.statistics["endTime"] = milliseconds()
        job.state = "DONE"
        job.done.set()

    def cancel(self, job: Job) -> None:
        """DOC: the request is noted and answered at once; a job that is done stays as it is."""
        job.cancelled.set()
        job.done.wait(0.2)
