"""Where the text of a setting comes from: the environment, then ``nba_pipeline.toml`` in the home.

Belongs here: finding the home, reading both, and refusing names that nobody reads. Does not belong here: what
a setting means and its default (``settings.py``).
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nba_pipeline.failures import ConfigurationError

PREFIX = "NBA_PIPELINE_"
SETTINGS_FILE = "nba_pipeline.toml"
"""Settings of a home, so that a shell, cron and the daemon have the same: ``source = "bulk"`` stands for
``NBA_PIPELINE_SOURCE=bulk``. The environment wins."""

NAMES = frozenset(
    PREFIX + name
    for name in (
        "ALERTS ALERT_FROM ALERT_TO ALERT_WEBHOOK ARCHIVE_DIR BIGQUERY_DAILY_DML BIGQUERY_DAILY_LOADS"
        " BIGQUERY_DAILY_PARTITIONS BIGQUERY_DATASET_PREFIX BIGQUERY_ENDPOINT BIGQUERY_LOCATION"
        " BIGQUERY_PROJECT BULK_DIR END_DATE ENVIRONMENT GAPS_AFTER_DAYS MAX_DAYS_PER_RUN MAX_DAYS_PER_TICK"
        " SMTP_HOST"
        " SMTP_PASSWORD SMTP_PORT SMTP_TLS SMTP_USER SOURCE START_DATE UI_URL WAREHOUSE WAREHOUSE_DIR"
    ).split()
)
_NOT_OURS = (f"{PREFIX}TEST_", f"{PREFIX}CI_")  # what tests and CI read


def read_environment(environ: Mapping[str, str] | None = None) -> tuple[dict[str, str], Path]:
    """The text of every setting by the name of its variable, and the home.

    Raises ConfigurationError for a name that is no setting, with the one that was probably meant.
    """
    given = os.environ if environ is None else environ
    home = dagster_home(given)
    variables = {name: text for name, text in given.items() if name.startswith(PREFIX)}
    for name in sorted(variables):
        if name not in NAMES and not name.startswith(_NOT_OURS):
            raise ConfigurationError(f"{name} is no setting{_meant(name)}. Unset it or correct its name")
    return {**read_file(home / SETTINGS_FILE), **{k: v for k, v in variables.items() if v}}, home


def read_file(path: Path) -> dict[str, str]:
    """The settings of a home's file, by the names of their variables; none without the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    found = _flat(values, PREFIX, path)
    for name in sorted(found):
        if name not in NAMES:
            key = name.removeprefix(PREFIX).lower()
            raise ConfigurationError(f"{path}: {key} is no setting{_meant(name, lower=True)}")
    return found


def _flat(values: Mapping[str, Any], prefix: str, path: Path) -> dict[str, str]:
    """``[bigquery] project = "x"`` and ``bigquery_project = "x"`` are the same setting."""
    found: dict[str, str] = {}
    for key, value in values.items():
        name = prefix + key.upper()
        if isinstance(value, dict):
            found |= _flat(value, f"{name}_", path)
        elif isinstance(value, list):
            found[name] = ",".join(str(item) for item in value)
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        else:
            found[name] = str(value)
    return found


def _meant(name: str, lower: bool = False) -> str:
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    if not close:
        return ""
    return f" ({close[0].removeprefix(PREFIX).lower() if lower else close[0]} is one)"


def dagster_home(environ: Mapping[str, str] | None = None) -> Path:
    """DAGSTER_HOME; without it the working directory if it has a dagster.yaml, else ``.nba_pipeline`` in
    it."""
    if given := (os.environ if environ is None else environ).get("DAGSTER_HOME"):
        if not Path(given).is_absolute():
            raise ConfigurationError(
                f"DAGSTER_HOME={given} must be an absolute path (`export DAGSTER_HOME=$PWD`)"
            )
        return Path(given)
    here = Path.cwd()
    return here if (here / "dagster.yaml").is_file() else here / ".nba_pipeline"
