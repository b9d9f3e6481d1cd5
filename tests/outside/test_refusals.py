"""Each reason why an address gives no picture has a sentence that says what to do."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime

import pytest

from journey.errors import FetchFailed
from journey.outside.door import BadStatus, CutShort, Door
from journey.outside.refusals import SAVE_AND_UPLOAD, in_words, of_page, of_status
from tests.outside.test_door import PNG, PUBLIC, Internet, answer, fetch, fetched_from, redirecting
from tests.outside.test_transport import Listener, says

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
EXPIRED = "http://cdn.discordapp.com/attachments/1/2/koi.png?ex=65004f1a&is=64fdda1a&hm=ab&"
"""Its time is 12 September 2023."""


def refused(url: str, status: int, **headers: str) -> BadStatus:
    """The error that an answer of this status ends with."""
    with Listener(says(answer(b"", f"{status} No", **headers))) as server, pytest.raises(BadStatus) as error:
        fetch(Door(resolver=lambda *_: [PUBLIC], backend=Internet({PUBLIC: server}), now=lambda: NOW), url)
    return error.value


@pytest.mark.parametrize("status", [403, 404])
def test_an_expired_link_says_when_it_ended(status: int) -> None:
    """A link that has ended by its own words says its date, and that it has to be copied again."""
    sentence = "This link expired on 12 September 2023: open the message again and copy it anew."
    error = refused(EXPIRED, status)
    assert (sentence, status) == (str(error), error.status)


def test_an_expired_link_is_known_behind_a_redirect() -> None:
    """The address that was given counts as well as the last one."""
    said = of_status(404, [EXPIRED, "http://other.example/"], retry_after=None, now=NOW)
    assert said.startswith("This link expired on 12 September 2023")


@pytest.mark.parametrize(
    ("url", "status", "sentence"),
    [
        ("http://a.s3.amazonaws.com/koi.png?X-Amz-Date=20240430T110000Z&X-Amz-Expires=3600", 403,
         "This link expired on 30 April 2024: open the page where you found it and copy it anew."),
        (EXPIRED, 429, "The server at this address is getting too many requests (429). Try again later."),
        (EXPIRED.replace("65004f1a", "75004f1a"), 404, "There is no file at this address (404)."),
        (EXPIRED.replace("cdn.discordapp.com", "pictures.example"), 404, "There is no file at this address (404)."),
        ("http://www.midjourney.com/jobs/1", 403, "This is a page of Midjourney, not a picture."),
        ("http://pictures.example/", 401, "The server asks for a sign-in before it gives this file (401). Open it in"),
        ("http://pictures.example/", 403, "The server refuses this file to programs such as this one (403). "
         + SAVE_AND_UPLOAD),
        ("http://pictures.example/", 410, "There is no file at this address (410)."),
        ("http://pictures.example/", 451, "The server may not give this file out, for legal reasons (451)."),
        ("http://pictures.example/", 418, "The server did not answer with a whole file (418)."),
        ("http://pictures.example/", 502, "The server at this address has a problem (502). Try again later."),
    ],
)  # fmt: skip
def test_each_status_says_what_to_do(url: str, status: int, sentence: str) -> None:
    """What is said depends on the status, on the time, and on whose address it is."""
    assert str(refused(url, status)).startswith(sentence)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", 0),
        ("999999999", 86_400),
        ("Wed, 01 May 2024 12:10:00 GMT", 600),
        ("Wed, 01 May 2024 11:00:00 GMT", 0),
        ("Fri, 01 May 2026 12:10:00 GMT", 86_400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("9" * 5_000, None),
        ("Wed, 99 May 99999 12:10:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_a_server_asks_for_is_kept(status: int, said: str, seconds: float | None) -> None:
    """Retry-After is believed up to a day, in seconds or as a date; whatever else it says counts as nothing."""
    assert seconds == refused("http://pictures.example/", status, retry_after=said).retry_after


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "later"),
        (0, "later"),
        (1, "in 1 second"),
        (0.5, "later"),
        (89.5, "in 90 seconds"),
        (91, "in 2 minutes"),
        (5_400, "in 90 minutes"),
        (5_401, "in 2 hours"),
        (86_400, "in 24 hours"),
    ],
)
def test_waits_are_put_into_words(seconds: float | None, words: str) -> None:
    """A wait is told in the largest unit that still says something, and never shorter than it is."""
    assert words == in_words(seconds)


def test_a_page_that_shares_a_picture_says_how_to_get_it() -> None:
    """A web page where a picture was expected is told by its service, by the address given or the last one."""
    page = answer(b"<!doctype html><title>koi", content_type="text/html")
    with Listener(says(page)) as server, pytest.raises(FetchFailed, match=r"page of Dropbox.*raw=1"):
        fetch(
            Door(resolver=lambda *_: [PUBLIC], backend=Internet({PUBLIC: server})), "http://www.dropbox.com/s/a/b?dl=0"
        )
    assert "Dropbox" in of_page(["https://short.example/", "https://www.dropbox.com/s/a/b?dl=0"])
    assert "right-click the picture" in of_page(["https://pictures.example/"])


CODED = [
    ("", PNG),
    ("none", PNG),
    ("binary", PNG),
    ("aws-chunked", PNG),
    ("utf-8", PNG),
    ("UTF-8, binary", PNG),
    ("identity", PNG),
    ("br", PNG),
    ("zstd", PNG),
    ("gzip", PNG),
    ("deflate", PNG),
    ("gzip", gzip.compress(PNG, mtime=0)),
    ("GZIP", gzip.compress(PNG, mtime=0)),
    ("x-gzip", gzip.compress(PNG, mtime=0)),
    ("", gzip.compress(PNG, mtime=0)),
    ("binary", gzip.compress(PNG, mtime=0)),
    ("gzip", gzip.compress(PNG[:100]) + gzip.compress(PNG[100:])),
    ("deflate", zlib.compress(PNG)),
    ("deflate", zlib.compress(PNG, wbits=-15)),
    ("gzip, gzip", gzip.compress(gzip.compress(PNG, mtime=0), mtime=0)),
]


@pytest.mark.parametrize(
    ("coding", "body"), CODED, ids=[f"{number} {coding}" for number, (coding, _) in enumerate(CODED)]
)
def test_the_bytes_decide_whether_a_body_is_packed(coding: str, body: bytes) -> None:
    """A picture is read whatever its server says of its coding, and whether or not it is packed unasked."""
    fetched, received = fetched_from(says(answer(body, content_encoding=coding, content_type="text/html")))
    assert (PNG, len(PNG)) == (received, fetched.size)


@pytest.mark.parametrize(
    "type_", ["text/html", "application/octet-stream", "application/json", "", "image/svg+xml", "x"]
)
@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFFabcdWEBPVP8 ", b"abcdftypavif"])
def test_the_bytes_decide_what_a_picture_is(start: bytes, type_: str) -> None:
    """Neither the type that a server states nor the ending of the name makes a picture into a page."""
    body = start + b"pixels" * 200
    with Listener(says(answer(body, content_type=type_))) as server:
        door = Door(resolver=lambda *_: [PUBLIC], backend=Internet({PUBLIC: server}))
        assert body == fetch(door, "http://pictures.example/koi.html")[1]


def test_what_a_proxy_has_passed_on_is_whole() -> None:
    """203 is 200 by way of a proxy."""
    assert PNG == fetched_from(says(answer(status="203 Non-Authoritative Information")))[1]


def test_what_is_packed_is_unpacked_within_the_limit() -> None:
    """A small body that unpacks to more than the limit is given up there."""
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(FetchFailed, match="larger than the limit"):
        fetched_from(says(answer(bomb)))


def test_damage_in_a_packed_body_may_pass() -> None:
    """A packed body that ends too early counts as cut short, so that a paid result is tried again."""
    with pytest.raises(CutShort):
        fetched_from(says(answer(gzip.compress(PNG, mtime=0)[:-9])))


def test_a_circle_of_redirects_says_so() -> None:
    """Redirects that lead back are told apart from those that only go on."""
    with pytest.raises(FetchFailed, match="in a circle"):
        fetched_from(redirecting({"/a.png": "/a.png"}))
