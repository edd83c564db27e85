"""Settings: the one place that reads the environment, and only when asked to.

Belongs here: every ``NBA_PIPELINE_*`` variable, its default and its validation.
Does not belong here: run-time choices of a single run (``on_invalid_rows`` is run config) and any secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from nba_pipeline.failures import ConfigurationError

SOURCES = ("simulated", "bulk")
WAREHOUSES = ("parquet", "memory", "bigquery")
FIRST_DAY = date(2021, 10, 19)
"""Opening night of 2021-22, the first day of the history this project was built for."""


@dataclass(frozen=True)
class BigQuerySettings:
    """Where the BigQuery warehouse is, and what it may use per table and day. Credentials are the machine's own."""

    project: str
    location: str = "US"
    dataset_prefix: str = ""
    endpoint: str | None = None  # a loopback server, for tests
    daily_loads: int = 1_500
    daily_dml: int = 1_500
    daily_partitions: int = 30_000

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> BigQuerySettings:
        name = "NBA_PIPELINE_BIGQUERY_"
        if not env.get(f"{name}PROJECT"):
            raise ConfigurationError(f"the bigquery warehouse needs {name}PROJECT, the id of a Google Cloud project")
        return cls(
            project=env[f"{name}PROJECT"],
            location=env.get(f"{name}LOCATION") or cls.location,
            dataset_prefix=env.get(f"{name}DATASET_PREFIX") or "",
            endpoint=env.get(f"{name}ENDPOINT") or None,
            daily_loads=_positive(env, f"{name}DAILY_LOADS", cls.daily_loads),
            daily_dml=_positive(env, f"{name}DAILY_DML", cls.daily_dml),
            daily_partitions=_positive(env, f"{name}DAILY_PARTITIONS", cls.daily_partitions),
        )


@dataclass(frozen=True)
class Settings:
    """What a deployment decides. Paths are absolute."""

    source: str = "simulated"
    bulk_dir: Path | None = None
    warehouse: str = "parquet"
    warehouse_dir: Path = Path("warehouse")
    bigquery: BigQuerySettings | None = None
    start_date: date = FIRST_DAY
    dagster_home: Path | None = None
    max_days_per_tick: int = 400
    """How many days of all tables one tick of the automation may request: a season's restatement fits in a few ticks."""

    def __post_init__(self) -> None:
        _one_of("NBA_PIPELINE_SOURCE", self.source, SOURCES)
        _one_of("NBA_PIPELINE_WAREHOUSE", self.warehouse, WAREHOUSES)
        if self.warehouse == "bigquery" and self.bigquery is None:
            raise ConfigurationError("the bigquery warehouse needs its settings: NBA_PIPELINE_BIGQUERY_PROJECT and, if wanted, the others")
        if self.source == "bulk":
            if self.bulk_dir is None:
                raise ConfigurationError(
                    "the bulk source needs NBA_PIPELINE_BULK_DIR, the folder with games.parquet and player_box.parquet"
                )
            if not self.bulk_dir.is_dir():
                raise ConfigurationError(f"NBA_PIPELINE_BULK_DIR={self.bulk_dir} is not a folder")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **options: object) -> Settings:
        """Settings from ``NBA_PIPELINE_*``; ``options`` that are not None win. Raises ``ConfigurationError``.

        Relative paths are relative to the working directory; the warehouse's default folder is ``warehouse`` in
        DAGSTER_HOME, so that the history and the data it speaks of stay together.
        """
        env = os.environ if environ is None else environ
        home = _dagster_home(env)
        bulk = options.get("bulk_dir") or env.get("NBA_PIPELINE_BULK_DIR") or None
        folder = options.get("warehouse_dir") or env.get("NBA_PIPELINE_WAREHOUSE_DIR") or home / "warehouse"
        warehouse = str(options.get("warehouse") or env.get("NBA_PIPELINE_WAREHOUSE") or cls.warehouse)
        start = options.get("start_date") or env.get("NBA_PIPELINE_START_DATE") or FIRST_DAY
        return cls(
            source=str(options.get("source") or env.get("NBA_PIPELINE_SOURCE") or cls.source),
            bulk_dir=None if bulk is None else Path(str(bulk)).expanduser().resolve(),
            warehouse=warehouse,
            warehouse_dir=Path(str(folder)).expanduser().resolve(),
            bigquery=BigQuerySettings.from_environment(env) if warehouse == "bigquery" else None,
            start_date=parse_day(str(start), "NBA_PIPELINE_START_DATE"),
            dagster_home=home,
        )

    def with_changes(self, **changes: object) -> Settings:
        return replace(self, **changes)  # type: ignore[arg-type]


def _dagster_home(env: Mapping[str, str]) -> Path:
    """DAGSTER_HOME; without it the working directory if it has a dagster.yaml, else ``.nba_pipeline`` in it."""
    if given := env.get("DAGSTER_HOME"):
        if not Path(given).is_absolute():
            raise ConfigurationError(f"DAGSTER_HOME={given} must be an absolute path (`export DAGSTER_HOME=$PWD`)")
        return Path(given)
    here = Path.cwd()
    return here if (here / "dagster.yaml").is_file() else here / ".nba_pipeline"


def parse_day(text: str, name: str) -> date:
    """A YYYY-MM-DD day, or ``ConfigurationError`` naming the setting or option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{name}={text!r} is not a day (YYYY-MM-DD)") from None


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(f"{name}={text!r} is not a positive whole number")
    return int(text)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name}={value!r} is unknown; it is one of {', '.join(allowed)}")
