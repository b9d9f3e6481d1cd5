"""Thousands of odd addresses, names, redirects, headers and bodies at the door: only errors of ours come out of it."""

from __future__ import annotations

import gzip
import io
import ipaddress
import logging
import random
import socket
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest

from journey.errors import JourneyError
from journey.outside.door import Door, Limits
from journey.outside.pasted import cleaned
from tests.outside.test_door import INTERNAL, OTHER_PUBLIC, PNG, PUBLIC, PUBLIC_HOSTS, Internet, Names
from tests.outside.test_transport import Listener, read_request

ALPHABET = "ab0.-_~%/\\?#@:;,[]()<>'\"` \t\n\x00\x7füß日🐱\u200b\u200d\u202e\ud800\uffff。／：%2F%00xn--"
HOSTS = [
    *INTERNAL, *PUBLIC_HOSTS, "", ".", "..", "a..b", "-", "-a", "_", "xn--", "xn--a", "xn--i-7iq.ws", "xn--\u00fc",
    "i❤.ws", "a" * 63, "a" * 64, ("a" * 62 + ".") * 4, "ü" * 80, "[", "[]", "[::1", "[::1]]", "[v1.a]",
    "[::1%25lo]", "a b", "a:b", "a@b", "１２７.1", "①.example", "\u0661.example", "a\u0301\u200d.example",
    "\U000e0061.example", "²", "0x", "08.8.8.8", "1.2.3",
]  # fmt: skip
PORTS = [
    "",
    ":",
    ":80",
    ":443",
    ":8080",
    ":0",
    ":22",
    ":65536",
    ":00080",
    ":-1",
    ":٨٠",
    ":" + "9" * 5_000,
    ":a",
    ":80:80",
]
SCHEMES = [
    "http://",
    "https://",
    "HTTP://",
    "http:/",
    "http:",
    "http:\\\\",
    "//",
    "",
    "ftp://",
    "javascript:",
    "data:",
    "\u200bhttp://",
]
FOUND: list[Sequence[str]] = [
    [PUBLIC], [PUBLIC], [PUBLIC], [PUBLIC, OTHER_PUBLIC], ["2606:4700::1", PUBLIC], ["64:ff9b::5db8:d822", PUBLIC],
    [], ["127.0.0.3"], [PUBLIC, "10.0.0.1"], ["::1"], ["64:ff9b::7f00:3"], ["198.18.0.1"], ["rubbish"],
    ["fe80::1%lo"], [""], ["\ud800"],
]  # fmt: skip
STATUS = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.1 301 Moved",
    b"HTTP/1.1 308 X", b"HTTP/1.1 404 No", b"HTTP/1.1 403 No", b"HTTP/1.1 429 No", b"HTTP/1.1 503 No",
    b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 X", b"HTTP/1.0 200", b"HTTP/1.1 999 \xff\xfe", b"HTTP/1.1 0 X",
    b"HTTP/9.9 200 OK", b"ICY 200 OK", b"", b"\x16\x03\x01\x02", b"HTTP/1.1 200",
]  # fmt: skip
VALUES = [
    b"", b"0", b"-1", b"1, 2", b"5", b"1500", b"99999999999999999999", b"9" * 5_000, b"gzip", b"x-gzip, deflate",
    b"br", b"zstd", b"none", b"aws-chunked", b"chunked", b"identity", b"text/html", b"image/png; x=\xff",
    b"\xff\xfe", b"\x01", b"a\tb", b"120", b"nan", b"Wed, 99 Foo 99999 99:99:99 GMT",
    b"Wed, 21 Oct 2015 07:28:00 GMT", b"\xe2\x80\x8b", b"x" * 5_000,
]  # fmt: skip
NAMES = [
    b"Content-Length", b"Content-Encoding", b"Content-Type", b"Transfer-Encoding", b"Retry-After", b"Location",
    b"Set-Cookie", b"Date", b"Content-Disposition", b"Connection", b"Upgrade", b"X-\xff", b"", b" Bad", b"Bad Name",
]  # fmt: skip
PACKED = gzip.compress(PNG)
BODIES = [
    PNG, PNG, b"", b"\x00", PACKED, PACKED[:40], PACKED + b"rest", PACKED * 3, zlib.compress(PNG),
    zlib.compress(PNG)[2:-4], b"\x1f\x8b\x08", b"\x1f\x8b\x08\xff" + b"\xff" * 99, gzip.compress(bytes(300_000)),
    b"<!doctype html>", b"<?xml ?>", b"\xff\xd8\xff" + b"x" * 3_000, b"5\r\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nx", b"x\r\n", b"x" * 40_000,
]  # fmt: skip


class Odd:
    """Makes odd things, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self, longest: int = 40) -> str:
        return "".join(self._random.choices(ALPHABET, k=self._random.randrange(longest)))

    def address(self) -> str:
        pick = self._random.choice
        if self._random.random() < 0.6:
            return f"http://pictures.example/{self.text()}"
        if self._random.random() < 0.1:
            return self.text()
        host = pick(HOSTS) if self._random.random() < 0.7 else self.text(12)
        path = pick(
            ["", "/", "/a.png", "/" + self.text(), "?" + self.text(), "#", "/" + "a" * pick([100, 8_180, 9_000])]
        )
        url = (
            pick(SCHEMES[:2] if self._random.random() < 0.8 else SCHEMES)
            + host
            + pick(PORTS if self._random.random() < 0.3 else [""])
            + path
        )
        return pick(["{}", "{}", "{}", "<{}>", "[a]({})", '"{}",', "{}\u200b", " {}\n", '<img src="{}">']).replace(
            "{}", url
        )

    def found(self) -> Sequence[str]:
        return [PUBLIC] if self._random.random() < 0.6 else self._random.choice(FOUND)

    def answer(self) -> bytes:
        pick = self._random.choice
        body = pick(BODIES) if self._random.random() < 0.9 else self._random.randbytes(200)
        status, headers = pick(STATUS), []
        if self._random.random() < 0.5:
            headers.append((b"Content-Length", str(len(body)).encode()))
        if b" 30" in status and self._random.random() < 0.9:
            headers.append((b"Location", self._location()))
        headers += [(pick(NAMES), pick(VALUES)) for _ in range(self._random.randrange(3))]
        end = pick([b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\r\n", b""])
        return status + b"".join(b"\r\n" + name + b": " + value for name, value in headers) + end + body

    def _location(self) -> bytes:
        place = self._random.choice(
            [self.address(), self.text(), "/b c", "?q", "//pictures.example/ü", "http://pictures.example/"]
        )
        place = place.replace("\r", "").replace("\n", "")
        return (
            place.encode(self._random.choice(["utf-8", "latin-1", "utf-16-le"]), "replace")
            .replace(b"\n", b"")
            .replace(b"\r", b"")
        )


def leads_inside(host: str) -> bool:
    """By the rules of the standard library, which are not those of the door."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address in ipaddress.ip_network("64:ff9b::/96"):
            address = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
        elif address.ipv4_mapped:
            address = address.ipv4_mapped
    return not address.is_global


def throw(times: int, seed: int, caplog: pytest.LogCaptureFixture) -> Counter[str]:
    """Throw that many odd things at the door; returns how often each end was reached."""
    caplog.set_level(logging.DEBUG, logger="journey")
    odd, ends, sentences = Odd(seed), Counter[str](), set[str]()
    answers: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) != b"\x16":  # a greeting of TLS, which is no request
            read_request(connection)
        connection.sendall(answers.pop() if answers else b"")

    class Changing(Names):
        def __call__(self, host: str, port: int) -> Sequence[str]:
            host.encode("idna")  # what systems do with a name, and where some of them fail
            return found

    with Listener(serve) as server, Listener(serve, "127.0.0.3") as internal:
        internet = Internet({PUBLIC: server, OTHER_PUBLIC: server, "127.0.0.3": internal})
        door = Door(resolver=Changing(), backend=internet, limits=Limits(silence=5, connect=5))
        for number in range(times):
            answers[:], found, url = [odd.answer() for _ in range(4)], odd.found(), odd.address()
            url = cleaned(url) if number % 2 else url
            try:
                door.get(url, max_bytes=100_000, into=io.BytesIO())
                ends["fetched"] += 1
            except JourneyError as error:
                ends[type(error).__name__] += 1
                sentences.add(str(error))
            for judge in (door.check, door.reachable_by_others):
                with suppress(JourneyError):
                    judge(url)
            if number % 10 == 0:
                with suppress(JourneyError):
                    door.post_json(url, {}, {"x-webhook-secret": odd.text()})
    assert [] == [sentence for sentence in sentences if len(sentence) > 400 or not sentence.isprintable()]
    assert [] == [host for host, _ in internet.dialled if leads_inside(host)]
    assert internal.connections == 0
    assert [] == [record for record in caplog.records if record.exc_info or record.levelno > logging.INFO]
    return ends


def test_only_errors_of_ours_leave_the_door(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is typed, resolved, redirected to and answered, a picture or an error of ours comes out; nothing inside
    is connected to, and the log has neither a trace nor a warning."""
    ends = throw(2_000, 14, caplog)
    assert {"fetched", "InvalidRequest", "Unreachable", "FetchFailed", "BadStatus", "CutShort"} == set(ends)


@pytest.mark.torture
def test_only_errors_of_ours_leave_the_door_for_long(caplog: pytest.LogCaptureFixture) -> None:
    """The same, ten times as long and with other odd things."""
    assert 20_000 == throw(20_000, 1_414, caplog).total()
