"""Facts F8 and F13: what dagster.yaml gives, in this process and in the ones that Dagster starts."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._daemon import backfill, controller
from dagster._daemon.daemon import BackfillDaemon

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.instance.event_log import PooledSqliteEventLogStorage
from nba_pipeline.orchestration.instance.pipeline_instance import PipelineInstance, PooledSqliteStorage
from nba_pipeline.orchestration.launch import CODE_LOCATION
from nba_pipeline.orchestration.open_instance import DEFAULT_INSTANCE

ROOT = Path(__file__).parents[2]
ABSOLUTE_PATH = re.compile(r"(^|[\s'\"])[/~]\w")


class Waits(threading.Event):
    """Never set; keeps how long it was waited for, and returns at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def instance(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_dagster_home_gives_our_instance_and_our_storage(instance: dg.DagsterInstance, home: Path) -> None:
    assert type(instance) is PipelineInstance
    assert type(instance.event_log_storage) is PooledSqliteEventLogStorage
    assert (home / "history" / "runs" / "index.db").exists()


@pytest.mark.parametrize(("section", "seconds"), [("backfill_daemon: {interval_seconds: 7}", 7), ("", 5)])
def test_f9_dagster_yaml_says_how_often_the_daemon_looks_at_backfills(
    home: Path, monkeypatch: pytest.MonkeyPatch, section: str, seconds: int
) -> None:
    """Dagster fixes 30 s; its daemon reads the number after it has asked the instance for its settings."""
    said = yaml.safe_load((home / "dagster.yaml").read_text())
    del said["backfill_daemon"]
    (home / "dagster.yaml").write_text(yaml.safe_dump(said) + section)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setattr(controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", 30)
    with dg.DagsterInstance.get() as instance:
        daemon = controller.create_daemon_of_type(BackfillDaemon.daemon_type(), instance)
        monkeypatch.setattr(backfill, "execute_backfill_iteration", lambda *_, **__: iter(()))
        shutdown = Waits()
        loop = daemon.core_loop(None, shutdown)  # type: ignore[arg-type]
        for _ in range(3):  # the start of a look, its end, and then the wait
            next(loop)
    assert shutdown.seconds == pytest.approx([seconds], abs=1)


def test_an_interval_without_rest_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (home / "dagster.yaml").read_text().replace("interval_seconds: 5\n", "interval_seconds: 0\n")
    (home / "dagster.yaml").write_text(text)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with pytest.raises(ConfigurationError, match="interval_seconds is 0"):
        dg.DagsterInstance.get()


def test_a_run_worker_builds_the_same_instance(instance: dg.DagsterInstance) -> None:
    data = dg.serialize_value(instance.get_ref())
    with dg.DagsterInstance.from_ref(dg.deserialize_value(data, InstanceRef)) as worker:
        assert type(worker) is PipelineInstance
        assert type(worker.event_log_storage) is PooledSqliteEventLogStorage


def test_dagster_dev_without_dagster_home_works_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "elsewhere").mkdir()
    with dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(tmp_path / "elsewhere"), config_dir=str(home))
    ) as instance:
        assert type(instance.event_log_storage) is PooledSqliteEventLogStorage
        assert (tmp_path / "elsewhere" / "history" / "runs" / "index.db").exists()


def test_f8_the_parents_from_config_value_names_the_parent(tmp_path: Path) -> None:
    """The trap that our two overrides are for; when these no longer hold, the overrides can go."""
    config = {"base_dir": str(tmp_path)}
    for parent, ours in (
        (SqliteEventLogStorage, PooledSqliteEventLogStorage),
        (DagsterSqliteStorage, PooledSqliteStorage),
    ):
        inherited: Any = parent.from_config_value
        assert type(inherited.__func__(ours, None, config)) is parent


def test_f8_the_event_log_section_of_dagster_yaml_works_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = {
        "module": "nba_pipeline.orchestration.instance.event_log",
        "class": "PooledSqliteEventLogStorage",
    }
    config = {"event_log_storage": {**section, "config": {"base_dir": {"env": "DAGSTER_HOME"}}}}
    (tmp_path / "dagster.yaml").write_text(yaml.dump(config))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage) is PooledSqliteEventLogStorage
        assert (tmp_path / "history" / "runs" / "index.db").exists()


def test_f8_dagsters_own_events_reach_the_batch_write(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    store = PooledSqliteEventLogStorage.store_event_batch

    def record(self: PooledSqliteEventLogStorage, events: list[Any]) -> None:
        sizes.append(len(events))
        store(self, events)

    monkeypatch.setattr(PooledSqliteEventLogStorage, "store_event_batch", record)
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    days = dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-02-01")

    @dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run())
    def table() -> None: ...

    tags = {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-31",
    }
    assert dg.materialize([table], instance=instance, tags=tags).success
    assert sizes.count(31) == 2  # the planned events of the run, and the materializations of its output


def test_f13_no_telemetry_and_no_sign_up_dialog(instance: dg.DagsterInstance) -> None:
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_the_queue_fits_a_small_machine(instance: dg.DagsterInstance) -> None:
    concurrency = instance.get_concurrency_config()
    assert concurrency.run_queue_config is not None
    assert concurrency.run_queue_config.max_concurrent_runs == 2
    assert concurrency.pool_config.default_pool_limit == 1
    assert instance.run_monitoring_enabled


def test_the_files_name_no_path_and_load_our_definitions() -> None:
    for name in ("dagster.yaml", "workspace.yaml"):
        text = (ROOT / name).read_text()
        assert not ABSOLUTE_PATH.search(text), name
    [target] = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    named = {"module_name": "nba_pipeline.definitions", "attribute": "defs", "location_name": CODE_LOCATION}
    assert target == {
        "python_module": named
    }  # under another name the UI would not know the command line's runs


def test_a_home_without_a_dagster_yaml_gets_the_same_one() -> None:
    assert DEFAULT_INSTANCE.read_bytes() == (ROOT / "dagster.yaml").read_bytes()
