"""Alerts over a mail server that wants TLS and a password: what arrives, and what the log says when it
refuses."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from nba_pipeline.orchestration.automation.channels import (
    AlertNotDelivered,
    EmailChannel,
    channels_of,
    deliver,
)
from nba_pipeline.settings import AlertSettings
from nba_pipeline_tests.orchestration.automation.servers import self_signed, smtp, webhook

LOG = logging.getLogger("test_mail")
ACCOUNT = ("nba", "correct-horse")
SETTINGS = AlertSettings(
    channels=("email",),
    smtp_host="127.0.0.1",
    sender="nba@example.org",
    recipients=("a@example.org",),
    smtp_user="nba",
    smtp_password="correct-horse",
)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's certificate, which this process trusts as it would an authority's."""
    path = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def refusal(port: int, **changes: object) -> str:
    """What the channel says when the server does not take a mail."""
    with pytest.raises(AlertNotDelivered) as error:
        EmailChannel(replace(SETTINGS, smtp_port=port, **changes)).send("subject", "text")  # type: ignore[arg-type]
    assert str(error.value).startswith(f"e-mail over 127.0.0.1:{port}: ")
    return str(error.value)


def test_it_goes_over_tls_with_the_password(certificate: Path) -> None:
    with smtp(certificate=certificate, account=ACCOUNT) as (port, received):
        EmailChannel(replace(SETTINGS, smtp_port=port)).send("subject", "text")
    [mail] = received
    assert (mail["tls"], mail["user"], mail["to"]) == (True, "nba", ["a@example.org"])
    assert "Subject: subject" in mail["data"]


def test_a_wrong_password_names_the_settings_and_not_the_password(certificate: Path) -> None:
    with smtp(certificate=certificate, account=ACCOUNT) as (port, received):
        said = refusal(port, smtp_password="battery-staple")
    assert (
        "answered 535 5.7.8 not these; look at NBA_PIPELINE_SMTP_USER and NBA_PIPELINE_SMTP_PASSWORD" in said
    )
    assert "staple" not in said
    assert received == []


def test_a_server_without_tls_gets_neither_password_nor_mail() -> None:
    with smtp() as (port, received):
        said = refusal(port)
    assert "STARTTLS extension not supported by server" in said
    assert "NBA_PIPELINE_SMTP_TLS=no is only for a server on the same machine" in said
    assert received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with smtp(certificate=self_signed(tmp_path), account=ACCOUNT) as (port, received):
        said = refusal(port)
    assert (
        "its certificate is not trusted: self-signed certificate; name the authority's file in SSL_CERT_FILE"
        in said
    )
    assert received == []


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert "ConnectionRefusedError" in refusal(probe.getsockname()[1])


def test_a_server_that_never_answers_does_not_hold_the_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nba_pipeline.orchestration.automation.channels.TIMEOUT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "timed out" in refusal(silent.getsockname()[1])


def test_a_refusing_mail_server_is_one_line_in_the_log_and_the_webhook_still_has_the_alert(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as (url, posted), smtp(certificate=certificate, account=ACCOUNT) as (port, _):
        settings = replace(
            SETTINGS, channels=("webhook", "email"), webhook_url=url, smtp_port=port, smtp_password="wrong"
        )
        deliver(channels_of(settings, LOG), "subject", "text", LOG)
    assert [body["text"] for body in posted] == ["text"]
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith(f"alert not delivered: e-mail over 127.0.0.1:{port}: answered 535")
