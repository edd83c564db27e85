"""Counts of several processes add up, whoever was first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.orchestration.instance.counts import InstanceCounts

ADD = """
import sys, dagster as dg
from nba_pipeline.orchestration.instance.counts import InstanceCounts
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    counts = InstanceCounts(instance, "test")
    for _ in range(40):
        counts.add({"a": 1, "b": 3})
"""


@pytest.mark.slow  # two processes
def test_two_processes_lose_no_count(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert InstanceCounts(instance, "test").read(["a"]) == {}
        children = [subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path)]) for _ in range(2)]
        assert [child.wait(60) for child in children] == [0, 0]
        assert InstanceCounts(instance, "test").read(["a", "b"]) == {"a": 80, "b": 240}
        assert InstanceCounts(instance, "other").read(["a"]) == {}
