"""The names a server answers to, and the pages that may talk to it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from journey.engine.__main__ import listener_at
from journey.web.hosts import Hosts, OwnNames
from journey.web.safe_headers import SafeHeaders
from tests.harness.engines import served

PUBLIC = "https://studio.example.com"
NAMES = OwnNames.of("0.0.0.0", public_url=PUBLIC, more=("Studio.lan", "proxy.lan:8443"))


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8501", "localhost.", "127.0.0.1:8501", "127.8.7.6", "[::1]:8501", "a.localhost",
        "studio.example.com", "studio.example.com:443", "STUDIO.example.com", "studio.lan", "studio.lan:9000",
        "proxy.lan", "proxy.lan:8443", "192.168.1.20:8501",
    ],
)  # fmt: skip
def test_our_names(host: str) -> None:
    """Loopback, the public name, the names in the settings and the address that was reached are ours, on any port."""
    assert NAMES.answer_to(host, "192.168.1.20")


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "studio.example.com.evil.example", "evilstudio.example.com", "localhost.evil.example",
        "192.168.1.21", "8.8.8.8", "127.0.0.1.nip.example", "[::2]", "studio.lan@evil.example", "studio.lan/evil",
        "studio.lan, evil.example", "studio.lan:8501:1", "a b", "studio_lan", "st\u00fcdio.lan", "[::1", ":8501",
    ],
)  # fmt: skip
def test_names_of_others(host: str) -> None:
    """No other name is ours, also when it begins or ends like one, or leads to this machine."""
    assert not NAMES.answer_to(host, "192.168.1.20")


def test_a_mapped_address_is_the_address() -> None:
    """Where a server listens for IPv6 and IPv4 together, its IPv4 address is its own."""
    assert OwnNames.of("::").answer_to("192.168.1.20:8501", "::ffff:192.168.1.20")
    assert OwnNames.of("fd00::5").answer_to("[fd00::5]:8501", "fd00::5")


@pytest.mark.parametrize(
    ("origin", "host", "is_trusted"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://studio.example.com", "studio.example.com", True),
        ("https://studio.example.com", "127.0.0.1:8501", True),  # behind a proxy that puts another host in its place
        ("https://proxy.lan:8443", "127.0.0.1:8501", True),
        ("https://studio.lan", "studio.lan:443", True),
        ("http://localhost:3000", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("https://proxy.lan", "127.0.0.1:8501", False),
        ("https://evil.example", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("", "localhost:8501", False),
        ("file://", "localhost:8501", False),
        ("https://localhost:8501/path", "localhost:8501/path", False),
        ("http://[", "localhost:8501", False),
    ],
)
def test_who_may_talk_to_us(origin: str, host: str, is_trusted: bool) -> None:
    """A page may talk to the server that it came from, under the name that its browser shows, and to no other."""
    assert is_trusted is NAMES.trust(origin, host)


async def answer(request: Request) -> PlainTextResponse:
    said = PlainTextResponse(f"{request.method} {request.headers['host']}")
    said.set_cookie("a", "b", httponly=True)
    return said


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    application = Starlette(
        routes=[Route("/healthz", answer), Route("/", answer, methods=["GET", "POST"])],
        middleware=[
            Middleware(SafeHeaders, public_url=PUBLIC),
            Middleware(Hosts, names=OwnNames.of("127.0.0.1", public_url=PUBLIC)),
        ],
    )
    listener = listener_at("127.0.0.1", 0)
    with served(application, listener), httpx.Client(trust_env=False) as client:
        client.base_url = httpx.URL(f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": PUBLIC}, 200),
        ({}, 200),
    ],
)
def test_a_foreign_page_posts_nothing(server: httpx.Client, headers: dict[str, str], status: int) -> None:
    """A request under another name or from a page of another site is refused with a sentence that names the setting."""
    said = server.post("/", headers=headers)
    assert status == said.status_code
    assert (status == 200) is ("JOURNEY_ALLOWED_HOSTS" not in said.text)


def test_probes_come_by_any_name(server: httpx.Client) -> None:
    """Whether the server is up is told to whoever asks, whatever they call it."""
    assert 200 == server.get("/healthz", headers={"Host": "10.1.2.3"}).status_code


def test_the_application_sees_the_name_in_the_browser(server: httpx.Client) -> None:
    """Behind a proxy that puts its own host in place, the application sees the one that the browser shows."""
    assert "POST studio.example.com" == server.post("/", headers={"Origin": PUBLIC}).text


def test_no_site_can_frame_us(server: httpx.Client) -> None:
    """Answers, refusals among them, may not be framed or guessed at, and tell other sites nothing of our addresses."""
    for said in (server.get("/"), server.get("/", headers={"Host": "evil.example"})):
        assert "SAMEORIGIN" == said.headers["x-frame-options"]
        assert ("nosniff", "same-origin") == (said.headers["x-content-type-options"], said.headers["referrer-policy"])
    assert "frame-ancestors 'self'" == server.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "is_secure"),
    [({}, False), ({"X-Forwarded-Proto": "https"}, True), ({"Host": "studio.example.com"}, True)],
)
def test_behind_tls_all_stays_behind_tls(server: httpx.Client, headers: dict[str, str], is_secure: bool) -> None:
    """Over TLS, cookies are Secure and browsers keep to it; a plain studio on this machine says nothing of that."""
    said = server.get("/", headers=headers)
    assert is_secure is ("; Secure" in said.headers["set-cookie"])
    assert is_secure is ("strict-transport-security" in said.headers)
