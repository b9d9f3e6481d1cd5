"""The names that this server answers to, and the pages that may talk to it.

A browser sends a page's requests to whatever address a name leads to. Otherwise a name that was pointed at this
machine, or a page of another site or another port of it, would reach the studio with everything that its user may do.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from journey.outside.addresses import HOST_AND_PORT, is_loopback
from journey.web.answers import refusal

log = logging.getLogger(__name__)

OPEN_TO_ALL = frozenset({"/healthz", "/readyz"})
"""Load balancers ask for these by address. They tell nothing but how the server is."""

_USUAL_PORTS = (":80", ":443")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class OwnNames:
    """Host names without a port, and with the port where it is not the usual one of the web."""

    hosts: frozenset[str]

    @classmethod
    def of(cls, host: str, *, public_url: str | None = None, more: Iterable[str] = ()) -> Self:
        """The names of a server that listens at `host`; `more` are names or `name:port`."""
        public = urlsplit(public_url).netloc if public_url else ""
        return cls(frozenset(_without_usual_port(each.lower()) for each in (host, public, *more) if each))

    def answer_to(self, host: str, reached_at: str) -> bool:
        """Whether a Host header names this server; `reached_at` is the address that the connection arrived at.

        Nobody can point an address elsewhere, so loopback addresses, and the one that was reached, are always ours.
        """
        found = HOST_AND_PORT.fullmatch(host.lower())
        if not found:
            return False
        name = found["name"].rstrip(".")
        is_named = name in map(_name, self.hosts)
        return is_named or is_loopback(name.strip("[]")) or _is_same_address(name, reached_at)

    def trust(self, origin: str, host: str) -> bool:
        """Whether a page from this origin may talk to us, which the browser reaches as `host`."""
        theirs = _netloc(origin)
        return theirs is not None and (theirs == _without_usual_port(host.lower()) or theirs in self.hosts)


class Hosts:
    """ASGI middleware: answers whoever is not ours with one sentence, before anything else sees the request."""

    def __init__(self, app: ASGIApp, names: OwnNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_TO_ALL:
            await self._app(scope, receive, send)
        elif answer := self._refusal(scope):
            if scope["type"] == "http":
                await answer(scope, receive, send)
            else:
                await WebSocketClose()(scope, receive, send)  # with 403, as the handshake has not been answered
        else:
            await self._app(_as_seen_by_the_browser(scope), receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        reached_at = (scope.get("server") or ("",))[0]
        if len(hosts) != 1 or not self._names.answer_to(hosts[0], reached_at):
            log.warning("refused: asked for as %r", hosts)
            return refusal(
                "This server does not answer to that name. If people are meant to reach it so, whoever runs it can add "
                "the name to the setting JOURNEY_ALLOWED_HOSTS.",
                421,
            )
        is_foreign = len(origins) > 1 or (bool(origins) and not self._names.trust(origins[0], hosts[0]))
        # Browsers that leave out the origin still say this.
        is_change = scope["type"] == "http" and scope["method"] not in _READING
        if is_foreign or (is_change and not origins and "sec-fetch-site" in headers and not _is_own_site(headers)):
            log.warning("refused: asked for by a page of %r", origins)
            return refusal(
                "A page of another site asked for this, so it was refused. If it is this studio's own address, whoever "
                "runs it can add its name to the setting JOURNEY_ALLOWED_HOSTS.",
                403,
            )
        return None


def _is_own_site(headers: Headers) -> bool:
    return headers["sec-fetch-site"] in ("same-origin", "none")


def _as_seen_by_the_browser(scope: Scope) -> Scope:
    """The same request, with the host that the browser shows, where a proxy has put another in its place.

    Streamlit compares the two, and would ask the internet for the address of this machine when they differ.
    """
    headers = Headers(scope=scope)
    theirs = _netloc(headers.get("origin", ""))
    if theirs is None or theirs == _without_usual_port(headers["host"].lower()):
        return scope
    shown = urlsplit(headers["origin"]).netloc.encode("ascii")
    kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*kept, (b"host", shown)]}


def _netloc(origin: str) -> str | None:
    """Host and port of an origin, without the usual port; None when it is none."""
    try:
        parts = urlsplit(origin)
        is_origin = parts.scheme in ("http", "https") and HOST_AND_PORT.fullmatch(parts.netloc.lower())
    except ValueError:
        return None
    return _without_usual_port(parts.netloc.lower()) if is_origin else None


def _without_usual_port(netloc: str) -> str:
    return next((netloc.removesuffix(port) for port in _USUAL_PORTS if netloc.endswith(port)), netloc)


def _name(host: str) -> str:
    found = HOST_AND_PORT.fullmatch(host)
    return found["name"] if found else host


def _is_same_address(name: str, reached_at: str) -> bool:
    try:
        one, other = (ipaddress.ip_address(each.strip("[]")) for each in (name, reached_at))
    except ValueError:
        return False
    return one == (getattr(other, "ipv4_mapped", None) or other)
