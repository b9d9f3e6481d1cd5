"""Who may upload, and how much: judged before the first byte is read."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from journey.engine.__main__ import listener_at
from journey.web import uploads
from journey.web.sockets import TRY_AGAIN_LATER, Sockets
from journey.web.uploads import Uploads
from tests.harness.engines import served
from tests.harness.standing import wait_for

TAB = "_stcore/upload_file/tab"


class Memory:
    """What Streamlit would hold."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()

    def held(self, tab: str | None) -> int:
        return self.bytes.total() if tab is None else self.bytes[tab]

    async def take(self, request: Request) -> Response:
        self.bytes[request.path_params["tab"]] += len(await request.body())
        return Response(status_code=204)


async def stay(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def server(memory: Memory) -> Iterator[httpx.Client]:
    application = Starlette(
        routes=[
            Route("/_stcore/upload_file/{tab}/{file}", memory.take, methods=["PUT"]),
            WebSocketRoute("/stream", stay),
        ],
        middleware=[
            Middleware(Sockets, most=3),
            Middleware(
                Uploads,
                may_upload=lambda tab: tab.startswith("tab"),
                held=memory.held,
                largest=600,
                each=1000,
                in_all=1500,
            ),
        ],
    )
    listener = listener_at("127.0.0.1", 0)
    with served(application, listener), httpx.Client(trust_env=False) as client:
        client.base_url = httpx.URL(f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield client


def test_nobody_uploads_before_they_are_let_in(server: httpx.Client, memory: Memory) -> None:
    """An upload of a tab that is not let in is refused, and not a byte of it is kept."""
    assert 403 == server.put("/_stcore/upload_file/stranger/1", content=b"x" * 500).status_code
    assert 0 == memory.held(None)


def test_a_tab_holds_so_much_and_all_tabs_so_much(server: httpx.Client, memory: Memory) -> None:
    """What is held counts, for a tab and for all of them; when some of it goes, there is room again."""
    assert 204 == server.put(f"{TAB}/1", content=b"x" * 600).status_code
    full = server.put(f"{TAB}/2", content=b"x" * 500)
    assert (413, True) == (full.status_code, full.text.startswith("This tab already holds"))
    assert 204 == server.put(f"{TAB}-2/1", content=b"x" * 600).status_code
    full = server.put(f"{TAB}-3/1", content=b"x" * 400)
    assert (503, True) == (full.status_code, full.text.startswith("The studio holds as many uploads"))
    del memory.bytes["tab"]
    assert 204 == server.put(f"{TAB}-3/1", content=b"x" * 400).status_code


def test_an_upload_of_unknown_size_counts_as_the_largest(server: httpx.Client) -> None:
    """Who does not say how much will come must leave room for the largest picture."""
    assert 204 == server.put(f"{TAB}/1", content=iter([b"x" * 100])).status_code
    assert 204 == server.put(f"{TAB}/2", content=b"x" * 400).status_code
    assert 413 == server.put(f"{TAB}/3", content=iter([b"x" * 100])).status_code


def test_an_upload_that_stands_still_ends(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come is given up, and what it had reserved is free again."""
    monkeypatch.setattr(uploads, "SILENCE_SECONDS", 0.2)
    head = f"PUT /{TAB}/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.base_url.port or 0))) as connection:
        connection.sendall(head.encode() + b"x")
        for answer in (413, 204):
            wait_for(lambda: answer == server.put(f"{TAB}/2", content=b"x" * 401).status_code, seconds=10)  # noqa: B023


def test_the_tab_that_was_silent_longest_makes_room(server: httpx.Client) -> None:
    """One tab too many closes the one that has said nothing for longest, and no other."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect  # uvicorn's own

    address = str(server.base_url).replace("http", "ws").rstrip("/") + "/stream"
    with connect(address) as first, connect(address) as second, connect(address) as third:
        for tab in (second, third, first):
            tab.send("x")
            assert "x" == tab.recv()
        with connect(address) as fourth:
            fourth.send("x")
            assert "x" == fourth.recv()
            with pytest.raises(ConnectionClosed) as closed:
                second.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert TRY_AGAIN_LATER == closed.value.rcvd.code
            for tab in (third, first):
                tab.send("y")
                assert "y" == tab.recv()
