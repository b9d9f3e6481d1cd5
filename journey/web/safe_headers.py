"""What every answer tells browsers, so that other sites can do nothing with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    # In an invisible frame of another site, people would click what they do not see. Old browsers know only the second.
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    # Our addresses hold the keys of pictures and tasks.
    "Referrer-Policy": "same-origin",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}


class SafeHeaders:
    """ASGI middleware. What an answer says itself stays; over TLS, cookies become Secure."""

    def __init__(self, app: ASGIApp, public_url: str | None = None) -> None:
        self._app = app
        self._public = urlsplit(public_url or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_over_tls = self._is_over_tls(scope)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (_ALWAYS | (_OVER_TLS if is_over_tls else {})).items():
                    headers.setdefault(name, value)
                if is_over_tls:
                    message["headers"] = [(name, _secure(name, value)) for name, value in message["headers"]]
            await send(message)

        await self._app(scope, receive, send_on)

    def _is_over_tls(self, scope: Scope) -> bool:
        """Whether the browser speaks TLS: with us, or with the proxy that says so or to which the public name leads."""
        headers = Headers(scope=scope)
        is_public = self._public.scheme == "https" and headers.get("host", "").lower() == self._public.netloc.lower()
        return scope["scheme"] == "https" or headers.get("x-forwarded-proto") == "https" or is_public


def _secure(name: bytes, value: bytes) -> bytes:
    is_open = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return value + b"; Secure" if is_open else value
