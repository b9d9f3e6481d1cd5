"""Answers in every coding and shape, from the API and from what stands in front of it: a task, or one of our errors."""

from __future__ import annotations

import gzip
import json
import logging
import random
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from journey import (
    Ambiguous,
    AuthenticationFailed,
    GatewayRefused,
    InsufficientCredits,
    JourneyClient,
    JourneyError,
    ServerError,
    Task,
    TaskStatus,
    WrongAddress,
)
from journey.outside.addresses import URL_LIMIT
from journey.testing import SINGLE_ID, Reply, StandIn

KEY = "test-key-0123456789"
PICTURE = "https://pictures.example/a.png"
CLOUDFLARE = Reply(
    403,
    "\n<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body>You have no credits with us. Sorry, you have been blocked</body></html>",
    {"Content-Type": "text/html; charset=UTF-8", "Server": "cloudflare", "CF-RAY": "1"},
)
NGINX = Reply(403, "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>nginx</body></html>")
S3 = Reply(403, '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', {"Content-Type": "application/xml"})
PLAIN = Reply(403, "error code: 1020", {"Content-Type": "text/plain"})


def ask(reply: Reply) -> JourneyClient:
    """A client whose every call is answered with this."""
    body = reply.body if isinstance(reply.body, bytes) else str(reply.body).encode()
    transport = httpx.MockTransport(lambda _: httpx.Response(reply.status, headers=dict(reply.headers), content=body))
    return JourneyClient(KEY, transport=transport, attempts=1)


# Codings


def without_header(data: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflating.compress(data) + deflating.flush()


CODINGS: dict[str, tuple[dict[str, str], Callable[[bytes], bytes]]] = {
    "gzip": ({"Content-Encoding": "gzip"}, gzip.compress),
    "x-gzip": ({"Content-Encoding": "x-gzip"}, gzip.compress),
    "gzip in members": (
        {"Content-Encoding": "GZIP"},
        lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    ),
    "deflate": ({"Content-Encoding": "deflate"}, zlib.compress),
    "deflate without a header": ({"Content-Encoding": "deflate"}, without_header),
    "gzip unasked and unsaid": ({}, gzip.compress),
    "empty": ({"Content-Encoding": ""}, bytes),
    "none": ({"Content-Encoding": "none"}, bytes),
    "identity": ({"Content-Encoding": "identity"}, bytes),
    "utf-8": ({"Content-Encoding": "UTF-8"}, bytes),
    "gzip that is none": ({"Content-Encoding": "gzip"}, bytes),
    "deflate that is none": ({"Content-Encoding": "deflate"}, bytes),
    "a mark in front": ({}, lambda data: b"\xef\xbb\xbf" + data),
    "UTF-16": ({}, lambda data: data.decode().encode("utf-16")),
}


@pytest.mark.parametrize(("headers", "coding"), CODINGS.values(), ids=CODINGS)
def test_an_answer_is_read_in_every_usual_coding(headers: dict[str, str], coding: Callable[[bytes], bytes]) -> None:
    """The bytes decide what an answer says, for a paid call and for a question, over a real connection."""
    task = json.dumps({"task_id": SINGLE_ID, "status": "finished", "image_url": PICTURE}).encode()
    with StandIn() as api, JourneyClient(api.key, api.url, attempts=1) as client:
        api.always("upscale-2x-4x", Reply(200, coding(task), headers, accepted=True))
        api.always("fetch", Reply(200, coding(task), headers))
        assert SINGLE_ID == client.upscale(image_url=PICTURE, type="2x")
        assert PICTURE == client.fetch(SINGLE_ID).image_url


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "with a mark"])
def test_the_words_of_a_refusal_are_read_in_any_coding(mark: bytes) -> None:
    """What a refusal says is found behind a byte order mark and in a compressed body."""
    said = mark + '{"error": {"message": "Not enough credits, Zoë"}}'.encode()
    for headers, body in (({}, said), ({"Content-Encoding": "gzip"}, gzip.compress(said))):
        with pytest.raises(InsufficientCredits, match="Zoë"):
            ask(Reply(400, body, headers)).upscale(image_url=PICTURE, type="2x")


def test_one_odd_byte_does_not_hide_a_task() -> None:
    """A letter in another encoding, somewhere in an answer, leaves the rest of it readable."""
    body = b'{"task_id": "85h8-1", "note": "Gr\xfc\xdfe"}'
    assert "85h8-1" == ask(Reply(200, body)).upscale(image_url=PICTURE, type="2x")


# Who says no


@pytest.mark.parametrize("reply", [CLOUDFLARE, NGINX, S3, PLAIN], ids=["Cloudflare", "nginx", "S3", "plain"])
def test_a_gateway_is_told_from_the_api(reply: Reply) -> None:
    """When what stands in front of the API refuses a call, nobody is sent to look for a fault in key or purse."""
    client = ask(reply)
    for call in (client.account, lambda: client.fetch("a"), lambda: client.upscale(image_url=PICTURE, type="2x")):
        with pytest.raises(
            GatewayRefused, match=r"gateway .* \(403\)\. The key is not at fault, and nothing was charged"
        ):
            call()


def test_a_gateway_may_say_it_without_a_page() -> None:
    """The plain sentence of a gateway is repeated as it is."""
    with pytest.raises(GatewayRefused, match=r"network\. error code: 1020$"):
        ask(PLAIN).account()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524])
def test_a_gateway_that_fails_proves_nothing(status: int) -> None:
    """A page with a status of 5xx keeps a paid call in doubt, a question open, and says where it came from."""
    client = ask(Reply(status, "<html><head><title>Bad gateway</title></head></html>"))
    with pytest.raises(Ambiguous, match=rf"a gateway in front of it answered {status}.*“Bad gateway”"):
        client.upscale(image_url=PICTURE, type="2x")
    with pytest.raises(ServerError, match=f"a gateway in front of it answered {status}"):
        client.fetch("a")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, "{}"), AuthenticationFailed),
        (Reply(401, ""), AuthenticationFailed),
        (Reply(403, "{}"), AuthenticationFailed),
        (Reply(403, '{"message": "Key revoked"}'), AuthenticationFailed),
        (Reply(402, "{}"), InsufficientCredits),
        (Reply(403, '{"errors": [{"msg": "No credits left"}]}'), InsufficientCredits),
        (Reply(400, '{"error": {"message": "You need 2 credits"}}'), InsufficientCredits),
        (Reply(400, '{"detail": "insufficient CREDIT"}'), InsufficientCredits),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_word_of_the_api_is_about_the_key_or_the_purse(reply: Reply, error: type[JourneyError]) -> None:
    """401 is the key, 402 the purse, and so is a refusal that names credits."""
    with pytest.raises(JourneyError) as caught:
        ask(reply).upscale(image_url=PICTURE, type="2x")
    assert error is type(caught.value)


# Anything


def _answer(dice: random.Random) -> Reply:
    """An answer of an API on a bad day: right words in wrong places, wrong words, odd codings, half of it."""
    url = lambda: dice.choice([PICTURE, "", None, " https://cdn/a b.png ", "x" * 9000, {"url": PICTURE}, 7, [PICTURE]])  # noqa: E731
    word = ["finished", "DONE", "In_Progress", "failed", "moderated", "staged", "", None, 7, {}, "…", "\ud800", "\x00"]
    fields: dict[str, Any] = {
        "task_id": dice.choice([*["a"] * 12, None, 7, "", "b", "a" * 300]),
        "status": dice.choice(word),
        "percentage": dice.choice(["32", "100", "100.0", 0.32, None, "abc", "NaN", 10**400, True, [], "32%"]),
        "image_url": url(),
        "image_urls": [url() for _ in range(dice.randrange(20))],
        "error": dice.choice(
            ["Banned", {"message": "Banned"}, [{"msg": 1}], None, "", "x" * 9000, {"a": {"b": ["c"]}}]
        ),
        dice.choice(["message", "errors", "detail", "tasks", "credits"]): dice.choice([["x"], {"y": "z"}, "w", None]),
    }
    body: Any = {name: fields[name] for name in fields if dice.random() < 0.8 or name == "task_id"}
    body = dice.choice([*[body] * 9, {"tasks": [body, None, 3]}, [body], None, "text", 3, {"data": body}])
    data = json.dumps(body).encode()
    if dice.random() < 0.2:
        data = dice.choice(
            [b"<html><title>\xff</title>", b"[" * 9000, b"\xff\xfe", b"", b"error code: 1020", data[:-3]]
        )
    if dice.random() < 0.2:
        at = dice.randrange(len(data) + 1)
        data = data[:at] + dice.randbytes(3) + data[at:]
    coding = dice.choice(["", "gzip", "x-gzip", "deflate", "none", "br", "identity, gzip", "\xe4", None])
    data = dice.choice([*[bytes] * 6, gzip.compress, zlib.compress, without_header])(data)
    headers = {"Retry-After": dice.choice(["60", "soon", "\xb2", "Wed, 99 Feb 2099 99:99:99 GMT", "1e9"])}
    if coding is not None:
        headers["Content-Encoding"] = coding
    faults = [202, 204, 302, 400, 401, 402, 403, 404, 405, 409, 422, 429, 500, 502, 599]
    status = 200 if dice.random() < 0.7 else dice.choice(faults)
    return Reply(status, data, headers)


def test_any_answer_is_a_task_or_one_of_our_errors(caplog: pytest.LogCaptureFixture) -> None:
    """Of 5,000 odd answers each is read, or told as one of our errors, in a printable line and without a trace."""
    dice = random.Random(14)
    caplog.set_level(logging.INFO)
    reply = Reply()

    def answer(_: httpx.Request) -> httpx.Response:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        return httpx.Response(reply.status, headers=headers, stream=httpx.ByteStream(reply.body))

    client = JourneyClient(KEY, transport=httpx.MockTransport(answer), attempts=1)
    calls: list[Callable[[], object]] = [
        *[lambda: client.fetch("a")] * 3,
        lambda: client.fetch_many(["a", "c"]),
        lambda: client.upscale(image_url=PICTURE, type="2x"),
        client.account,
    ]
    tasks, errors = 0, []
    for number in range(5_000):
        reply = _answer(dice)
        try:
            came = calls[number % len(calls)]()
        except JourneyError as error:
            errors.append(str(error))
            continue
        for task in came if isinstance(came, list) else [came]:
            if isinstance(task, Task):
                tasks += 1
                assert task.status is not TaskStatus.FINISHED or task.percentage == 100
                assert all(len(url or "") <= URL_LIMIT for url in (task.image_url, *task.image_urls))
    assert tasks > 300
    assert len(errors) > 1_000
    assert [] == [error for error in errors if not error.isprintable() or len(error) > 1_000]
    assert not [record for record in caplog.records if record.exc_info]


def test_a_wrong_address_is_no_unknown_task() -> None:
    """A gateway's or a web server's 404 is about the address; only the API's own is about the task."""
    for reply in (Reply(404, "404 page not found\n"), Reply(404, "<h1>Not Found</h1>")):
        with pytest.raises(WrongAddress):
            ask(reply).fetch("a")
