"""Open tabs: each holds a WebSocket as long as it is open."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRY_AGAIN_LATER = 1013


class Sockets:
    """ASGI middleware: when there are `most` WebSockets, the one that has been silent for longest makes room.

    A tab that is closed so, but still looked at, connects again by itself.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._heard: dict[object, Send] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        while len(self._heard) >= self._most:
            oldest = next(iter(self._heard))
            self._in_background(_close(self._heard.pop(oldest)))
        tab = object()
        self._heard[tab] = send

        async def receive_and_note() -> Message:
            message = await receive()
            if tab in self._heard:
                self._heard[tab] = self._heard.pop(tab)  # to the end
            return message

        try:
            await self._app(scope, receive_and_note, send)
        finally:
            self._heard.pop(tab, None)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(send: Send) -> None:
    try:
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
    except Exception:  # noqa: BLE001  It has gone by itself, and every server says that in its own way.
        return
