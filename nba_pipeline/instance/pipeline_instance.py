"""``PipelineInstance`` and its storage under the name that a ``dagster.yaml`` of an earlier version gives."""

from nba_pipeline.orchestration.instance.pipeline_instance import PipelineInstance, PooledSqliteStorage

__all__ = ["PipelineInstance", "PooledSqliteStorage"]
