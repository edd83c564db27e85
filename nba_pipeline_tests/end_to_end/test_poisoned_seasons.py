"""Eight poisoned days of four kinds in real games, through the commands: `status` and `report` name all of them, `retry` fixes them.

No step looks into a log or a database: what an operator needs is in the output of the commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import build
from nba_pipeline.ranges import span
from nba_pipeline.sources.bulk_files import BulkSource
from nba_pipeline_tests.end_to_end.pipelines import ANALYTICS_JOB, RAW, command, environment
from nba_pipeline_tests.support.poison import POISONS, PoisonedSource

pytestmark = [pytest.mark.bulk, pytest.mark.timeout(1800)]

KINDS = ("halve_team", "duplicate_row", "negative_count", "outage")
Capture = pytest.CaptureFixture[str]


def poisons_of(source: BulkSource, days: list[date]) -> dict[date, str]:
    """Eight days with competitive games, spread over the range, two of each kind."""
    games = source.games(days).frame
    regular = games[(games["status"] == "final") & games["nba_game_id"].str[2].eq("2")]
    playing = sorted(set(regular["game_date"].dt.date))
    step = len(playing) // 8
    return {playing[step * n + step // 2]: KINDS[n % 4] for n in range(8)}


@contextmanager
def poisoned_home(folder: Path, bulk_dir: Path, start: date, source: PoisonedSource) -> Iterator[None]:
    with (
        pytest.MonkeyPatch.context() as patch,
        environment(
            DAGSTER_HOME=folder / "home", NBA_PIPELINE_START_DATE=start, NBA_PIPELINE_SOURCE="bulk", NBA_PIPELINE_BULK_DIR=bulk_dir
        ),
    ):
        patch.setattr(build, "make_source", lambda settings: source)
        yield


def rehearse(days: list[date], bulk: BulkSource, folder: Path, capsys: Capture) -> None:
    """The operator's day. One worker: the others would open the sound source."""
    poisons = poisons_of(bulk, days)
    expected = {(str(day), POISONS[name].failure_class.value) for day, name in poisons.items()}
    source = PoisonedSource(bulk, poisons)
    asked = ("--start", str(days[0]), "--end", str(days[-1]))
    with poisoned_home(folder, bulk.folder, days[0], source):
        first = command(capsys, "backfill", *asked, "--tables", ",".join(ANALYTICS_JOB), "--workers", "1", "--json")
        assert first.code == 1
        status = command(capsys, "status", *asked, "--json")
        assert status.code == 1
        failed = [(f["date"], f["class"]) for t in status.json["tables"].values() for f in t["failed"]]
        assert len(failed) == 8
        assert set(failed) == expected
        shown = command(capsys, "status", *asked).out
        page = command(capsys, "report", *asked, "--format", "md").out
        for day, failure_class in expected:
            assert day in shown, shown
            assert failure_class in shown
            assert f"{day}" in page
            assert failure_class in page

        before = {name: t["materialized"] for name, t in status.json["tables"].items()}
        blocked = {name: t["blocked"] for name, t in status.json["tables"].items()}
        source.heal()
        source.asked.clear()
        retried = command(capsys, "retry", "--workers", "1", "--json")
        assert retried.code == 0
        after = command(capsys, "status", *asked, "--json")
        assert after.code == 0
        for name in ANALYTICS_JOB:
            made = retried.json["tables"].get(name, {"materialized": 0})["materialized"]
            due = sum(f["date"] in {d for d, _ in expected} for f in status.json["tables"][name]["failed"]) + blocked[name]
            assert after.json["tables"][name]["materialized"] == before[name] + due == len(days), name
            assert made == due or (name in RAW and due <= made <= 8), name
        assert {day for _, day in source.asked} == set(poisons)
        assert "nothing to retry" in command(capsys, "retry").out


def test_two_months_with_eight_poisoned_days(bulk_dir: Path, bulk_source: BulkSource, tmp_path: Path, capsys: Capture) -> None:
    rehearse(span(date(2023, 11, 1), date(2023, 12, 31)), bulk_source, tmp_path, capsys)


@pytest.mark.slow  # three seasons, twice: minutes
def test_three_seasons_with_eight_poisoned_days(bulk_dir: Path, bulk_source: BulkSource, tmp_path: Path, capsys: Capture) -> None:
    rehearse(span(date(2021, 10, 19), date(2024, 6, 30)), bulk_source, tmp_path, capsys)
