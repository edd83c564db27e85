"""The report says what `status` says, names every failure and its class, and is one file that needs nothing
else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nba_pipeline.build import RECIPES
from nba_pipeline.operations.audit.validate import Answer
from nba_pipeline.operations.quarantine import Rejected
from nba_pipeline.operations.report import content as reports
from nba_pipeline.operations.report.content import (
    Report,
    Waiting,
    causes,
    cells,
    gather,
    in_words,
    next_steps,
    waiting,
)
from nba_pipeline.operations.report.html import as_html
from nba_pipeline.operations.report.markdown import as_markdown
from nba_pipeline.operations.report.style import LOOKS, STYLE, css_class, look_of
from nba_pipeline.operations.status.staleness import Stale
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.rangerun.failed import Failed
from nba_pipeline.ranges import span
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline.warehouse.quota import Cost, Limits, Quota
from nba_pipeline_tests.end_to_end.pipelines import PLAYERS, SLATE, command
from nba_pipeline_tests.operations.conftest import DAYS, END, START
from nba_pipeline_tests.support.pages import html_rows, plain

NOW = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
MARCH = span(date(2024, 3, 1), date(2024, 3, 31))
BAD, BEHIND, RUNNING, GONE, OFF, OLD = MARCH[6], MARCH[7], MARCH[8], MARCH[9], MARCH[10], MARCH[11]
EVERYWHERE = (
    "type_overflow",
    "widen the column",
    str(BAD),
    "impossible_value",
    "2024-07-01 12:30",
    "2 h 0 min",
    "2 rows share",
)
NASTY = 'usage_rate 1196.81 <script>alert("x")</script> | a|b'


def a_state() -> TableState:
    """March with one day of every kind."""
    stored = {d: ManifestEntry(d, 200, "h", "s", NOW) for d in MARCH if d not in (BAD, BEHIND, RUNNING, GONE)}
    stored[OFF] = replace(stored[OFF], row_count=0, reason="off_day")
    failed = {BAD: Failed(BAD, "type_overflow", NASTY)}
    return TableState(
        PLAYERS, stored, failed, {BEHIND: f"{PLAYERS} {BAD}"}, frozenset([RUNNING]), frozenset([GONE])
    )


@pytest.fixture
def full() -> Report:
    state = a_state()
    recipes = [p for p in RECIPES if p.table == PLAYERS]
    refused = Rejected(PLAYERS, BAD, "impossible_value", "contract", "points", NASTY, {}, {}, {})
    return Report(
        NOW,
        tuple(MARCH),
        "memory warehouse",
        {PLAYERS: cells(state, {OLD: Stale.CODE}, MARCH)},
        {PLAYERS: state.rows},
        causes({PLAYERS: state}),
        (reports.Coverage("2024-03", 1000, 990),),
        (
            Answer(
                "duplicate keys", "none in any table", "2 rows share a key", False, ("20240307_CHI_GSW 1",)
            ),
        ),
        {PLAYERS: [reports.Measured(1, 31, 2.0, 31), reports.Measured(2, 4, 1.0, 4)]},
        (refused,),
        waiting(recipes, {PLAYERS: state}),
        (reports.Left(PLAYERS, {"failed": 1, "missing": 1}, 2, 1234, 6000.0),),
        7200.0,
        Quota({PLAYERS: Cost(3, 12, 40)}, Limits(), NOW),
    )


def test_every_day_is_exactly_one_thing() -> None:
    found = cells(a_state(), {OLD: Stale.CODE}, MARCH)
    assert list(found) == MARCH
    special = {
        BAD: "failed",
        BEHIND: "blocked",
        RUNNING: "running",
        GONE: "missing",
        OFF: "empty: off_day",
        OLD: "stale",
    }
    assert {d: what for d, what in found.items() if what != "good"} == special


def test_what_has_not_started_is_named_with_its_reason() -> None:
    recipes = [p for p in RECIPES if p.table in (PLAYERS, SLATE)]
    never = TableState(SLATE, {}, {}, {}, frozenset(), frozenset(MARCH))
    assert waiting(recipes, {PLAYERS: a_state(), SLATE: never}) == (
        Waiting(f"{PLAYERS} {BAD} (type_overflow)", (BEHIND,), (PLAYERS,)),
        Waiting(reports.SOMEBODY, (GONE,), (PLAYERS,)),
        Waiting(reports.NEVER, tuple(MARCH), (SLATE,)),
    )


def test_a_blocked_day_is_led_back_to_the_failure_at_the_root() -> None:
    recipes = [p for p in RECIPES if p.table in (PLAYERS, SLATE)]
    behind = TableState(
        SLATE, {}, {}, {RUNNING: f"{PLAYERS} {BEHIND}", GONE: f"{SLATE} {RUNNING}"}, frozenset(), frozenset()
    )
    found = waiting(recipes, {PLAYERS: a_state(), SLATE: behind})
    assert Waiting(f"{PLAYERS} {BAD} (type_overflow)", (RUNNING, GONE), (SLATE,)) in found


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
        if tag not in ("meta", "br", "wbr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_the_page_is_self_contained_well_formed_and_escapes_what_sources_say(full: Report) -> None:
    page = as_html(full)
    tags = Page(page).tags
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert not re.search(r"https?:|url\(|@import|\bon[a-z]+=", page)
    assert "&lt;script&gt;" in page
    assert "@media print" in page


def test_the_page_holds_everything_and_a_titled_square_for_each_day(full: Report) -> None:
    page = as_html(full)
    for text in (*EVERYWHERE, ">99<"):
        assert text in page, text
    squares = dict(re.findall(r"<title>(\d{4}-\d\d-\d\d) ([^<]+)</title>", page))
    counts = full.counts(PLAYERS)
    assert counts == {
        "good": 25,
        "empty: off_day": 1,
        "stale": 1,
        "failed": 1,
        "blocked": 1,
        "running": 1,
        "missing": 1,
    }
    words = {str(day): what.replace("empty: ", "empty, ") for day, what in full.cells[PLAYERS].items()}
    assert squares == words | {str(BAD): "failed: type_overflow"}
    assert re.search(rf'<a href="#type_overflow"><path [^>]+><title>{BAD} ', page)
    assert 'id="type_overflow"' in page


def test_every_link_leads_somewhere(full: Report) -> None:
    page = as_html(full)
    assert {"what-to-do", "type_overflow", "calendar", "quota"} <= set(re.findall(r'href="#([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r' id="([^"]+)"', page))


def test_the_class_and_the_cause_stand_on_the_line_of_the_date(full: Report) -> None:
    failed = [Failed(day, "duplicate_key", f"words of {day}") for day in MARCH[:25]]
    both = replace(full, causes=(reports.Cause("duplicate_key", SLATE, tuple(failed)), *full.causes))
    rows = html_rows(as_html(both))
    assert [str(BAD), "type_overflow", PLAYERS, plain(NASTY)] in rows
    assert [str(failed[19].day), "duplicate_key", SLATE, failed[19].message] in rows
    assert f"5 more of {SLATE}: {failed[20].day} .. {failed[24].day}" in re.sub(r"<[^>]+>", "", as_html(both))
    lines = as_markdown(both).splitlines()
    assert f"| {BAD} | type_overflow | {NASTY.replace('|', '/')} |" in lines
    assert f"| {failed[19].day} | duplicate_key | {failed[19].message} |" in lines
    assert not any(failed[20].message in line for line in lines)
    assert any(line.startswith(f"and 5 more: {failed[20].day} .. {failed[24].day}") for line in lines)


def test_seasons_are_drawn_beside_each_other_and_the_page_of_all_tables_stays_small(full: Report) -> None:
    years = span(date(2021, 10, 19), date(2026, 1, 3))
    found = dict.fromkeys(years, reports.BLOCKED) | {
        date(2024, 3, 7): reports.FAILED
    }  # the largest page: each day has a mark
    tables = [p.table for p in RECIPES]
    page = as_html(
        replace(full, days=tuple(years), cells=dict.fromkeys(tables, found), rows=dict.fromkeys(tables, 0))
    )
    drawn = page.split("<svg role")[1:]
    assert len(drawn) == 5 * len(tables)
    assert sum(row.count("<title>") for row in drawn) == len(years) * len(tables)
    assert [row.count("h9v9h-9z") for row in drawn[:5]] == [347, 365, 366, 365, 95]
    assert len({re.search(r'width="(\d+)"', row).group(1) for row in drawn}) == 1  # type: ignore[union-attr]
    assert len(page.encode()) < 2 * 2**20


def test_no_state_is_told_by_colour_alone() -> None:
    """Every state but the ordinary ones has a mark or an outline, and no two have both colour and mark in
    common."""
    plain = {reports.GOOD, reports.MISSING, "empty: off_season", "empty: off_day"}
    assert {what for what, look in LOOKS.items() if not look.mark} == plain
    assert ".missing{stroke:" in STYLE
    assert len({look.mark for look in LOOKS.values() if look.mark}) == len(LOOKS) - len(plain)
    assert (
        len({look.light for look in LOOKS.values()})
        == len({look.dark for look in LOOKS.values()})
        == len(LOOKS)
    )
    assert {f"empty: {reason.value}" for reason in EmptyReason} <= set(LOOKS)
    assert (css_class("empty: new_reason"), look_of("empty: new_reason").mark) == ("other", "m3 6l3-3")


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * c for c in color[1:])
    parts = (int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_texts_and_marks_can_be_read_on_light_and_on_dark() -> None:
    light, dark = (
        dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r":root\{(--[^}]+)\}", STYLE)
    )
    for theme in (light, dark):
        for text in ("ink", "dim", "bad", "link"):
            assert min(contrast(theme[text], theme[ground]) for ground in ("ground", "soft")) >= 4.5, text
    for what in (reports.FAILED, reports.BLOCKED, reports.STALE, reports.RUNNING):
        look = LOOKS[what]
        assert min(contrast(look.ink, look.light), contrast(look.ink, look.dark)) >= 3, what


def test_what_to_do_names_the_commands_in_order(full: Report) -> None:
    commands = [command for _, command in next_steps(full)]
    assert commands == [
        "nba-pipeline retry",
        f"nba-pipeline backfill --start {MARCH[0]} --end {MARCH[-1]}",
        "nba-pipeline rejected list",
        f"nba-pipeline validate --start {MARCH[0]} --end {MARCH[-1]}",
    ]
    assert "about 2 h 0 min, as measured" in next_steps(full)[1][0]
    assert next_steps(full)[1][0].startswith(
        "Make the 1 missing table-days and restate the 1 stale table-days (2 table-days"
    )
    unmeasured = replace(full, left=(replace(full.left[0], seconds=None),), seconds_left=None)
    assert "1 table(s) have never been measured" in as_html(unmeasured)
    assert [in_words(s) for s in (44, 89.4, 90, 5_400, 158_400)] == [
        "44 s",
        "89 s",
        "2 min",
        "1 h 30 min",
        "44 h 0 min",
    ]


def test_shares_are_never_rounded_up(full: Report) -> None:
    almost = reports.Coverage("2024-03", 100_000, 99_999)
    assert (almost.percent, almost.met) == (99.99, False)
    assert reports.Coverage("2024-03", 7, 7).met
    assert full.complete() == 83.8  # 26 of 31


def test_markdown_holds_the_same(full: Report) -> None:
    page = as_markdown(full)
    for text in (*EVERYWHERE, "99.00 %", "25 good"):
        assert text in page, text
    assert "2024-03 ██████✗○…?·▒█" in page
    assert "a|b" not in page  # it would end a cell
    assert re.search(rf"\| {PLAYERS} \| 3 \| 12 \| 40 \|", page)


def test_a_pipeline_without_anything_says_so(full: Report) -> None:
    nothing = replace(
        full, cells={SLATE: dict.fromkeys(MARCH[:1], reports.MISSING)}, rows={SLATE: 0}, days=tuple(MARCH[:1])
    )
    nothing = replace(
        nothing,
        causes=(),
        coverage=(),
        throughput={},
        rejected=(),
        answers=(),
        waiting=(),
        left=(),
        quota=None,
    )
    assert [words for words, _ in next_steps(nothing)] == ["Make the 1 missing table-days"]
    for page in (as_html(nothing), as_markdown(nothing)):
        for words in (
            "1 day, 1 tables",
            "No day has failed",
            "No player has a row yet",
            "has been measured",
            "quarantine is empty",
            "no rows",
        ):
            assert words in page
    Page(as_html(nothing))


@pytest.fixture
def gathered(home: Path) -> Iterator[Report]:
    with open_workspace() as w:
        days = w.days(START, END)
        states = w.states(days)
        yield gather(w, days, states, {}, NOW)


def test_a_sound_pipeline_reports_itself_complete(gathered: Report) -> None:
    assert set(gathered.cells) == {p.table for p in RECIPES}
    assert not gathered.causes
    assert not gathered.waiting
    assert not gathered.rejected
    assert not gathered.left
    assert not next_steps(gathered)
    assert gathered.complete() == 100.0
    assert len(gathered.answers) == 6
    assert all(a.passed for a in gathered.answers)
    assert [c.month for c in gathered.coverage] == ["2023-10", "2023-11"]
    assert {c.percent for c in gathered.coverage} == {100.0}
    assert gathered.rows[PLAYERS] >= sum(c.rows for c in gathered.coverage) > 1000
    assert set(gathered.throughput) == {p.table for p in RECIPES}
    assert "No day has failed" in as_html(gathered)


def test_the_command_writes_a_file_or_prints(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command(capsys, "report", *DAYS, "--out", str(tmp_path / "report.html")).code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert command(capsys, "report", *DAYS, "--format", "md").out.startswith("# nba_pipeline")
    assert command(capsys, "report", "--format", "pdf").code == 2
    assert command(capsys, "report", *DAYS, "--out", str(tmp_path / "no" / "where.html")).code == 2
