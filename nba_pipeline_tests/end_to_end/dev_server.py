"""`dagster dev` as a user starts it, spoken to over GraphQL.

Belongs here: starting, asking and ending the processes. Does not belong here: what a test expects of them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 90
_TICKS = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    sensors { name sensorState { ticks(limit: 200) { status error { message } } } }
} } } }
"""


@dataclass(frozen=True)
class DevServer:
    """A running webserver and daemon."""

    url: str
    log: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer; an error of GraphQL itself fails the test."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def failed_ticks(self) -> list[tuple[str, str]]:
        """(sensor, error) of every failed tick among the newest of each sensor."""
        return [
            (sensor["name"], tick["error"]["message"])
            for repository in self.ask(_TICKS)["repositoriesOrError"]["nodes"]
            for sensor in repository["sensors"]
            for tick in sensor["sensorState"]["ticks"]
            if tick["status"] == "FAILURE"
        ]

    def wait_for(self, what: str, done: Callable[[], Any], seconds: float) -> Any:
        """The first true answer of ``done``; the log's end is in the error if there is none in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if answer := done():
                    return answer
            time.sleep(1)
        raise AssertionError(
            f"{what} did not happen in {seconds} s; the log ends with:\n{self.log.read_text()[-3000:]}"
        )


@contextmanager
def dagster_dev(home: Path, location: list[str], environment: Mapping[str, str]) -> Iterator[DevServer]:
    """`dagster dev` on a free port of this machine only; every process of it is gone afterwards, whatever
    happened."""
    port = _free_port()
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port), *location]
    log = home / "dagster_dev.log"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env={**clean, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1", **environment},
            cwd=home,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            server = DevServer(f"http://127.0.0.1:{port}", log)
            server.wait_for("the webserver's answer", lambda: server.ask("{ version }"), START_SECONDS)
            yield server
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole session to end, then see to it."""
    with suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(5)  # its code server may take 20 s to notice that nobody asks any more
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
