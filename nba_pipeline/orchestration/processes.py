"""Which process executes a run, and closing the runs whose process is gone.

Belongs here: naming a process so that it can be recognized later, and looking for it. Does not belong here:
starting runs (``launch.py``, ``run_launcher.py``).

Why: a killed backfill or a reboot leaves runs ``STARTED``. They hold the queue's slots, so every run of the
UI and of the sensors waits for them (dagster issues 4319 and 1735).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg

from nba_pipeline.orchestration.dagster_private import NOT_FINISHED_STATUSES

PROCESS = "nba_pipeline/process"
LAUNCHED_BY = "nba_pipeline/launched_by"
COMMAND_LINE = "nba-pipeline"
GONE = "its process is gone (killed, out of memory, or the machine was restarted)"


def this_process() -> str:
    """Host, number and start of this process. A number is used again, the moment of a start is not."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid()) or ''}"


def launched_here() -> dict[str, str]:
    """The tags of a run that a command executes in its own process."""
    return {LAUNCHED_BY: COMMAND_LINE, PROCESS: this_process()}


def is_gone(process: str) -> bool:
    """Whether a process of this host has ended; False for one of another host, of which nothing is known."""
    host, number, started = process.rsplit(":", 2)
    if host != socket.gethostname() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's, so it lives; whether it is the same one is asked below
    now = _started(int(number))
    return bool(started and now) and started != now


def _started(number: int) -> str | None:
    """The boot and the moment of a process's start, or None where the system does not tell (no /proc)."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return f"{boot[:8]}-{fields.split()[19]}"  # field 22 of the line: ticks since the boot


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Close every open run whose process has ended; the ids of these runs.

    One of the command line counts as interrupted, because somebody stopped it; others as failed, so that
    alerts tell of them.
    """
    closed = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))):
        if is_gone(run.tags.get(PROCESS, "::")):
            close_run(instance, run)
            closed.append(run.run_id)
    return closed


def close_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Close a run whose process is gone."""
    if run.tags.get(LAUNCHED_BY) == COMMAND_LINE:
        instance.report_run_canceled(run, message=f"interrupted: {GONE}")
    else:
        instance.report_run_failed(run, GONE)
