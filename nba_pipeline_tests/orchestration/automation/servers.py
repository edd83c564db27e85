"""Loopback servers that keep what they are sent: HTTP for webhooks, a small SMTP with STARTTLS and log-in.

Belongs here: the servers. Does not belong here: expectations.
"""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """(address, bodies received as JSON); answers every POST with ``status``."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"type": self.headers["Content-Type"], **json.loads(body)})
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with _served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/services/secret-key", received


@contextmanager
def smtp(
    refuse: bool = False, certificate: Path | None = None, account: tuple[str, str] | None = None
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(port, mails received: sender, recipients, data, whether over TLS, who logged in).

    ``refuse``: no recipient is accepted. ``certificate``: STARTTLS is offered with it. ``account``: (user,
    password) without which no mail is taken; offered over TLS only.
    """
    received: list[dict[str, Any]] = []

    class Handler(_SmtpHandler):
        pass

    Handler.refuse, Handler.certificate, Handler.account, Handler.received = (
        refuse,
        certificate,
        account,
        received,
    )
    with _served(socketserver.TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


class _SmtpHandler(socketserver.StreamRequestHandler):
    refuse: bool
    certificate: Path | None
    account: tuple[str, str] | None
    received: list[dict[str, Any]]

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.mail: dict[str, Any] = {"to": [], "tls": False, "user": None}
        self.say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split(" ")[0].upper()
            answer = getattr(self, f"on_{verb.lower()}", None)
            if verb == "QUIT":
                return self.say("221 bye")
            try:
                self.say(answer(line) if answer else "250 ok")
            except ssl.SSLError:
                return None  # the client does not trust the certificate and has hung up
        return None

    def on_ehlo(self, line: str) -> str:
        tls = self.mail["tls"]
        offers = ["STARTTLS"] * bool(self.certificate and not tls) + ["AUTH PLAIN"] * bool(
            self.account and tls
        )
        return "\r\n".join(["250-loopback", *(f"250-{offer}" for offer in offers), "250 HELP"])

    def on_starttls(self, line: str) -> str:
        assert self.certificate is not None
        self.say("220 go on")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.connection = self.request = context.wrap_socket(self.request, server_side=True)
        self.setup()
        self.mail["tls"] = True
        return self.on_ehlo(self.rfile.readline().decode())

    def on_auth(self, line: str) -> str:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        if (user, password) != self.account:
            return "535 5.7.8 not these"
        self.mail["user"] = user
        return "235 welcome"

    def on_mail(self, line: str) -> str:
        if self.account and self.mail["user"] is None:
            return "530 log in first"
        self.mail["from"] = line.split(":", 1)[1].split()[0].strip("<>")
        return "250 ok"

    def on_rcpt(self, line: str) -> str:
        if self.refuse:
            return "550 no such mailbox"
        self.mail["to"].append(line.split(":", 1)[1].strip().strip("<>"))
        return "250 ok"

    def on_data(self, line: str) -> str:
        self.say("354 go on")
        lines = []
        while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(text)
        self.mail["data"] = "\n".join(lines)
        self.received.append(self.mail)
        return "250 ok"


def self_signed(folder: Path) -> Path:
    """A new key and its certificate for 127.0.0.1, in one file: what the server shows and what a client may
    trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name,
            name,
            key.public_key(),
            x509.random_serial_number(),
            now - timedelta(hours=1),
            now + timedelta(days=1),
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "loopback.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
