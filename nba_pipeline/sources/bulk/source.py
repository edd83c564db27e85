"""The ``bulk`` source: a folder of Parquet files with stats.nba.com pulls of whole seasons.

Layout: ``games.parquet``, ``player_box.parquet`` and any number of ``shots_<season>.parquet``;
docs/bulk-source.md lists the columns. Belongs here: turning those files into raw frames and classifying their
oddities. Does not belong here: parsing shared by sources (``parsing.py``), validation (``checks/``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.failures import SchemaDrift, SourceUnavailable, UnparseableSource
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.sources.bulk import fingerprints as bulk_fingerprints
from nba_pipeline.sources.bulk import frames as bulk_frames
from nba_pipeline.sources.bulk.layout import GAME_LAYOUT, PLAYER_BOX_LAYOUT, SHOT_LAYOUT, Layout, read_rows
from nba_pipeline.sources.bulk.schedule import read_schedule, seasons_of
from nba_pipeline.sources.parsing import game_types
from nba_pipeline.tables.names import BOXSCORES, SHOTS
from nba_pipeline.tables.vocabulary import COMPETITIVE_GAME_TYPES


class BulkSource:
    """Raw frames from a folder laid out as this module's docstring says.

    Covers the days of the seasons (Oct 1 .. Sep 30) that ``games.parquet`` holds. Files are read once per
    process and again when they change on disk.
    """

    name = "bulk"

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._cache: dict[str, tuple[tuple[int, int], pd.DataFrame]] = {}
        self._digests: dict[str, tuple[tuple[int, int], pd.Series]] = {}
        self._read_as: dict[str, str] = {}

    def games(self, days: Sequence[date]) -> SourceFrame:
        self._require_coverage(days)
        return bulk_frames.games(self._schedule(), days, self.name)

    def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
        self._require_coverage(days)
        lines = self._read("player_box.parquet", PLAYER_BOX_LAYOUT)
        held = set(lines["season"].dropna().unique())
        self._require_seasons(self._with_results(days, held), held, "player_box.parquet")
        return bulk_frames.player_boxscores(self._schedule(), lines, days)

    def shot_attempts(self, days: Sequence[date]) -> SourceFrame:
        self._require_coverage(days)
        shots = [self._read(path.name, SHOT_LAYOUT) for path in self._shot_files(days)]
        return bulk_frames.shot_attempts(self._schedule(), shots, days)

    def payloads(self, table: str, days: Sequence[date]) -> dict[str, str]:
        """Files that the days were read from, and what they held; see ``Traceable``."""
        return {
            str(path): self._read_as[path.name]
            for path in self.payload_files(table, days)
            if path.name in self._read_as
        }

    def payload_files(self, table: str, days: Sequence[date]) -> list[Path]:
        """The schedule, which decides what belongs to a day, and the table's own files. See ``Traceable``."""
        names = ["games.parquet", *(["player_box.parquet"] if table == BOXSCORES else [])]
        files = [self.folder / name for name in names if (self.folder / name).is_file()]
        return files + (self._shot_files(days) if table == SHOTS else [])

    def _shot_files(self, days: Sequence[date]) -> list[Path]:
        """The files of the seasons that the days belong to."""
        seasons = sorted(set(seasons_of(self._schedule(), days).values()))
        files = [self.folder / f"shots_{season}.parquet" for season in seasons]
        return [path for path in files if path.is_file()]

    def revision(self) -> str:
        """Names, sizes and times of the files; see ``Polled``."""
        names = sorted(path.name for path in self._files())
        return hashlib.sha256(" ".join(f"{name}:{self._stamp(name)}" for name in names).encode()).hexdigest()[
            :16
        ]

    def fingerprints(self, days: Sequence[date]) -> dict[date, str]:
        """Per-day digests over all files; a file is read again only when it has changed. See ``Polled``."""
        schedule = self._schedule()
        seasons = set(schedule["season"].dropna().unique())
        covered = [day for day, season in seasons_of(schedule, days).items() if season in seasons]
        lines = self._game_digests("player_box.parquet", PLAYER_BOX_LAYOUT)
        shots = [
            self._game_digests(p.name, SHOT_LAYOUT) for p in self._files() if p.name.startswith("shots_")
        ]
        own = bulk_fingerprints.of_games(schedule, "game_id")
        return bulk_fingerprints.of_days(schedule, [own, lines, *shots], covered)

    def _files(self) -> list[Path]:
        return sorted(
            [
                self.folder / "games.parquet",
                self.folder / "player_box.parquet",
                *self.folder.glob("shots_*.parquet"),
            ]
        )

    def _game_digests(self, name: str, layout: Layout) -> pd.Series:
        """``of_games`` of a file. The frame is not kept: seasons of shots are large, and one number per game
        is enough."""
        stamp = self._stamp(name)
        held = self._digests.get(name)
        if held is None or held[0] != stamp:
            held = (stamp, bulk_fingerprints.of_games(self._load(name, layout), layout.game_id))
            self._digests[name] = held
        return held[1]

    def _schedule(self) -> pd.DataFrame:
        return self._read("games.parquet", GAME_LAYOUT)

    def _require_coverage(self, days: Sequence[date]) -> None:
        self._require_seasons(days, set(self._schedule()["season"].dropna().unique()), "games.parquet")

    def _with_results(self, days: Sequence[date], held: set[str]) -> list[date]:
        """The days that need lines of a season that the file does not hold: those with a competitive final.

        Files that begin a season with its first game have no lines of its preseason, and none at all on the
        morning of opening night: nothing is missing, and the slate is made from last season.
        """
        schedule = self._schedule()
        open_days = [day for day, season in seasons_of(schedule, days).items() if season not in held]
        if not open_days:
            return []
        competitive = game_types(schedule["game_id"]).isin(COMPETITIVE_GAME_TYPES)
        final = schedule[schedule["status"].eq("final") & competitive]
        return sorted(set(open_days) & set(final["game_date"].dt.date))

    def _require_seasons(self, days: Sequence[date], held: set[str], file: str) -> None:
        outside = [day for day, season in seasons_of(self._schedule(), days).items() if season not in held]
        if outside:
            raise SourceUnavailable(
                f"{self.folder / file} holds the seasons {', '.join(sorted(held)) or 'none'}; "
                f"{len(outside)} of the days asked for are outside them, from {outside[0]} on",
                days=outside,
            )

    def _read(self, name: str, layout: Layout) -> pd.DataFrame:
        """The rows of a file, cached until it changes."""
        stamp = self._stamp(name)
        cached = self._cache.get(name)
        if cached and cached[0] == stamp:
            return cached[1]
        frame = self._load(name, layout)
        if layout is GAME_LAYOUT:
            frame = read_schedule(frame, self.folder / name)
        self._cache[name] = (stamp, frame)
        return frame

    def _stamp(self, name: str) -> tuple[int, int]:
        path = self.folder / name
        try:
            stat = path.stat()
        except OSError as error:
            raise SourceUnavailable(f"the bulk folder has no readable {path}: {error.strerror}") from error
        return stat.st_mtime_ns, stat.st_size

    def _load(self, name: str, layout: Layout) -> pd.DataFrame:
        path = self.folder / name
        try:
            content = (
                path.read_bytes()
            )  # once: what is hashed is what is read, also while somebody replaces the file
            self._read_as[name] = hashlib.sha256(content).hexdigest()
            held = pq.read_schema(pa.BufferReader(content)).names
            missing = [c for c in layout.required if c not in held]
            if missing:
                raise SchemaDrift(
                    f"{path} lacks the column(s) {', '.join(missing)} that the bulk layout requires"
                )
            table = pq.read_table(pa.BufferReader(content), columns=[c for c in layout.columns if c in held])
            # Without pandas' own notes in the file: a column that was an index when it was written is one of
            # the columns all the same.
            published = table.to_pandas(ignore_metadata=True)
        except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
            raise UnparseableSource(
                f"{path} cannot be read as Parquet (truncated or corrupt?): {error}"
            ) from error
        return read_rows(published, layout, path)
