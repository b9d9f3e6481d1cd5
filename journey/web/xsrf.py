"""Streamlit's proof that an upload comes from a page of ours, kept readable behind proxies that rewrite cookies."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_CARRIERS = frozenset({b"cookie", b"x-xsrftoken", b"sec-websocket-protocol"})
# Version, mask, masked token and time, which Streamlit separates with `|`.
_ENCODED = re.compile(rb"\b2%7c([0-9a-f]+)%7c([0-9a-f]+)%7c([0-9]+)\b", re.IGNORECASE)


class XsrfToken:
    """ASGI middleware: undoes the percent-encoding of the token. Some proxies encode it in the cookie that they hand to
    the browser or to us, and Streamlit would then refuse each upload and forget who signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = [
                (name, _ENCODED.sub(rb"2|\1|\2|\3", value) if name in _CARRIERS else value)
                for name, value in scope["headers"]
            ]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)
