"""`nba-pipeline import hoopr-bundle` and `nba-pipeline archive` over small bundles of recorded answers."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nba_pipeline.failures import ConfigurationError, UnparseableSource
from nba_pipeline.operations.importing.hoopr import import_bundle
from nba_pipeline.sources.archive.archive import Archive
from nba_pipeline.sources.nba.endpoints import Endpoint, game_place
from nba_pipeline_tests.end_to_end.pipelines import command, environment

GAME = "0022200552"
NOW = datetime(2025, 7, 1, tzinfo=UTC)
BOX, PLAYS = f"boxscoretraditionalv3/2023/{GAME}.json", f"playbyplayv3/2023/{GAME}.json"


def _bundle(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as bundle:
        for name, body in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            bundle.addfile(member, io.BytesIO(body))
    return path


@pytest.fixture
def members(payload_dir: Path) -> dict[str, bytes]:
    """A season in small: the plays stand before their box, as an alphabet may have it."""
    stats = payload_dir / "stats"
    idle = "boxscoretraditionalv3_0062600001_not_played.json"
    return {
        PLAYS: gzip.decompress((stats / f"playbyplayv3_{GAME}.json.gz").read_bytes()),
        BOX: gzip.decompress((stats / f"boxscoretraditionalv3_{GAME}.json.gz").read_bytes()),
        "scheduleleaguev2/2025.json": gzip.decompress(
            (stats / "scheduleleaguev2_2024-25_final.json.gz").read_bytes()
        ),
        "boxscoretraditionalv3/2027/0062600001.json": (stats / idle).read_bytes(),
        "boxscoresummaryv2/2023/0022200552.json": b"{}",
    }


def _shot_less(body: bytes) -> bytes:
    value = json.loads(body)
    next(a for a in value["game"]["actions"] if a["isFieldGoal"])["isFieldGoal"] = 0
    return json.dumps(value).encode()


def test_a_bundle_is_archived_once_and_a_newer_one_beside_it(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    archive = Archive(tmp_path / "archive")
    file = _bundle(tmp_path / "b.tar.gz", members)
    report = import_bundle(archive, file, NOW)
    assert (report.taken, report.not_played, report.other, report.refused) == (3, 1, 1, {})
    held = archive.latest(game_place(Endpoint.STATS_BOX, GAME))
    assert held is not None and held.body() == members[BOX]
    assert held.metadata()["bundle"] == "b.tar.gz" and held.fetched_at == NOW
    assert archive.keys("2024-25", Endpoint.STATS_SCHEDULE) == ["2024-25"]
    again = import_bundle(archive, file, NOW.replace(month=8))
    assert (again.taken, again.known) == (0, 3) and archive.verify() == []


def test_plays_that_contradict_their_box_are_refused_and_the_rest_is_taken(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    archive = Archive(tmp_path / "archive")
    bad = {**members, PLAYS: _shot_less(members[PLAYS])}
    report = import_bundle(archive, _bundle(tmp_path / "b.tar.gz", bad), NOW)
    assert report.taken == 2 and list(report.refused) == [PLAYS]
    assert report.refused[PLAYS].startswith("disagrees: player 201942")
    assert archive.latest(game_place(Endpoint.STATS_PLAYS, GAME)) is None


def test_what_is_no_bundle_is_told_as_such(tmp_path: Path, members: dict[str, bytes]) -> None:
    archive = Archive(tmp_path / "archive")
    with pytest.raises(ConfigurationError, match="is not there"):
        import_bundle(archive, tmp_path / "none.tar.gz", NOW)
    with pytest.raises(ConfigurationError, match="is no bundle"):
        import_bundle(archive, _bundle(tmp_path / "x.tar.gz", {"a/b/c.json": b"{}"}), NOW)
    file = _bundle(tmp_path / "b.tar.gz", members)
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(UnparseableSource, match="download it again"):
        import_bundle(archive, file, NOW)


def test_the_commands(tmp_path: Path, members: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    first = _bundle(tmp_path / "first.tar.gz", members)
    box = json.loads(members[BOX])
    box["boxScoreTraditional"]["homeTeam"]["players"][0]["statistics"]["foulsPersonal"] += 1
    second = _bundle(tmp_path / "second.tar.gz", {BOX: json.dumps(box).encode()})
    with environment(DAGSTER_HOME=tmp_path):
        empty = command(capsys, "archive", "status")
        imported = command(capsys, "import", "hoopr-bundle", str(first), str(second))
        status = command(capsys, "archive", "status", "--json")
        diff = command(capsys, "archive", "diff", GAME)
        whole = command(capsys, "archive", "verify")
        held = Archive(tmp_path / "archive").latest(game_place(Endpoint.STATS_BOX, GAME))
        assert held is not None
        held.path.write_bytes(held.path.read_bytes()[:-1])
        damaged = command(capsys, "archive", "verify")
        unknown = command(capsys, "archive", "diff", "401584701")
    assert "holds nothing yet" in empty.out
    assert imported.code == 0 and "1 beside another version" in imported.out.replace("\n", " ")
    counts = {row["endpoint"]: (row["keys"], row["versions"]) for row in json.loads(status.out)}
    assert counts["boxscoretraditionalv3"] == (1, 2)
    assert "homeTeam.players[0].statistics.foulsPersonal: 0 -> 1" in diff.out
    assert whole.code == 0 and "all whole" in whole.out
    assert damaged.code == 1 and held.path.name in damaged.out
    assert unknown.code == 2 and "ten digits" in unknown.err
