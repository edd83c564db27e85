"""Every private name of Dagster that the project uses, and the test that says what we rely on.

Belongs here: imports from ``dagster._...``, and the framework test that pins each. Does not belong here: any
code. A private name may change with any release, so a new version of Dagster is tried by running those tests.
Nothing else imports a private name; a test reads the imports, and another that each pin is there.
"""

from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.asset_graph_view.serializable_entity_subset import SerializableEntitySubset
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.declarative_automation.automation_context import AutomationContext
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError
from dagster._core.event_api import EventHandlerFn
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEvent,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.api import create_execution_plan, execute_run_iterator
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
)
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionResolvedStatus,
    AssetCheckPartitionInfo,
)
from dagster._core.storage.asset_check_state import AssetCheckState
from dagster._core.storage.dagster_run import FINISHED_STATUSES, NOT_FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.storage.runs.schema import KeyValueStoreTable
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.sql import get_alembic_config
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._core.storage.tags import BACKFILL_ID_TAG, PARTITION_NAME_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import ConfigurableClassData, serialize_value

PINNED_BY = {
    "test_private_names.py::test_a_condition_sees_subsets_of_partitions": ("EntitySubset AutomationContext"),
    "test_event_log_parity.py::test_every_row_of_every_table_is_the_parents": (
        "AssetCheckEvaluationPlanned ASSET_CHECK_EVENTS ASSET_EVENTS"
        " EVENT_TYPE_TO_PIPELINE_RUN_STATUS AssetCheckExecutionRecordStatus"
        " AssetCheckExecutionsTable AssetKeyTable SqlEventLogStorageTable"
    ),
    "test_check_state.py::test_states_are_dagsters_own_after_every_step": (
        "AssetCheckState AssetCheckExecutionResolvedStatus AssetCheckPartitionInfo"
        " SerializableEntitySubset FINISHED_STATUSES"
    ),
    "test_range_runs.py::test_f7_check_evaluations_of_a_range_run_are_recorded_per_day": (
        "AssetCheckEvaluationTargetMaterializationData"
    ),
    "test_range_runs.py::test_f6_a_tag_on_the_event_is_the_days_data_version": (
        "CODE_VERSION_TAG DATA_VERSION_TAG get_input_data_version_tag get_input_event_pointer_tag"
    ),
    "test_private_names.py::test_a_run_that_is_created_first_is_executed_in_this_process": (
        "InMemoryJob create_execution_plan execute_run_iterator"
        " ManagedGrpcPythonEnvCodeLocationOrigin RemoteRepositoryOrigin LoadableTargetOrigin"
    ),
    "test_private_names.py::test_errors_that_are_told_apart": (
        "DagsterExecutionInterruptedError DagsterInvariantViolationError"
    ),
    "test_event_log_storage.py::test_the_live_view_hears_of_a_write_by_another_process": (
        "EventHandlerFn SqliteEventLogStorageWatchdog"
    ),
    "test_batched_events.py::test_the_entry_is_the_one_that_a_plain_yield_logs": (
        "DagsterEvent EventLogEntry serialize_value"
    ),
    "test_private_names.py::test_the_states_of_backfills_and_runs": (
        "BULK_ACTION_TERMINAL_STATUSES BulkActionsFilter BulkActionStatus NOT_FINISHED_STATUSES"
    ),
    "test_instance_config.py::test_dagster_home_gives_our_instance_and_our_storage": (
        "InstanceRef DagsterSqliteStorage ConfigurableClassData"
    ),
    "test_event_log_storage.py::test_deleting_a_run_and_wiping": ("INDEX_SHARD_NAME"),
    "test_event_log_storage.py::test_the_parent_reads_while_the_connection_is_open": (
        "SqliteEventLogStorage"
    ),
    "test_private_names.py::test_the_cells_of_a_table_are_read_from_the_status_cache": (
        "get_and_update_asset_status_cache_value"
    ),
    "test_run_launcher.py::test_monitoring_closes_a_run_whose_process_is_gone": (
        "CheckRunHealthResult WorkerStatus"
    ),
    "test_creation.py::test_a_home_that_two_processes_broke_is_healed": (
        "get_alembic_config sqlite_run_storage"
    ),
    "test_instance_counts.py::test_two_processes_lose_no_count": ("KeyValueStoreTable"),
    "test_private_names.py::test_tags_that_runs_carry": ("BACKFILL_ID_TAG PARTITION_NAME_TAG"),
}
"""Test in ``nba_pipeline_tests/framework/`` -> the names whose behaviour it pins."""

__all__ = [
    "ASSET_CHECK_EVENTS",
    "ASSET_EVENTS",
    "BACKFILL_ID_TAG",
    "BULK_ACTION_TERMINAL_STATUSES",
    "CODE_VERSION_TAG",
    "DATA_VERSION_TAG",
    "EVENT_TYPE_TO_PIPELINE_RUN_STATUS",
    "FINISHED_STATUSES",
    "INDEX_SHARD_NAME",
    "NOT_FINISHED_STATUSES",
    "PARTITION_NAME_TAG",
    "PINNED_BY",
    "AssetCheckEvaluationPlanned",
    "AssetCheckEvaluationTargetMaterializationData",
    "AssetCheckExecutionRecordStatus",
    "AssetCheckExecutionResolvedStatus",
    "AssetCheckExecutionsTable",
    "AssetCheckPartitionInfo",
    "AssetCheckState",
    "AssetKeyTable",
    "AutomationContext",
    "BulkActionStatus",
    "BulkActionsFilter",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DagsterEvent",
    "DagsterExecutionInterruptedError",
    "DagsterInvariantViolationError",
    "DagsterSqliteStorage",
    "EntitySubset",
    "EventHandlerFn",
    "EventLogEntry",
    "InMemoryJob",
    "InstanceRef",
    "KeyValueStoreTable",
    "LoadableTargetOrigin",
    "ManagedGrpcPythonEnvCodeLocationOrigin",
    "RemoteRepositoryOrigin",
    "SerializableEntitySubset",
    "SqlEventLogStorageTable",
    "SqliteEventLogStorage",
    "SqliteEventLogStorageWatchdog",
    "WorkerStatus",
    "create_execution_plan",
    "execute_run_iterator",
    "get_alembic_config",
    "get_and_update_asset_status_cache_value",
    "get_input_data_version_tag",
    "get_input_event_pointer_tag",
    "serialize_value",
    "sqlite_run_storage",
]
