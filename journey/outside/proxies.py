"""Proxies that the environment names: which one leads to a server, and the way through it.

They serve the calls to an API that the settings name. What people type never goes through one: a proxy resolves names
by itself, so nothing that was judged about an address would hold.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from journey.errors import InvalidRequest
from journey.outside.addresses import is_loopback

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """A proxy that speaks HTTP. `authorization` is the value of its header, if it wants one."""

    host: str
    port: int
    is_secure: bool = False
    authorization: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What only the proxy is told."""
        return [(b"Proxy-Authorization", self.authorization.encode())] if self.authorization else []

    def url(self, target: bytes) -> httpcore.URL:
        """Where a request goes that asks the proxy for this target."""
        scheme = b"https" if self.is_secure else b"http"
        return httpcore.URL(scheme=scheme, host=self.host.encode(), port=self.port, target=target)


def proxy_for(url: str, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for this address by HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in small letters or capitals.

    None when there is none, and for this machine itself. Raises InvalidRequest, which repeats no password, when the
    variable names something else than a proxy that speaks HTTP.
    """
    environment = os.environ if environment is None else environment
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    if is_loopback(host) or _is_exempt(host, port, _variable(environment, "no_proxy")[1]):
        return None
    name, value = _variable(environment, f"{parts.scheme}_proxy")
    return _parsed(name, value) if value else None


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable as it is spelt, and its value. Small letters come first, as everywhere."""
    for spelt in (name, name.upper()):
        # A web server hands a header `Proxy:` of its callers to the programs that it starts under this name.
        if spelt == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
            continue
        if value := environment.get(spelt, "").strip():
            return spelt, value
    return "", ""


def _is_exempt(host: str, port: int, listed: str) -> bool:
    for entry in listed.replace(",", " ").lower().split():
        name, colon, digits = entry.rpartition(":")
        only = int(digits) if colon and digits.isdecimal() and ":" not in name.strip("[]") else None
        name = (entry if only is None else name).removeprefix("*.").removeprefix(".").strip("[]")
        if only in (None, port) and (name in ("*", host) or host.endswith(f".{name}") or _contains(name, host)):
            return True
    return False


def _contains(network: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except (ValueError, TypeError):
        return False


def _parsed(name: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        host.encode("ascii")
    except ValueError:
        host, port = "", 0
    if not host or not port or parts.scheme not in _PORTS:
        raise InvalidRequest(f"{name}: must be the address of a proxy such as http://proxy.example:3128")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    authorization = f"Basic {base64.b64encode(login).decode()}" if login != b":" else None
    return Proxy(host, port, parts.scheme == "https", authorization)


class Tunnel(httpcore.NetworkBackend):
    """Connects through a proxy. What it gives leads to the server; whatever it raises says that nothing was sent.

    `seconds` is the most that each answer of the proxy may take.
    """

    def __init__(
        self, proxy: Proxy, backend: httpcore.NetworkBackend, ssl_context: ssl.SSLContext | None, *, seconds: float
    ) -> None:
        self._proxy = proxy
        self._backend = backend
        self._ssl_context = ssl_context
        self._seconds = seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the server. Raises ConnectError and ConnectTimeout."""
        proxy = self._proxy
        stream = self._backend.connect_tcp(proxy.host, proxy.port, timeout, local_address, socket_options)
        try:
            if proxy.is_secure and self._ssl_context:
                stream = stream.start_tls(self._ssl_context, proxy.host, timeout)
            return self._through(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except httpcore.ConnectError:
            stream.close()
            raise
        except httpcore.TimeoutException as error:
            stream.close()
            raise httpcore.ConnectTimeout("the proxy did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            stream.close()
            raise httpcore.ConnectError("the proxy hung up") from error

    def _through(self, stream: httpcore.NetworkStream, target: str) -> httpcore.NetworkStream:
        url = self._proxy.url(target.encode())
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        answer = httpcore.HTTP11Connection(origin=url.origin, stream=stream).handle_request(
            httpcore.Request(
                "CONNECT",
                url,
                headers=[(b"Host", target.encode()), *self._proxy.headers],
                extensions={"timeout": limits},
            )
        )
        if not 200 <= answer.status < 300:
            raise httpcore.ConnectError(f"the proxy answered {answer.status}")
        through: httpcore.NetworkStream = answer.extensions["network_stream"]
        return through
