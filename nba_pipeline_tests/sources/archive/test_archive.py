"""The archive: write-once versions, reading as of a moment, damage, several processes and kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nba_pipeline.failures import UnparseableSource
from nba_pipeline.sources.archive.archive import Archive, Place
from nba_pipeline.sources.archive.content import content_digest

PLACE = Place("2024-25", "cdn_boxscore", "0022400695")
NIGHT = datetime(2025, 2, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _body(points: int, **volatile: object) -> bytes:
    meta = {"time": str(volatile)}
    return json.dumps({"meta": meta, "game": {"gameId": PLACE.key, "points": points, **volatile}}).encode()


def test_equal_content_is_only_seen_and_a_correction_stands_beside_what_it_corrects(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first = archive.put(PLACE, _body(10, attendance=1), NIGHT, {"url": "https://x/box", "status": 200})
    again = archive.put(PLACE, _body(10, attendance=2, duration=130), NIGHT + HOUR)
    other = archive.put(PLACE, _body(11), NIGHT + 2 * HOUR)
    assert [first.outcome, again.outcome, other.outcome] == ["new", "seen", "corrected"]
    assert again.version == first.version and again.version.seen_at == NIGHT + HOUR
    assert first.version.body() == _body(10, attendance=1), "the first bytes stay"
    assert archive.latest(PLACE) == other.version and archive.versions(PLACE)[0] == first.version
    assert first.version.metadata()["url"] == "https://x/box"
    assert archive.diff(first.version, other.version) == [("game.points", 10, 11)]
    assert archive.put(PLACE, _body(10), NIGHT + 3 * HOUR).outcome == "corrected", "taken back is news too"
    assert archive.verify() == []


def test_an_earlier_moment_reads_what_was_known_then(tmp_path: Path) -> None:
    for hours, points in ((0, 10), (2, 11)):
        Archive(tmp_path).put(PLACE, _body(points), NIGHT + hours * HOUR)
    then = Archive(tmp_path, as_of=NIGHT + HOUR)
    held = then.latest(PLACE)
    assert held is not None and held.body() == _body(10)
    before = Archive(tmp_path, as_of=NIGHT - HOUR)
    assert before.latest(PLACE) is None and before.keys(PLACE.season, PLACE.endpoint) == []
    assert [v.body() for v in then.walk()] == [_body(10)]


def test_an_older_answer_that_comes_later_takes_its_place_in_time(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.put(PLACE, _body(11), NIGHT + HOUR)
    archive.put(PLACE, _body(10), NIGHT)
    held = archive.latest(PLACE)
    assert held is not None and held.body() == _body(11)
    assert len(archive.versions(PLACE)) == 2


def test_refused_answers_are_kept_apart_three_of_a_key(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    paths = [archive.reject(PLACE, b"<html>%d" % n, NIGHT + n * HOUR) for n in range(5)]
    assert [path.exists() for path in paths] == [False, False, True, True, True]
    assert archive.latest(PLACE) is None and list(archive.walk()) == [] and archive.seasons() == []


@pytest.mark.parametrize("damage", ["cut", "flip", "other bytes", "renamed", "stranger"])
def test_verify_names_every_damaged_file(tmp_path: Path, damage: str) -> None:
    archive = Archive(tmp_path)
    path = archive.put(PLACE, _body(10), NIGHT).version.path
    other = Archive(tmp_path).put(Place("2024-25", "cdn_boxscore", "0022400696"), _body(12), NIGHT)
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[:-5])
    elif damage == "flip":
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    elif damage == "other bytes":
        path.write_bytes(other.version.path.read_bytes())
    elif damage == "renamed":
        path = path.rename(path.with_name(path.name.replace("-", "-0")[:-9] + ".json.gz"))
    else:
        path = path.with_name("notes.txt")
        path.write_text("x")
    assert [found for found, _ in archive.verify()] == [path]
    if damage in ("cut", "flip"):
        with pytest.raises(UnparseableSource, match=path.name):
            archive.versions(PLACE)[0].body()


def test_a_digest_regards_content_and_not_its_spelling() -> None:
    assert content_digest(b'{"a": 1, "b": [1, 2]}') == content_digest(b'{"b":[1,2],"meta":{"t":1},"a":1}')
    assert content_digest(b'{"a": 1}') != content_digest(b'{"a": "1"}')
    assert content_digest(b"<html>") != content_digest(b"<html> ")


def test_status_counts_what_is_held(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for points in (1, 2):
        archive.put(PLACE, _body(points), NIGHT + points * HOUR)
    [held] = archive.status()
    assert (held.season, held.endpoint, held.keys, held.versions) == ("2024-25", "cdn_boxscore", 1, 2)
    assert held.last_fetched_at == NIGHT + 2 * HOUR and held.size > 0
    assert Archive(tmp_path / "none").status() == []


def test_names_cannot_leave_the_archive() -> None:
    for bad in ("..", "a/b", "", ".partial"):
        with pytest.raises(ValueError, match="folder of the archive"):
            Place("2024-25", "cdn_boxscore", bad)


def test_writers_at_the_same_time_leave_one_version_of_one_content(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        puts = list(pool.map(lambda _: Archive(tmp_path).put(PLACE, _body(10), NIGHT), range(16)))
    assert sorted(put.outcome for put in puts) == ["new"] + ["seen"] * 15
    assert len(Archive(tmp_path).versions(PLACE)) == 1


_WRITER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from nba_pipeline.sources.archive.archive import Archive, Place
archive = Archive(Path(sys.argv[1]))
for n in range(100_000):
    body = b'{"n": [%d, %d], "x": "' % (n, os.getpid()) + b"y" * 100_000 + b'"}'
    archive.put(Place("2024-25", "e", str(n % 3)), body, datetime.now(UTC))
    print(n, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_an_archive_that_verifies(tmp_path: Path) -> None:
    for moment in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(5 + 3 * moment)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        archive = Archive(tmp_path)
        assert len(told) == 5 + 3 * moment and archive.verify() == []
    assert sum(1 for _ in archive.walk()) >= 5 + 8 + 11, "what was told as archived is archived"
    (tmp_path / ".partial").mkdir(exist_ok=True)
    left = tmp_path / ".partial" / "unfinished"
    left.write_bytes(b"half")
    archive.put(PLACE, _body(10), NIGHT)
    assert not left.exists(), "what the dead left unfinished is removed"
