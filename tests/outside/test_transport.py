"""What the network can do to a request, and which error the transport raises for it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from journey.errors import Unreachable
from journey.outside.transport import PatientResolver, Transport, default_ssl_context, tls_failure
from tests.harness.standing import Clock

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """A server on loopback that counts its connections and hands each one to a plain function."""

    def __init__(self, answer: Callable[[socket.socket], None], host: str = "127.0.0.2") -> None:
        self._answer = answer
        self._listener = socket.create_server((host, 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}/"
        self.connections = 0
        self._last: object = None

    def __enter__(self) -> Listener:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # Connections are accepted in order: after this one, all earlier ones are counted.
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._last = last.getsockname()
            last.connect(self._listener.getsockname())
            self._threads[0].join(5)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, peer = self._listener.accept()
            if peer == self._last:
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, suppress(OSError):
            self._answer(connection)


def read_request(connection: socket.socket) -> bytes:
    """Read the head of a request, or about 64 KiB if it is longer."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 65536:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data


def says(answer: bytes) -> Callable[[socket.socket], None]:
    """Read the request, answer with these bytes and close."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return serve


def until_closed(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    while connection.recv(4096):
        pass


@contextmanager
def client(**options: Any) -> Iterator[httpx.Client]:
    options.setdefault("deadline_seconds", 5)
    with httpx.Client(transport=Transport(**options), timeout=None) as http:
        yield http


def caught(url: str, **options: Any) -> Exception:
    """The error that a GET of this address ends with."""
    with client(**options) as http, pytest.raises(httpx.HTTPError) as error:
        http.get(url)
    return error.value


def test_each_exchange_has_its_own_connection() -> None:
    """A second request never travels over the first one's connection, even if the server would keep it open."""

    def keep_alive(connection: socket.socket) -> None:
        for _ in range(3):
            if not read_request(connection):
                return
            connection.sendall(OK)

    with Listener(keep_alive) as server, client() as http:
        assert [http.get(server.url).text, http.get(server.url).text] == ["ok", "ok"]
    assert server.connections == 2


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"], ids=["headers", "body"])
def test_dripping_ends_at_the_deadline(head: bytes) -> None:
    """One byte a second is stopped by the total deadline, in the headers as well as in the body."""
    clock = Clock()
    began, dripped = clock.now, 0

    def drip(connection: socket.socket) -> None:
        nonlocal dripped
        read_request(connection)
        connection.sendall(head)
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 900:
            clock.now += 1
            dripped += 1
            connection.sendall(bytes([byte]))
            if clock.now > began + 30:
                connection.recv(1)  # nothing more until the other side gives up
                return

    with Listener(drip) as server:
        error = caught(server.url, deadline_seconds=20, clock=clock)
    assert httpx.ReadTimeout is type(error)
    assert dripped < 40


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda connection: None, (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)),
        (says(b""), (httpx.RemoteProtocolError,)),
        (says(b"SSH-2.0-x\r\n\r\n"), (httpx.RemoteProtocolError,)),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"), (httpx.RemoteProtocolError,)),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), (httpx.RemoteProtocolError,)),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), (httpx.RemoteProtocolError,)),
    ],
    ids=["closed unread", "closed after reading", "not http", "half a body", "half a chunk", "bad length"],
)
def test_lost_after_sending_never_looks_unsent(
    answer: Callable[[socket.socket], None], expected: tuple[type[Exception], ...]
) -> None:
    """Once a connection was made, no fault is reported as ConnectError: the request may have arrived."""
    with Listener(answer) as server:
        error = caught(server.url)
    assert type(error) in expected


def test_silence_is_a_read_timeout() -> None:
    """A server that reads the request and then says nothing ends as ReadTimeout after the client's own limit."""
    with Listener(until_closed) as server, client() as http, pytest.raises(httpx.ReadTimeout):
        http.get(server.url, timeout=0.1)


def test_refused_is_a_connect_error() -> None:
    """A port that nobody listens on is a ConnectError, which proves that nothing was sent."""
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    error = caught(f"http://127.0.0.2:{port}/")
    assert httpx.ConnectError is type(error)
    assert tls_failure(error) is None


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "xn--a.\u00fc.example"])
def test_impossible_names_are_connect_errors(host: str) -> None:
    """A name that DNS cannot hold ends as an error of httpx, not as the UnicodeError of the socket module."""

    def resolver(name: str, port: int) -> Sequence[str]:
        name.encode("idna")
        raise OSError("no such name")

    with client(choose=PatientResolver(resolver)) as http, pytest.raises((httpx.ConnectError, httpx.InvalidURL)):
        http.get(f"http://{host}/")


def test_ports_do_not_wrap_round() -> None:
    """Port P + 65536 is not another way to write port P."""
    with Listener(says(OK)) as server:
        error = caught(f"http://127.0.0.2:{server.port + 65536}/")
    assert httpx.ConnectError is type(error)
    assert server.connections == 0


def test_malformed_headers_are_never_sent() -> None:
    """A line break in a header value stops the request before its first byte."""
    received = []
    with (
        Listener(lambda connection: received.append(connection.recv(100))) as server,
        client() as http,
        pytest.raises(httpx.LocalProtocolError),
    ):
        http.get(server.url, headers={"Authorization": "key\r\nX-Other: 1"})
    assert received == [b""]


def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and its relatives change nothing: the request goes straight to the server."""
    with Listener(until_closed, "127.0.0.3") as proxy, Listener(says(OK)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "[::1]")
        with client() as http:
            assert http.get(server.url).text == "ok"
    assert proxy.connections == 0


def test_a_resolver_that_hangs_is_left_behind() -> None:
    """A hanging resolver costs no more than its limit, even for a question that finds every place taken."""
    release = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        release.wait(10)
        return []

    choose = PatientResolver(hang, seconds=0.1, at_once=1)
    started = time.monotonic()
    try:
        first, second = (caught("http://pictures.example/", choose=choose) for _ in range(2))
    finally:
        release.set()
    assert [httpx.ConnectTimeout] * 2 == [type(first), type(second)]
    assert time.monotonic() - started < 2


def test_the_next_address_is_tried() -> None:
    """When the first address refuses, the second one is connected to."""
    with Listener(says(OK)) as server, client(choose=lambda *_: ["127.0.0.3", "127.0.0.2"]) as http:
        assert http.get(server.url).text == "ok"


def test_a_silent_address_leaves_time_for_the_next() -> None:
    """Addresses share the time for connecting: none of them can use it up, and together they get no more."""
    clock = Clock()
    given: list[float] = []

    class Silent(httpcore.NetworkBackend):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, **_: Any) -> httpcore.NetworkStream:
            assert timeout is not None
            given.append(timeout)
            clock.now += timeout
            raise httpcore.ConnectTimeout

    error = caught("http://x/", choose=lambda *_: ["1", "2", "3"], backend=Silent(), clock=clock, connect_timeout=3)
    assert httpx.ConnectTimeout is type(error)
    assert pytest.approx(given) == [1, 1, 1]


def test_a_refusal_by_the_chooser_comes_through() -> None:
    """Whoever chooses the address may refuse, and the caller sees that very error."""

    def refuse(host: str, port: int, seconds: float) -> Sequence[str]:
        raise Unreachable("no")

    with client(choose=refuse) as http, pytest.raises(Unreachable):
        http.get("http://pictures.example/")


# TLS


def secured(certificate: Path, answer: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """The same answer over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            answer(safe)

    return serve


def to_loopback(*_: object) -> Sequence[str]:
    return ["127.0.0.2"]


def test_a_trusted_certificate_is_accepted(certificate: Path) -> None:
    """The name in the address, not the number connected to, is what the certificate has to match."""
    trusting = ssl.create_default_context(cafile=certificate)
    with Listener(secured(certificate, says(OK))) as server, client(ssl_context=trusting, choose=to_loopback) as http:
        assert http.get(f"https://pictures.example:{server.port}/").text == "ok"


def test_an_unknown_certificate_is_recognised(certificate: Path) -> None:
    """A self-signed certificate is a ConnectError whose TLS error says so; the request is not sent."""
    received: list[bytes] = []
    with Listener(secured(certificate, lambda c: received.append(read_request(c)))) as server:
        error = caught(f"https://pictures.example:{server.port}/", choose=to_loopback)
    assert httpx.ConnectError is type(error)
    assert ssl.SSLCertVerificationError is type(tls_failure(error))
    assert received in ([], [b""])


def test_a_certificate_for_another_name_is_recognised(certificate: Path) -> None:
    """A trusted certificate does not vouch for any other host."""
    trusting = ssl.create_default_context(cafile=certificate)
    with Listener(secured(certificate, says(OK))) as server:
        error = caught(f"https://other.example:{server.port}/", choose=to_loopback, ssl_context=trusting)
    assert ssl.SSLCertVerificationError is type(tls_failure(error))


def test_a_server_without_tls_is_recognised() -> None:
    """Plain HTTP on an https address is a TLS failure that will not pass."""
    with Listener(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        error = caught(server.url.replace("http", "https"))
    assert httpx.ConnectError is type(error)
    assert tls_failure(error) is not None


def test_a_broken_handshake_may_pass() -> None:
    """A connection lost during the handshake is a ConnectError, but no reason to distrust the server."""

    def hang_up(connection: socket.socket) -> None:
        connection.recv(4096)

    with Listener(hang_up) as server:
        error = caught(server.url.replace("http", "https"))
    assert httpx.ConnectError is type(error)
    assert tls_failure(error) is None


def test_a_silent_handshake_ends_in_time() -> None:
    """A server that accepts but never shakes hands costs the time to connect: nothing was sent."""
    with Listener(until_closed) as server:
        error = caught(server.url.replace("http", "https"), connect_timeout=0.1)
    assert httpx.ConnectTimeout is type(error)


def test_the_trusted_certificates_are_read_once() -> None:
    """The trusted certificates are slow to read, so every transport uses the same ones."""
    assert default_ssl_context() is default_ssl_context()
