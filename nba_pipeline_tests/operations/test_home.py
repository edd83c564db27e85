"""Homes made before anything runs, and looked at."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from nba_pipeline.operations import home as homes
from nba_pipeline.settings import Settings
from nba_pipeline_tests.end_to_end.pipelines import command, environment

Capture = pytest.CaptureFixture[str]


def test_a_home_is_made_once_and_every_process_then_has_its_settings(tmp_path: Path, capsys: Capture) -> None:
    home, bulk = tmp_path / "home", tmp_path / 'real "seasons"'
    bulk.mkdir()
    given = {"SOURCE": "bulk", "BULK_DIR": bulk, "START_DATE": "2022-10-18", "END_DATE": "2023-06-30"}
    with environment(DAGSTER_HOME=home, **{f"NBA_PIPELINE_{name}": value for name, value in given.items()}):
        assert command(capsys, "home", "check").code == 1
        made = command(capsys, "home", "init")
        assert made.code == 0
        assert [line for line in made.out.splitlines() if line.startswith("wrote")] == [
            f"wrote {home / 'dagster.yaml'}",
            f"wrote {home / 'nba_pipeline.toml'}",
        ]
    with environment(DAGSTER_HOME=home):  # another shell
        settings = Settings.from_environment()
        assert (settings.source, settings.bulk_dir) == ("bulk", bulk.resolve())
        assert (settings.start_date, settings.end_date) == (date(2022, 10, 18), date(2023, 6, 30))
        checked = command(capsys, "home", "check", "--json")
        assert checked.code == 0
        assert all(finding["ok"] for finding in checked.json)
        assert "wrote" not in command(capsys, "home", "init", "--source", "simulated").out
        assert Settings.from_environment().source == "bulk"
    configuration = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    assert configuration["telemetry"] == {"enabled": False}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no dagster.yaml"),
        ("telemetry: {enabled: true}", "telemetry is on"),
        ("telemetry: {enabled: false}", "an event at a time"),
        ("a: [", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_home_is_said_with_what_to_do(
    tmp_path: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    with environment(DAGSTER_HOME=tmp_path):
        wrong = [finding for finding in homes.check(tmp_path) if not finding.ok]
    assert any(words in finding.what for finding in wrong)


def test_a_wrong_setting_of_the_home_is_a_finding(tmp_path: Path) -> None:
    with environment(DAGSTER_HOME=tmp_path):
        homes.init(tmp_path, Settings.from_environment())
        (tmp_path / "nba_pipeline.toml").write_text('sorce = "bulk"', encoding="utf-8")
        (wrong,) = (finding for finding in homes.check(tmp_path) if not finding.ok)
    assert "sorce is no setting (source is one)" in wrong.what


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "LEAST_FREE_BYTES", 2**62)
    with environment(DAGSTER_HOME=tmp_path):
        homes.init(tmp_path, Settings.from_environment())
        assert ["make room" in f.what_to_do for f in homes.check(tmp_path) if not f.ok] == [True]
