"""The door lets through what is public or listed, and refuses the rest with a sentence."""

from __future__ import annotations

import gzip
import io
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.errors import CannotStart, FetchFailed, InvalidRequest, JourneyError, Unreachable
from journey.outside.door import NOT_FOR_OTHERS, UNREACHABLE, AllowList, BadStatus, CutShort, Door, Fetched, Limits
from tests.harness.standing import Clock
from tests.outside.test_transport import Listener, read_request, says, secured, until_closed

PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "8.8.4.4"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"pixels" * 200


class Internet(httpcore.NetworkBackend):
    """A stand-in for the network: public addresses lead to listeners on loopback or nowhere, and never outside."""

    def __init__(self, servers: Mapping[str, Listener] | None = None) -> None:
        self.servers = dict(servers or {})
        self.dialled: list[tuple[str, int]] = []

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> httpcore.NetworkStream:
        self.dialled.append((host, port))
        if host not in self.servers:
            raise httpcore.ConnectError("nobody is there")
        return httpcore.SyncBackend().connect_tcp("127.0.0.2", self.servers[host].port, timeout, **options)


class Names:
    """A resolver that answers from a table and remembers what it was asked."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host.split(".", maxsplit=1)[0] not in self.answers:
            raise socket.gaierror("no such name")
        return self.answers[host.split(".", maxsplit=1)[0]]


def answer(body: bytes = PNG, status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP answer with the right Content-Length, unless a header says otherwise."""
    fields = {"content_length": str(len(body)), "content_type": "image/png"} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def fetch(door: Door, url: str = "http://pictures.example/a.png", max_bytes: int = 10_000) -> tuple[Fetched, bytes]:
    into = io.BytesIO()
    return door.get(url, max_bytes=max_bytes, into=into), into.getvalue()


def fetched_from(serve: Callable[[socket.socket], None], **options: Any) -> tuple[Fetched, bytes]:
    """Fetch from a public server that answers this way."""
    with Listener(serve) as server:
        return fetch(Door(resolver=Names(pictures=[PUBLIC]), backend=Internet({PUBLIC: server}), **options))


# What an address may look like

INTERNAL = """
    127.0.0.1 127.0.0.1. 127.255.255.255 localhost LOCALHOST x.localhost localhost. 0 0.0.0.0 127.1 2130706433
    0x7f000001 0X7F.1 0177.0.0.1 0177。0。0。1 010.8.8.8 0x7f.1 0x 017700000001 127.0.1 2852039166 169.254.169.254
    10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 168.63.129.16 198.18.0.1
    198.19.255.255 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.2.1 192.88.99.1 1.2.3.4.5
    256.256.256.256 127。0。0。1 [::1] [::] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [0:0:0:0:0:ffff:7f00:0001] [::FFFF:10.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe]
    [64:ff9b::10.0.0.1] [64:ff9b:1::1] [64:ff9b:1::808:808] [::8.8.8.8] [::ffff:169.254.169.254]
    [::ffff:0:8.8.8.8] 0x08080808
    [2002:7f00:1::] [2002:808:808::1] [2001:0:4136:e378:8000:63bf:3fff:fdd2] [fc00::1] [fd12::1] [fe80::1]
    [fec0::1] [ff02::1] [2001:db8::1] [100::1] １２７.0.0.1
""".split()  # noqa: SIM905 - one host a line would be a page long

PUBLIC_HOSTS = """
    8.8.8.8 1.1.1.1 [2606:4700:4700::1111] [2001:4860:4860::8888] 172.15.255.255 172.32.0.1 100.128.0.1
    pictures.example PICTURES.example pictures.example. xn--bcher-kva.example bücher.example my_bucket.example
    localhost.example 127.0.0.1.example 1e100.net i❤.ws xn--i-7iq.ws I❤.WS xn--a.example xn--zz.xn--zz faß.example
    ⓒⓞⓜ.example 例え。テスト ex%61mple.com b%C3%BCcher.example a-.example _dmarc.example r3---sn-4g5.example
    [64:ff9b::5db8:d822] [::ffff:8.8.8.8]
""".split()  # noqa: SIM905 - one host a line would be a page long


@pytest.mark.parametrize("host", INTERNAL)
def test_internal_hosts_are_blocked_before_anything_is_asked(host: str) -> None:
    """However it is spelt, an internal address is neither resolved nor connected to; the error is the one sentence."""
    names, internet = Names(), Internet()
    door = Door(resolver=names, backend=internet)
    with pytest.raises(InvalidRequest, match=UNREACHABLE):
        door.check(f"http://{host}/a.png")
    with pytest.raises(Unreachable, match=UNREACHABLE):
        fetch(door, f"http://{host}:8080/a.png")
    assert (names.asked, internet.dialled) == ([], [])


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
def test_public_hosts_are_let_through(host: str) -> None:
    """Public addresses and names pass, and the connection goes to exactly the address that was judged."""
    internet = Internet()
    door = Door(resolver=lambda *_: [PUBLIC], backend=internet)
    door.check(f"https://{host}/a.png")
    with pytest.raises(Unreachable):
        fetch(door, f"HTTP://{host}/a.png")
    assert [(host.strip("[]") if host[-1] in "]0123456789" else PUBLIC, 80)] == internet.dialled


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "must start with https://"),
        ("pictures.example/a.png", "must start with https://"),
        ("//pictures.example/a.png", "must start with https://"),
        ("https:/pictures.example", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("ftp://pictures.example/a.png", "must start with https://"),
        ("gopher://pictures.example/", "must start with https://"),
        ("data:image/png;base64,AAAA" + "A" * 3000, "must start with https://"),
        ("javascript:alert(1)", "must start with https://"),
        ("s3://bucket/a.png", "must start with https://"),
        ("http://user:pass@pictures.example/", "user name"),
        ("http://user@pictures.example/", "user name"),
        ("http://@pictures.example/", "user name"),
        ("http://pictures%00.example/", "host name"),
        ("http://a%2fb.example/", "host name"),
        ("http://[fe80::1%25eth0]/", "host name"),
        ("http://[fe80::1%eth0]/", "host name"),
        ("http://[::1", "host name"),
        ("http://[::g]/", "host name"),
        ("http://[1.2.3.4]/", "host name"),
        ("http://a..example/", "host name"),
        ("http://-a.example/", "host name"),
        ("http://" + "a" * 64 + ".example/", "host name"),
        ("http://" + "ü" * 64 + ".example/", "host name"),
        ("http://" + ".".join(["a" * 60] * 5) + "/", "host name"),
        ("http://a:b:80/", "host name"),
        ("http://", "no host name"),
        ("http:///a.png", "no host name"),
        ("http://?a", "no host name"),
        ("http://./", "no host name"),
        ("http://:80/", "no host name"),
        ("http://pictures.example:0/", "port that does not exist"),
        ("http://pictures.example:99999/", "port that does not exist"),
        ("http://pictures.example:65616/", "port that does not exist"),
        ("http://pictures.example:٨٠/", "host name"),
        ("http://pictures.example:-1/", "host name"),
        ("http://pictures.example:22/", "port is not allowed"),
        ("http://pictures.example:6379/", "port is not allowed"),
        ("http://pictures.example/" + "a" * 8192, "longer than 8,192"),
        ("http://pictures.example/" + "ü" * 2000, "longer than 8,192"),
    ],
)
def test_malformed_addresses_are_rejected_with_a_reason(url: str, sentence: str) -> None:
    """A malformed address is refused with a sentence that says what is wrong, before any name is resolved."""
    names, internet = Names(), Internet()
    door = Door(resolver=names, backend=internet)
    for use in (door.check, door.reachable_by_others, lambda url: fetch(door, url)):
        with pytest.raises(InvalidRequest, match=sentence):
            use(url)
    assert (names.asked, internet.dialled) == ([], [])


@pytest.mark.parametrize("port", [80, 443, 8080, 8443])
def test_web_ports_pass(port: int) -> None:
    """The four usual ports of the web are allowed under both schemes."""
    Door().check(f"http://pictures.example:{port}/")
    Door().check(f"https://pictures.example:{port}/", https_only=True)


def test_https_can_be_required() -> None:
    """Where HTTPS is required, plain HTTP is rejected with that reason."""
    with pytest.raises(InvalidRequest, match="must start with https://"):
        Door().check("http://pictures.example/", https_only=True)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.from_regex(r"(?i)https?://[^/]{0,30}(:[0-9]{0,6})?/?.*")))
def test_no_text_breaks_the_door(text: str) -> None:
    """Any text at all ends in an error of this package, and only the usual ports are dialled."""
    internet = Internet()
    with pytest.raises(JourneyError):
        fetch(Door(resolver=lambda *_: [PUBLIC], backend=internet), text)
    assert all(port in (80, 443, 8080, 8443) for _, port in internet.dialled)


# What a name may resolve to


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.3"],
        [PUBLIC, "127.0.0.3"],
        ["127.0.0.3", PUBLIC],
        [PUBLIC] * 199 + ["10.0.0.1"],
        ["::ffff:127.0.0.3"],
        ["fe80::1%1"],
        ["2606:4700::1%eth0"],
        ["rubbish"],
    ],
    ids=["none", "internal", "mixed", "mixed, internal first", "200", "mapped", "link-local", "zone", "rubbish"],
)
def test_names_leading_inside_are_blocked(addresses: Sequence[str]) -> None:
    """A name without an address, or with any that is internal or unusable, is blocked; nothing is connected to."""
    names, internet = Names(pictures=addresses), Internet()
    with pytest.raises(Unreachable, match=UNREACHABLE):
        fetch(Door(resolver=names, backend=internet))
    assert (names.asked, internet.dialled) == (["pictures.example"], [])


def test_few_of_many_addresses_are_tried() -> None:
    """A name with 200 addresses costs no more than four attempts."""
    internet = Internet()
    with pytest.raises(Unreachable):
        fetch(Door(resolver=lambda *_: [f"8.8.8.{n}" for n in range(200)], backend=internet))
    assert [(f"8.8.8.{n}", 80) for n in range(4)] == internet.dialled


def test_rebinding_gains_nothing() -> None:
    """A name is resolved once per hop, so the second, internal answer of a rebinding server is never used."""
    with Listener(says(answer())) as server, Listener(until_closed, "127.0.0.3") as internal:
        answers = iter([[PUBLIC], ["127.0.0.3"], ["127.0.0.3"]])
        internet = Internet({PUBLIC: server, "127.0.0.3": internal})
        fetch(Door(resolver=lambda *_: next(answers), backend=internet))
    assert (internet.dialled, internal.connections) == ([(PUBLIC, 80)], 0)


def test_a_hanging_resolver_is_not_waited_for() -> None:
    """A resolver that hangs ends in the one sentence after its limit."""
    release = threading.Event()
    door = Door(resolver=lambda *_: [PUBLIC][release.wait(10) :], limits=Limits(resolve=0.1))
    started = time.monotonic()
    try:
        with pytest.raises(Unreachable, match=UNREACHABLE):
            fetch(door)
    finally:
        release.set()
    assert time.monotonic() - started < 2


def test_blocked_unresolvable_and_silent_sound_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """A blocked address, a missing name and a closed port sound alike; the log tells them apart, without secrets."""
    caplog.set_level(logging.INFO, logger="journey")
    door = Door(resolver=Names(inside=["10.0.0.1"], closed=[PUBLIC]), backend=Internet())
    heard = set()
    for url in ("http://10.0.0.1/", "http://inside.example/", "http://missing.example/", "http://closed.example/"):
        with pytest.raises(Unreachable) as error:
            fetch(door, url + "?token=secret")
        heard.add(str(error.value))
    assert {UNREACHABLE} == heard
    assert "10.0.0.1" in caplog.text
    assert "secret" not in caplog.text


# The allow list


def test_an_allowed_name_is_exempt() -> None:
    """A listed host may be internal, on an unusual port, and webhooks reach it over plain HTTP."""
    with Listener(says(answer())) as server:
        door = Door([f"intranet.example:{server.port}"], resolver=Names(intranet=["127.0.0.2"]))
        url = f"http://intranet.example:{server.port}/a.png"
        door.check(url, https_only=True)
        assert fetch(door, url)[1] == PNG
        assert door.post_json(url, {}, {}) == 200


def test_an_allowed_port_is_no_other_port() -> None:
    """An entry with a port exempts that port only."""
    door = Door(["127.0.0.2:9000"])
    door.check("http://127.0.0.2:9000/")
    for url in ("http://127.0.0.2:9001/", "http://127.0.0.3:9000/", "http://127.0.0.2/"):
        with pytest.raises(InvalidRequest):
            door.check(url)


def test_an_allowed_network_covers_names_inside_it() -> None:
    """A name that leads into a listed network is exempt as its address would be; one that leads elsewhere is not."""
    with Listener(says(answer())) as server, Listener(until_closed, "127.0.0.3") as internal:
        names = Names(here=["127.0.0.2"], there=["127.0.0.3"], both=["127.0.0.2", "127.0.0.3"], out=[PUBLIC])
        door = Door(["127.0.0.2/32"], resolver=names)
        assert fetch(door, f"http://here.example:{server.port}/")[1] == PNG
        for name in ("there", "both"):
            with pytest.raises(Unreachable):
                fetch(door, f"http://{name}.example:{internal.port}/")
        with pytest.raises(Unreachable):
            fetch(door, "http://out.example:9000/")
    assert internal.connections == 0


def test_entries_are_read_in_all_their_forms() -> None:
    """Hosts, addresses and networks, each with or without a port, are understood; letter case does not count."""
    allow = AllowList.parse(["Intranet.Example", "a.example:90", "10.0.0.0/8", "127.0.0.1:91", "::1", "[fd00::1]:92"])
    assert {("intranet.example", None), ("a.example", 90)} == allow.names
    assert [(str(network), port) for network, port in allow.networks] == [
        ("10.0.0.0/8", None),
        ("127.0.0.1/32", 91),
        ("::1/128", None),
        ("fd00::1/128", 92),
    ]


@pytest.mark.parametrize(
    "entry", ["", "a b", "http://a.example", "10.0.0.0/99", "a.example:x", "a.example:", "[::1", "127.1"]
)
def test_a_wrong_entry_stops_the_start(entry: str) -> None:
    """A mistake in the allow list stops the start and is named, instead of silently allowing or blocking something."""
    with pytest.raises(CannotStart, match="JOURNEY_FETCH_ALLOW"):
        Door([entry])


def test_others_do_not_share_our_allow_list() -> None:
    """What works here only thanks to the allow list is refused when a service on the internet has to reach it."""
    names = Names(intranet=["10.0.0.1"], pictures=[PUBLIC])
    door = Door(["intranet.example", "127.0.0.0/8"], resolver=names)
    door.check("http://intranet.example:9000/")
    for url in ("http://intranet.example/", "http://127.0.0.1/", "http://localhost/", "http://missing.example/"):
        with pytest.raises(InvalidRequest, match=NOT_FOR_OTHERS):
            door.reachable_by_others(url)
    door.reachable_by_others("https://pictures.example/", https_only=True)


# What a server may answer


def test_a_picture_is_fetched() -> None:
    """The bytes come back, with their number, their address and the type that the server gives them."""
    fetched, body = fetched_from(says(answer(content_type="Image/PNG; charset=x")))
    assert body == PNG
    assert Fetched("http://pictures.example/a.png", "image/png", len(PNG)) == fetched


def test_the_request_gives_nothing_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The request names the host as it was given, asks for no compression and carries no credentials of ours."""
    (tmp_path / ".netrc").write_text("machine pictures.example login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    heard = []

    def serve(connection: socket.socket) -> None:
        heard.append(read_request(connection).decode().lower())
        connection.sendall(answer())

    fetched_from(serve)
    head = heard[0]
    assert head.startswith("get /a.png http/1.1\r\n")
    assert "host: pictures.example\r\n" in head
    assert "accept-encoding: identity\r\n" in head
    assert not {"cookie", "authorization", "referer"} & {line.split(":")[0] for line in head.split("\r\n")}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (answer(b"<!DOCTYPE html><html>", content_type="text/html"), "web page"),
        (answer(b"\xef\xbb\xbf\n <HTML lang=en>" + b" " * 900, content_type="image/png"), "web page"),
        (answer(b"hello", content_type="text/html; charset=utf-8"), "web page"),
        (answer(b""), "empty"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "empty"),
        (answer(PNG * 20), "larger than the limit of 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + PNG * 20, "larger than the limit"),
        (answer(content_length="99999999999999999999"), "larger than the limit"),
        (answer(content_length=str(len(PNG) + 1)), "before the file was complete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nx", "before the file was complete"),
        (answer(b"\x0b\x02\x80pixels", content_encoding="br"), r"compressed \(br\).*save the picture, and upload"),
        (answer(b"\x28\xb5\x2f\xfd\x00", content_encoding="zstd"), r"compressed \(zstd\)"),
        (answer(gzip.compress(PNG)[:-20], content_encoding="gzip"), "damaged"),
        (answer(gzip.compress(b"x" * 10_001)), "larger than the limit of 10000 bytes"),
        (answer(transfer_encoding="gzip"), "like a web server"),
        (answer(content_length="-1"), "like a web server"),
        (b"SSH-2.0-OpenSSH\r\n", "like a web server"),
        (answer(status="206 Partial Content"), "206"),
        (answer(b"", status="204 No Content"), "204"),
        (answer(status="304 Not Modified"), "304"),
        (answer(status="401 No"), r"asks for a sign-in .*\(401\).*upload the file"),
        (answer(status="403 No"), r"to programs .*\(403\).*save the picture, and upload the file"),
        (answer(status="404 No"), r"no file at this address \(404\)"),
        (answer(status="410 No"), r"no file at this address \(410\)"),
        (answer(status="429 No"), r"too many requests \(429\). Try again later"),
        (answer(status="429 No", retry_after="90"), "Try again in 90 seconds"),
        (answer(status="503 No", retry_after="91"), r"busy \(503\). Try again in 2 minutes"),
        (answer(status="451 No"), "legal reasons"),
        (answer(status="500 No"), "has a problem"),
        (answer(status="302 Found"), "redirects to one that cannot be used"),
        (answer(status="302 Found", location=""), "redirects"),
        (answer(status="302 Found", location="file:///etc/passwd"), "redirects to one that cannot be used"),
        (answer(status="302 Found", location="http://[::1"), "redirects to one that cannot be used"),
        (answer(status="302 Found", location="http://a.example\r\nLocation: http://b.example"), "redirects to one"),
        (answer(status="302 Found", location="http://u:p@a.example/"), "redirects to one that cannot be used"),
        (answer(status="302 Found", location="http://a.example:22/"), "redirects to one that cannot be used"),
    ],
)
def test_a_public_server_is_told_apart(said: bytes, sentence: str) -> None:
    """Each way in which a public server's answer is not a picture has a sentence of its own."""
    with pytest.raises(FetchFailed, match=sentence) as error:
        fetched_from(says(said))
    assert not isinstance(error.value, Unreachable)


def test_the_status_can_be_read() -> None:
    """A refusal carries its status, so that a caller can tell that a result address has expired."""
    with pytest.raises(BadStatus) as error:
        fetched_from(says(answer(status="403 Forbidden")))
    assert error.value.status == 403


def test_bytes_decide_what_a_picture_is() -> None:
    """A picture that its server calls a web page is still a picture."""
    assert fetched_from(says(answer(content_type="text/html")))[1] == PNG


def test_more_than_declared_is_not_read() -> None:
    """Bytes beyond the declared length are not read."""
    assert PNG[:50] == fetched_from(says(answer(content_length="50")))[1]


def test_an_endless_body_is_cut_at_the_budget() -> None:
    """An endless body is read up to the byte limit and not much further."""
    sent = 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n\x89PNG")
        for _ in range(2000):
            connection.sendall(b"x" * 65536)
            sent += 65536

    with pytest.raises(FetchFailed, match="larger than the limit"):
        fetched_from(serve)
    assert sent < 2000 * 65536


def test_a_dripping_body_ends_at_the_deadline() -> None:
    """A server that sends one byte a second is given up once the time for the whole fetch is over."""
    clock = Clock()
    begun = threading.Event()

    class Body(io.BytesIO):
        def write(self, data: Any) -> int:
            begun.set()
            return super().write(data)

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        begun.wait(30)  # otherwise the headers would be late, which is another error
        for _ in range(70):
            clock.now += 1
            connection.sendall(b"x")
        until_closed(connection)

    with Listener(serve) as server:
        door = Door(resolver=Names(pictures=[PUBLIC]), backend=Internet({PUBLIC: server}), clock=clock)
        with pytest.raises(CutShort, match="too slowly"):
            door.get("http://pictures.example/a.png", max_bytes=1000, into=Body())
    assert clock.now >= 1060


def test_silence_in_the_body_is_given_up() -> None:
    """A server that falls silent in the middle of a body is given up after the limit for silence."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\x89PNG")
        until_closed(connection)

    with pytest.raises(CutShort, match="too slowly"):
        fetched_from(serve, limits=Limits(silence=0.1))


@pytest.mark.parametrize("serve", [until_closed, lambda connection: None], ids=["silent", "closed"])
def test_no_answer_at_all_is_an_error_of_ours(serve: Callable[[socket.socket], None]) -> None:
    """A server that accepts and then says nothing ends in an error, never in an exception of the network library."""
    with pytest.raises(FetchFailed):
        fetched_from(serve, limits=Limits(silence=0.1))


def test_a_full_disk_is_not_the_servers_fault() -> None:
    """An error raised while writing reaches the caller as it is."""

    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    with Listener(says(answer())) as server, pytest.raises(OSError, match="No space left"):
        Door(resolver=Names(pictures=[PUBLIC]), backend=Internet({PUBLIC: server})).get(
            "http://pictures.example/", max_bytes=10_000, into=Full()
        )


# Redirects


def redirecting(places: Mapping[str, str]) -> Callable[[socket.socket], None]:
    """A server that redirects some paths and answers all others with a picture."""

    def serve(connection: socket.socket) -> None:
        path = read_request(connection).split(b" ")[1].decode()
        if path in places:
            connection.sendall(answer(b"", "302 Found", location=places[path], set_cookie="a=b"))
        else:
            connection.sendall(answer())

    return serve


def test_redirects_are_followed() -> None:
    """Redirects, relative ones among them, lead to the picture and to its final address."""
    names = Names(pictures=[PUBLIC], other=[OTHER_PUBLIC])
    with Listener(redirecting({"/a.png": "b", "/b": "//other.example/c?x", "/c?x": "/d"})) as server:
        internet = Internet({PUBLIC: server, OTHER_PUBLIC: server})
        fetched, body = fetch(Door(resolver=names, backend=internet))
    assert (fetched.url, body) == ("http://other.example/d", PNG)
    assert names.asked == ["pictures.example"] * 2 + ["other.example"] * 2


def test_redirect_loops_end() -> None:
    """A loop ends after five redirects with a sentence of its own; so does a chain that only goes on."""
    with pytest.raises(FetchFailed, match="in a circle"):
        fetched_from(redirecting({"/a.png": "/b", "/b": "/a.png"}))
    chain = {"/a.png": "/1"} | {f"/{place}": f"/{place + 1}" for place in range(1, 6)}
    with pytest.raises(FetchFailed, match="more than 5 times"):
        fetched_from(redirecting(chain))
    del chain["/5"]
    assert fetched_from(redirecting(chain))[0].url == "http://pictures.example/5"


@pytest.mark.parametrize("place", ["http://127.0.0.3:8080/", "http://inside.example/", "http://2130706435/"])
def test_redirects_inside_are_blocked(place: str) -> None:
    """A public server cannot send us to an internal one: not by address, name or odd spelling."""
    with Listener(until_closed, "127.0.0.3") as internal, Listener(redirecting({"/a.png": place})) as server:
        internet = Internet({PUBLIC: server, "127.0.0.3": internal})
        with pytest.raises(FetchFailed):
            fetch(Door(resolver=Names(pictures=[PUBLIC], inside=["127.0.0.3"]), backend=internet))
    assert (internet.dialled, internal.connections) == ([(PUBLIC, 80)], 0)


def test_cookies_do_not_travel() -> None:
    """A cookie that one hop sets is not sent to the next."""
    heard = []

    def serve(connection: socket.socket) -> None:
        heard.append(read_request(connection).lower())
        connection.sendall(answer(b"", "302 Found", location="/b", set_cookie="a=b") if len(heard) == 1 else answer())

    fetched_from(serve)
    assert [b"cookie" in head for head in heard] == [False, False]


def test_https_is_not_given_up(certificate: Path) -> None:
    """A redirect from https to http is refused."""
    trusting = ssl.create_default_context(cafile=certificate)
    with Listener(secured(certificate, redirecting({"/a.png": "http://pictures.example/b"}))) as server:
        internet = Internet({PUBLIC: server})
        door = Door(resolver=Names(pictures=[PUBLIC]), backend=internet, ssl_context=trusting)
        assert fetch(door, "https://pictures.example/b.png")[1] == PNG
        with pytest.raises(FetchFailed, match="redirects to one that cannot be used"):
            fetch(door, "https://pictures.example/a.png")
    assert {443} == {port for _, port in internet.dialled}


def test_bad_certificates_are_named(certificate: Path) -> None:
    """A self-signed certificate and one for another host are named as such, and nothing is fetched without TLS."""
    trusting = ssl.create_default_context(cafile=certificate)
    names = Names(pictures=[PUBLIC], other=[PUBLIC])
    with Listener(secured(certificate, says(answer()))) as server:
        internet = Internet({PUBLIC: server})
        with pytest.raises(FetchFailed, match="self-signed"):
            fetch(Door(resolver=names, backend=internet), "https://pictures.example/")
        with pytest.raises(FetchFailed, match="another name"):
            fetch(Door(resolver=names, backend=internet, ssl_context=trusting), "https://other.example/")
    assert {443} == {port for _, port in internet.dialled}


# Webhooks


def test_webhooks_are_delivered(certificate: Path) -> None:
    """The payload arrives as JSON with the caller's headers, over TLS with the name of the receiver."""
    heard = []

    def serve(connection: socket.socket) -> None:
        data = read_request(connection)
        while not data.endswith(b"}"):
            data += connection.recv(4096)
        heard.append(data)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Listener(secured(certificate, serve)) as server:
        door = Door(
            resolver=Names(pictures=[PUBLIC]),
            backend=Internet({PUBLIC: server}),
            ssl_context=ssl.create_default_context(cafile=certificate),
        )
        status = door.post_json("https://pictures.example/hook", {"task_id": "1"}, {"x-webhook-secret": "s"})
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert (status, json.loads(body)) == (204, {"task_id": "1"})
    assert b"x-webhook-secret: s" in head


@pytest.mark.parametrize(
    "said",
    [
        answer(status="302 Found", location="http://127.0.0.3/"),
        answer(status="500 No"),
        b"HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nx",
        b"HTTP/1.1 500 No\r\n\r\n" + b"x" * 100_000,
    ],
    ids=["redirect", "error", "cut short", "long"],
)
def test_any_status_is_an_answer(said: bytes) -> None:
    """A webhook's answer is its status alone: redirects are not followed, and its body is not needed."""
    with Listener(says(said)) as server:
        door = Door(["127.0.0.2"])
        assert int(said.split(b" ")[1]) == door.post_json(server.url, {}, {})
    assert server.connections == 1


def test_a_hanging_receiver_is_given_up() -> None:
    """A receiver that never answers is given up after the timeout."""
    with Listener(until_closed) as server, pytest.raises(Unreachable):
        Door(["127.0.0.2"]).post_json(server.url, {}, {}, timeout=0.1)


@pytest.mark.parametrize("url", ["http://pictures.example/", "https://127.0.0.3/", "https://inside.example/"])
def test_webhooks_stay_outside(url: str) -> None:
    """Webhooks need HTTPS and a public receiver."""
    internet = Internet()
    door = Door(resolver=Names(inside=["10.0.0.1"], pictures=[PUBLIC]), backend=internet)
    with pytest.raises((InvalidRequest, Unreachable)):
        door.post_json(url, {}, {})
    assert internet.dialled == []


@pytest.mark.parametrize("value", ["a\r\nX: 1", "schlüssel\u20ac", "\x00"])
def test_unsendable_headers_are_the_callers_mistake(value: str) -> None:
    """A secret that cannot be a header value is refused with a sentence."""
    with Listener(says(answer())) as server, pytest.raises(InvalidRequest, match="cannot be sent"):
        Door(["127.0.0.2"]).post_json(server.url, {}, {"x-webhook-secret": value})
