"""The event log storage under the name that a ``dagster.yaml`` of an earlier version gives."""

from nba_pipeline.orchestration.instance.event_log import PooledSqliteEventLogStorage

__all__ = ["PooledSqliteEventLogStorage"]
