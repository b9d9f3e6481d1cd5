"""Uploads, judged before any of their bytes are read: Streamlit keeps them in memory as long as their tab is open."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journey.web.answers import refusal

SILENCE_SECONDS = 30.0
"""How long an upload may stand still."""
_ADDRESS = re.compile(r".*/_stcore/upload_file/(?P<tab>[^/]+)/[^/]+")


class Uploads:
    """ASGI middleware. `held` tells how many bytes are in memory for a tab, and for all of them (None).

    Whoever is not let in, or asks for more than there is room for, gets a sentence, and nothing of theirs is kept.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        may_upload: Callable[[str], bool],
        held: Callable[[str | None], int],
        largest: int,
        each: int,
        in_all: int,
    ) -> None:
        self._app = app
        self._may_upload = may_upload
        self._held = held
        self._largest, self._each, self._in_all = largest, each, in_all
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _ADDRESS.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if not found:
            await self._app(scope, receive, send)
            return
        tab, size = found["tab"], _size(Headers(scope=scope), self._largest)
        if not self._may_upload(tab):
            await refusal("Sign in first, then upload.", 403)(scope, receive, send)
        elif size + self._held(tab) + self._under_way[tab] > self._each:
            await refusal("This tab already holds as much as one may. Remove some pictures, or send these.", 413)(
                scope, receive, send
            )
        elif size + self._held(None) + self._under_way.total() > self._in_all:
            await refusal("The studio holds as many uploads as it can. Try again in a few minutes.", 503)(
                scope, receive, send
            )
        else:
            self._under_way[tab] += size
            try:
                await self._app(scope, _impatient(receive), send)
            finally:
                self._under_way[tab] -= size
                self._under_way += Counter()  # forgets tabs with nothing under way


def _size(headers: Headers, largest: int) -> int:
    """What an upload says it will send, bytes; the most that it may send when it does not say."""
    said = headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else largest


def _impatient(receive: Receive) -> Receive:
    """Ends a body that stands still, as if its sender had gone."""
    is_complete = False

    async def receive_in_time() -> Message:
        nonlocal is_complete
        if is_complete:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), SILENCE_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}
        is_complete = not message.get("more_body", False)
        return message

    return receive_in_time
