"""The demo is the incident's scenario as a test: the same code, run in process, its steps and its exit
codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nba_pipeline.demo import incident
from nba_pipeline.demo.incident import LAST, OUTAGE, PARTIAL, STINT
from nba_pipeline_tests.end_to_end.pipelines import command, environment

pytestmark = pytest.mark.timeout(300)


@pytest.mark.slow  # every step of it is a test of its own elsewhere
def test_the_incident_is_replayed_and_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some 20 s of computing: thirty days through all tables."""
    home = tmp_path / "demo"
    answer = command(capsys, "demo", "--home", str(home), "--json")
    assert answer.code == 0, answer.err
    steps = answer.json["steps"]
    assert len(steps) == 8
    red = {(f["date"], f["class"]) for f in steps[0]["failed"]}
    assert red == {
        (str(PARTIAL), "incomplete_input"),
        (str(OUTAGE), "source_unavailable"),
        (str(STINT), "type_overflow"),
    }
    assert steps[1]["failed"] == steps[0]["failed"]
    assert 999.99 < steps[2]["value"] <= 9999.99
    assert steps[6]["made"]["nba_precompute.ml_feature_store"] == len(incident.DAYS)
    report = Path(steps[7]["report"])
    assert report.is_file()

    with environment(
        DAGSTER_HOME=home, NBA_PIPELINE_START_DATE=incident.FIRST
    ):  # what is left is a pipeline like any other
        status = command(capsys, "status", "--end", str(LAST), "--json")
        assert status.code == 0
        assert {t["materialized"] for t in status.json["tables"].values()} == {len(incident.DAYS)}
        shown = command(
            capsys,
            "explain",
            *steps[2]["command"].split()[1:3],
            "--key",
            f"player={steps[2]['player']}",
            "--column",
            "usage_rate",
        )
        assert f"{steps[2]['value']:.2f}" in shown.out
    assert command(capsys, "demo", "--home", str(home)).code == 2  # not an empty folder


def test_a_pipeline_that_does_something_else_ends_the_demo_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here it runs nothing at all, so no day fails."""
    monkeypatch.setattr("nba_pipeline.demo.story.execute", lambda runner, request: {})
    answer = command(capsys, "demo", "--home", str(tmp_path / "demo"))
    assert answer.code == 1
    assert "expected" in answer.err
    assert "found {}" in answer.err
