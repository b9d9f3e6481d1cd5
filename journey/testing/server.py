"""The listener of the stand-in: it reads requests, and carries out the faults that are wanted."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from journey.testing.calls import Call
from journey.testing.faults import PAGE, Change, Close, Drip, Hang, Late, Reply

if TYPE_CHECKING:
    from journey.testing.stand_in import StandIn


class Server(ThreadingHTTPServer):
    """One thread for each connection, all of which can be ended."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: StandIn) -> None:
        self.api = api
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
            self.api.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: a client that went away is no error."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests, and answers them as the stand-in says."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_one_request(self) -> None:
        # Only peek at the request: closing before reading must leave it unread.
        start = self.connection.recv(200, socket.MSG_PEEK)
        words = start.split(b" ", 2)
        self._fault = self.server.api.next_fault(endpoint_of(words[1].decode("latin-1"))) if len(words) > 2 else None
        if self._fault is Close.BEFORE_READING:
            self._abort()
            return
        super().handle_one_request()

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the names are the base class's

    def _serve(self) -> None:
        api, fault = self.server.api, self._fault
        endpoint = endpoint_of(self.path)
        call = Call(self.command, endpoint, {k.lower(): v for k, v in self.headers.items()}, self._body())
        api.note(call)
        fault = fault or api.fault_asked_for(call)
        if isinstance(fault, Reply):
            if fault.accepted:
                api.answer(call)
            self._send(fault)
            return
        reply = self._picture() if endpoint == "cdn" else api.answer(call)
        match fault:
            case Close.AFTER_READING:
                self._abort()
            case Close.HALF_ANSWER:
                self._send(reply, part=0.5)
                self._abort()
            case Hang():
                self._until_gone()
            case Drip(pause):
                self._send(reply, pause=pause)
            case Late(seconds):
                api.closing.wait(seconds)
                self._send(reply)
            case Change(change) if reply.status == 200:
                self._send(Reply(200, change(reply.body)))
            case _:
                self._send(reply)

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None

    def _picture(self) -> Reply:
        path = urllib.parse.urlsplit(self.path).path
        if self.server.api.has_expired(path):
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        data = self.server.api.stored_picture(path)
        return Reply(404, PAGE) if data is None else Reply(200, data, {"Content-Type": "image/png"})

    def _send(self, reply: Reply, *, part: float = 1.0, pause: float = 0.0) -> None:
        body = reply.body
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
        headers.setdefault("Date", self.date_time_string())
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not pause:
            self.wfile.write(body[: int(len(body) * part)])
            return
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            if self.server.api.closing.wait(pause):
                break

    def _until_gone(self) -> None:
        """Wait until the client or the stand-in gives up; nothing more is expected to come."""
        with contextlib.suppress(OSError):
            while self.connection.recv(1024):
                pass
        self.close_connection = True

    def _abort(self) -> None:
        """Close the connection; the system resets it by itself when bytes are unread."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """The calls are kept by the stand-in itself."""


def endpoint_of(path: str) -> str:
    """The call that a path names; "cdn" for anything that is no call."""
    path = urllib.parse.urlsplit(path).path
    return path.removeprefix("/api/v1/") if path.startswith("/api/v1/") else "cdn"
