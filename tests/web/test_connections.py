"""Connections, against the protocol of the uvicorn that is installed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from journey.engine.__main__ import listener_at
from journey.web.connections import Connections, look_after, raise_open_files
from tests.harness.engines import served
from tests.harness.standing import wait_for

MOST = 20
SECONDS = 0.5


async def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.receive()


@pytest.fixture
def connections() -> Connections:
    return Connections(SECONDS, MOST)


@pytest.fixture
def port(connections: Connections) -> Iterator[int]:
    class Protocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc]  # chosen when uvicorn is imported
        """A class of its own, so that other servers of this process stay as they are."""

    look_after(connections, Protocol)
    application = Starlette(routes=[Route("/", answer), WebSocketRoute("/ws", echo)])
    listener = listener_at("127.0.0.1", 0)
    with served(application, listener, http=Protocol):
        yield int(listener.getsockname()[1])


def has_hung_up(connection: socket.socket) -> bool:
    """Wait until the server ends this connection, without an answer."""
    connection.settimeout(10)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_says_nothing_is_hung_up_on(port: int, connections: Connections) -> None:
    """A connection without a request, or with half a one, ends after the time for headers."""
    for beginning in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(beginning)
            assert has_hung_up(connection)
    wait_for(lambda: len(connections) == 0)


def test_dripping_headers_gain_no_time(port: int) -> None:
    """A byte now and then does not prolong the time for headers, in the first request or the second."""
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for first in (b"", request):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(first)
            if first:
                assert connection.recv(4096)
            assert 10 * SECONDS > seconds_of_dripping(connection)


def seconds_of_dripping(connection: socket.socket) -> float:
    """Send a byte now and then, and nothing else, until the server hangs up. At most 20 times what it waits."""
    connection.settimeout(SECONDS / 5)
    began = time.monotonic()
    while time.monotonic() < began + 20 * SECONDS:
        try:
            connection.sendall(b"G")
            if not connection.recv(1):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_silent_crowds_make_room(port: int, connections: Connections) -> None:
    """Far more silent connections than there is room for keep nobody out: those that were silent longest go."""
    with ExitStack() as crowd:
        for _ in range(5 * MOST):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert "here" == httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text
        assert len(connections) <= MOST


def test_a_websocket_may_be_silent(port: int, connections: Connections) -> None:
    """The time for headers is not a time for WebSockets, which leave the register when they begin."""
    from websockets.sync.client import connect  # uvicorn's own

    with connect(f"ws://127.0.0.1:{port}/ws") as tab:
        wait_for(lambda: len(connections) == 0)
        time.sleep(2 * SECONDS)  # the time that would have ended it
        tab.send("still here")
        assert "still here" == tab.recv()


def test_small_answers_are_sent_at_once(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection waits for acknowledgements before it sends the rest, whatever socket it was accepted on."""
    seen: list[int] = []
    made = Connections.heard

    def look(self: Connections, protocol: Any) -> None:
        accepted = protocol.transport.get_extra_info("socket")
        seen.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, protocol)

    monkeypatch.setattr(Connections, "heard", look)
    assert "here" == httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text
    assert seen
    assert all(seen)


def test_the_pinned_uvicorn_is_the_one_that_was_read() -> None:
    """The methods that are followed exist in this version, and each is called as it is expected to be."""
    assert "0.54.0" == uvicorn.__version__
    for method in ("connection_made", "data_received", "connection_lost", "handle_websocket_upgrade"):
        assert callable(getattr(AutoHTTPProtocol, method))


def test_open_files_are_raised_to_what_is_allowed() -> None:
    """The process may open as many files as the system lets it."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        allowed = raise_open_files()
        assert allowed == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
