"""Tells browsers that a task has ended, at the moment it ends: `/ends/{entry}`, a WebSocket with one message.

Whoever knows the id of an entry may wait for its end, and learns nothing else. Only ends that this process brings
about are told; where another process works the queues, pages learn of an end when they look next.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from journey.errors import DatabaseAway
from journey.history import LIVE, History

UNKNOWN = 4404
"""The code that a socket is closed with when there is no such entry; the 404 of WebSockets."""


class Ends:
    """Who waits for the end of which entry."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[], object]]] = defaultdict(list)
        self._changing = threading.Lock()

    def tell(self, entry_id: str) -> None:
        """This entry has ended. May be called on any thread."""
        with self._changing:
            waiting = list(self._waiting.get(entry_id, ()))
        for call in waiting:
            with suppress(RuntimeError):  # its event loop has been closed
                call()

    @contextmanager
    def heard(self, entry_id: str, call: Callable[[], object]) -> Iterator[None]:
        """Inside, `call` is called, on any thread, when this entry ends."""
        with self._changing:
            self._waiting[entry_id].append(call)
        try:
            yield
        finally:
            with self._changing:
                self._waiting[entry_id].remove(call)
                if not self._waiting[entry_id]:
                    del self._waiting[entry_id]


def routes(history: History, ends: Ends) -> list[WebSocketRoute]:
    """`/ends/{entry}`. `ends` is what the history tells of ends."""

    async def wait(socket: WebSocket) -> None:
        await socket.accept()
        entry_id, loop, over = socket.path_params["entry_id"], asyncio.get_running_loop(), asyncio.Event()
        with ends.heard(entry_id, lambda: loop.call_soon_threadsafe(over.set)):
            # Read only now, so that no end falls between this look and the wait.
            try:
                entry = await run_in_threadpool(history.get, entry_id)
            except DatabaseAway:
                entry = None
            if entry is None:
                await socket.close(UNKNOWN)
            elif entry.state not in LIVE or await _comes(over, before_leaving=socket):
                await socket.send_text(entry_id)
                await socket.close()

    return [WebSocketRoute("/ends/{entry_id}", wait)]


async def _comes(over: asyncio.Event, *, before_leaving: WebSocket) -> bool:
    """Wait for the event. False when the browser has left before; it has nothing to say, so any message means that."""
    waiting = [asyncio.ensure_future(over.wait()), asyncio.ensure_future(before_leaving.receive())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
    return over.is_set()
