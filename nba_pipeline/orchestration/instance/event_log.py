"""Dagster's SQLite event log with open connections and batch writes; `dagster.yaml` names this class.

Belongs here: how event log rows reach the SQLite files. Not here: which events a table writes (`events.py`
and `orchestration/table_asset.py`), and anything about the warehouse.

Why: a history of 1,538 days writes tens of thousands of events, and the parent class opens a database, writes
one row and closes the database again, two or three times per event (7 ms). Here a connection stays open per
database and a batch is one transaction (under 0.2 ms per event). Tables, columns and values are the parent's,
so the UI, GraphQL and the parent class itself read what is written here
(`nba_pipeline_tests/framework/test_event_log_parity.py`).
"""

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster import AssetCheckKey, Field, PartitionsDefinition, StringSource
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, StaticPool
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from nba_pipeline.orchestration.dagster_private import (
    INDEX_SHARD_NAME,
    AssetCheckState,
    AssetKeyTable,
    ConfigurableClassData,
    EventHandlerFn,
    EventLogEntry,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from nba_pipeline.orchestration.instance import event_rows
from nba_pipeline.orchestration.instance.check_state import CheckStates
from nba_pipeline.orchestration.instance.serialization import EntrySerializer

# A process touches the index and the shard of each run it looks at; the webserver looks at hundreds of runs
# in a day, and each open database costs three file handles.
MAX_OPEN_SHARDS = 16

# Writers queue on SQLite's single write lock; the longest transaction here is one batch (well under a
# second).
BUSY_TIMEOUT_SECONDS = 60

# Connections opened before a fork belong to the parent process. Closing one in the child could checkpoint a
# database that the parent is writing, so the child only forgets them; this list keeps them from being
# collected.
_inherited_engines: list[Engine] = []


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps its connections and writes a batch of events in one transaction.

    In dagster.yaml::

        event_log_storage:
          module: nba_pipeline.orchestration.instance.event_log
          class: PooledSqliteEventLogStorage
          config:
            base_dir: {env: DAGSTER_HOME}

    `base_dir` is the instance's folder; the databases go to its `subfolder`, by default the one that
    Dagster's own SQLite storage uses, so switching between the two classes keeps the history.
    """

    def __init__(
        self, base_dir: str, subfolder: str = "", inst_data: ConfigurableClassData | None = None
    ) -> None:
        self._engines: OrderedDict[str, tuple[Engine, int]] = OrderedDict()
        self._known_tables: set[str] = set()
        self._owner_pid = os.getpid()
        self._empty: bytes | None = None
        self._check_states = CheckStates()
        super().__init__(base_dir=str(Path(base_dir, subfolder)), inst_data=inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {
            "base_dir": Field(
                StringSource, description="The instance's folder, usually {env: DAGSTER_HOME}."
            ),
            "subfolder": Field(
                StringSource, default_value="history/runs", description="Where in base_dir the databases are."
            ),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledSqliteEventLogStorage":
        # The parent's names its own class, so without this dagster.yaml would silently give the parent (fact
        # F8).
        return cls(inst_data=inst_data, **config_value)

    # --- connections
    # ---------------------------------------------------------------------------------------------

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._exclusive(), self._engine(shard).begin() as connection:
            yield connection

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One thread at a time, as in the parent; a forked child starts with its own lock and connections."""
        if self._owner_pid != os.getpid():
            _inherited_engines.extend(engine for engine, _ in self._engines.values())
            self._engines = OrderedDict()
            self._db_lock = threading.Lock()
            self._owner_pid = os.getpid()
        with self._db_lock:
            for oldest in [shard for shard in self._engines if shard != INDEX_SHARD_NAME][:-MAX_OPEN_SHARDS]:
                self._close(oldest)
            yield

    def _engine(self, shard: str) -> Engine:
        path = Path(self.path_for_shard(shard))
        if shard in self._engines:
            engine, inode = self._engines[shard]
            if path.exists() and path.stat().st_ino == inode:
                self._engines.move_to_end(shard)
                return engine
            self._close(shard)  # another process wiped the file: what is open is a deleted one
            self._initialized_dbs.discard(shard)
        if shard not in self._initialized_dbs:
            if not self._initialized_dbs or not self._copied(path):
                self._initdb(_closing_engine(self.conn_string_for_shard(shard)))
            self._initialized_dbs.add(shard)
        engine = _open_engine(self.conn_string_for_shard(shard))
        with engine.connect():  # creates the file, whose identity is checked above
            self._engines[shard] = (engine, path.stat().st_ino)
        return engine

    def _copied(self, path: Path) -> bool:
        """Put an empty database where there is none; False if there is one. To lay out tables costs 60 ms,
        and a backfill has dozens of runs with a database each, so that all but a process's first are copies
        of one that the parent made.
        """
        if path.exists():
            return False
        if self._empty is None:
            with tempfile.TemporaryDirectory() as folder:
                self._initdb(_closing_engine(f"sqlite:///{folder}/empty.db"))
                self._empty = Path(folder, "empty.db").read_bytes()
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            fresh.write_bytes(self._empty)
            os.link(
                fresh, path
            )  # whole at once, and never over what another process has made in the meantime
        except (
            OSError
        ):  # made in the meantime, or no links on this file system: the parent's way does for both
            return False
        finally:
            fresh.unlink(missing_ok=True)
        return True

    def _close(self, shard: str) -> None:
        engine, _ = self._engines.pop(shard)
        engine.dispose()

    def _close_all(self) -> None:
        with self._exclusive():
            for shard in list(self._engines):
                self._close(shard)

    def has_table(self, table_name: str) -> bool:
        # The parent opens a database per question, and asks once per event. Tables are created, never
        # dropped.
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        name = f"{AssetKeyTable.name}.{column_name}"  # asked per event too; columns are added, never dropped
        if name not in self._known_tables and super()._has_asset_key_col_on_connection(conn, column_name):
            self._known_tables.add(name)
        return name in self._known_tables

    def wipe(self) -> None:
        self._close_all()  # the parent deletes the files
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        self._close_all()

    # --- batch writes
    # --------------------------------------------------------------------------------------------

    def store_event(self, event: EventLogEntry) -> None:
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events, of one run or several: all of them, or (on an error) none."""
        if not all(event_rows.can_batch(entry) for entry in events):
            for entry in events:
                super().store_event(entry)
            return
        self._store(events, [True] * len(events), EntrySerializer())

    def store_day_events(self, events: Sequence[EventLogEntry]) -> None:
        """`store_event_batch` for the events of many days, with one copy of an evaluation instead of three.

        Dagster stores an evaluation in the run's database, in the index and in the check's own table, which
        alone answers for a day's status. Here a check that passed has one evaluation per batch in the first
        two (the last), so that they still say which checks a run evaluated; every failed one is in all three.
        Five seasons have 95,000 evaluations: two of three copies were 0.4 of 1.2 GB. Spaces of the JSON and
        the sentence that only a log shows are left out too: three rows fit on a page, not two.
        """
        kept = event_rows.kept_in_log(events)
        slim = [e if keep else event_rows.without_message(e) for e, keep in zip(events, kept, strict=True)]
        self._store(slim, kept, EntrySerializer(compact=True))

    def _store(
        self, events: Sequence[EventLogEntry], kept: Sequence[bool], serializer: EntrySerializer
    ) -> None:
        rows = [event_rows.event_row(entry, serializer(entry)) for entry in events]
        with self._exclusive(), ExitStack() as databases:
            index = None
            if any(event_rows.is_mirrored(entry) for entry in events):
                index = self._begin(databases, INDEX_SHARD_NAME)
            for run_id in dict.fromkeys(row["run_id"] for row in rows):
                mine = [(row, keep) for row, keep in zip(rows, kept, strict=True) if row["run_id"] == run_id]
                event_rows.insert_events(
                    self._begin(databases, run_id), [row for row, _ in mine], [keep for _, keep in mine]
                )
            if index is not None:
                self._store_index(index, events, rows, kept)

    def _store_index(
        self,
        index: Connection,
        events: Sequence[EventLogEntry],
        rows: Sequence[event_rows.Row],
        kept: Sequence[bool],
    ) -> None:
        mirrored = [
            (entry, row, keep)
            for entry, row, keep in zip(events, rows, kept, strict=True)
            if event_rows.is_mirrored(entry)
        ]
        ids = event_rows.insert_events(
            index, [row for _, row, _ in mirrored], [keep for _, _, keep in mirrored]
        )
        stored = [
            event_rows.Stored(entry, row, id_) for (entry, row, _), id_ in zip(mirrored, ids, strict=True)
        ]
        self._index_assets(index, [item for item in stored if event_rows.is_asset_event(item.entry)])
        event_rows.upsert_checks(index, stored)

    def _begin(self, databases: ExitStack, shard: str) -> Connection:
        connection = databases.enter_context(self._engine(shard).begin())
        # Take the write lock before the first read: ids and existing check rows are read, then written.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return connection

    def _index_assets(self, index: Connection, stored: Sequence[event_rows.Stored]) -> None:
        if not stored:
            return
        self._store_asset_event_tags(index, [item.entry for item in stored], [item.id for item in stored])
        index_columns = self._has_asset_key_index_cols_on_connection(index)
        values: dict[str, dict[str, Any]] = {}
        for item in event_rows.last_of_each_kind(
            stored
        ):  # in order: later events overwrite what earlier ones set
            values.setdefault(item.row["asset_key"], {}).update(
                self._get_asset_entry_values(item.entry, item.id, index_columns)
            )
        event_rows.upsert_asset_keys(index, values)

    # --- checks
    # --------------------------------------------------------------------------------------------------

    def get_asset_check_state(
        self, keys: Sequence[tuple[AssetCheckKey, PartitionsDefinition | None]]
    ) -> Mapping[AssetCheckKey, AssetCheckState]:
        return self._check_states.read(self, keys)

    # --- live logs
    # -----------------------------------------------------------------------------------------------

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        self._obs: Any = self._obs or _started_observer()
        watchdog = _WalWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (
            watchdog,
            self._obs.schedule(watchdog, self._base_dir, recursive=True),
        )


def _started_observer() -> Any:
    observer = Observer()
    observer.start()
    return observer


class _WalWatchdog(SqliteEventLogStorageWatchdog):
    """Notices writes to the write-ahead log too.

    The parent's writers close the database after each event, which moves the log into the watched file; here
    the connection stays open and the file itself changes only once per thousand pages, so the UI's live view
    would lag.
    """

    def __init__(
        self,
        event_log_storage: SqliteEventLogStorage,
        run_id: str,
        callback: EventHandlerFn,
        cursor: str | None,
    ) -> None:
        super().__init__(event_log_storage, run_id, callback, cursor)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:
        self._process_log()


def _closing_engine(url: str) -> Engine:
    """An engine that closes each connection after its use."""
    return create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})


def _open_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=StaticPool,  # one connection; the storage's lock lets one thread at a time use it
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # NORMAL in WAL mode: a power cut may lose the last transactions, never corrupt; a process crash loses
        # nothing.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
