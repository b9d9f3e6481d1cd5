"""Addresses are read as browsers read them, wherever they come from, and lead where a browser would be led."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from journey.errors import FetchFailed, InvalidRequest, Unreachable
from journey.outside.door import NOT_FOR_OTHERS, UNREACHABLE, Door, Limits
from journey.outside.pasted import cleaned
from journey.outside.transport import families_in_turn
from tests.outside.test_door import OTHER_PUBLIC, PNG, PUBLIC, Internet, Names, answer, fetch
from tests.outside.test_transport import Listener, read_request, says

AS_BROWSERS = [
    ("http://pictures.example/a b.png", "/a%20b.png"),
    ("http://pictures.example/a%20b.png", "/a%20b.png"),
    ("  http://pictures.example/a.png\u0020\n", "/a.png"),
    ("http://pictures.example/long\n/path\t.png", "/long/path.png"),
    ("http://pictures.example/ü.png", "/%C3%BC.png"),
    ("http://pictures.example/日本.png?q=é", "/%E6%97%A5%E6%9C%AC.png?q=%C3%A9"),
    ("http://pictures.example/%C3%BC.png", "/%C3%BC.png"),
    ("http://pictures.example/%fc.png", "/%fc.png"),
    ("http://pictures.example/100%.png", "/100%.png"),
    ("http://pictures.example\\a\\b.png?c\\d", "/a/b.png?c\\d"),
    ("http:\\\\pictures.example/a.png", "/a.png"),
    ("http://pictures.example\\@127.0.0.1/", "/@127.0.0.1/"),
    ("http://pictures.example/a\x00b\x7f.png", "/a%00b%7F.png"),
    ("http://pictures.example/\u202egnp.a", "/%E2%80%AEgnp.a"),
    ("http://pictures.example/\ud800.png", "/%EF%BF%BD.png"),
    ('http://pictures.example/a"<b>.png', "/a%22%3Cb%3E.png"),
    ("http://pictures.example/a/../b/./c//d.png", "/b/c//d.png"),
    ("http://pictures.example/w_300,h_200/a(1)[2]=.png", "/w_300,h_200/a(1)[2]=.png"),
    ("http://pictures.example/a.png?sig=a%2Fb%2B==&x=a+b,c;d", "/a.png?sig=a%2Fb%2B==&x=a+b,c;d"),
    ("http://pictures.example/a.png#fragment", "/a.png"),
    ("http://pictures.example/a|b^c'd.png?e'f|g", "/a%7Cb%5Ec'd.png?e%27f|g"),
    ("http://pictures.example/a/./b/..", "/a/"),
    ("http://pictures.example/a.png?", "/a.png?"),
    ("http://pictures.example?a.png", "/?a.png"),
    ("HTTP://PICTURES.example:80/A.png", "/A.png"),
    ("http://pictures.example./a.png", "/a.png"),
    ("http://pictures。example/a.png", "/a.png"),
    ("http://ｐｉｃｔｕｒｅｓ.example/a.png", "/a.png"),
    ("http://p%69ctures.example/a.png", "/a.png"),
    ("http://pic\u00adtures.example/a.png", "/a.png"),
    ("http://pictures.example/" + "a" * 3_000, "/" + "a" * 3_000),
    ("http://pictures.example/" + "a" * 8_000, "/" + "a" * 8_000),
]


def asking(heard: list[str]) -> Callable[[socket.socket], None]:
    """A server that notes what it is asked for, and answers with a picture."""

    def serve(connection: socket.socket) -> None:
        head = read_request(connection).decode("latin-1")
        heard.append(head.split(" ")[1])
        assert "\r\nHost: pictures.example\r\n" in head
        connection.sendall(answer())

    return serve


@pytest.mark.parametrize(("url", "asked"), AS_BROWSERS)
def test_an_address_is_asked_for_as_a_browser_would(url: str, asked: str) -> None:
    """What a server is asked for is what a browser would ask for, and what is kept is that very address."""
    heard: list[str] = []
    with Listener(asking(heard)) as server:
        door = Door(resolver=Names(pictures=[PUBLIC]), backend=Internet({PUBLIC: server}))
        fetched, body = fetch(door, url)
        again, _ = fetch(door, fetched.url)
    assert ([asked, asked], PNG) == (heard, body)
    assert door.check(url) == fetched.url == again.url
    assert fetched.url.isascii()


LOCATIONS: list[tuple[str | bytes, str]] = [
    ("b c.png", "/x/b%20c.png"),
    ("/b c.png?d e", "/b%20c.png?d%20e"),
    ("//other.example/b.png", "/b.png"),
    ("http://other.example/b c.png", "/b%20c.png"),
    ("  http://other.example/b.png ", "/b.png"),
    ("HTTP://OTHER.example/b.png", "/b.png"),
    ("http:\\\\other.example\\b.png", "/b.png"),
    ("\\b.png", "/b.png"),
    ("?b=c d", "/x/a.png?b=c%20d"),
    ("../b.png", "/b.png"),
    ("../../../b.png", "/b.png"),
    ("./ü.png", "/x/%C3%BC.png"),
    ("./ü.png".encode("latin-1"), "/x/%FC.png"),
    ("/日本.png".encode("shift-jis"), "/%93%FA%96%7B.png"),
    ("b.png?", "/x/b.png?"),
    ("b//c;.png", "/x/b//c;.png"),
    ("b;", "/x/b;"),
    (".", "/x/"),
    ("..", "/"),
    ("http:b.png", "/x/b.png"),
    ("b.png#c", "/x/b.png"),
    ("http://other.example?b", "/?b"),
    ("http://OTHER.example./b.png", "/b.png"),
    ("http://öther.example/b.png", "/b.png"),
    ("http://xn--i-7iq.ws/b.png", "/b.png"),
    ("http://i❤.ws/b.png", "/b.png"),
]


@pytest.mark.parametrize(("location", "asked"), LOCATIONS)
def test_a_redirect_is_followed_as_a_browser_would(location: str | bytes, asked: str) -> None:
    """A Location may be relative, have blanks, backslashes or bytes of any alphabet."""
    place = location.encode() if isinstance(location, str) else location
    heard: list[str] = []

    def serve(connection: socket.socket) -> None:
        heard.append(read_request(connection).decode("latin-1").split(" ")[1])
        if len(heard) == 1:
            connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n")
        else:
            connection.sendall(answer())

    with Listener(serve) as server:
        internet = Internet({PUBLIC: server})
        fetch(Door(resolver=lambda *_: [PUBLIC], backend=internet), "http://pictures.example/x/a.png")
    assert ["/x/a.png", asked] == heard


VERDICTS = {
    "https://pictures.example/koi.png": None,
    "“https://pictures.example/koi.png”,": None,
    "[koi](https://pictures.example/koi.png)": None,
    "\u200bhttps://pictures.example/koi.png\u200e": None,
    "HTTPS://pictures.example/my koi.png": None,
    "www.pictures.example/koi.png": None,
    "https://i❤.ws/koi.png": None,
    "https://xn--i-7iq.ws/koi.png": None,
    "https://[64:ff9b::5db8:d822]/koi.png": None,
    "https://pictures.example/" + "a" * 8_100: None,
    "https://pictures.example/" + "a" * 8_200: InvalidRequest,
    "https://127.0.0.1/koi.png": Unreachable,
    "https：//127.0.0.1/koi.png": Unreachable,
    "<https://0x7f.1/koi.png>": Unreachable,
    "https://１２７。0。0。1/koi.png": Unreachable,
    "https://[64:ff9b::7f00:1]/koi.png": Unreachable,
    "https://[::ffff:10.0.0.1]/koi.png": Unreachable,
    "https://localhost./koi.png": Unreachable,
    "https://inside.example/koi.png": Unreachable,
    "https://me:secret@pictures.example/koi.png": InvalidRequest,
    "https://pictures.example:22/koi.png": InvalidRequest,
    f"https://{'a' * 64}.example/koi.png": InvalidRequest,
    "https://a..example/koi.png": InvalidRequest,
    "ftp://pictures.example/koi.png": InvalidRequest,
    "file:///etc/passwd": InvalidRequest,
}
"""What is typed or said, and what becomes of it: None where it is asked for."""


def resolved(host: str, port: int) -> Sequence[str]:
    return ["10.0.0.1"] if host.startswith("inside") else [PUBLIC]


@pytest.mark.parametrize(("text", "verdict"), VERDICTS.items(), ids=lambda value: str(value)[:60])
def test_typed_and_redirected_addresses_have_one_judge(text: str, verdict: type[Exception] | None) -> None:
    """What is refused when it is typed is refused when a server redirects to it, and the other way round."""
    internet = Internet()
    door = Door(resolver=resolved, backend=internet)
    url = cleaned(text)
    with pytest.raises(verdict or Unreachable):
        fetch(door, url)
    assert bool(internet.dialled) == (verdict is None)
    typed = internet.dialled

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + url.encode() + b"\r\n\r\n")

    with Listener(serve) as server:
        internet = Internet({OTHER_PUBLIC: server})
        door = Door(
            resolver=lambda *at: [OTHER_PUBLIC] if at[0] == "first.example" else resolved(*at), backend=internet
        )
        with pytest.raises(FetchFailed):
            fetch(door, "http://first.example/")
    assert typed == internet.dialled[1:]


# Networks


def test_both_families_are_tried_in_turn() -> None:
    """A name with many addresses of a family that leads nowhere is reached by the other one at the second attempt."""
    six = [f"2606:4700::{number}" for number in range(1, 9)]
    with Listener(says(answer())) as server:
        internet = Internet({PUBLIC: server})
        assert fetch(Door(resolver=lambda *_: [*six, PUBLIC], backend=internet))[1] == PNG
    assert [six[0], PUBLIC] == [host for host, _ in internet.dialled]


def test_a_silent_family_leaves_time_for_the_other() -> None:
    """Addresses that never answer use up a share of the time, and not that of those after them."""
    given: list[float] = []

    class Silent(Internet):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Any:
            given.append(timeout or 0)
            return super().connect_tcp(host, port, timeout, **options)

    with pytest.raises(Unreachable):
        fetch(Door(resolver=lambda *_: ["2606:4700::1"] * 4 + [PUBLIC], backend=Silent(), limits=Limits(connect=4)))
    assert pytest.approx([1.0, 4 / 3, 2.0, 4.0], abs=0.2) == given


@pytest.mark.parametrize(
    ("found", "in_turn"),
    [
        ([], []),
        (["a"], ["a"]),
        (["1::", "2::", "a"], ["1::", "a", "2::"]),
        (["a", "b", "1::"], ["a", "1::", "b"]),
        (["1::", "2::", "3::", "a", "b"], ["1::", "a", "2::", "b", "3::"]),
    ],
)
def test_turns_begin_with_what_the_system_prefers(found: list[str], in_turn: list[str]) -> None:
    """The first address stays the first, each family keeps its order, and none is lost."""
    assert in_turn == families_in_turn(found)


@pytest.mark.parametrize(
    ("address", "is_let_through"),
    [
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::c0a8:101", False),
        ("64:ff9b:1::5db8:d822", False),
        ("::ffff:93.184.216.34", True),
        ("::ffff:10.0.0.1", False),
        ("::93.184.216.34", False),
        ("2002:5db8:d822::1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_what_carries_an_ipv4_address_is_judged_by_it(address: str, is_let_through: bool) -> None:
    """Behind NAT64 every IPv4 host is an IPv6 address: it is public when the one inside is, and no other tunnel is."""
    internet = Internet()
    with pytest.raises(Unreachable, match=UNREACHABLE):
        fetch(Door(resolver=lambda *_: [address], backend=internet))
    assert is_let_through == bool(internet.dialled)


def test_an_allowed_network_is_allowed_behind_nat64() -> None:
    """A listed IPv4 network is reached through NAT64 as well, and its neighbour is not."""
    internet = Internet()
    door = Door(
        ["10.0.0.0/24"], resolver=Names(pictures=["64:ff9b::a00:1"], other=["64:ff9b::a00:101"]), backend=internet
    )
    for name in ("pictures", "other"):
        with pytest.raises(Unreachable):
            fetch(door, f"http://{name}.example/")
    assert [("64:ff9b::a00:1", 80)] == internet.dialled


def test_stand_ins_of_a_local_proxy_are_explained(caplog: pytest.LogCaptureFixture) -> None:
    """Where a proxy on this machine answers for all names, the sentence says which setting lets it; a typed number does
    not get that sentence."""
    caplog.set_level(logging.INFO, logger="journey")
    internet = Internet()
    door = Door(resolver=lambda *_: ["198.18.0.7"], backend=internet)
    with pytest.raises(Unreachable, match=r"198\.18\.0\.0/15 to JOURNEY_FETCH_ALLOW"):
        fetch(door)
    with pytest.raises(InvalidRequest, match="JOURNEY_FETCH_ALLOW"):
        door.reachable_by_others("https://pictures.example/")
    with pytest.raises(Unreachable) as error:
        fetch(door, "http://198.18.0.7/")
    assert (UNREACHABLE, []) == (str(error.value), internet.dialled)


def test_listed_stand_ins_are_let_through_to_others_as_well() -> None:
    """With the stand-ins listed, pictures come in, and a hosted service may be given the address: what a name really
    leads to is known to the proxy alone. A number, a name inside and a listed private network stay ours."""
    with Listener(says(answer())) as server:
        names = Names(pictures=["198.18.0.7"], inside=["10.0.0.1"])
        door = Door(["198.18.0.0/15", "10.0.0.0/8"], resolver=names, backend=Internet({"198.18.0.7": server}))
        assert fetch(door)[1] == PNG
    door.reachable_by_others("https://pictures.example/a.png")
    for url in ("https://inside.example/", "https://198.18.0.7/", "https://10.0.0.1/"):
        with pytest.raises(InvalidRequest, match=NOT_FOR_OTHERS):
            door.reachable_by_others(url)
