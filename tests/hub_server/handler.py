"""The sockets' side: read a request, let its fault strike, answer, write it down."""

import socket
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .access import who
from .exchange import Answer, Request, refused
from .faults import Fault
from .log import Record
from .refusal import Refusal
from .routes import Route, match, tried

if TYPE_CHECKING:
    from .server import Listener

OTHER = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


class Handler(BaseHTTPRequestHandler):
    """One connection, which may carry many requests."""

    server: "Listener"
    protocol_version = "HTTP/1.1"
    server_version = "hub-server"
    disable_nagle_algorithm = True
    wbufsize = -1  # a head and its body leave together

    def handle_one_request(self) -> None:
        """Serve one request; a connection that breaks is the client's right and no error here."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def serve(self) -> None:
        route, words = match(self.command, urlsplit(self.path).path)
        record = self.server.hub.requests.add(self.written(route))
        fault = self.server.hub.faults.take(route.kind, self.command, urlsplit(self.path).path)
        self.server.hub.closing.wait(fault.delay)
        body = self.received(fault)
        answer = None if body is None else fault.spoil(fault.instead() or self.answered(route, words, body))
        if answer is None or fault.drop_after == 0:
            self.server.hub.requests.tell(record)
            return self.hang_up()
        sent = b"" if self.command == "HEAD" else answer.body[: fault.drop_after]
        record.status, record.sent = answer.status, len(sent)
        self.server.hub.requests.tell(record)  # first: whoever has the answer finds it in the log
        self.send(answer, sent)
        return self.hang_up() if fault.drop_after else None

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def written(self, route: Route) -> Record:
        name = self.headers.get("Host", "").split(":")[0]
        origin = "cdn" if name == self.server.hub.cdn_name else "hub"
        return Record(kind=route.kind, method=self.command, path=self.path, headers=self.headers, origin=origin)

    def received(self, fault: Fault) -> bytes | None:
        """Return the request's body, None where the fault hangs up in the middle of it."""
        if fault.drop_upload_after is not None:
            self.rfile.read(min(fault.drop_upload_after, int(self.headers.get("Content-Length", "0"))))
            return None
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self.chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def chunk(self) -> bytes:
        data = self.rfile.read(int(self.rfile.readline().split(b";")[0], 16))
        self.rfile.readline()
        return data

    def answered(self, route: Route, words: dict[str, str], body: bytes) -> Answer:
        try:
            request = self.request_of(body)
            return tried(replace(request, user=self.caller(route)), route, words)
        except Refusal as refusal:
            return refused(refusal)

    def caller(self, route: Route):
        return None if route.kind == "cdn" else who(self.server.hub.tokens, self.headers.get("Authorization"))

    def request_of(self, body: bytes) -> Request:
        parts = urlsplit(self.path)
        name, _, port = self.headers.get("Host", "127.0.0.1").partition(":")
        return Request(
            setting=self.server.hub.setting,
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query),
            headers=self.headers,
            body=body,
            url=f"http://{name}:{port}",
            cdn_url=f"http://{OTHER.get(name, 'localhost')}:{port}",
        )

    def send(self, answer: Answer, body: bytes) -> None:
        """Send a head that is true of the whole answer, and this much of its body."""
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def hang_up(self) -> None:
        """End the connection at once, as a cable would."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args) -> None:
        """Say nothing: `requests` is the log."""
