"""A small proxy on loopback, as the environment names one: tunnels by CONNECT, and passes plain requests on."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

Address = tuple[str, int]


class Relay:
    """It leads every name to where `leads` says, and keeps the first line and the headers of what it was asked.

    `answer` is what it says to CONNECT instead of opening the tunnel; with b"" it hangs up, with None it opens it.
    With a `certificate` (a file that holds its key as well) TLS ends where the tunnel does: the fakes speak none.
    """

    def __init__(
        self, leads: Mapping[str, Address], *, answer: bytes | None = None, certificate: Path | None = None
    ) -> None:
        self._leads = leads
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls and certificate:
            self._tls.load_cert_chain(certificate)
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[str] = []
        """The first line of each request."""
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def _begin(self, work: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._begin(self._serve, self._listener.accept()[0])

    def _serve(self, caller: socket.socket) -> None:
        caller.settimeout(5)
        with caller, suppress(OSError):
            head, _, rest = self._head(caller).partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            self.asked.append(first)
            self.headers.append({line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines})
            method, target, version = first.split(" ")
            if method == "CONNECT" and self._answer is not None:
                caller.sendall(self._answer)
                return
            name = target.rpartition(":")[0] if method == "CONNECT" else target.split("/")[2]
            with socket.create_connection(self._leads[name], timeout=5) as server:
                if method == "CONNECT":
                    caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    if self._tls:
                        with self._tls.wrap_socket(caller, server_side=True) as opened:
                            self._both_ways(opened, server)
                        return
                else:
                    path = "/" + target.split("/", 3)[3]
                    kept = [line for line in lines if not line.lower().startswith("proxy-")]
                    server.sendall("\r\n".join([f"{method} {path} {version}", *kept, "", ""]).encode("latin-1") + rest)
                self._both_ways(caller, server)

    def _both_ways(self, caller: socket.socket, server: socket.socket) -> None:
        back = self._begin(self._pump, server, caller)
        self._pump(caller, server)
        back.join(5)

    @staticmethod
    def _head(caller: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data and (piece := caller.recv(4096)):
            data += piece
        return data

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
