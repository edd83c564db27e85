"""Where settings come from: the environment, then the home's file; a name that nobody reads is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.environment import NAMES, PREFIX, SETTINGS_FILE, read_environment
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.settings import Settings

PACKAGE = Path(__file__).parents[1] / "nba_pipeline"


def home_with(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / SETTINGS_FILE).write_text(text, encoding="utf-8")
    return {"DAGSTER_HOME": str(tmp_path)}


def test_every_process_of_a_home_has_the_settings_of_its_file(tmp_path: Path) -> None:
    bulk = tmp_path / "bulk"
    bulk.mkdir()
    env = home_with(tmp_path, f'source = "bulk"\nbulk_dir = "{bulk}"\nstart_date = 2022-10-18\n')
    settings = Settings.from_environment(env)
    assert (settings.source, settings.bulk_dir, settings.start_date) == ("bulk", bulk, date(2022, 10, 18))


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    env = home_with(tmp_path, 'source = "bulk"\nstart_date = "2022-10-18"\n')
    env["NBA_PIPELINE_SOURCE"] = "simulated"
    assert Settings.from_environment(env).source == "simulated"
    assert Settings.from_environment(env, start_date="2023-10-24").start_date == date(2023, 10, 24)


def test_sections_and_lists_of_the_file_are_names_too(tmp_path: Path) -> None:
    text = 'warehouse = "bigquery"\nalerts = ["log"]\n[bigquery]\nproject = "p"\ndaily_loads = 5\n'
    text += "[smtp]\ntls = false\n"
    settings = Settings.from_environment(home_with(tmp_path, text))
    assert settings.bigquery is not None
    assert (settings.bigquery.project, settings.bigquery.daily_loads) == ("p", 5)
    assert (settings.alerts.channels, settings.alerts.smtp_tls) == (("log",), False)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NBA_PIPELINE_SORUCE", r"NBA_PIPELINE_SOURCE is one"),
        ("NBA_PIPELINE_BULKDIR", r"NBA_PIPELINE_BULK_DIR is one"),
        ("NBA_PIPELINE_XYZZY", r"is no setting\. Unset"),
    ],
)
def test_a_name_that_nobody_reads_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, name: str, meant: str
) -> None:
    with pytest.raises(ConfigurationError, match=meant) as refused:
        Settings.from_environment({"DAGSTER_HOME": str(tmp_path), name: "bulk"})
    assert name in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('soruce = "bulk"', r"nba_pipeline\.toml: soruce is no setting \(source is one\)"),
        ("source = bulk", r"nba_pipeline\.toml is not TOML"),
        ("[bigquery]\nprojekt = 1", "bigquery_projekt is no setting"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Settings.from_environment(home_with(tmp_path, text))


def test_a_folder_of_real_seasons_beside_the_simulated_league_is_a_forgotten_setting(tmp_path: Path) -> None:
    env = {"DAGSTER_HOME": str(tmp_path), "NBA_PIPELINE_BULK_DIR": str(tmp_path)}
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_SOURCE is not"):
        Settings.from_environment(env)
    assert Settings.from_environment({**env, "NBA_PIPELINE_SOURCE": "simulated"}).source == "simulated"
    assert Settings.from_environment(env, source="bulk").source == "bulk"


def test_what_tests_and_ci_read_is_nobodys_mistake(tmp_path: Path) -> None:
    env = {"DAGSTER_HOME": str(tmp_path), f"{PREFIX}TEST_BULK_DIR": "x", f"{PREFIX}CI_UNPINNED": "1"}
    assert read_environment(env)[1] == tmp_path


def test_every_known_name_is_read_by_the_settings() -> None:
    text = (PACKAGE / "settings.py").read_text(encoding="utf-8").replace("{name}", "NBA_PIPELINE_BIGQUERY_")
    assert {name for name in NAMES if name not in text} == set()
