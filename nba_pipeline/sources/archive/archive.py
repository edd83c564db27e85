"""``Archive``: a folder of write-once versions of answers, safe for several processes and for kill -9.

``<archive>/<season>/<endpoint>/<key>/<fetched UTC>-<content8>.json.gz``. The index is the names of the files:
there is nothing beside them that could disagree with them. Belongs here: putting, finding, reading as of a
moment. Does not belong here: a file's format (``files.py``), what an answer means (``sources/nba/``).
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nba_pipeline.sources.archive import files
from nba_pipeline.sources.archive.content import content_digest, differences

REJECTED = "rejected"
KEPT_REJECTED = 3
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_VERSION = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{8})\.json\.gz")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, order=True)
class Place:
    """What an answer is the answer to: season (``2024-25``), endpoint and key (a game's id, a season ...)."""

    season: str
    endpoint: str
    key: str

    def __post_init__(self) -> None:
        for name in (self.season, self.endpoint, self.key):
            if not _NAME.fullmatch(name) or (name == REJECTED and name == self.season):
                raise ValueError(f"{name!r} cannot be a folder of the archive: letters, digits, _ . - only")


@dataclass(frozen=True)
class Version:
    """One archived answer. ``content`` is the first eight digits of its content digest."""

    place: Place
    fetched_at: datetime
    content: str
    path: Path

    @property
    def seen_at(self) -> datetime:
        """When the publisher last gave this content again; when it was fetched if it did not."""
        try:
            return _moment(_seen(self.path).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return self.fetched_at

    def metadata(self) -> dict[str, Any]:
        """The line of metadata. Raises UnparseableSource if the file is damaged."""
        return files.read(self.path)[0]

    def body(self) -> bytes:
        """The exact bytes of the answer. Raises UnparseableSource if the file is damaged."""
        return files.read(self.path)[1]


@dataclass(frozen=True)
class Put:
    """What ``put`` did: ``new`` (the first version), ``corrected`` (a version beside earlier ones) or
    ``seen`` (the content was there; only the time was noted), and the version that holds the content."""

    outcome: str
    version: Version


@dataclass(frozen=True)
class Holding:
    """What the archive holds of one endpoint of one season."""

    season: str
    endpoint: str
    keys: int
    versions: int
    size: int
    last_fetched_at: datetime


class Archive:
    """The archive in a folder. ``as_of`` (with a time zone) reads it as it was at that moment; writing and
    ``verify`` do not regard it. A folder that is not there is an empty archive."""

    def __init__(self, folder: Path, as_of: datetime | None = None) -> None:
        self.folder = Path(folder)
        self.as_of = _utc(as_of) if as_of else None

    def put(
        self, place: Place, body: bytes, fetched_at: datetime, metadata: Mapping[str, Any] | None = None
    ) -> Put:
        """Archive an answer that was accepted (``Verdict.ok``).

        Compared with the version in force at ``fetched_at``: equal content writes only when it was seen.
        ``metadata`` (provider, url, parameters, status, headers, verdict: all JSON) goes into the file.
        """
        content = content_digest(body)
        with self._locked():
            held = self._versions(place)
            earlier = [version for version in held if version.fetched_at <= _utc(fetched_at)]
            if earlier and earlier[-1].content == content[:8]:
                stamp = max(earlier[-1].seen_at, _utc(fetched_at)).strftime(_STAMP)
                files.write_whole(_seen(earlier[-1].path), stamp.encode(), self._partial)
                return Put("seen", earlier[-1])
            version = self._free(self._of(place), place, _utc(fetched_at), content)
            self._write(version, body, content, metadata)
            return Put("corrected" if held else "new", version)

    def reject(
        self, place: Place, body: bytes, fetched_at: datetime, metadata: Mapping[str, Any] | None = None
    ) -> Path:
        """Keep an answer that was refused under ``rejected/``, where no reader looks; the newest three of a
        key stay."""
        content = content_digest(body)
        with self._locked():
            folder = self.folder / REJECTED / place.season / place.endpoint / place.key
            version = self._free(folder, place, _utc(fetched_at), content)
            self._write(version, body, content, metadata)
            for old in sorted(folder.glob("*.json.gz"))[:-KEPT_REJECTED]:
                old.unlink()
            return version.path

    def versions(self, place: Place) -> list[Version]:
        """All versions of a place, oldest first; as of the archive's moment."""
        return [v for v in self._versions(place) if self.as_of is None or v.fetched_at <= self.as_of]

    def latest(self, place: Place) -> Version | None:
        """The version in force; None if the place has none."""
        held = self.versions(place)
        return held[-1] if held else None

    def seasons(self) -> list[str]:
        """Seasons that have a folder."""
        return [name for name in _folders(self.folder) if name != REJECTED]

    def keys(self, season: str, endpoint: str) -> list[str]:
        """Keys of an endpoint that have a version."""
        folder = self.folder / season / endpoint
        return [key for key in _folders(folder) if self.latest(Place(season, endpoint, key)) is not None]

    def walk(self) -> Iterator[Version]:
        """Every version, by place and time; as of the archive's moment."""
        for season in self.seasons():
            for endpoint in _folders(self.folder / season):
                for key in _folders(self.folder / season / endpoint):
                    yield from self.versions(Place(season, endpoint, key))

    def verify(self) -> list[tuple[Path, str]]:
        """(path, what is wrong) of every damaged file and every file that is none of the archive's. Reads all
        of it; none means that every byte is as archived."""
        found = []
        for path in sorted(p for name in self.seasons() for p in (self.folder / name).rglob("*")):
            if path.is_dir() or (path.suffix == ".seen" and path.with_suffix(".gz").is_file()):
                continue
            own = _VERSION.fullmatch(path.name) and len(path.relative_to(self.folder).parts) == 4
            wrong = files.problem(path) if own else f"{path} is no file of the archive"
            if wrong:
                found.append((path, wrong))
        return found

    def diff(self, earlier: Version, later: Version) -> list[tuple[str, Any, Any]]:
        """(path in the JSON, value before, value after) of what differs between two versions."""
        return differences(earlier.body(), later.body())

    def status(self) -> list[Holding]:
        """What is held, per season and endpoint."""
        groups: dict[tuple[str, str], list[Version]] = {}
        for version in self.walk():
            groups.setdefault((version.place.season, version.place.endpoint), []).append(version)
        return [
            Holding(
                season,
                endpoint,
                keys=len({version.place.key for version in held}),
                versions=len(held),
                size=sum(version.path.stat().st_size for version in held),
                last_fetched_at=max(version.fetched_at for version in held),
            )
            for (season, endpoint), held in groups.items()
        ]

    @property
    def _partial(self) -> Path:
        return self.folder / ".partial"

    def _of(self, place: Place) -> Path:
        return self.folder / place.season / place.endpoint / place.key

    def _versions(self, place: Place) -> list[Version]:
        try:
            names = sorted(path.name for path in self._of(place).iterdir())
        except FileNotFoundError:
            return []
        matches = [match for name in names if (match := _VERSION.fullmatch(name))]
        return [Version(place, _moment(m[1]), m[2], self._of(place) / m[0]) for m in matches]

    def _free(self, folder: Path, place: Place, moment: datetime, content: str) -> Version:
        """The new version's name; a microsecond later where another version has that moment."""
        while any(folder.glob(f"{moment.strftime(_STAMP)}-*.json.gz")):
            moment += timedelta(microseconds=1)
        name = f"{moment.strftime(_STAMP)}-{content[:8]}.json.gz"
        return Version(place, moment, content[:8], folder / name)

    def _write(self, version: Version, body: bytes, content: str, metadata: Mapping[str, Any] | None) -> None:
        place = version.place
        about = {"season": place.season, "endpoint": place.endpoint, "key": place.key}
        about["fetched_at"] = version.fetched_at.isoformat()
        files.write_whole(
            version.path, files.encode({**(metadata or {}), **about}, body, content), self._partial
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time. The lock goes with the process, so that a killed one leaves none; what it
        left unfinished is removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._partial.is_dir():
                for left in self._partial.iterdir():
                    left.unlink()
            yield


def _folders(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except FileNotFoundError:
        return []


def _seen(path: Path) -> Path:
    return path.with_suffix(".seen")


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)
