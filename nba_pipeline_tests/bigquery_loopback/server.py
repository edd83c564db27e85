"""The loopback HTTP server, and the object that tests hold.

Belongs here: sockets, uploads (multipart and resumable), and faults on the wire.
Does not belong here: the methods of the API (``rest``).
"""

from __future__ import annotations

import email.parser
import email.policy
import gzip
import json
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nba_pipeline_tests.bigquery_loopback import loads, queries, rest
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid, not_found
from nba_pipeline_tests.bigquery_loopback.faults import Fault, Faults
from nba_pipeline_tests.bigquery_loopback.jobs import Jobs
from nba_pipeline_tests.bigquery_loopback.quotas import Counters
from nba_pipeline_tests.bigquery_loopback.service import Kinds, Service

UPLOAD = "/upload/bigquery/v2/projects/"


@dataclass
class _Upload:
    project: str
    body: dict[str, Any]
    received: bytearray


KINDS = Kinds(
    {"query": queries.run_query, "load": loads.run_load, "copy": queries.run_copy},
    queries.dry_run,
    queries.information_schema,
)


class FakeBigQuery:
    """A BigQuery of its own for each test; nothing survives it.

    ``calls`` lists (method, path) of every HTTP call; ``jobs``, ``counters`` and ``faults`` are documented in
    their modules; ``service.on_statement`` meets a script in its middle.
    """

    def __init__(self) -> None:
        self.service = Service(KINDS)
        self.faults = Faults()
        self.calls: list[tuple[str, str]] = []
        self.uploads: dict[str, _Upload] = {}
        self.closing = threading.Event()
        self.at_work: set[int] = set()
        """The threads that answer a call just now."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> FakeBigQuery:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self.jobs.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        # DuckDB refuses to close a database while one of its cursors is at work.
        wait_until(lambda: not self.at_work and all(job.done.is_set() for job in self.jobs), seconds=60)
        self.service.storage.database.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def jobs(self) -> Jobs:
        return self.service.jobs

    @property
    def counters(self) -> Counters:
        return self.service.counters

    def client(self, project: str = "proj", location: str = "US") -> bigquery.Client:
        """The real client, without credentials."""
        return bigquery.Client(
            project=project,
            location=location,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.url),
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    fake: FakeBigQuery

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away (or whose connection was reset on purpose) is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """Quiet: ``FakeBigQuery.calls`` is the log."""

    def do_GET(self) -> None:
        self._call()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _call(self) -> None:
        fake, here = self.server.fake, threading.get_ident()
        fake.at_work.add(here)
        try:
            if fake.closing.is_set():
                self.close_connection = True
            else:
                self._answer(fake)
        finally:
            fake.at_work.discard(here)

    def _answer(self, fake: FakeBigQuery) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length) if length else b""
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        path = unquote(urlsplit(self.path).path)
        fake.calls.append((self.command, path))
        fault = fake.faults.take(self.command, path)
        if fault and fault.when == "before" and self._play(fault):
            return
        try:
            status, headers, body = self._work(path, data)
        except BigQueryError as error:
            status, headers, body = error.status, {}, error.body()
        except Exception as defect:
            message = f"defect of the fake: {type(defect).__name__}: {defect}"
            status, headers, body = 501, {}, BigQueryError("notImplemented", message).body()
        if fault and fault.when == "after" and self._play(fault):
            return
        self._send(status, headers, body)

    def _play(self, fault: Fault) -> bool:
        """Whether the fault has answered in place of the server."""
        gone = False
        if fault.hang_seconds:
            gone = self.server.fake.closing.wait(fault.hang_seconds)
        if fault.reset or gone:
            # SO_LINGER with zero seconds: the peer gets RST, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return True
        if fault.status:
            self._send(
                fault.status, {}, BigQueryError(fault.reason, fault.message, status=fault.status).body()
            )
            return True
        return False

    def _send(self, status: int, headers: dict[str, str], body: dict[str, Any] | None) -> None:
        payload = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def _work(self, path: str, data: bytes) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        query = dict(parse_qsl(urlsplit(self.path).query))
        if path.startswith(UPLOAD):
            return self._upload(path, query, data)
        headers = {k.lower(): v for k, v in self.headers.items()}
        request = rest.Request(self.command, path, query, headers, json.loads(data) if data else {})
        return 200, {}, rest.answer(self.server.fake.service, request)

    # --- uploads
    # ------------------------------------------------------------------------------------------------------

    def _upload(
        self, path: str, query: dict[str, str], data: bytes
    ) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        """DOC: uploadType=multipart (metadata and file in one request) and resumable (a session, then
        chunks)."""
        project = path.removeprefix(UPLOAD).split("/")[0]
        service, uploads = self.server.fake.service, self.server.fake.uploads
        service.drop_expired()
        if query.get("uploadType") == "multipart":
            metadata, payload = _parts(self.headers["Content-Type"], data)
            return 200, {}, service.insert_job(project, metadata, payload)
        if query.get("uploadType") != "resumable":
            raise invalid(f"Invalid upload request: uploadType {query.get('uploadType')}")
        if "upload_id" not in query:
            name = uuid.uuid4().hex
            uploads[name] = _Upload(project, json.loads(data), bytearray())
            location = f"{self.server.fake.url}{path}?uploadType=resumable&upload_id={name}"
            return 200, {"Location": location, "X-GUploader-UploadID": name}, None
        upload = uploads.get(query["upload_id"])
        if upload is None:
            raise not_found(f"Upload {query['upload_id']}")
        return self._chunk(upload, data)

    def _chunk(self, upload: _Upload, data: bytes) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        """DOC: 308 with the Range received so far until the last chunk; ``bytes */N`` asks how far it
        came."""
        span, _, total = (self.headers.get("Content-Range") or "").removeprefix("bytes ").partition("/")
        if data and span != "*":
            first = int(span.split("-")[0])
            if first > len(upload.received):
                raise invalid(f"Invalid Content-Range: {span}, received {len(upload.received)} bytes so far")
            upload.received[first:] = data
        if total in {"", "*"} or int(total) > len(upload.received):
            return 308, ({"Range": f"bytes=0-{len(upload.received) - 1}"} if upload.received else {}), None
        return (
            200,
            {},
            self.server.fake.service.insert_job(upload.project, upload.body, bytes(upload.received)),
        )


def _parts(content_type: str, data: bytes) -> tuple[dict[str, Any], bytes]:
    """The metadata and the file of a multipart/related request."""
    header = email.parser.HeaderParser(policy=email.policy.HTTP).parsestr(f"Content-Type: {content_type}\n\n")
    boundary = b"--" + str(header.get_param("boundary")).encode()
    pieces = [p.removeprefix(b"\r\n").removesuffix(b"\r\n") for p in data.split(boundary)[1:-1]]
    if len(pieces) != 2:
        raise invalid(f"Invalid multipart request with {len(pieces)} mime parts.")
    bodies = [p.split(b"\r\n\r\n", 1)[1] if b"\r\n\r\n" in p else p.split(b"\n\n", 1)[1] for p in pieces]
    return json.loads(bodies[0]), bodies[1]


def wait_until(condition: Any, seconds: float = 10.0) -> None:
    """For tests: until a job is held, a call was made, ...; an error after ``seconds``."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"the condition did not hold within {seconds} s")
        time.sleep(0.01)
