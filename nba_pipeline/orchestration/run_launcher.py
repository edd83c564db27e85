"""Dagster's launcher of processes, which can also tell whether a run's process lives.

Belongs here: what the daemon's run monitoring asks. Does not belong here: naming processes
(``processes.py``). `instance/pipeline_instance.py` makes it the default.
"""

from dagster import DagsterRun, DefaultRunLauncher

from nba_pipeline.orchestration.dagster_private import CheckRunHealthResult, WorkerStatus
from nba_pipeline.orchestration.processes import COMMAND_LINE, GONE, LAUNCHED_BY, PROCESS, close_run, is_gone


class WatchfulRunLauncher(DefaultRunLauncher):
    """`DefaultRunLauncher` for run monitoring: a run whose process has ended is closed within its interval,
    instead of holding a slot of the queue until the longest run time is over (6 hours)."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process lives; a run without a recorded process is taken to run."""
        if not is_gone(run.tags.get(PROCESS, "::")):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if run.tags.get(LAUNCHED_BY) == COMMAND_LINE:  # the monitor sees that it is closed, and leaves it so
            close_run(self._instance, run)
        return CheckRunHealthResult(WorkerStatus.FAILED, GONE)
