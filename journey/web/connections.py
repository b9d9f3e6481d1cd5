"""The connections of the server: how long a silent one may stay, which go when there are too many, and no delays.

An ASGI application sees a request once its headers are complete, and uvicorn (0.54) waits for those without end: it
limits only the time between two requests. So this sits at uvicorn's protocol, for all connections of the process.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADER_SECONDS = 10.0
"""From the first to the last byte of a request's headers, and from connecting to that last byte."""
MOST_CONNECTIONS = 1_000
"""That carry HTTP, WebSockets not counted. A page of the studio opens at most six, and keeps them for five seconds."""
SPARE_FILES = 256
"""Open files that connections leave to everything else: database, pictures, pipes to workers."""
MOST_FILES = 65_536


class Connections:
    """The open connections of this process, those that were heard longest ago first."""

    def __init__(self, seconds: float = HEADER_SECONDS, most: int = MOST_CONNECTIONS) -> None:
        self.seconds = seconds
        self.most = most
        self._heard: dict[Any, None] = {}
        self._timers: dict[Any, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._heard)

    def opened(self, protocol: Any) -> None:
        if len(self._heard) >= self.most:
            self._hang_up(next(iter(self._heard)))
        _send_at_once(protocol.transport)
        self.heard(protocol)

    def heard(self, protocol: Any) -> None:
        """Something came, or the connection has just been made."""
        self._heard.pop(protocol, None)
        self._heard[protocol] = None
        if protocol.cycle is not None and not protocol.cycle.response_complete:
            self._stop_timer(protocol)
        elif protocol not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[protocol] = loop.call_later(self.seconds, self._hang_up, protocol)

    def closed(self, protocol: Any) -> None:
        self._heard.pop(protocol, None)
        self._stop_timer(protocol)

    def _hang_up(self, protocol: Any) -> None:
        self.closed(protocol)
        # Not close(): that would wait until everything is sent, to somebody who may not read.
        protocol.transport.abort()

    def _stop_timer(self, protocol: Any) -> None:
        if timer := self._timers.pop(protocol, None):
            timer.cancel()


def _send_at_once(transport: asyncio.Transport) -> None:
    """Otherwise the body of a small answer waits until its headers are acknowledged, which takes browsers 40 ms.

    asyncio does this by itself for sockets that were made with the protocol named, and Streamlit's is not.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def look_after(connections: Connections, protocol: type[Any] = AutoHTTPProtocol) -> None:
    """Have uvicorn's protocol tell `connections` what happens. Call it once, before the server starts."""
    _after(protocol, "connection_made", connections.opened)
    _after(protocol, "data_received", connections.heard)
    _before(protocol, "connection_lost", connections.closed)
    # From then on another protocol has the connection.
    _before(protocol, "handle_websocket_upgrade", connections.closed)


def prepare(most_tabs: int = 0) -> int:
    """Look after the connections of this process, before its server starts. Returns for how many tabs there is room.

    Open files are raised to what the system allows, and shared between tabs and other connections.
    """
    connections = MOST_CONNECTIONS
    if (files := raise_open_files()) is not None:
        room = max(files - SPARE_FILES, 2)
        most_tabs = min(most_tabs, room // 2)
        connections = min(connections, room - most_tabs)
    look_after(Connections(most=connections))
    return most_tabs


def raise_open_files() -> int | None:
    """Allow this process as many open files as the system lets it. Returns how many; None where that has no limit."""
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def _after(owner: type[Any], name: str, tell: Callable[[Any], None]) -> None:
    method = getattr(owner, name)

    @wraps(method)
    def told(protocol: Any, *arguments: Any) -> None:
        method(protocol, *arguments)
        transport = protocol.transport
        if not transport.is_closing() and transport.get_protocol() is protocol:
            tell(protocol)

    setattr(owner, name, told)


def _before(owner: type[Any], name: str, tell: Callable[[Any], None]) -> None:
    method = getattr(owner, name)

    @wraps(method)
    def told(protocol: Any, *arguments: Any) -> None:
        tell(protocol)
        method(protocol, *arguments)

    setattr(owner, name, told)
