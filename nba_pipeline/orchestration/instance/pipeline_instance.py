"""The Dagster instance of this project: embedded SQLite storage that writes in batches; `dagster.yaml` names
this class.

Belongs here: instance-wide defaults that dagster.yaml cannot express. Not here: anything dagster.yaml can
express (queue, retention, ...), or that depends on the definitions.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, Field

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.dagster_private import (
    ConfigurableClassData,
    DagsterSqliteStorage,
    InstanceRef,
)
from nba_pipeline.orchestration.instance.creation import one_at_a_time
from nba_pipeline.orchestration.instance.event_log import PooledSqliteEventLogStorage
from nba_pipeline.orchestration.instance.events import BATCH_SIZE

BACKFILL_INTERVAL = 5
"""Seconds between two looks of the daemon at the backfills, where dagster.yaml does not say."""


class PipelineInstance(DagsterInstance):
    """`DagsterInstance` with batch writes on, and `PooledSqliteStorage` where dagster.yaml names no storage.

    Batch writes matter for what Dagster itself writes: creating a run of 986 days stores 986 "planned"
    events, one by one unless DAGSTER_EVENT_BATCH_SIZE is in the environment of *every* process (daemon,
    webserver, workers). An instance class reaches them all, because each process builds its instance from the
    same dagster.yaml.
    """

    def __init__(
        self, *arguments: Any, backfill_daemon: Mapping[str, int] | None = None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._backfill_interval = (backfill_daemon or {}).get("interval_seconds", BACKFILL_INTERVAL)
        if self._backfill_interval < 1:
            raise ConfigurationError(
                f"dagster.yaml: backfill_daemon.interval_seconds is {self._backfill_interval}; it must be at"
                " least 1, or the daemon would never rest"
            )

    @classmethod
    def config_schema(cls) -> Mapping[str, Field]:
        """What dagster.yaml may say beyond Dagster's own sections."""
        seconds = Field(int, is_required=False, description="Seconds between two looks at the backfills.")
        return {"backfill_daemon": Field({"interval_seconds": seconds}, is_required=False)}

    def get_backfill_settings(self) -> Mapping[str, Any]:
        """Dagster's settings, as it makes its backfill daemon; with the interval set, which that reads next.

        Dagster has no setting for it: with its 30 s a backfill of the UI took at least half a minute for each
        level of the graph (fact F9, pinned by a framework test).
        """
        controller = sys.modules.get("dagster._daemon.controller")  # in the daemon's process only
        if controller is not None:
            vars(controller)["DEFAULT_DAEMON_INTERVAL_SECONDS"] = self._backfill_interval
        return super().get_backfill_settings()

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        # The instance's folder is known here, so dagster.yaml needs neither a path nor an environment
        # variable.
        storage = ConfigurableClassData(
            __name__, PooledSqliteStorage.__name__, json.dumps({"base_dir": base_dir})
        )
        launcher = ConfigurableClassData(
            "nba_pipeline.orchestration.run_launcher", "WatchfulRunLauncher", json.dumps({})
        )
        return {**InstanceRef.config_defaults(base_dir), "storage": storage, "run_launcher": launcher}

    @property
    def run_monitoring_poll_interval_seconds(self) -> int:
        """How often the daemon looks for runs whose process is gone, where dagster.yaml does not say."""
        return int(self.run_monitoring_settings.get("poll_interval_seconds", 20))

    def _get_event_batch_size(self) -> int:
        return super()._get_event_batch_size() or BATCH_SIZE


class PooledSqliteStorage(DagsterSqliteStorage):
    """Dagster's default storage (same folders, same files) with `PooledSqliteEventLogStorage` as the event
    log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        with one_at_a_time(Path(base_dir)):
            super().__init__(base_dir, inst_data=inst_data)
            self._event_log_storage = PooledSqliteEventLogStorage(
                base_dir, subfolder=str(Path("history", "runs"))
            )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "PooledSqliteStorage":
        return cls.from_local(
            inst_data=inst_data, **config_value
        )  # the parent's names its own class (fact F8)
