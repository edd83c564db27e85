"""Season bundles of sportsdataverse/hoopR-nba-stats-raw (``nba_stats_json_<end year>.tar.gz``).

Inside: ``<endpoint>/<end year>/<game id>.json`` and ``scheduleleaguev2/<end year>.json``, the league's JSON
serialised again: contents are the league's, bytes are not. Belongs here: reading the tar file. Does not
belong here: the verdict on an answer (``sources/nba/``).
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from nba_pipeline.failures import ConfigurationError, UnparseableSource
from nba_pipeline.sources.archive.archive import Archive, Place
from nba_pipeline.sources.nba.endpoints import Endpoint, game_place
from nba_pipeline.sources.nba.shapes import Kind, KnownGame, Verdict
from nba_pipeline.sources.nba.verdicts import examine

_TAKEN = (Endpoint.STATS_SCHEDULE, Endpoint.STATS_BOX, Endpoint.STATS_PLAYS)


@dataclass
class Report:
    """Counts of a bundle's files; ``refused``: name -> verdict in words."""

    taken: int = 0
    corrected: int = 0
    known: int = 0
    not_played: int = 0
    other: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def import_bundle(archive: Archive, file: Path, now: datetime) -> Report:
    """Archive a bundle's answers as fetched ``now``, which is when this archive came to know them.

    Boxes come before plays wherever they stand in the file, because plays are examined against their box.
    Raises ConfigurationError for a file that is no bundle, UnparseableSource for a damaged one.
    """
    report, totals = Report(), dict[str, Mapping[int, tuple[int, ...]] | None]()
    for wanted in _TAKEN:
        for name, place, body in _members(file, wanted, report):
            box = totals.get(place.key)
            game = KnownGame(final=True, totals=box) if box is not None else None
            verdict = examine(wanted, place.key, 200, "", body, game)
            if wanted is Endpoint.STATS_BOX:
                totals[place.key] = verdict.totals
            about = {"provider": "stats", "bundle": file.name, "name": name, "verdict": str(verdict)}
            _keep(archive, place, body, now, about, verdict, report)
    if not (report.taken or report.known or report.not_played or report.refused):
        raise ConfigurationError(
            f"{file} is no bundle of hoopR-nba-stats-raw: it has none of {', '.join(_TAKEN)}"
        )
    return report


def _keep(
    archive: Archive,
    place: Place,
    body: bytes,
    now: datetime,
    about: dict[str, Any],
    verdict: Verdict,
    report: Report,
) -> None:
    if verdict.kind is Kind.NOT_PLAYED:
        report.not_played += 1
    elif not verdict.ok:
        archive.reject(place, body, now, about)
        report.refused[about["name"]] = str(verdict)
    else:
        outcome = archive.put(place, body, now, about).outcome
        report.known += outcome == "seen"
        report.taken += outcome != "seen"
        report.corrected += outcome == "corrected"


def _members(file: Path, wanted: Endpoint, report: Report) -> Iterator[tuple[str, Place, bytes]]:
    """(name, place, bytes) of an endpoint's files. Files of no endpoint are counted once, in the first
    pass."""
    try:
        with tarfile.open(file, "r:gz") as bundle:
            for member in bundle:
                if not member.isfile():
                    continue
                endpoint, place = _place(member.name)
                if place is None:
                    report.other += wanted is _TAKEN[0]
                elif endpoint == wanted and (held := bundle.extractfile(member)) is not None:
                    yield member.name, place, held.read()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{file} is not there") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UnparseableSource(
            f"{file} cannot be read as tar.gz ({error}): download it again; what was read before is archived"
        ) from error


def _place(name: str) -> tuple[str, Place | None]:
    """Where a file of the bundle belongs; None for what is not taken."""
    parts = PurePosixPath(name).parts
    stem = PurePosixPath(name).stem
    if len(parts) >= 3 and parts[-3] in (Endpoint.STATS_BOX, Endpoint.STATS_PLAYS):
        try:
            return parts[-3], game_place(Endpoint(parts[-3]), stem)
        except ValueError:  # a file beside the games: counted as left out
            return parts[-3], None
    if len(parts) >= 2 and parts[-2] == Endpoint.STATS_SCHEDULE and stem.isdecimal():
        season = f"{int(stem) - 1}-{int(stem) % 100:02d}"
        return parts[-2], Place(season, parts[-2], season)
    return "", None
