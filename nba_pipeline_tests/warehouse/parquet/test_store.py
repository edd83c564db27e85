"""What only the Parquet store promises: its files, telling damage from absence, its cache and failing
disks."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import nba_pipeline.warehouse.parquet.folder as folder_module
import nba_pipeline.warehouse.parquet.store as parquet_module
from nba_pipeline.failures import SourceUnavailable, WriteFailed
from nba_pipeline.tables.render.frames import empty_frame
from nba_pipeline.warehouse.base import CorruptPartition
from nba_pipeline.warehouse.parquet.files import STALE_SECONDS, can_sync_filesystem, discard, stage
from nba_pipeline.warehouse.parquet.store import ParquetStore
from nba_pipeline_tests.warehouse.support import TABLE, day, many, rows

DAYS = [day(i) for i in range(4)]


@pytest.fixture
def filled(parquet: ParquetStore) -> ParquetStore:
    parquet.replace_range(TABLE, many(DAYS), DAYS)
    return parquet


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def cache_of(store: ParquetStore) -> Path:
    return store.folder(TABLE) / "_manifest.json"


# ------------------------------------------------------------------------------------------------ the files


def test_layout_and_entry(filled, parquet):
    path = parquet.root / "analytics" / "box_scores" / "game_date=2024-01-02" / "part.parquet"
    assert path.is_file()
    assert parquet.path(TABLE, day(1)) == path
    assert [p.name for p in path.parent.iterdir()] == ["part.parquet"]
    file = pq.ParquetFile(path)
    assert ["game_date", *file.schema_arrow.names] == TABLE.column_names
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    entry = json.loads(file.metadata.metadata[b"nba_pipeline"])
    assert entry["row_count"] == 3
    assert entry["content_hash"] == parquet.manifest(TABLE)[day(1)].content_hash
    assert parquet.manifest(TABLE)[day(1)].size_bytes == path.stat().st_size


def test_another_store_on_the_same_folder_sees_the_same(filled, parquet):
    other = ParquetStore(parquet.root)
    assert other.manifest(TABLE) == parquet.manifest(TABLE)
    assert_frame_equal(other.read(TABLE, DAYS), parquet.read(TABLE, DAYS))
    assert other.replace_range(TABLE, many(DAYS), DAYS).written == frozenset()


def test_unchanged_files_are_not_touched(filled, parquet):
    before = [parquet.path(TABLE, d).stat() for d in DAYS]
    parquet.replace_range(TABLE, many(DAYS), DAYS)
    after = [parquet.path(TABLE, d).stat() for d in DAYS]
    assert [(s.st_ino, s.st_mtime_ns) for s in after] == [(s.st_ino, s.st_mtime_ns) for s in before]


def test_paths_cannot_leave_the_warehouse(parquet):
    table = TABLE.rejected()
    object.__setattr__(table, "dataset", "..")
    with pytest.raises(ValueError, match="cannot be a folder"):
        parquet.manifest(table)


def test_foreign_folders_and_files_are_ignored(filled, parquet):
    (parquet.folder(TABLE) / "game_date=__HIVE_DEFAULT_PARTITION__").mkdir()
    (parquet.folder(TABLE) / "game_date=2024-02-01").mkdir()  # a writer died before its first file
    (parquet.folder(TABLE) / "notes.txt").write_text("mine")
    assert list(parquet.manifest(TABLE)) == DAYS
    assert len(parquet.read(TABLE, [*DAYS, day(31)])) == 12


# ------------------------------------------------------------------------------------------------ damage

DAMAGES = {
    "zero length": (lambda content: b"", "empty"),
    "truncated": (lambda content: content[: len(content) // 2], "truncated"),
    "first bytes only": (lambda content: content[:3], "truncated"),
    "tail lost": (lambda content: content[:-20], "truncated"),
    "not parquet": (lambda content: b"hello, world" * 9, "truncated or not Parquet"),
    "page bit": (lambda content: content[:40] + bytes([content[40] ^ 4]) + content[41:], "checksum"),
    "footer bit": (lambda content: content[:-200] + bytes([content[-200] ^ 1]) + content[-199:], "."),
    "zeroed block": (lambda content: content[:100] + bytes(400) + content[500:], "checksum"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_from_absence_named_and_repaired(filled, parquet, damage):
    change, reason = DAMAGES[damage]
    path = parquet.path(TABLE, day(2))
    path.write_bytes(change(path.read_bytes()))
    for look in (
        lambda: parquet.read(TABLE, DAYS),
        lambda: parquet.manifest(TABLE),
        lambda: parquet.read(TABLE, DAYS, ["points"]),
    ):
        with pytest.raises(CorruptPartition, match=reason) as caught:
            look()
        assert caught.value.paths == {day(2): path}
        assert sorted(caught.value.readable) == [day(0), day(1), day(3)]
        assert caught.value.days == (day(2),)
        assert TABLE.full_name in str(caught.value)
        assert str(path) in str(caught.value)
    assert len(parquet.read(TABLE, [day(0), day(1), day(3)])) == 9
    result = parquet.replace_range(
        TABLE, many(DAYS), DAYS
    )  # the same content: only the damaged day is written
    assert result.written == {day(2)}
    assert_frame_equal(parquet.read(TABLE, DAYS), many(DAYS))
    assert parquet.manifest(TABLE) == dict(result.entries)


def test_damage_that_keeps_time_and_size_is_found_by_reading_and_repaired(filled, parquet):
    """What a failing disk does: the manifest, which trusts time and size, cannot see it; a read and a rewrite
    can."""
    path = parquet.path(TABLE, day(2))
    age(path, 60)
    parquet.manifest(TABLE)
    status, content = path.stat(), bytearray(path.read_bytes())
    content[60] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert list(parquet.manifest(TABLE)) == DAYS
    with pytest.raises(CorruptPartition, match="checksum") as caught:
        parquet.read(TABLE, DAYS)
    assert sorted(caught.value.readable) == [day(0), day(1), day(3)]
    assert parquet.replace_range(TABLE, many(DAYS), DAYS).written == {day(2)}
    assert_frame_equal(parquet.read(TABLE, DAYS), many(DAYS))


def test_no_flipped_bit_goes_unnoticed(filled, parquet):
    path = parquet.path(TABLE, day(1))
    content = path.read_bytes()
    chance = random.Random(20240101)
    for position in [0, 3, 4, len(content) - 1, len(content) - 5, *chance.sample(range(len(content)), 150)]:
        path.write_bytes(
            content[:position]
            + bytes([content[position] ^ (1 << chance.randrange(8))])
            + content[position + 1 :]
        )
        with pytest.raises(CorruptPartition):
            parquet.read(TABLE, [day(1)])


def test_a_file_in_the_wrong_place_is_damage(filled, parquet):
    shutil.copy(parquet.path(TABLE, day(0)), parquet.path(TABLE, day(1)))
    with pytest.raises(
        CorruptPartition, match=r"the file of analytics.box_scores on 2024-01-01, put in the wrong place"
    ):
        parquet.read(TABLE, DAYS)


def test_a_file_of_another_program_is_damage(filled, parquet):
    rows(day(0)).to_parquet(parquet.path(TABLE, day(0)))
    with pytest.raises(CorruptPartition, match="no manifest entry"):
        parquet.manifest(TABLE)


def test_several_damaged_days_are_told_together(filled, parquet):
    for d in DAYS:
        parquet.path(TABLE, d).write_bytes(b"")
    with pytest.raises(CorruptPartition, match=r"4 damaged day.*and 1 more") as caught:
        parquet.manifest(TABLE)
    assert sorted(caught.value.paths) == DAYS
    assert caught.value.readable == {}


# ------------------------------------------------------------------------------------------------ the cache


def settle(store: ParquetStore) -> None:
    """Let the files be old enough to be cached."""
    for d in DAYS:
        age(store.path(TABLE, d), 5)
    store.manifest(TABLE)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b"null", b'{"crc32": "00000000", "days": {}}', b'{"crc32": 1}', b"\xff\xfe"],
)
def test_losing_or_damaging_the_cache_is_harmless(filled, parquet, content):
    settle(parquet)
    expected = parquet.manifest(TABLE)
    if content is None:
        cache_of(parquet).unlink()
    else:
        cache_of(parquet).write_bytes(content)
    assert parquet.manifest(TABLE) == expected
    assert len(json.loads(cache_of(parquet).read_bytes())["days"]) == 4
    cache_of(parquet).write_bytes(content or b"")
    assert parquet.replace_range(TABLE, many(DAYS), DAYS).written == frozenset()


def test_a_cache_with_a_changed_number_is_not_believed(filled, parquet):
    settle(parquet)
    expected = parquet.manifest(TABLE)
    text = cache_of(parquet).read_text()
    cache_of(parquet).write_text(text.replace(expected[day(0)].content_hash, "0" * 32))
    assert parquet.manifest(TABLE) == expected


def test_the_cache_spares_reading_footers(filled, parquet, monkeypatch):
    settle(parquet)
    expected = parquet.manifest(TABLE)
    monkeypatch.setattr(folder_module, "open_part", lambda *_: pytest.fail("a footer was read"))
    assert parquet.manifest(TABLE) == expected


def test_an_outdated_cache_is_not_believed(filled, parquet):
    settle(parquet)
    old = cache_of(parquet).read_bytes()
    parquet.replace(TABLE, {day(0): rows(day(0), 9)})
    shutil.rmtree(parquet.path(TABLE, day(3)).parent)
    cache_of(parquet).write_bytes(old)  # a slower writer put its older view back
    assert {d: e.row_count for d, e in parquet.manifest(TABLE).items()} == {day(0): 9, day(1): 3, day(2): 3}


def test_the_manifest_of_a_read_only_warehouse(filled, parquet, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    cache_of(parquet).unlink(missing_ok=True)
    monkeypatch.setattr("nba_pipeline.warehouse.parquet.manifest.write_atomically", refuse)
    assert list(parquet.manifest(TABLE)) == DAYS


def test_the_manifest_is_fast_when_warm(parquet):
    days = [day(i) for i in range(300)]
    parquet.replace_range(TABLE, empty_frame(TABLE), days)
    time.sleep(0.03)
    parquet.manifest(TABLE)
    start = time.perf_counter()
    assert len(parquet.manifest(TABLE)) == 300
    assert (
        time.perf_counter() - start < 0.5
    )  # 0.01 s in truth; reading footers would take several times the limit on a slow disk


# ------------------------------------------------------------------------------------------------ leftovers
# and failing disks


def test_leftovers_of_dead_writers_are_ignored_and_removed_when_old(filled, parquet):
    folder = parquet.path(TABLE, day(0)).parent
    old, young, foreign = folder / ".part-1-dead.tmp", folder / ".part-2-alive.tmp", folder / "keep.tmp"
    for path in (old, young, foreign):
        path.write_bytes(b"half a file")
    age(old, STALE_SECONDS + 60)
    age(foreign, STALE_SECONDS + 60)
    assert list(parquet.manifest(TABLE)) == DAYS
    assert_frame_equal(parquet.read(TABLE, [day(0)]), rows(day(0)))
    parquet.replace(TABLE, {day(0): rows(day(0), 5)})
    assert sorted(p.name for p in folder.iterdir()) == [".part-2-alive.tmp", "keep.tmp", "part.parquet"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which processes a number belongs to")
def test_what_a_killed_writer_left_is_removed_by_the_next_write_of_the_day(filled, parquet):
    folder = parquet.path(TABLE, day(0)).parent
    code = (
        "import os, sys; from pathlib import Path; from nba_pipeline.warehouse.parquet.files import stage;"
        "stage(Path(sys.argv[1]), b'half a day', durable=False); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code, str(parquet.path(TABLE, day(0)))])
    os.waitid(
        os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT
    )  # still a zombie, as under a parent that does not wait
    mine, _ = stage(parquet.path(TABLE, day(0)), b"still being written", durable=False)
    assert len(list(folder.iterdir())) == 3
    parquet.replace(TABLE, {day(0): rows(day(0), 5)})
    assert sorted(p.name for p in folder.iterdir()) == sorted([mine.name, "part.parquet"])
    assert killed.wait() == -9


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), PermissionError(13, "Permission denied")]
)
def test_a_refused_write_names_the_path_and_keeps_what_was_stored(filled, parquet, monkeypatch, error):
    real = parquet_module.write_atomically

    def write(path: Path, content: bytes, **options: object) -> object:
        if "2024-01-02" in str(path):
            raise error
        return real(path, content, **options)

    monkeypatch.setattr(parquet_module, "write_atomically", write)
    with pytest.raises(WriteFailed, match=error.strerror) as caught:
        parquet.replace_range(TABLE, many(DAYS, shift=1), DAYS)
    assert caught.value.days == (day(1),)
    assert str(parquet.path(TABLE, day(1))) in str(caught.value)
    assert_frame_equal(parquet.read(TABLE, [day(1)]), rows(day(1)))
    assert_frame_equal(parquet.read(TABLE, [day(0), day(2), day(3)]), many([day(0), day(2), day(3)], shift=1))
    monkeypatch.undo()
    assert parquet.replace_range(TABLE, many(DAYS, shift=1), DAYS).written == {day(1)}


def test_a_disk_that_fills_up_leaves_no_half_file(filled, parquet, monkeypatch):
    def sync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nba_pipeline.warehouse.parquet.files.os.fsync", sync)
    with pytest.raises(WriteFailed, match="No space left"):
        parquet.replace(TABLE, {day(0): rows(day(0), 9)})
    monkeypatch.undo()
    assert [p.name for p in parquet.path(TABLE, day(0)).parent.iterdir()] == ["part.parquet"]
    assert_frame_equal(parquet.read(TABLE, DAYS), many(DAYS))


def test_a_warehouse_that_cannot_be_created(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = ParquetStore(tmp_path / "file" / "warehouse")
    assert store.manifest(TABLE) == {}
    with pytest.raises(WriteFailed, match="could not be written to"):
        store.replace(TABLE, {day(0): rows(day(0))})


def test_a_file_that_cannot_be_opened_is_not_called_damaged(filled, parquet):
    path = parquet.path(TABLE, day(0))
    path.unlink()
    path.mkdir()
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        parquet.read(TABLE, DAYS)


MANY = [day(o) for o in range(40)]


@pytest.mark.skipif(not can_sync_filesystem(), reason="this system syncs files one by one")
class TestManyDaysAtOnce:
    """From 32 days on, days are staged, synced together, renamed, and synced again."""

    def test_they_are_synced_together(self, parquet, monkeypatch):
        synced = []
        monkeypatch.setattr(parquet_module, "sync_filesystem", synced.append)
        parquet.replace_range(TABLE, many(MANY), MANY)
        assert len(synced) == 2
        assert_frame_equal(parquet.read(TABLE, MANY), many(MANY))

    def test_a_refused_rename_names_its_day_and_the_others_are_stored(self, parquet, monkeypatch):
        parquet.replace_range(TABLE, many(MANY), MANY)
        real = parquet_module.publish

        def publish(temporary: Path, path: Path) -> None:
            if MANY[3].isoformat() in str(path):
                discard(temporary)
                raise PermissionError(13, "Permission denied")
            real(temporary, path)

        monkeypatch.setattr(parquet_module, "publish", publish)
        with pytest.raises(WriteFailed, match="Permission denied") as caught:
            parquet.replace_range(TABLE, many(MANY, shift=1), MANY)
        assert caught.value.days == (MANY[3],)
        others = [d for d in MANY if d != MANY[3]]
        assert_frame_equal(parquet.read(TABLE, [MANY[3]]), rows(MANY[3]))
        assert_frame_equal(parquet.read(TABLE, others), many(others, shift=1))

    def test_a_disk_that_fills_up_changes_nothing_and_leaves_nothing(self, parquet, monkeypatch):
        parquet.replace_range(TABLE, many(MANY), MANY)

        def sync(folder: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(parquet_module, "sync_filesystem", sync)
        with pytest.raises(WriteFailed, match="No space left") as caught:
            parquet.replace_range(TABLE, many(MANY, shift=1), MANY)
        assert caught.value.days == tuple(MANY)
        assert_frame_equal(parquet.read(TABLE, MANY), many(MANY))
        assert all(
            [p.name for p in parquet.path(TABLE, d).parent.iterdir()] == ["part.parquet"] for d in MANY
        )
