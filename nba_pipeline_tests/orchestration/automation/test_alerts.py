"""Alerts: grouped by cause, said once, delivered to real (loopback) servers, and nothing at all unless
configured."""

from __future__ import annotations

import email
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG

from nba_pipeline.build import build_defs
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.orchestration.automation.alert_sensor import NAME, alert_tick
from nba_pipeline.orchestration.automation.alerts import (
    DAY_SECONDS,
    STANDING_CHECK,
    Finding,
    Said,
    causes_of,
    news,
    worded,
)
from nba_pipeline.orchestration.automation.channels import AlertNotDelivered, channels_of, deliver
from nba_pipeline.orchestration.open_instance import open_instance
from nba_pipeline.settings import AlertSettings, Settings
from nba_pipeline_tests.orchestration.automation.driver import (
    OFFENSE,
    RAW,
    START,
    Clockwork,
    one_more_point,
    one_row_twice,
)
from nba_pipeline_tests.orchestration.automation.servers import smtp, webhook

DAY = START + timedelta(days=2)
LOG = logging.getLogger("test_alerts")


@dataclass
class Box:
    """A channel that keeps what it is given."""

    mails: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, text: str) -> None:
        self.mails.append((subject, text))


@dataclass
class Ticker:
    instance: dg.DagsterInstance
    box: Box = field(default_factory=Box)
    cursor: str | None = None
    later: float = 0.0

    def tick(self) -> list[str]:
        """The texts of this tick."""
        self.box.mails.clear()
        settings = AlertSettings(ui_url="http://ui")
        self.cursor, sent = alert_tick(
            self.instance, self.cursor, [self.box], settings, time.time() + self.later
        )
        assert sent == len(self.box.mails)
        return [text for _, text in self.box.mails]


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Clockwork]:
    """Four days, the third with a box score that contradicts its points; raw days are made, nothing else."""
    with open_instance(tmp_path / "home") as instance:
        clockwork = Clockwork(START + timedelta(days=3), instance=instance)
        clockwork.source.correct("player_boxscores", DAY, one_more_point)
        clockwork.fetch(clockwork.days)
        yield clockwork


def test_a_failed_day_is_told_once_with_its_cause_its_day_and_what_to_do(broken: Clockwork) -> None:
    ticker = Ticker(broken.instance)
    assert ticker.tick() == []
    broken.run(OFFENSE, broken.days)
    [text] = ticker.tick()
    assert text.splitlines()[0] == "nba_pipeline: 1 failed days or runs"
    assert f"impossible_value in {OFFENSE}, 1 day(s): {DAY}" in text
    assert "but 2·FGM + 3PM + FTM =" in text
    assert "what to do: correct the input row at the source" in text
    assert "http://ui/runs/" in text
    assert ticker.tick() == []
    broken.run(OFFENSE, [DAY])
    assert ticker.tick() == [], "the same day for the same reason is folded"
    ticker.later = 2 * DAY_SECONDS
    broken.run(OFFENSE, [DAY])
    [text] = ticker.tick()
    assert str(DAY) in text


def test_rows_in_quarantine_are_told_with_their_number_and_the_command_that_lists_them(
    broken: Clockwork,
) -> None:
    ticker = Ticker(broken.instance)
    ticker.tick()
    broken.source.correct("player_boxscores", DAY, one_row_twice)
    broken.run(RAW[1], broken.days, "quarantine")
    assert broken.errors == []
    [text] = ticker.tick()
    assert text.splitlines()[0] == "nba_pipeline: 1 rows in quarantine"
    assert f"quarantined_rows in {RAW[1]}, 1 row(s) of 1 day(s): {DAY}" in text
    assert f"{DAY}: duplicate_key: " in text
    assert f"what to do: `nba-pipeline rejected list --tables {RAW[1]} --start {DAY} --end {DAY}`" in text
    assert ticker.tick() == []
    broken.run(RAW[1], [DAY], "quarantine")
    assert ticker.tick() == [], "the same day is folded"


def test_a_backfill_that_only_put_rows_aside_is_told_when_it_is_over_with_the_rows_of_its_last_runs(
    broken: Clockwork,
) -> None:
    ticker = Ticker(broken.instance)
    ticker.tick()
    known = {run.run_id for run in broken.instance.get_runs()}
    broken.source.correct("player_boxscores", DAY, one_row_twice)
    broken.run(RAW[1], [DAY], "quarantine")
    broken.source.correct("player_boxscores", DAY, lambda lines: pd.concat([lines, lines.iloc[:2]]))
    broken.run(RAW[1], [DAY], "quarantine")
    for run in broken.instance.get_runs():
        if run.run_id not in known:
            broken.instance.add_run_tags(run.run_id, {BACKFILL_ID_TAG: "gone"})
    [text] = ticker.tick()
    assert text.splitlines()[0] == "nba_pipeline, backfill gone: 2 rows in quarantine"


def test_what_failed_before_the_sensor_was_switched_on_is_not_told(broken: Clockwork) -> None:
    broken.run(OFFENSE, broken.days)
    time.sleep(0.01)
    ticker = Ticker(broken.instance)
    assert ticker.tick() == ticker.tick() == []


def test_a_backfill_is_one_message_when_it_is_over(broken: Clockwork) -> None:
    ticker = Ticker(broken.instance)
    ticker.tick()
    known = {run.run_id for run in broken.instance.get_runs()}
    broken.run(OFFENSE, broken.days)
    broken.run("nba_analytics.player_game_summary", [DAY])
    for run in broken.instance.get_runs():
        if run.run_id not in known:
            broken.instance.add_run_tags(run.run_id, {BACKFILL_ID_TAG: "abcdefgh"})
    backfill = PartitionBackfill(
        backfill_id="abcdefgh",
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=time.time(),
        asset_selection=[],
        serialized_asset_backfill_data="",
    )
    broken.instance.add_backfill(backfill)
    assert ticker.tick() == [], "not over"
    broken.instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_FAILED))
    [text] = ticker.tick()
    assert text.startswith("nba_pipeline, backfill abcdefgh: 2 failed days or runs")
    assert "impossible_value in nba_analytics.team_offense_game_summary" in text
    assert "incomplete_input in nba_analytics.player_game_summary" in text
    assert "http://ui/runs/b/abcdefgh" in text
    assert ticker.tick() == []


def test_a_run_that_died_without_a_word_is_told_as_such(broken: Clockwork) -> None:
    ticker = Ticker(broken.instance)
    ticker.tick()
    base = broken.defs.get_repository_def().get_implicit_global_asset_job_def()
    key = dg.AssetKey(OFFENSE.split("."))
    run = broken.instance.create_run_for_job(
        base.get_subset(asset_selection={key}), asset_selection=frozenset({key})
    )
    broken.instance.report_run_failed(run, "the process was killed")
    [text] = ticker.tick()
    assert f"code_error in {OFFENSE}, 1 run(s)" in text
    assert "the process was killed" in text


def test_standing_checks_that_fail_are_told_and_not_every_morning_again(broken: Clockwork) -> None:
    ticker = Ticker(broken.instance)
    ticker.tick()
    job = broken.defs.resolve_job_def("inventory")
    assert job.execute_in_process(instance=broken.instance).success
    [text] = ticker.tick()
    assert f"no_partitions_left_failed: {OFFENSE}: of" in text
    assert job.execute_in_process(instance=broken.instance).success
    assert ticker.tick() == []


def test_if_no_channel_takes_a_message_the_tick_fails_and_the_next_one_tells_it(broken: Clockwork) -> None:
    class Dead:
        def send(self, subject: str, text: str) -> None:
            raise AlertNotDelivered("down")

    ticker = Ticker(broken.instance)
    ticker.tick()
    broken.run(OFFENSE, broken.days)
    with pytest.raises(AlertNotDelivered, match="down"):
        alert_tick(broken.instance, ticker.cursor, [Dead()], AlertSettings(), time.time())
    assert len(ticker.tick()) == 1


def test_nothing_is_sent_unless_configured() -> None:
    assert channels_of(AlertSettings(), LOG) == []
    assert AlertSettings.from_environment({"NBA_PIPELINE_ALERT_WEBHOOK": "http://127.0.0.1/"}).channels == ()
    defs = build_defs(Settings(warehouse="memory"))
    repository = defs.get_repository_def()
    with dg.build_sensor_context(repository_def=repository) as context:
        answer = repository.get_sensor_def(NAME).evaluate_tick(context)
    assert "no channel is configured" in str(answer.skip_message)


@pytest.mark.parametrize(
    "env",
    [
        {"NBA_PIPELINE_ALERTS": "pigeon"},
        {"NBA_PIPELINE_ALERTS": "webhook"},
        {"NBA_PIPELINE_ALERTS": "webhook", "NBA_PIPELINE_ALERT_WEBHOOK": "ftp://host/"},
        {"NBA_PIPELINE_ALERTS": "email", "NBA_PIPELINE_SMTP_HOST": "mail"},
        {"NBA_PIPELINE_SMTP_PORT": "many"},
        {"NBA_PIPELINE_SMTP_TLS": "perhaps"},
    ],
)
def test_half_a_configuration_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_"):
        AlertSettings.from_environment(env)


def test_secrets_are_not_in_the_settings_words() -> None:
    env = {
        "NBA_PIPELINE_ALERTS": "webhook",
        "NBA_PIPELINE_ALERT_WEBHOOK": "https://host/key-1",
        "NBA_PIPELINE_SMTP_PASSWORD": "key-2",
    }
    assert "key-" not in repr(AlertSettings.from_environment(env))


def test_a_webhook_gets_slacks_json() -> None:
    with webhook() as (url, received):
        settings = AlertSettings(channels=("webhook",), webhook_url=url)
        deliver(channels_of(settings, LOG), "subject", "two\nlines: 2·FGM", LOG)
    assert received == [{"type": "application/json", "text": "two\nlines: 2·FGM"}]


def test_an_e_mail_arrives() -> None:
    with smtp() as (port, received):
        settings = AlertSettings(
            channels=("email",),
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_tls=False,
            sender="nba@example.org",
            recipients=("a@example.org", "b@example.org"),
        )
        deliver(channels_of(settings, LOG), "nba_pipeline: 1 failed days or runs", "because of 2·FGM", LOG)
    [mail] = received
    assert (mail["from"], mail["to"]) == ("nba@example.org", ["a@example.org", "b@example.org"])
    message = email.message_from_bytes(mail["data"].encode())
    assert message["Subject"] == "nba_pipeline: 1 failed days or runs"
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().strip() == "because of 2·FGM"


def test_one_channel_that_is_down_does_not_silence_the_other(caplog: pytest.LogCaptureFixture) -> None:
    with webhook(status=500) as (url, _), smtp() as (port, received):
        settings = AlertSettings(
            channels=("webhook", "email"),
            webhook_url=url,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_tls=False,
            sender="nba@example.org",
            recipients=("a@example.org",),
        )
        deliver(channels_of(settings, LOG), "s", "t", LOG)
    assert len(received) == 1
    assert "webhook on 127.0.0.1: answered 500" in caplog.text
    assert "secret-key" not in caplog.text


def test_a_refusal_names_host_and_reason() -> None:
    with smtp(refuse=True) as (port, _):
        settings = AlertSettings(
            channels=("email",),
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_tls=False,
            sender="a@b.c",
            recipients=("d@e.f",),
        )
        with pytest.raises(AlertNotDelivered, match=rf"127.0.0.1:{port}.*no such mailbox"):
            deliver(channels_of(settings, LOG), "s", "t", LOG)
    with pytest.raises(AlertNotDelivered, match=r"webhook on 127\.0\.0\.1"):
        deliver(
            channels_of(AlertSettings(channels=("webhook",), webhook_url=f"http://127.0.0.1:{port}/x"), LOG),
            "s",
            "t",
            LOG,
        )


def test_a_thousand_days_of_one_cause_are_one_paragraph() -> None:
    found = [
        Finding("t", "source_unavailable", "the folder is gone", "run", START + timedelta(days=n))
        for n in range(1000)
    ]
    _, text = worded("backfill", causes_of(found), Said())
    assert len(text.splitlines()) == 5
    assert "1000 day(s): 2023-10-24 .. 2023-10-28 and 995 more" in text


def test_new_days_of_a_known_cause_are_news_and_known_ones_are_counted() -> None:
    said = Said()
    one, two = (Finding("t", "impossible_value", "m", "run", date(2024, 1, n)) for n in (1, 2))
    assert len(news(causes_of([one]), said, 0)) == 1
    assert news(causes_of([one]), said, 10) == []
    [cause] = news(causes_of([one, two]), Said.from_json(said.to_json()), 20)  # type: ignore[arg-type]
    assert cause.days == [one.day, two.day]
    assert "1 more time(s)" in worded("x", [cause], said)[1]
    assert len(news(causes_of([one]), said, DAY_SECONDS + 1)) == 1, "after a day it may be said again"


def test_a_standing_check_is_news_when_its_counts_change() -> None:
    said = Said()
    before, after = (
        Finding("t", STANDING_CHECK, f"no_partitions_left_failed: t: {n} failed", "run") for n in (1, 2)
    )
    assert news(causes_of([before]), said, 0)
    assert not news(causes_of([before]), said, DAY_SECONDS)
    assert news(causes_of([after]), said, DAY_SECONDS)
