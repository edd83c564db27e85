"""Where alerts go: the log, a webhook that understands Slack's JSON, e-mail over SMTP.

Belongs here: delivering one text. Does not belong here: what it says (``alerts.py``), which channels are on
(``settings.py``). A channel that cannot deliver raises ``AlertNotDelivered``; no message shows a webhook's
address or a password.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import urlsplit

from nba_pipeline.settings import AlertSettings

TIMEOUT = 15  # seconds; a sensor's tick has sixty


class AlertNotDelivered(Exception):
    """A channel did not take a message; names the channel, the host and the reason."""


class Channel(Protocol):
    """Takes a message or raises ``AlertNotDelivered``."""

    def send(self, subject: str, text: str) -> None: ...


@dataclass(frozen=True)
class LogChannel:
    """A warning in the log of the tick."""

    logger: logging.Logger

    def send(self, subject: str, text: str) -> None:
        self.logger.warning(text)


@dataclass(frozen=True)
class WebhookChannel:
    """A POST of ``{"text": ...}``, which Slack, Mattermost and others show as it is."""

    url: str

    def send(self, subject: str, text: str) -> None:
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(
            self.url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        host = urlsplit(self.url).hostname
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            raise AlertNotDelivered(f"webhook on {host}: answered {error.code} {error.reason}") from None
        except OSError as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise AlertNotDelivered(f"webhook on {host}: {reason}") from None


@dataclass(frozen=True)
class EmailChannel:
    """One e-mail to all recipients."""

    settings: AlertSettings

    def send(self, subject: str, text: str) -> None:
        s = self.settings
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = (
            subject.splitlines()[0],
            s.sender,
            ", ".join(s.recipients),
        )
        message.set_content(text)
        try:
            with smtplib.SMTP(s.smtp_host or "", s.smtp_port, timeout=TIMEOUT) as server:
                if s.smtp_tls:
                    # With a context of one's own: without it smtplib takes any certificate, and the password
                    # follows.
                    server.starttls(context=ssl.create_default_context())
                if s.smtp_user:
                    server.login(s.smtp_user, s.smtp_password or "")
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise AlertNotDelivered(f"e-mail over {s.smtp_host}:{s.smtp_port}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """What a mail server or the way to it refused, and what to look at."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{_answer(error)}; look at NBA_PIPELINE_SMTP_USER and NBA_PIPELINE_SMTP_PASSWORD"
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{error} (NBA_PIPELINE_SMTP_TLS=no is only for a server on the same machine)"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message}; name the authority's file in"
            " SSL_CERT_FILE"
        )
    return f"{type(error).__name__}: {error}"


def _answer(error: smtplib.SMTPResponseException) -> str:
    text = (
        error.smtp_error.decode(errors="replace")
        if isinstance(error.smtp_error, bytes)
        else str(error.smtp_error)
    )
    return f"answered {error.smtp_code} {text}"


def channels_of(settings: AlertSettings, logger: logging.Logger) -> list[Channel]:
    """The channels that the settings name; none without settings."""
    made: dict[str, Channel] = {
        "log": LogChannel(logger),
        "webhook": WebhookChannel(settings.webhook_url or ""),
        "email": EmailChannel(settings),
    }
    return [made[name] for name in settings.channels]


def deliver(channels: Sequence[Channel], subject: str, text: str, logger: logging.Logger) -> None:
    """Send to every channel. If none takes it, raises: the tick fails, its cursor stays, the next one tries
    again. If only some do, the others are named in the log, because repeating the message to those that have
    it would be noise.
    """
    refused = []
    for channel in channels:
        try:
            channel.send(subject, text)
        except AlertNotDelivered as error:
            refused.append(str(error))
    if refused and len(refused) == len(channels):
        raise AlertNotDelivered("; ".join(refused))
    for reason in refused:
        logger.error(f"alert not delivered: {reason}")
