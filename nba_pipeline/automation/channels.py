"""Where alerts go: the log, a webhook that understands Slack's JSON, e-mail over SMTP.

Belongs here: delivering one text. Does not belong here: what it says (``alerts.py``), which channels are on (``settings.py``).
A channel that cannot deliver raises ``AlertNotDelivered``; no message shows a webhook's address or a password.
"""

from __future__ import annotations

import json
import logging
import smtplib
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
        request = urllib.request.Request(self.url, data=body, headers={"Content-Type": "application/json"}, method="POST")
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
        message["Subject"], message["From"], message["To"] = subject.splitlines()[0], s.sender, ", ".join(s.recipients)
        message.set_content(text)
        try:
            with smtplib.SMTP(s.smtp_host or "", s.smtp_port, timeout=TIMEOUT) as server:
                if s.smtp_tls:
                    server.starttls()
                if s.smtp_user:
                    server.login(s.smtp_user, s.smtp_password or "")
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise AlertNotDelivered(f"e-mail over {s.smtp_host}:{s.smtp_port}: {type(error).__name__}: {error}") from None


def channels_of(settings: AlertSettings, logger: logging.Logger) -> list[Channel]:
    """The channels that the settings name; none without settings."""
    made: dict[str, Channel] = {
        "log": LogChannel(logger),
        "webhook": WebhookChannel(settings.webhook_url or ""),
        "email": EmailChannel(settings),
    }
    return [made[name] for name in settings.channels]


def deliver(channels: Sequence[Channel], subject: str, text: str, logger: logging.Logger) -> None:
    """Send to every channel. If none takes it, raises: the tick fails, its cursor stays, the next one tries again. If only some
    do, the others are named in the log, because repeating the message to those that have it would be noise."""
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
