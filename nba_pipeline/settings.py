"""Settings: what a deployment decides, read from the environment when asked to.

Belongs here: the meaning, default and validation of every ``NBA_PIPELINE_*`` variable.
Does not belong here: where their text comes from (``environment.py``), run-time choices of a single run
(``on_invalid_rows`` is run config).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from nba_pipeline.environment import read_environment
from nba_pipeline.failures import ConfigurationError

SOURCES = ("simulated", "bulk")
WAREHOUSES = ("parquet", "memory", "bigquery")
DAYS_PER_RUN = {"parquet": 400, "memory": 400, "bigquery": 1_600}
"""How many days of a table one run holds, by warehouse; NBA_PIPELINE_MAX_DAYS_PER_RUN changes it.

A file costs the same in any run, so locally a run is a season's calendar (365 days) and stays below 0.5 GiB.
BigQuery counts jobs, two per write however many days it has, so a run there is four seasons and more."""
_LEAST_DAYS_PER_RUN = 10  # each level of the graph takes one off (partitions.backfill_policy)
ENVIRONMENTS = ("production", "staging", "development")
"""Places that the automation knows; what is on in each is said in ``orchestration/automation/switches.py``
and nowhere else."""
FIRST_DAY = date(2021, 10, 19)
"""Opening night of 2021-22, the first day of the history this project was built for."""


@dataclass(frozen=True)
class BigQuerySettings:
    """Where the BigQuery warehouse is, and what it may use per table and day. Credentials are the machine's
    own."""

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
            raise ConfigurationError(
                f"the bigquery warehouse needs {name}PROJECT, the id of a Google Cloud project"
            )
        return cls(
            project=env[f"{name}PROJECT"],
            location=env.get(f"{name}LOCATION") or cls.location,
            dataset_prefix=env.get(f"{name}DATASET_PREFIX") or "",
            endpoint=env.get(f"{name}ENDPOINT") or None,
            daily_loads=_positive(env, f"{name}DAILY_LOADS", cls.daily_loads),
            daily_dml=_positive(env, f"{name}DAILY_DML", cls.daily_dml),
            daily_partitions=_positive(env, f"{name}DAILY_PARTITIONS", cls.daily_partitions),
        )


ALERT_CHANNELS = ("log", "webhook", "email")


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go. Without channels nothing is sent. The password is read here and shown nowhere."""

    channels: tuple[str, ...] = ()
    webhook_url: str | None = field(default=None, repr=False)  # a webhook's address is its key
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_tls: bool = True
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    ui_url: str | None = None

    def __post_init__(self) -> None:
        for channel in self.channels:
            _one_of("NBA_PIPELINE_ALERTS", channel, ALERT_CHANNELS)
        if "webhook" in self.channels and not (self.webhook_url or "").startswith(("http://", "https://")):
            raise ConfigurationError(
                "NBA_PIPELINE_ALERTS has webhook: set NBA_PIPELINE_ALERT_WEBHOOK to its http(s) address"
            )
        if "email" in self.channels and not (self.smtp_host and self.sender and self.recipients):
            raise ConfigurationError(
                "NBA_PIPELINE_ALERTS has email: set NBA_PIPELINE_SMTP_HOST, NBA_PIPELINE_ALERT_FROM and"
                " NBA_PIPELINE_ALERT_TO"
            )

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> AlertSettings:
        tls = env.get("NBA_PIPELINE_SMTP_TLS") or "yes"
        _one_of("NBA_PIPELINE_SMTP_TLS", tls, ("yes", "no"))
        return cls(
            channels=_words(env.get("NBA_PIPELINE_ALERTS")),
            webhook_url=env.get("NBA_PIPELINE_ALERT_WEBHOOK") or None,
            smtp_host=env.get("NBA_PIPELINE_SMTP_HOST") or None,
            smtp_port=_whole("NBA_PIPELINE_SMTP_PORT", env.get("NBA_PIPELINE_SMTP_PORT") or "587"),
            smtp_user=env.get("NBA_PIPELINE_SMTP_USER") or None,
            smtp_password=env.get("NBA_PIPELINE_SMTP_PASSWORD") or None,
            smtp_tls=tls == "yes",
            sender=env.get("NBA_PIPELINE_ALERT_FROM") or None,
            recipients=_words(env.get("NBA_PIPELINE_ALERT_TO")),
            ui_url=(env.get("NBA_PIPELINE_UI_URL") or "").rstrip("/") or None,
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
    end_date: date | None = None
    """The last day that is a partition, where the source's history has an end; None: today, whenever that is.
    """
    dagster_home: Path | None = None
    archive_dir: Path | None = None
    max_days_per_tick: int = 400
    """How many days of all tables one tick of the automation may request: a season's restatement fits in a
    few ticks."""
    max_days_per_run: int | None = None
    """None: what suits the warehouse."""
    gaps_after_days: int | None = None
    """A game without a box score is accepted as a gap once it is so many days old; None: only by a person."""
    environment: str | None = None
    """None: every sensor and schedule is stopped until somebody starts it."""
    alerts: AlertSettings = AlertSettings()

    def __post_init__(self) -> None:
        _one_of("NBA_PIPELINE_SOURCE", self.source, SOURCES)
        _one_of("NBA_PIPELINE_WAREHOUSE", self.warehouse, WAREHOUSES)
        if self.warehouse == "bigquery" and self.bigquery is None:
            raise ConfigurationError(
                "the bigquery warehouse needs its settings: NBA_PIPELINE_BIGQUERY_PROJECT and, if wanted, the"
                " others"
            )
        if self.environment is not None:
            _one_of("NBA_PIPELINE_ENVIRONMENT", self.environment, ENVIRONMENTS)
        if self.end_date is not None and self.end_date < self.start_date:
            raise ConfigurationError(
                f"NBA_PIPELINE_END_DATE={self.end_date} is before the first day, {self.start_date}"
            )
        if self.gaps_after_days is not None and self.gaps_after_days < 1:
            raise ConfigurationError(
                f"NBA_PIPELINE_GAPS_AFTER_DAYS={self.gaps_after_days} must be at least 1, or unset"
            )
        if self.max_days_per_tick < 1:
            raise ConfigurationError(
                f"NBA_PIPELINE_MAX_DAYS_PER_TICK={self.max_days_per_tick} must be at least 1"
            )
        if self.days_per_run < _LEAST_DAYS_PER_RUN:
            raise ConfigurationError(
                f"NBA_PIPELINE_MAX_DAYS_PER_RUN={self.days_per_run} must be at least {_LEAST_DAYS_PER_RUN}"
            )
        if self.source == "bulk":
            if self.bulk_dir is None:
                raise ConfigurationError(
                    "the bulk source needs NBA_PIPELINE_BULK_DIR, the folder with games.parquet and"
                    " player_box.parquet"
                )
            if not self.bulk_dir.is_dir():
                raise ConfigurationError(f"NBA_PIPELINE_BULK_DIR={self.bulk_dir} is not a folder")

    @property
    def days_per_run(self) -> int:
        """How many days of a table one run holds at most."""
        return DAYS_PER_RUN[self.warehouse] if self.max_days_per_run is None else self.max_days_per_run

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **options: object) -> Settings:
        """Settings from ``NBA_PIPELINE_*`` and the home's ``nba_pipeline.toml``; ``options`` that are not
        None win. Raises ``ConfigurationError``.

        Relative paths are relative to the working directory; the warehouse's default folder is ``warehouse``
        in DAGSTER_HOME, so that the history and the data it speaks of stay together.
        """
        env, home = read_environment(environ)
        _refuse_a_folder_that_nobody_reads(env, options)
        bulk = options.get("bulk_dir") or env.get("NBA_PIPELINE_BULK_DIR") or None
        folder = options.get("warehouse_dir") or env.get("NBA_PIPELINE_WAREHOUSE_DIR") or home / "warehouse"
        warehouse = str(options.get("warehouse") or env.get("NBA_PIPELINE_WAREHOUSE") or cls.warehouse)
        per_run, gaps = "NBA_PIPELINE_MAX_DAYS_PER_RUN", "NBA_PIPELINE_GAPS_AFTER_DAYS"
        start = options.get("start_date") or env.get("NBA_PIPELINE_START_DATE") or FIRST_DAY
        return cls(
            source=str(options.get("source") or env.get("NBA_PIPELINE_SOURCE") or cls.source),
            bulk_dir=None if bulk is None else Path(str(bulk)).expanduser().resolve(),
            warehouse=warehouse,
            warehouse_dir=Path(str(folder)).expanduser().resolve(),
            bigquery=BigQuerySettings.from_environment(env) if warehouse == "bigquery" else None,
            start_date=parse_day(str(start), "NBA_PIPELINE_START_DATE"),
            end_date=(
                parse_day(env["NBA_PIPELINE_END_DATE"], "NBA_PIPELINE_END_DATE")
                if env.get("NBA_PIPELINE_END_DATE")
                else None
            ),
            dagster_home=home,
            archive_dir=Path(env.get("NBA_PIPELINE_ARCHIVE_DIR") or home / "archive").expanduser().resolve(),
            max_days_per_tick=_whole(
                "NBA_PIPELINE_MAX_DAYS_PER_TICK", env.get("NBA_PIPELINE_MAX_DAYS_PER_TICK") or "400"
            ),
            max_days_per_run=_whole(per_run, env[per_run]) if env.get(per_run) else None,
            gaps_after_days=_whole(gaps, env[gaps]) if env.get(gaps) else None,
            environment=env.get("NBA_PIPELINE_ENVIRONMENT") or None,
            alerts=AlertSettings.from_environment(env),
        )

    def with_changes(self, **changes: object) -> Settings:
        return replace(self, **changes)  # type: ignore[arg-type]


def _refuse_a_folder_that_nobody_reads(env: Mapping[str, str], options: Mapping[str, object]) -> None:
    """A folder of real seasons beside the simulated league is a forgotten setting: invented players would be
    stored where real ones are expected."""
    if env.get("NBA_PIPELINE_BULK_DIR") and not (options.get("source") or env.get("NBA_PIPELINE_SOURCE")):
        raise ConfigurationError(
            "NBA_PIPELINE_BULK_DIR is set and NBA_PIPELINE_SOURCE is not, so the simulated league would be"
            " read: set NBA_PIPELINE_SOURCE=bulk (or simulated, if that is meant)"
        )


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


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ConfigurationError(f"{name}={text!r} is not a whole number")
    return int(text)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name}={value!r} is unknown; it is one of {', '.join(allowed)}")
