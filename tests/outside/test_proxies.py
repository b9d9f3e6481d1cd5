"""Proxies of the environment lead to the API, and a proxy that refuses is proof that nothing was sent."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from journey import Ambiguous, JourneyClient, NotSent
from journey.errors import InvalidRequest
from journey.outside.proxies import Proxy, proxy_for
from journey.outside.transport import Transport
from journey.testing import Close, StandIn
from tests.harness.relays import Relay

API = "https://api.example/api/v1"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


def place_of(api: StandIn) -> tuple[str, int]:
    return "127.0.0.1", int(api.origin.rpartition(":")[2])


# Which proxy


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({}, API, None),
        ({"HTTPS_PROXY": "http://p.example:3128"}, API, ("p.example", 3128)),
        ({"https_proxy": "p.example:3128"}, API, ("p.example", 3128)),
        ({"https_proxy": "http://small:1", "HTTPS_PROXY": "http://large:2"}, API, ("small", 1)),
        ({"https_proxy": " ", "HTTPS_PROXY": "http://large:2"}, API, ("large", 2)),
        ({"ALL_PROXY": "socks5://p:1080"}, API, None),
        ({"HTTP_PROXY": "http://p.example"}, API, None),
        ({"HTTP_PROXY": "http://p.example"}, "http://api.example/", ("p.example", 80)),
        ({"HTTP_PROXY": "http://p.example", "REQUEST_METHOD": "GET"}, "http://api.example/", None),
        ({"HTTPS_PROXY": "https://[2001:db8::1]/"}, API, ("2001:db8::1", 443)),
        *(({"HTTPS_PROXY": "http://p:1", "NO_PROXY": listed}, API, None) for listed in (
            "*", "api.example", ".example", "*.example", "example", "API.Example",
            "a.b, api.example:443", "x api.example")),
        *(({"HTTPS_PROXY": "http://p:1", "no_proxy": listed}, API, ("p", 1)) for listed in (
            "", "pi.example", "api.example:8443", "i.example.org", "10.0.0.0/8", ",,:,", "api.example:x")),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "2001:db8::/32"}, "https://[2001:db8::5]/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.1.2.3:443"}, "https://10.1.2.3/", None),
        *(({"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:1"}, f"http://{here}:8501/api/v1", None) for here in (
            "127.0.0.1", "localhost", "[::1]", "studio.localhost")),
    ],
    ids=str,
)  # fmt: skip
def test_the_environment_says_which_proxy(
    environment: dict[str, str], url: str, expected: tuple[str, int] | None
) -> None:
    """Small letters and capitals, with and without a scheme, all that NO_PROXY may list; never for this machine."""
    proxy = proxy_for(url, environment)
    assert expected == (None if proxy is None else (proxy.host, proxy.port))


def test_a_proxy_may_want_a_password() -> None:
    """User and password of the variable become the header of the proxy, and are shown nowhere."""
    proxy = proxy_for(API, {"HTTPS_PROXY": "http://me:p%40ss@p.example:3128"})
    assert proxy is not None
    assert f"Basic {base64.b64encode(b'me:p@ss').decode()}" == proxy.authorization
    assert "Basic" not in repr(proxy)


@pytest.mark.parametrize(
    "value", ["socks5://me:secret@p:1", "ftp://p:1", "http://", "http://p:99999", "http://ü:1", "//"]
)
def test_a_proxy_that_cannot_be_used_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names no proxy of HTTP is refused when the client is made, without its password."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(InvalidRequest, match="HTTPS_PROXY: must be the address of a proxy") as caught:
        JourneyClient("key")
    assert "secret" not in str(caught.value)


# Through it


def tunnelled(relay: Relay, certificate: Path) -> JourneyClient:
    """A client of https://api.example behind this proxy."""
    proxy = Proxy("127.0.0.1", relay.port, authorization="Basic bWU6cHc=")
    context = ssl.create_default_context(cafile=certificate)
    transport = Transport(deadline_seconds=5, proxy=proxy, ssl_context=context)
    return JourneyClient("test-key-0123456789", API, transport=transport, attempts=1)


def test_a_paid_call_goes_through_a_tunnel(api: StandIn, certificate: Path) -> None:
    """The proxy sees a name and a port and nothing of the call; the certificate is that of the API."""
    with (
        Relay({"api.example": place_of(api)}, certificate=certificate) as relay,
        tunnelled(relay, certificate) as client,
    ):
        task_id = client.upscale(image_url="https://example.com/a.png", type="2x")
    assert (task_id in api.tasks, 1) == (True, api.charges)
    assert ["CONNECT api.example:443 HTTP/1.1"] == relay.asked
    assert "Basic bWU6cHc=" == relay.headers[0]["proxy-authorization"]
    assert "proxy-authorization" not in api.calls[0].headers


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\nno",
     b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", b"HTTP/1.1 301 x\r\nLocation: /\r\n\r\n", b"SSH-2.0\r\n\r\n",
     b"", b"HTTP/1.1 2"],
    ids=repr,
)  # fmt: skip
def test_a_tunnel_that_is_refused_proves_that_nothing_was_sent(api: StandIn, certificate: Path, answer: bytes) -> None:
    """Whatever the proxy says instead of opening the tunnel, the order was not sent and may be sent again."""
    with Relay({}, answer=answer) as relay, tunnelled(relay, certificate) as client, pytest.raises(NotSent):
        client.upscale(image_url="https://example.com/a.png", type="2x")
    assert (1, 0) == (len(relay.asked), api.connections)


def test_a_tunnel_that_breaks_later_proves_nothing(api: StandIn, certificate: Path) -> None:
    """Once the tunnel leads to the API, a lost answer is as ambiguous as without a proxy."""
    api.script("upscale-2x-4x", Close.AFTER_READING)
    with (
        Relay({"api.example": place_of(api)}, certificate=certificate) as relay,
        tunnelled(relay, certificate) as client,
        pytest.raises(Ambiguous),
    ):
        client.upscale(image_url="https://example.com/a.png", type="2x")


def test_a_silent_proxy_costs_no_more_than_the_time_to_connect(certificate: Path) -> None:
    """A proxy that accepts and says nothing is given up when connecting has taken long enough."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = Transport(
            deadline_seconds=30, connect_timeout=0.2, proxy=Proxy("127.0.0.1", silent.getsockname()[1])
        )
        with httpx.Client(transport=transport, timeout=None) as http, pytest.raises(httpx.ConnectTimeout):
            http.get(API)


def test_the_client_uses_the_proxy_of_the_environment(api: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain address goes to the proxy as a whole; the API never hears the proxy's password; this machine is near."""
    with Relay({"api.example": place_of(api)}) as relay:
        monkeypatch.setenv("HTTP_PROXY", relay.url.replace("//", "//me:pw@"))
        assert 12_000 == JourneyClient(api.key, "http://api.example/api/v1").account().credits
        assert ["GET http://api.example/api/v1/account HTTP/1.1"] == relay.asked
        assert ("proxy-authorization" in relay.headers[0], "proxy-authorization" in api.calls[0].headers) == (
            True,
            False,
        )
        assert 12_000 == JourneyClient(api.key, api.url).account().credits
        lan = api.url.replace("127.0.0.1", "0.0.0.0")  # an address that need not be this machine's
        assert 12_000 == JourneyClient(api.key, lan, proxies=False).account().credits
        assert 1 == len(relay.asked)


def test_a_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the proxy, not the network, and the variables to look at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    with JourneyClient("key", attempts=1) as client, pytest.raises(NotSent, match=r"proxy 127\.0\.0\.1 .* NO_PROXY"):
        client.account()
