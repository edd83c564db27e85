"""Eight poisoned days of four kinds in real games, through the commands: `status` and `report` name all of
them, `retry` fixes them.

No step looks into a log or a database: what an operator needs is in the output of the commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import build
from nba_pipeline.ranges import span
from nba_pipeline.sources.bulk.source import BulkSource
from nba_pipeline_tests.end_to_end.pipelines import ANALYTICS_JOB, RAW, command, environment
from nba_pipeline_tests.support.pages import html_rows, plain
from nba_pipeline_tests.support.poison import POISONS, PoisonedSource

pytestmark = [pytest.mark.bulk, pytest.mark.timeout(1800)]

KINDS = {
    "halve_team": (
        r"the players' points sum to \d+, the schedule says \d+|has [0-4] players with playing time"
    ),
    "duplicate_row": "appears 2 times under the key",
    "negative_count": "assists is -3",
    "outage": "does not answer",
}
"""Kind of poison -> pattern of the words of its cause that an operator must read beside the date."""
Capture = pytest.CaptureFixture[str]


def poisons_of(source: BulkSource, days: list[date], together: tuple[int, ...] = (1,) * 8) -> dict[date, str]:
    """Eight days with competitive games, spread over the range, two of each kind; ``together``: how many
    follow each other."""
    games = source.games(days).frame
    regular = games[(games["status"] == "final") & games["nba_game_id"].str[2].eq("2")]
    playing = sorted(set(regular["game_date"].dt.date))
    step = len(playing) // len(together)
    chosen = [
        playing[step * n + (step - size + 1) // 2 + k] for n, size in enumerate(together) for k in range(size)
    ]
    assert len(set(chosen)) == 8
    return {day: list(KINDS)[n % 4] for n, day in enumerate(chosen)}


@contextmanager
def poisoned_home(folder: Path, bulk_dir: Path, start: date, source: PoisonedSource) -> Iterator[None]:
    with (
        pytest.MonkeyPatch.context() as patch,
        environment(
            DAGSTER_HOME=folder / "home",
            NBA_PIPELINE_START_DATE=start,
            NBA_PIPELINE_SOURCE="bulk",
            NBA_PIPELINE_BULK_DIR=bulk_dir,
        ),
    ):
        patch.setattr(build, "make_source", lambda settings: source)
        yield


def rehearse(
    days: list[date], poisons: dict[date, str], bulk: BulkSource, folder: Path, capsys: Capture
) -> None:
    """The operator's day. One worker: the others would open the sound source."""
    expected = {str(day): POISONS[name].failure_class.value for day, name in poisons.items()}
    source = PoisonedSource(bulk, poisons)
    asked = ("--start", str(days[0]), "--end", str(days[-1]))
    with poisoned_home(folder, bulk.folder, days[0], source):
        first = command(
            capsys, "backfill", *asked, "--tables", ",".join(ANALYTICS_JOB), "--workers", "1", "--json"
        )
        assert first.code == 1
        status = command(capsys, "status", *asked, "--json")
        assert status.code == 1
        failed = [
            (f["date"], f["class"], name, f["message"])
            for name, t in status.json["tables"].items()
            for f in t["failed"]
        ]
        assert sorted((day, failure_class) for day, failure_class, _, _ in failed) == sorted(expected.items())
        for day, _, _, message in failed:
            assert re.search(KINDS[poisons[date.fromisoformat(day)]], message), message
        assert_named(failed, asked, capsys)

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
            due = sum(f["date"] in expected for f in status.json["tables"][name]["failed"]) + blocked[name]
            assert after.json["tables"][name]["materialized"] == before[name] + due == len(days), name
            assert made == due or (name in RAW and due <= made <= 8), name
        assert {day for _, day in source.asked} == set(poisons)
        assert "nothing to retry" in command(capsys, "retry").out


def assert_named(failed: list[tuple[str, str, str, str]], asked: tuple[str, ...], capsys: Capture) -> None:
    """`status` and both forms of the report say the class and the cause of each failed day on the line of its
    date."""
    status = [plain(line) for line in command(capsys, "status", *asked).out.splitlines()]
    markdown = [plain(line) for line in command(capsys, "report", *asked, "--format", "md").out.splitlines()]
    rows = html_rows(command(capsys, "report", *asked).out)
    for day, failure_class, table, message in failed:
        assert f"{day} {failure_class}: {plain(message)}" in status
        assert f"/ {day} / {failure_class} / {plain(message)} /" in markdown
        assert [day, failure_class, table, plain(message)] in rows


@pytest.mark.slow  # test_poisoned_days.py has ten days of them
def test_three_weeks_with_eight_poisoned_days(
    bulk_dir: Path, bulk_source: BulkSource, tmp_path: Path, capsys: Capture
) -> None:
    """Some of the days follow each other: fewer ranges between them, so fewer runs, which are what this
    costs."""
    days = span(date(2023, 11, 13), date(2023, 12, 3))
    rehearse(days, poisons_of(bulk_source, days, together=(4, 1, 3)), bulk_source, tmp_path, capsys)


@pytest.mark.slow  # three seasons, twice: minutes
def test_three_seasons_with_eight_poisoned_days(
    bulk_dir: Path, bulk_source: BulkSource, tmp_path: Path, capsys: Capture
) -> None:
    days = span(date(2021, 10, 19), date(2024, 6, 30))
    rehearse(days, poisons_of(bulk_source, days), bulk_source, tmp_path, capsys)
