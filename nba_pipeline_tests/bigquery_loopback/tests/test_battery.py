"""The fake against an independent acceptance battery: 44 documented behaviours, asked with the real
client."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nba_pipeline_tests.bigquery_loopback import FakeBigQuery

BATTERY = Path(__file__).with_name("battery.py")
CASES = 44
CANNOT_PASS: dict[str, str] = {}
"""Case -> why the fake cannot pass it. Empty: it passes them all."""


@pytest.mark.slow  # a server and some hundred cases
@pytest.mark.timeout(240)
def test_the_battery_passes_but_for_the_cases_that_are_named_here() -> None:
    with FakeBigQuery() as fake:
        ran = subprocess.run(
            [sys.executable, str(BATTERY), fake.url, "fake"],
            capture_output=True,
            text=True,
            timeout=220,
            check=False,
        )
        defects = [
            job.error.message for job in fake.jobs if job.error and "defect of the fake" in job.error.message
        ]
    outcomes = {
        case: outcome
        for outcome, case in re.findall(r"^(PASS|FAIL|HANG)\s+(a\d\d_\w+)", ran.stdout, re.MULTILINE)
    }
    assert {case for case, outcome in outcomes.items() if outcome != "PASS"} == set(CANNOT_PASS), (
        ran.stdout + ran.stderr
    )
    assert len(outcomes) == CASES
    assert f"{CASES - len(CANNOT_PASS)}/{CASES} as production" in ran.stdout
    assert not defects
