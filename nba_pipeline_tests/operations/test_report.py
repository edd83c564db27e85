"""The report says what `status` says, names every failure and its class, and is one file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nba_pipeline.build import PLANS
from nba_pipeline.operations import report as reports
from nba_pipeline.operations.failed import Failed
from nba_pipeline.operations.rejected import Rejected
from nba_pipeline.operations.report import Report, causes, cells, gather, waiting
from nba_pipeline.operations.report_html import COLORS, as_html, color_of
from nba_pipeline.operations.report_markdown import as_markdown
from nba_pipeline.operations.staleness import Stale
from nba_pipeline.operations.state import TableState, read_state
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.ranges import span
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE, command
from nba_pipeline_tests.operations.conftest import DAYS, END, START

NOW = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
MARCH = span(date(2024, 3, 1), date(2024, 3, 31))
BAD, BEHIND, RUNNING, GONE, OFF, OLD = MARCH[6], MARCH[7], MARCH[8], MARCH[9], MARCH[10], MARCH[11]
NASTY = 'usage_rate 1196.81 <script>alert("x")</script> | a|b'


def a_state() -> TableState:
    """March with one day of every kind."""
    stored = {d: ManifestEntry(d, 200, "h", "s", NOW) for d in MARCH if d not in (BAD, BEHIND, RUNNING, GONE)}
    stored[OFF] = replace(stored[OFF], row_count=0, reason="off_day")
    failed = {BAD: Failed(BAD, "type_overflow", NASTY)}
    return TableState(PLAYERS, stored, failed, {BEHIND: f"{PLAYERS} {BAD}"}, frozenset([RUNNING]), frozenset([GONE]))


@pytest.fixture
def full() -> Report:
    state = a_state()
    plans = [p for p in PLANS if p.table == PLAYERS]
    refused = Rejected(PLAYERS, BAD, "impossible_value", "contract", "points", NASTY, {}, {}, {})
    return Report(
        NOW,
        tuple(MARCH),
        {PLAYERS: cells(state, {OLD: Stale.CODE}, MARCH)},
        {PLAYERS: state.rows},
        causes({PLAYERS: state}),
        (reports.Coverage("2024-03", 1000, 990),),
        {PLAYERS: reports.Measured(1, 31, 2.0, 31)},
        (refused,),
        waiting(plans, {PLAYERS: state}),
    )


def test_every_day_is_exactly_one_thing() -> None:
    found = cells(a_state(), {OLD: Stale.CODE}, MARCH)
    assert list(found) == MARCH
    special = {BAD: "failed", BEHIND: "blocked", RUNNING: "running", GONE: "missing", OFF: "empty: off_day", OLD: "stale"}
    assert {d: what for d, what in found.items() if what != "good"} == special


def test_what_has_not_started_is_named_with_its_reason() -> None:
    plans = [p for p in PLANS if p.table in (PLAYERS, SLATE)]
    never = TableState(SLATE, {}, {}, {}, frozenset(), frozenset(MARCH))
    lines = waiting(plans, {PLAYERS: a_state(), SLATE: never})
    assert lines == (
        f"{PLAYERS}: 1 day(s) wait for {PLAYERS} {BAD}: {BEHIND}",
        f"{PLAYERS}: 1 day(s) missing, nobody has made them: {GONE}",
        f"{SLATE}: 31 day(s) missing, the table was never made: {MARCH[0]} .. {MARCH[-1]}",
    )


class Page(HTMLParser):
    """Elements of a page, and whether every one that was opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_the_page_is_self_contained_well_formed_and_escapes_what_sources_say(full: Report) -> None:
    page = as_html(full)
    tags = Page(page).tags
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert not re.search(r"https?:|url\(|@import", page)
    assert "&lt;script&gt;" in page
    assert "@media print" in page


def test_the_page_holds_everything_and_a_square_for_each_day(full: Report) -> None:
    page = as_html(full)
    for text in ("type_overflow", "widen the column", str(BAD), "99.00 %", "wait for", "930", "impossible_value", "2024-07-01 12:30"):
        assert text in page, text
    squares = {color_of(what): path.count("M") for what, path in re.findall(r'<path class="([^"]+)" d="([^"]+)"', page) if what in COLORS}
    counts = full.counts(PLAYERS)
    assert squares == {COLORS[what]: n for what, n in counts.items() if what in COLORS}
    assert counts == {"good": 25, "empty: off_day": 1, "stale": 1, "failed": 1, "blocked": 1, "running": 1, "missing": 1}
    assert f"<title>{BAD} failed</title>" in page


def test_years_are_drawn_below_each_other_and_a_failed_day_has_a_mark_besides_its_colour(full: Report) -> None:
    years = span(date(2021, 10, 19), date(2026, 1, 3))
    found = dict.fromkeys(years, reports.GOOD) | {date(2024, 3, 7): reports.FAILED}
    page = as_html(replace(full, days=tuple(years), cells={"nba_raw.games": found}, rows={"nba_raw.games": 0}))
    drawn = page.split("<svg ")[1:]
    assert len(drawn) == 3  # two years each
    marks = [row.count('stroke="#fff"') for row in drawn]
    assert marks == [0, 1, 0]
    assert sum(row.count("h9v9h-9z") for row in drawn) == len(years)


def test_markdown_holds_the_same(full: Report) -> None:
    page = as_markdown(full)
    for text in ("type_overflow", "widen the column", str(BAD), "99.00 %", "wait for", "impossible_value", "25 good"):
        assert text in page, text
    assert "2024-03 ██████✗○…?·▒█" in page
    assert "a|b" not in page  # it would end a cell


@pytest.fixture
def gathered(home: Path) -> Iterator[Report]:
    with open_workspace() as w:
        days = w.days(START, END)
        states = read_state(w.instance, w.store, w.tables, w.plans, days, w.partitions)
        yield gather(w.instance, w.store, w.tables, w.plans, days, states, {}, NOW)


def test_a_sound_pipeline_reports_itself_complete(gathered: Report) -> None:
    assert set(gathered.cells) == {p.table for p in PLANS}
    assert not gathered.causes
    assert not gathered.waiting
    assert not gathered.rejected
    assert [c.month for c in gathered.coverage] == ["2023-10", "2023-11"]
    assert {c.percent for c in gathered.coverage} == {100.0}
    assert gathered.rows[PLAYERS] >= sum(c.rows for c in gathered.coverage) > 1000
    assert set(gathered.throughput) == {p.table for p in PLANS}
    assert "No day has failed" in as_html(gathered)


def test_the_command_writes_a_file_or_prints(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command(capsys, "report", *DAYS, "--out", str(tmp_path / "report.html")).code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert command(capsys, "report", *DAYS, "--format", "md").out.startswith("# nba_pipeline")
    assert command(capsys, "report", "--format", "pdf").code == 2
    assert command(capsys, "report", *DAYS, "--out", str(tmp_path / "no" / "where.html")).code == 2
