"""How this package's HTTP requests reach the network: one connection per exchange, one deadline for all of it.

    with httpx.Client(transport=Transport(deadline_seconds=30), timeout=None) as client: ...

Timeouts of single reads do not stop a server that sends one byte a second; the deadline here does,
because it lives where the sockets are: every connect, handshake, read and write gets what is left of it.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import httpx

from journey.outside.proxies import Proxy, Tunnel

Clock = Callable[[], float]
"""Seconds that only ever go forward."""

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host and port, best first. May take as long as it likes and may raise OSError."""

Choice = Callable[[str, int, float], Sequence[str]]
"""Takes a host, a port and the seconds left; gives the addresses to connect to, in order. What it raises
on purpose (a JourneyError) reaches the caller unchanged."""

RESOLVE_SECONDS = 3.0
CONNECT_SECONDS = 10.0
_RESOLVING_AT_ONCE = 16

_PUBLIC: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
}


class Transport(httpx.BaseTransport):
    """Sends each request over a connection of its own, so that no answer can be lost to a stale one.

    `deadline_seconds` bounds a whole exchange, from resolving the name to the last byte of the body.
    `connect_timeout` bounds reaching the server (all its addresses together) and, once more, the TLS
    handshake. Timeouts set on the httpx client or request count as well; the shortest wins.

    Raises httpx's own errors. ConnectError and ConnectTimeout: nothing was sent. LocalProtocolError
    and UnsupportedProtocol: the request itself is malformed, nothing was sent. All others: the
    request may have arrived. `tls_failure` tells a bad certificate from a broken connection.
    Nothing from the environment is used. `proxy` leads to the server where one is given: https through a tunnel, whose
    refusal is a ConnectError as well.
    """

    def __init__(
        self,
        *,
        deadline_seconds: float,
        connect_timeout: float = CONNECT_SECONDS,
        clock: Clock = time.monotonic,
        choose: Choice | None = None,
        backend: httpcore.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._choose = choose or PatientResolver()
        self._backend = backend or httpcore.SyncBackend()
        self._ssl_context = ssl_context
        self._proxy = proxy

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return as soon as the headers of the answer are there."""
        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol("the address must start with https:// or http://")
        deadline = _Deadline(self._deadline_seconds, self._clock)
        network: httpcore.NetworkBackend = _Network(
            deadline, self._connect_timeout, self._clock, self._choose, self._backend
        )
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        headers, proxy = request.headers.raw, self._proxy
        if proxy and request.url.scheme == "https":
            network = Tunnel(proxy, network, self._context(proxy.is_secure), seconds=self._connect_timeout)
        elif proxy:
            target, headers = proxy.url(bytes(target)), [*headers, *proxy.headers]
        connection = httpcore.HTTPConnection(
            target.origin,
            ssl_context=self._context(target.scheme == b"https"),
            network_backend=network,
        )
        try:
            with _httpx_errors():
                answer = connection.handle_request(
                    httpcore.Request(
                        method=request.method,
                        url=target,
                        headers=headers,
                        content=request.stream,
                        extensions=request.extensions,
                    )
                )
        except BaseException:
            connection.close()
            raise
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer, connection),
            extensions=answer.extensions,
        )

    def _context(self, is_secure: bool) -> ssl.SSLContext | None:
        return (self._ssl_context or default_ssl_context()) if is_secure else None


class PatientResolver:
    """Asks the system for addresses, but waits no longer than `seconds`.

    A system resolver cannot be interrupted, so it is asked in a thread that may outlive the question.
    At most `at_once` questions are open at a time; further ones wait within their own limit.
    """

    def __init__(
        self, resolver: Resolver | None = None, *, seconds: float = RESOLVE_SECONDS, at_once: int = _RESOLVING_AT_ONCE
    ) -> None:
        self._resolver = resolver or system_addresses
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(at_once)

    def __call__(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses of the host. Raises httpcore.ConnectTimeout or httpcore.ConnectError."""
        if _is_address(host):
            return [host]
        limit = min(self._seconds, seconds)
        asked = time.monotonic()
        if not self._places.acquire(timeout=limit):
            raise httpcore.ConnectTimeout("too many names are being resolved")
        answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolver(host, port))
            except Exception as error:  # noqa: BLE001 - handed to the thread that asked
                answers.put(error)
            finally:
                self._places.release()

        try:
            threading.Thread(target=ask, name="resolve", daemon=True).start()
        except RuntimeError as error:
            self._places.release()
            raise httpcore.ConnectError("no thread is left to resolve the name") from error
        try:
            answer = answers.get(timeout=max(0.001, asked + limit - time.monotonic()))
        except queue.Empty:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        if isinstance(answer, Exception):
            # UnicodeError: a label that is too long for DNS. OverflowError: no such port.
            raise httpcore.ConnectError("the name does not resolve") from answer
        return families_in_turn(answer)


def families_in_turn(addresses: Sequence[str]) -> Sequence[str]:
    """The same addresses, one of each family after the other (RFC 8305), beginning with that of the first.

    Where one family leads nowhere, the second attempt reaches the server, however many addresses the first one has.
    """
    first: list[str] = []
    others: list[str] = []
    for address in addresses:
        (first if (":" in address) == (":" in addresses[0]) else others).append(address)
    turns = itertools.zip_longest(first, others)
    return [address for turn in turns for address in turn if address is not None]


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of a host. Raises OSError or ValueError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def default_ssl_context() -> ssl.SSLContext:
    """The certificates that are trusted: certifi's, or those that SSL_CERT_FILE or SSL_CERT_DIR names."""
    return httpx.create_ssl_context()  # about 20 ms and some MB, hence the cache


def tls_failure(error: BaseException) -> ssl.SSLError | None:
    """The TLS error behind an httpx error, if the server could not prove who it is or does not speak TLS.

    None when the connection merely broke during the handshake: that may work the next time. Ask only
    about a ConnectError; after any other error the handshake was over, and the request may have arrived.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return cause
        cause = cause.__cause__
    return None


class _Deadline:
    """An amount of time, and what is left of it."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._seconds = seconds

    def left(self, limit: float | None, late: type[Exception]) -> float:
        """Seconds for the next step: the rest, or `limit` when that is shorter. Raises `late` when none are left."""
        rest = self._end - self._clock()
        if rest <= 0:
            raise late(f"the exchange took longer than {self._seconds:g} s")
        return rest if limit is None else min(rest, limit)


class _Network(httpcore.NetworkBackend):
    def __init__(
        self,
        deadline: _Deadline,
        connect_timeout: float,
        clock: Clock,
        choose: Choice,
        backend: httpcore.NetworkBackend,
    ) -> None:
        self._deadline = deadline
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._choose = choose
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if not 0 < port < 65536:
            # The system would silently connect to the port modulo 65536.
            raise httpcore.ConnectError(f"there is no port {port}")
        limit = _shorter(timeout, self._connect_timeout)
        addresses = self._choose(host, port, self._deadline.left(limit, httpcore.ConnectTimeout))
        failure: Exception = httpcore.ConnectError("the name has no address")
        reaching = _Deadline(limit, self._clock)
        for tried, address in enumerate(addresses):
            # A silent address must not use up the time of those after it.
            share = reaching.left(None, httpcore.ConnectTimeout) / (len(addresses) - tried)
            try:
                with _before_sending():
                    stream = self._backend.connect_tcp(
                        address,
                        port,
                        timeout=self._deadline.left(share, httpcore.ConnectTimeout),
                        local_address=local_address,
                        socket_options=socket_options,
                    )
                return _Stream(stream, self._deadline, self._connect_timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline, connect_timeout: float) -> None:
        self._stream = stream
        self._deadline = deadline
        self._connect_timeout = connect_timeout

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # One piece at a time: in one long write the timeout starts anew with each byte that a slow reader takes.
        for start in range(0, len(buffer), 65536):
            piece = buffer[start : start + 65536]
            self._stream.write(piece, self._deadline.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = self._deadline.left(_shorter(timeout, self._connect_timeout), httpcore.ConnectTimeout)
        with _before_sending():
            stream = self._stream.start_tls(ssl_context, server_hostname, limit)
        return _Stream(stream, self._deadline, self._connect_timeout)

    def close(self) -> None:
        with suppress(OSError):  # the other side may be gone already
            self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, connection: httpcore.HTTPConnection) -> None:
        self._answer = answer
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        with _httpx_errors():
            self._answer.close()
            self._connection.close()


def _shorter(timeout: float | None, limit: float) -> float:
    return limit if timeout is None else min(timeout, limit)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def _before_sending() -> Iterator[None]:
    """Odd host names make the socket and TLS modules raise ValueError. It means that no connection was made."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise httpcore.ConnectError(str(error)) from error


@contextmanager
def _httpx_errors() -> Iterator[None]:
    try:
        yield
    except tuple(_PUBLIC) as error:
        raise _PUBLIC[type(error)](str(error)) from error
