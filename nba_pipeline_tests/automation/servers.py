"""Loopback servers that keep what they are sent: HTTP for webhooks, a small SMTP.

Belongs here: the servers. Does not belong here: expectations.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


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
def smtp(refuse: bool = False) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(port, mails received: sender, recipients, data); ``refuse``: no recipient is accepted."""
    received: list[dict[str, Any]] = []

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("220 loopback")
            mail: dict[str, Any] = {"to": []}
            while line := self.rfile.readline().decode().strip():
                verb = line.split(":")[0].split(" ")[0].upper()
                if verb == "MAIL":
                    mail["from"] = line.split(":", 1)[1].split()[0].strip("<>")
                elif verb == "RCPT":
                    if refuse:
                        self.say("550 no such mailbox")
                        continue
                    mail["to"].append(line.split(":", 1)[1].strip().strip("<>"))
                elif verb == "DATA":
                    self.say("354 go on")
                    mail["data"] = self._data()
                    received.append(mail)
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                self.say("250 ok")

        def _data(self) -> str:
            lines = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            return "\n".join(lines)

    with _served(socketserver.TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


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
