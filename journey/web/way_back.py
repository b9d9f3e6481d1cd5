"""Leads people back, after a sign-in, to the page on which it began. Streamlit itself always opens the first page."""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journey.signing_in import CALLBACK, way_back

_COOKIE = "journey_way_back"
_SECONDS = 15 * 60


class WayBack:
    """ASGI middleware: remembers the page in a cookie when the browser leaves for the sign-in service."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.endswith(("/auth/login", CALLBACK)):
            await self._app(scope, receive, send)
            return
        asked = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kept = unquote(cookie_parser(asked.get("cookie", "")).get(_COOKIE, ""))

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if not path.endswith(CALLBACK):
                    headers.append("set-cookie", _cookie(way_back(asked.get("referer", "")) or "/", _SECONDS))
                elif kept:
                    if 300 <= message["status"] < 400:
                        headers["location"] = way_back(kept) or "/"
                    headers.append("set-cookie", _cookie("", 0))
            await send(message)

        await self._app(scope, receive, send_on)


def _cookie(value: str, seconds: int) -> str:
    return f"{_COOKIE}={quote(value, safe='')}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax"
