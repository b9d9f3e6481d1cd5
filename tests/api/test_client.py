"""The client against a hosted API that misbehaves in every way its documentation leaves open."""

from __future__ import annotations

import gzip
import json
import logging
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import journey
from journey import (
    Ambiguous,
    AuthenticationFailed,
    GatewayRefused,
    InsufficientCredits,
    InvalidRequest,
    JourneyClient,
    JourneyError,
    NotSent,
    RateLimited,
    ServerError,
    Task,
    TaskFailed,
    TaskNotFound,
    TaskStatus,
    Untrusted,
    UpscaleRequest,
    WaitTimeout,
    WrongAddress,
)
from journey.api.models import HOSTED_URL
from journey.outside.agent import VERSION
from journey.testing import (
    GRID_ID,
    SINGLE_ID,
    Change,
    Close,
    Drip,
    Hang,
    Late,
    Reply,
    StandIn,
    rate_limited,
    redirect,
    web_page,
)
from journey.testing.faults import PAGE
from tests.harness.odd_answers import NO_TASK_ID, ODD_TASKS, REFUSALS
from tests.harness.standing import Clock, refusing

ORDER = "upscale-2x-4x"
PICTURE = "https://pictures.example/a.png"


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as api:
        yield api


@pytest.fixture
def passing() -> Clock:
    return Clock()


@pytest.fixture
def client(api: StandIn, passing: Clock) -> Iterator[JourneyClient]:
    with JourneyClient(api.key, api.url, clock=passing, sleep=passing.sleep) as client:
        yield client


def short(value: object) -> str:
    return repr(value)[:30]


# What is sent


def test_import_is_light() -> None:
    """Importing the client loads neither Streamlit nor a database, arrays, pictures or a network, and nothing that only
    a call needs."""
    heavy = "{'streamlit', 'sqlalchemy', 'numpy', 'pandas', 'PIL', 'ncnn', 'httpcore', 'journey.outside.masking'}"
    program = f"import sys; from journey import JourneyClient; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "[]" == done.stdout.strip()


def test_public_names_are_sorted_and_there() -> None:
    """The package offers the documented names, in order, and each of them exists."""
    wanted = {"JourneyClient", "UpscaleRequest", "Task", "TaskStatus", "Account", "JourneyError"}
    assert wanted <= set(journey.__all__)
    assert sorted(journey.__all__) == journey.__all__
    assert all(hasattr(journey, name) for name in journey.__all__)


def test_order_is_sent_as_documented(api: StandIn, client: JourneyClient) -> None:
    """An order is one POST with the raw key and only the fields that were given, all of them strings."""
    task_id = client.upscale(
        parent_task_id=GRID_ID, type="4x", index="2", webhook_url="https://me.example/w", webhook_secret="s3cret-s3cret"
    )
    (call,) = api.calls
    assert ("POST", ORDER, api.key) == (call.method, call.endpoint, call.headers["authorization"])
    assert "application/json" == call.headers["content-type"]
    assert {
        "parent_task_id": GRID_ID,
        "type": "4x",
        "index": "2",
        "webhook_url": "https://me.example/w",
        "webhook_secret": "s3cret-s3cret",
    } == call.body
    assert task_id in api.tasks


def test_order_may_be_a_ready_request(api: StandIn, client: JourneyClient) -> None:
    """A request object is sent as it is, and cannot be mixed with fields."""
    request = UpscaleRequest(image_url=PICTURE, type="2x")
    client.upscale(request)
    assert {"image_url": PICTURE, "type": "2x"} == api.calls[0].body
    with pytest.raises(InvalidRequest):
        client.upscale(request, type="4x")


@pytest.mark.parametrize(
    "fields",
    [{}, {"type": "2x"}, {"type": "3x", "image_url": PICTURE}, {"type": "2x", "parent_task_id": GRID_ID, "index": 1},
     {"type": "2x", "parent_task_id": GRID_ID, "indx": "1"}],
    ids=str,
)  # fmt: skip
def test_broken_order_is_not_sent(api: StandIn, client: JourneyClient, fields: dict[str, Any]) -> None:
    """An order that breaks a rule, or has a misspelt field, never reaches the network."""
    with pytest.raises(InvalidRequest):
        client.upscale(**fields)
    assert 0 == api.connections


@pytest.mark.parametrize(
    "key", ["", " spaced", "key\n", "two words", "k\x00y", "schlüssel", "k\u200bey", None, 7], ids=ascii
)
def test_impossible_key_is_not_sent(api: StandIn, key: Any) -> None:
    """An impossible key is refused before sending, and the error does not repeat it."""
    client = JourneyClient(key, api.url)
    calls: list[Callable[[], object]] = [
        client.account,
        lambda: client.fetch("a"),
        lambda: client.upscale(image_url=PICTURE, type="2x"),
    ]
    for call in calls:
        with pytest.raises(InvalidRequest, match="API key") as caught:
            call()
        assert not key or str(key) not in str(caught.value)
    assert 0 == api.connections


def test_rotated_key_is_used_from_the_next_call_on(api: StandIn, client: JourneyClient) -> None:
    """Assigning a new key is enough; the client goes on with it."""
    api.key = "another-key-987654321"
    with pytest.raises(AuthenticationFailed):
        client.account()
    client.api_key = api.key
    assert 12_000 == client.account().credits


@pytest.mark.parametrize(
    "base_url",
    ["", "api.journeyapi.com", "ftp://a.example/", "https://", "https://user:pass@a.example/", "https://a.example/?k=1",
     "https://a.example/#x", "https://" + "a" * 64 + ".example/", "http://[::1/", "https://a.example:99999/", 7],
    ids=short,
)  # fmt: skip
def test_impossible_address_is_refused(base_url: Any) -> None:
    """An address that no call could be made to is refused when the client is made."""
    with pytest.raises(InvalidRequest, match="base_url"):
        JourneyClient("key", base_url)


@pytest.mark.parametrize(
    "settings",
    [{"timeout": None}, {"timeout": float("inf")}, {"timeout": float("nan")}, {"timeout": -1}, {"timeout": 0},
     {"timeout": 10**30}, {"timeout": "30"}, {"timeout": True}, {"attempts": 0}, {"attempts": None}, {"attempts": 1.5},
     {"retry_for": None}, {"retry_for": float("nan")}, {"retry_for": -1}, {"contact": "Zoë"}, {"contact": "a\nb"}],
    ids=str,
)  # fmt: skip
def test_impossible_setting_is_refused_when_the_client_is_made(settings: dict[str, Any]) -> None:
    """A setting with which calls would fail or hang half-way is named at once."""
    with pytest.raises(InvalidRequest, match=next(iter(settings))):
        JourneyClient("key", **settings)


@pytest.mark.parametrize("timeout", [None, float("nan"), -1, "600"], ids=str)
def test_impossible_deadline_is_not_waited_for(api: StandIn, client: JourneyClient, timeout: Any) -> None:
    """A deadline that no clock can reach is refused before anything is asked."""
    with pytest.raises(InvalidRequest, match="timeout"):
        client.wait(SINGLE_ID, timeout=timeout)
    assert [] == api.calls


def test_address_is_read_as_browsers_read_it(api: StandIn) -> None:
    """A scheme and a host in capitals are the same address."""
    with JourneyClient(api.key, api.url.replace("http://127.0.0.1", "HTTP://LOCALHOST")) as client:
        assert 12_000 == client.account().credits
    assert "https://api.example/api/v1" == JourneyClient("key", "HTTPS://API.Example/api/v1/").base_url


def test_address_without_its_path_is_told_by_every_question(api: StandIn) -> None:
    """Without /api/v1 there is no such call, whatever is asked and in whatever way the server says so."""
    client = JourneyClient(api.key, api.origin, attempts=1)
    questions: list[Callable[[], object]] = [
        client.account,
        lambda: client.fetch(SINGLE_ID),
        lambda: client.fetch_many([SINGLE_ID, GRID_ID]),
        lambda: client.cancel(SINGLE_ID),
        lambda: client.upscale(image_url=PICTURE, type="2x"),
    ]
    for reply in (None, Reply(404, {}), Reply(404, b""), Reply(404, "Not Found"), Reply(405, {})):
        api.always("cdn", reply)
        for question in questions:
            with pytest.raises(WrongAddress, match="Check the API address"):
                question()
    api.always("cdn", web_page(200))
    for question in questions[:-1]:
        with pytest.raises(WrongAddress, match="Check the API address"):
            question()
    assert 0 == api.charges


def test_every_call_says_who_sends_it(api: StandIn) -> None:
    """The User-Agent has the version, and the contact where there is one."""
    for contact in (None, "https://studio.example/about"):
        JourneyClient(api.key, api.url, contact=contact).account()
    assert [f"journey-print-studio/{VERSION}", f"journey-print-studio/{VERSION} (+https://studio.example/about)"] == [
        call.headers["user-agent"] for call in api.calls
    ]


def test_secrets_never_show(api: StandIn, client: JourneyClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the key nor a webhook secret is in a log, a repr or an error, even when the server repeats them."""
    caplog.set_level(logging.DEBUG)
    secret = "hush-hush-hush"
    echo = {"error": f"key {api.key} and secret {secret}"}
    faults = [Reply(status, echo) for status in (200, 302, 400, 401, 402, 403, 409, 500)]
    api.script(ORDER, Close.BEFORE_READING, Close.HALF_ANSWER, *faults, *(Reply(429, echo),) * 3)
    seen = [repr(client), str(vars(journey))]
    for _ in range(2 + len(faults) + 1):
        with pytest.raises(JourneyError) as caught:
            client.upscale(image_url=PICTURE, type="2x", webhook_url="https://me.example/", webhook_secret=secret)
        seen += [str(caught.value), repr(caught.value), str(getattr(caught.value, "answer", ""))]
    seen.append(caplog.text)
    assert not [text for text in seen if api.key in text or secret in text]


def test_environment_is_ignored(
    api: StandIn, client: JourneyClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxies nor passwords named in the environment are used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with JourneyClient(api.key, api.url) as fresh:
        assert fresh.account() == client.account()


def test_each_call_has_its_own_connection_and_no_cookies(api: StandIn, client: JourneyClient) -> None:
    """No connection is kept, so none can be stale, and no cookie is sent back."""
    api.script("account", Reply(200, {}, {"Set-Cookie": "a=b; Path=/"}))
    for _ in range(3):
        client.account()
    assert 3 == api.connections
    assert not any("cookie" in call.headers for call in api.calls)


# A paid call is sent again only on proof that it was not accepted


@pytest.mark.parametrize("fault", [Close.BEFORE_READING, Close.AFTER_READING, Close.HALF_ANSWER], ids=str)
def test_lost_answer_is_ambiguous(api: StandIn, client: JourneyClient, fault: Close) -> None:
    """An order whose answer is lost is sent once, charged at most once, and reported as ambiguous."""
    api.script(ORDER, fault)
    with pytest.raises(Ambiguous) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert 1 == api.connections
    assert api.charges <= 1
    assert (fault is Close.HALF_ANSWER) == caught.value.answer.startswith('{"task_id"')


@pytest.mark.parametrize("fault", [Hang(), Drip(0.1)], ids=str)
def test_slow_answer_is_ambiguous_at_the_deadline(api: StandIn, fault: Hang | Drip) -> None:
    """Neither silence nor a dripping answer holds an order longer than its deadline."""
    api.script(ORDER, fault)
    started = time.monotonic()
    with JourneyClient(api.key, api.url, timeout=0.4) as client, pytest.raises(Ambiguous):
        client.upscale(image_url=PICTURE, type="2x")
    assert time.monotonic() - started < 2
    assert (1, 1) == (api.connections, api.charges)


def test_late_answer_is_waited_for(api: StandIn, client: JourneyClient) -> None:
    """An answer that is only late is an answer: one charge, no fault."""
    api.script(ORDER, Late(0.3))
    assert client.upscale(image_url=PICTURE, type="2x") in api.tasks
    assert 1 == api.charges


@pytest.mark.parametrize("reply", NO_TASK_ID.values(), ids=NO_TASK_ID)
def test_success_without_usable_id_is_ambiguous(api: StandIn, client: JourneyClient, reply: Reply) -> None:
    """A 200 without a usable task id is ambiguous, and the start of the answer is kept."""
    api.script(ORDER, reply)
    with pytest.raises(Ambiguous) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert (1, 1) == (len(api.calls), api.charges)
    sent = reply.body.decode() if isinstance(reply.body, bytes) else json.dumps(reply.body)
    assert sent[:4096] == caught.value.answer


@pytest.mark.parametrize("status", [301, 302, 307, 308, 406, 408, 409, 410, 418, 425, 431, 500, 502, 503, 504, 599])
def test_answer_that_proves_nothing_is_ambiguous(api: StandIn, client: JourneyClient, status: int) -> None:
    """A status that does not prove a refusal is ambiguous and is not sent again."""
    api.script(ORDER, Reply(status, {"message": "Oops"}, {"Location": "http://127.0.0.3:9/"}))
    with pytest.raises(Ambiguous, match="Oops"):
        client.upscale(image_url=PICTURE, type="2x")
    assert 1 == len(api.calls)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, {"error": "bad"}), InvalidRequest),
        (Reply(404, {"error": "bad"}), InvalidRequest),
        (Reply(404, b""), WrongAddress),
        (web_page(404), WrongAddress),
        (Reply(405, {}), WrongAddress),
        (Reply(413, b""), InvalidRequest),
        (Reply(415, "x"), InvalidRequest),
        (Reply(422, {"errors": [{"msg": "bad"}]}), InvalidRequest),
        (Reply(401, {}), AuthenticationFailed),
        (web_page(401), AuthenticationFailed),
        (Reply(403, {}), AuthenticationFailed),
        (web_page(403), GatewayRefused),
        (Reply(402, {}), InsufficientCredits),
        (Reply(402, b""), InsufficientCredits),
        (Reply(400, {"errors": [{"msg": "Not enough credits"}]}), InsufficientCredits),
        (Reply(403, {"message": "Out of CREDITS"}), InsufficientCredits),
        (Reply(403, b"<html><title>Credits</title></html>"), GatewayRefused),
        (Reply(400, {"error": "accredited sources only"}), InvalidRequest),
    ],
    ids=short,
)
def test_refusal_is_definite(api: StandIn, client: JourneyClient, reply: Reply, error: type[JourneyError]) -> None:
    """A proven refusal has an error of its own, costs nothing and is not sent again."""
    api.script(ORDER, reply)
    with pytest.raises(JourneyError) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert error is type(caught.value)
    assert (1, 0) == (len(api.calls), api.charges)


@pytest.mark.parametrize("reply", REFUSALS.values(), ids=REFUSALS)
def test_every_shape_of_refusal_is_one_printable_line(api: StandIn, client: JourneyClient, reply: Reply) -> None:
    """Whatever a 400 holds, its message is a printable line with at most 500 characters of the API's text."""
    api.script(ORDER, reply)
    with pytest.raises(InvalidRequest) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert str(caught.value).isprintable()
    assert 0 < len(str(caught.value)) < 600
    assert "<html" not in str(caught.value)


def test_problems_are_kept_apart(api: StandIn, client: JourneyClient) -> None:
    """Each entry of an errors list is a problem of its own."""
    api.script(ORDER, REFUSALS["errors"])
    with pytest.raises(InvalidRequest) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert ("type is required", "image_url is not reachable") == caught.value.problems


def test_order_that_could_not_be_sent_is_sent_again(api: StandIn) -> None:
    """A refused connection proves that nothing was sent: the order is tried again and charged once."""
    api.stop()
    with JourneyClient(api.key, api.url, sleep=lambda _: api.start()) as client:
        assert client.upscale(image_url=PICTURE, type="2x") in api.tasks
    assert 1 == api.charges


def test_unreachable_server_is_not_sent_after_three_attempts(
    api: StandIn, client: JourneyClient, passing: Clock
) -> None:
    """When nothing listens, three attempts with growing pauses end as NotSent, for orders and questions alike."""
    with refusing(api):
        for call in (lambda: client.upscale(image_url=PICTURE, type="2x"), client.account):
            passing.pauses.clear()
            with pytest.raises(NotSent):
                call()
            first, second = passing.pauses
            assert 0.25 <= first <= 0.5 <= second <= 1.0


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout], ids=lambda kind: kind.__name__
)
def test_connection_never_made_is_not_sent(error: type[httpx.TransportError]) -> None:
    """Name resolution, connecting and waiting for a connection all come before sending."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no")

    with (
        JourneyClient("key", transport=httpx.MockTransport(fail), attempts=1) as client,
        pytest.raises(NotSent, match="Nothing was sent"),
    ):
        client.upscale(image_url=PICTURE, type="2x")


def test_wrong_tls_is_untrusted_and_not_repeated(api: StandIn, passing: Clock) -> None:
    """A server that cannot prove who it is gets nothing, and is not asked again."""
    url = api.url.replace("http://", "https://")
    with JourneyClient(api.key, url, clock=passing, sleep=passing.sleep) as client:
        for call in (lambda: client.upscale(image_url=PICTURE, type="2x"), client.account, lambda: client.wait("a")):
            with pytest.raises(Untrusted):
                call()
    assert ([], []) == (api.calls, passing.pauses)


def test_redirect_is_not_followed(api: StandIn, client: JourneyClient) -> None:
    """A redirect never gives the key away: the other server sees no connection, however its address is spelt."""
    with StandIn() as other:
        targets = [f"{other.url}/{ORDER}", "http://[bad", "http://" + "a" * 70 + "/", "//\x7f", ""]
        for target in targets:
            api.script(ORDER, redirect(target, 307))
            api.script("account", *(redirect(target, 307),) * 3)
            with pytest.raises(Ambiguous):
                client.upscale(image_url=PICTURE, type="2x")
            with pytest.raises(ServerError):
                client.account()
        assert 0 == other.connections


# Too many calls


SERVER_NOW = datetime(1998, 1, 1, tzinfo=UTC)


def http_date(seconds: float, now: datetime = SERVER_NOW) -> str:
    return format_datetime(now + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("0", 0.25, 0.5),
        ("5", 5, 5),
        ("120", 120, 120),
        ("999999", 120, 120),
        ("9" * 400, 120, 120),
        ("2.5", 2.5, 2.5),
        (http_date(60), 60, 60),
        (http_date(9999), 120, 120),
        (http_date(-60), 0.25, 0.5),
        ("Wed, 31 Dec 9999 23:59:59 GMT", 120, 120),
        *((garbage, 0.25, 0.5) for garbage in (None, "", "inf", "nan", "-5", "1e9", "soon", "٣", "5, 6", "0x10")),
    ],
    ids=short,
)
def test_retry_after_is_bounded(
    api: StandIn, client: JourneyClient, passing: Clock, header: str | None, least: float, most: float
) -> None:
    """The client waits as long as a 429 asks, at most 120 s, and the order is charged once."""
    headers = {"Date": http_date(0)}
    if header is not None:
        headers["Retry-After"] = header.encode().decode("latin-1")
    api.script(ORDER, Reply(429, {}, headers))
    assert client.upscale(image_url=PICTURE, type="2x") in api.tasks
    (pause,) = passing.pauses
    assert least <= pause <= most
    assert 1 == api.charges


def test_retry_after_counts_from_this_clock_when_the_server_tells_no_time() -> None:
    """A date in Retry-After counts from the Date of the same answer or, without one, from this machine's clock."""
    headers = {"Retry-After": http_date(60, datetime.now(UTC))}
    transport = httpx.MockTransport(lambda _: httpx.Response(429, headers=headers))
    with JourneyClient("key", transport=transport, attempts=1) as client, pytest.raises(RateLimited) as caught:
        client.account()
    assert caught.value.retry_after is not None
    assert 30 < caught.value.retry_after <= 60


def test_endless_rate_limit_ends(api: StandIn, client: JourneyClient, passing: Clock) -> None:
    """After three 429s the client gives up, and the error says how long the server asked it to wait."""
    api.always(ORDER, rate_limited("7"))
    with pytest.raises(RateLimited) as caught:
        client.upscale(image_url=PICTURE, type="2x")
    assert (7, [7, 7], 3, 0) == (caught.value.retry_after, passing.pauses, len(api.calls), api.charges)


def test_total_time_of_attempts_is_limited(api: StandIn, passing: Clock) -> None:
    """No pause begins that would end after retry_for; a client with one attempt raises at once."""
    api.always(ORDER, rate_limited("100"))
    for attempts, pauses in ((10, 2), (1, 0)):
        passing.pauses.clear()
        client = JourneyClient(api.key, api.url, attempts=attempts, retry_for=250, clock=passing, sleep=passing.sleep)
        with pytest.raises(RateLimited):
            client.upscale(image_url=PICTURE, type="2x")
        assert pauses == len(passing.pauses)


# Questions are safe to repeat


@pytest.mark.parametrize(
    "fault",
    [Close.BEFORE_READING, Close.AFTER_READING, Close.HALF_ANSWER, Reply(500, {}), web_page(502), web_page(200),
     Reply(200, {}), Reply(200, [1]), Reply(200, "[" * 100_000), Reply(200, "1" * 10_000), Reply(200, b"\xff\xfe"),
     Reply(408, {}), rate_limited(), Reply(200, {"task_id": "another", "status": "finished"})],
    ids=short,
)  # fmt: skip
def test_question_is_repeated_after_a_passing_fault(api: StandIn, client: JourneyClient, fault: Any) -> None:
    """A question is asked again after a broken, lost or senseless answer."""
    api.script("fetch", fault, fault)
    assert SINGLE_ID == client.fetch(SINGLE_ID).task_id
    assert 3 == api.connections


def test_question_gives_up_after_its_attempts(api: StandIn, client: JourneyClient) -> None:
    """A fault that does not pass is reported with the start of the answer."""
    api.always("account", web_page(503))
    with pytest.raises(ServerError, match=r"503.*502 Bad Gateway") as caught:
        client.account()
    assert PAGE.decode() == caught.value.answer
    assert 3 == len(api.calls)


@pytest.mark.parametrize("fault", [Hang(), Drip(0.1)], ids=str)
def test_question_cannot_hang(api: StandIn, fault: Any) -> None:
    """A dripping or missing answer ends at the deadline, and the next attempt may succeed."""
    api.script("fetch", fault)
    with JourneyClient(api.key, api.url, timeout=0.4, sleep=lambda _: None) as client:
        assert TaskStatus.FINISHED is client.fetch(SINGLE_ID).status


def test_answer_is_read_up_to_a_limit(api: StandIn, client: JourneyClient) -> None:
    """At most about 1 MiB of an endless answer is read, and 4 KB of it are kept."""
    api.always("account", Reply(200, b'{"email": "' + b"x" * 3_000_000 + b'"}'))
    with pytest.raises(ServerError, match="too long") as caught:
        client.account()
    assert 4096 == len(caught.value.answer)


@pytest.mark.parametrize("status", [200, 500])
def test_compression_that_was_not_asked_for_is_undone_within_the_limit(
    api: StandIn, client: JourneyClient, status: int
) -> None:
    """A proxy that compresses anyway is understood, and a compressed bomb stays small."""
    headers = {"Content-Encoding": "gzip"}
    api.script("account", Reply(200, gzip.compress(b'{"credits": 3}'), headers))
    assert 3 == client.account().credits
    api.always("account", Reply(status, gzip.compress(b" " * 50_000_000), headers))
    with pytest.raises(ServerError) as caught:
        client.account()
    assert len(caught.value.answer) <= 4096


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(404, {"errors": [{"msg": "Task not found"}]}), TaskNotFound),
        (Reply(404, b""), TaskNotFound),
        (web_page(404), WrongAddress),
        (Reply(404, "404 page not found"), WrongAddress),
        (Reply(400, {"error": "bad id"}), InvalidRequest),
        (Reply(401, {}), AuthenticationFailed),
        (web_page(403), GatewayRefused),
        (Reply(405, {}), WrongAddress),
    ],
    ids=short,
)
def test_fetch_errors_are_told_apart(
    api: StandIn, client: JourneyClient, reply: Reply, error: type[JourneyError]
) -> None:
    """An unknown task, a wrong address, a wrong key and a wrong question each have an error of their own."""
    api.always("fetch", reply)
    with pytest.raises(JourneyError) as caught:
        client.fetch(SINGLE_ID)
    assert error is type(caught.value)


@pytest.mark.parametrize("task_id", ["", " ", "a" * 201, "a\nb", "\udcff", None, 7], ids=short)
def test_impossible_id_is_not_asked_for(api: StandIn, client: JourneyClient, task_id: Any) -> None:
    """An id that no task can have is refused before sending."""
    for call in (client.fetch, client.cancel, client.wait, lambda bad: client.fetch_many(["a", bad])):
        with pytest.raises(InvalidRequest, match="task_id"):
            call(task_id)
    assert 0 == api.connections


@pytest.mark.parametrize("change", ODD_TASKS.values(), ids=ODD_TASKS)
def test_harmless_variants_of_a_task_change_nothing(api: StandIn, client: JourneyClient, change: Change) -> None:
    """However the documentation contradicts itself about a task, the task ends the same way."""
    api.always("fetch", change)
    task = client.wait(client.upscale(image_url=PICTURE, type="2x"))
    assert (TaskStatus.FINISHED, f"{api.origin}/cdn/{task.task_id}.png") == (task.status, task.image_url)


def test_account_without_numbers_is_unknown(api: StandIn, client: JourneyClient) -> None:
    """An account answer may leave everything out."""
    api.script("account", Reply(200, {}))
    assert journey.Account() == client.account()


# Many at once


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (2, [2]),
        (19, [19]),
        (20, [20]),
        (21, [19, 2]),
        (22, [20, 2]),
        (40, [20, 20]),
        (41, [20, 19, 2]),
    ],
)
def test_many_are_asked_for_in_allowed_portions(
    api: StandIn, client: JourneyClient, count: int, sizes: list[int]
) -> None:
    """Portions hold 2 to 20 ids; a single id is asked for by /fetch."""
    ids = [client.upscale(image_url=PICTURE, type="2x") for _ in range(count)]
    api.calls.clear()
    assert ids == [task.task_id for task in client.fetch_many([*ids, *ids])]
    assert sizes == [len(call.body.get("task_ids", [1])) for call in api.calls]
    assert (count == 1) == bool(api.calls_to("fetch"))


def test_many_survive_every_odd_answer(api: StandIn, client: JourneyClient) -> None:
    """Order, duplicates, strangers and nonsense in an answer do no harm; what is missing is left out."""
    ids = [client.upscale(image_url=PICTURE, type="2x") for _ in range(4)]

    def disorder(answer: Any) -> Any:
        tasks = answer["tasks"][::-1]
        return {"tasks": [None, {"task_id": 5}, {"task_id": "stranger"}, *tasks[:3], tasks[0], "x", []]}

    api.script("fetch-many", Change(disorder))
    assert ids[1:] == [task.task_id for task in client.fetch_many(["unknown", *ids])]
    api.script("fetch-many", Change(lambda answer: answer["tasks"]))
    assert ids == [task.task_id for task in client.fetch_many(ids)]
    assert [] == client.fetch_many(["unknown"]) == client.fetch_many("unknown")


@pytest.mark.parametrize("answer", [{}, {"tasks": None}, {"tasks": {}}, "x", None, 3], ids=str)
def test_many_without_a_list_is_no_answer(api: StandIn, client: JourneyClient, answer: Any) -> None:
    """An answer without a list of tasks is a fault, not "none of them is known"."""
    api.always("fetch-many", Change(lambda _: answer))
    with pytest.raises(ServerError):
        client.fetch_many([GRID_ID, SINGLE_ID])


def test_client_may_be_shared_by_threads(api: StandIn, client: JourneyClient) -> None:
    """Twenty orders at once get twenty tasks and twenty charges."""
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: client.upscale(image_url=PICTURE, type="2x"), range(20)))
    assert (20, 20) == (len(set(ids)), api.charges)


def test_flapping_server_never_charges_twice(api: StandIn, client: JourneyClient) -> None:
    """With half of all calls failing, each of 30 orders ends with one task and charge, or is ambiguous."""
    dice = random.Random(7)
    faults = [
        Close.BEFORE_READING,
        Close.AFTER_READING,
        Close.HALF_ANSWER,
        web_page(502),
        rate_limited(),
        Reply(503, {}),
    ]
    for endpoint in (ORDER, "fetch"):
        api.always(endpoint, lambda _: dice.choice(faults) if dice.random() < 0.5 else None)
    done, unclear, refused = 0, 0, 0
    for _ in range(30):
        before = api.charges
        try:
            task = client.wait(client.upscale(image_url=PICTURE, type="2x"))
            assert (TaskStatus.FINISHED, 1) == (task.status, api.charges - before)
            done += 1
        except Ambiguous:
            assert api.charges - before <= 1
            unclear += 1
        except RateLimited:
            assert before == api.charges
            refused += 1
    assert 30 == done + unclear + refused
    assert done >= 5
    assert unclear >= 5


# Waiting


def story(*states: dict[str, Any]) -> httpx.MockTransport:
    """An API whose task goes through these states, one per fetch, and stays in the last."""
    left = list(states)

    def answer(request: httpx.Request) -> httpx.Response:
        state = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(200, json={"task_id": "t"} | state)

    return httpx.MockTransport(answer)


def waiting(transport: httpx.MockTransport, passing: Clock, base_url: str = HOSTED_URL) -> JourneyClient:
    return JourneyClient("key", base_url, transport=transport, clock=passing, sleep=passing.sleep)


def test_polls_of_the_hosted_api_grow_rarer(passing: Clock) -> None:
    """The hosted API is first asked after 2 s, and every 15 s in the end."""
    client = waiting(story({"status": "processing"}), passing)
    with pytest.raises(WaitTimeout):
        client.wait("t", timeout=120)
    assert (2, 15) == (passing.pauses[0], max(passing.pauses))
    assert sorted(passing.pauses[:-1]) == passing.pauses[:-1]
    assert 120 == sum(passing.pauses)


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501"])
def test_polls_of_this_machine_are_every_half_second(passing: Clock, host: str) -> None:
    """The embedded engine is asked every 0.5 s."""
    client = waiting(story({"status": "processing"}), passing, f"http://{host}/api/v1")
    with pytest.raises(WaitTimeout):
        client.wait("t", timeout=3)
    assert [0.5] * 6 == passing.pauses


def test_progress_is_told_when_it_changes(passing: Clock) -> None:
    """on_progress sees each state once, the last one included."""
    same = {"status": "processing", "percentage": "10"}
    seen: list[Task] = []
    states = ({"status": "pending"}, same, same, {"status": "finished", "image_url": "https://cdn/a.png"})
    task = waiting(story(*states), passing).wait("t", on_progress=seen.append)
    assert ["pending", "processing", "finished"] == [state.status for state in seen]
    assert task == seen[-1]


def test_failed_task_is_an_error_that_carries_it(passing: Clock) -> None:
    """A failed task raises an error of its own, which carries its reason and its last state."""
    seen: list[Task] = []
    client = waiting(story({"status": "failed", "error": "Banned prompt"}), passing)
    with pytest.raises(TaskFailed, match="Banned prompt") as caught:
        client.wait("t", on_progress=seen.append)
    assert [caught.value.task] == seen
    assert TaskStatus.FAILED is caught.value.task.status


def test_timeout_carries_the_last_state(passing: Clock) -> None:
    """The deadline ends the waiting, not the task; even with no time at all the task is looked at once."""
    client = waiting(story({"status": "processing", "percentage": "40"}), passing)
    with pytest.raises(WaitTimeout, match="not finished after 0 s") as caught:
        client.wait("t", timeout=0)
    assert caught.value.task is not None
    assert (40, []) == (caught.value.task.percentage, passing.pauses)


def test_waiting_survives_passing_faults(api: StandIn, client: JourneyClient) -> None:
    """Nine faults in a row are waited out."""
    task_id = client.upscale(image_url=PICTURE, type="2x")
    api.script("fetch", *[web_page(502), Close.AFTER_READING, rate_limited("1")] * 3)
    assert TaskStatus.FINISHED is client.wait(task_id).status


@pytest.mark.parametrize(
    ("fault", "error"),
    [(web_page(503), ServerError), (web_page(403), GatewayRefused), (rate_limited(), RateLimited)],
    ids=short,
)
def test_waiting_ends_when_a_fault_stays(
    api: StandIn, client: JourneyClient, fault: Reply, error: type[JourneyError]
) -> None:
    """After ten faults in a row the last one is raised, well before the deadline."""
    api.always("fetch", fault)
    with pytest.raises(error):
        client.wait(SINGLE_ID, timeout=10_000)
    assert 10 == len(api.calls)


def test_waiting_at_a_wrong_address_ends_at_once(api: StandIn, passing: Clock) -> None:
    """An address that was never right is told after one poll; one that was right before may be so again."""
    client = JourneyClient(api.key, api.origin, clock=passing, sleep=passing.sleep)
    with pytest.raises(WrongAddress):
        client.wait(SINGLE_ID)
    assert ([], 1) == (passing.pauses, len(api.calls))
    with JourneyClient(api.key, api.url, clock=passing, sleep=passing.sleep) as right:
        task_id = right.upscale(image_url=PICTURE, type="2x")
        api.script("fetch", None, web_page(404), web_page(404))
        assert TaskStatus.FINISHED is right.wait(task_id).status


def test_waiting_keeps_its_deadline_however_long_the_server_wants_to_be_left_alone(
    api: StandIn, client: JourneyClient, passing: Clock
) -> None:
    """A long Retry-After does not push waiting past its own deadline; the fault is kept as the cause."""
    api.always("fetch", rate_limited("100"))
    with pytest.raises(WaitTimeout) as caught:
        client.wait(SINGLE_ID, timeout=30)
    assert 30 == sum(passing.pauses)
    assert caught.value.task is None
    assert isinstance(caught.value.__cause__, RateLimited)


def test_unknown_task_is_not_waited_for(client: JourneyClient, passing: Clock) -> None:
    """An unknown id is reported at once."""
    with pytest.raises(TaskNotFound):
        client.wait("85h8-nobody-knows")
    assert [] == passing.pauses


def test_cancel_asks_the_engine_once(api: StandIn, client: JourneyClient) -> None:
    """Cancelling posts the task's id once; an API without that route counts as one that does not know the task."""
    api.script("cancel", Reply(200, {"task_id": SINGLE_ID}))
    client.cancel(SINGLE_ID)
    assert {"task_id": SINGLE_ID} == api.calls[0].body
    with pytest.raises(TaskNotFound):
        client.cancel(SINGLE_ID)


def test_address_of_the_hosted_api_is_the_default() -> None:
    """Without a base URL the client calls the hosted API, and a slash at the end of a base URL does not matter."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    JourneyClient("key", transport=transport).account()
    JourneyClient("key", "http://127.0.0.1:8501/api/v1/", transport=transport).account()
    assert ["https://api.journeyapi.com/api/v1/account", "http://127.0.0.1:8501/api/v1/account"] == asked


def test_error_texts_are_sentences(api: StandIn, client: JourneyClient) -> None:
    """Every message begins like a sentence and tells what happened in plain words."""
    replies = [Reply(401, {}), Reply(402, {}), Reply(400, {}), Reply(500, {}), Reply(302, {}), Reply(200, {})]
    api.script(ORDER, *replies, Close.AFTER_READING)
    for _ in range(len(replies) + 1):
        with pytest.raises(JourneyError) as caught:
            client.upscale(image_url=PICTURE, type="2x")
        assert re.fullmatch(r"[A-Z].*\.", str(caught.value))


def test_errors_repeat_no_signature(api: StandIn, client: JourneyClient, passing: Clock) -> None:
    """An API may repeat the address that it was sent; no message of ours holds the values of its query."""
    said = "could not fetch https://me:s1gned@cdn.example/a.png?X-Amz-Signature=s1gned&x=s1gned#s1gned"
    api.script(
        ORDER, Reply(400, {"errors": [{"msg": said}]}), Reply(402, {"message": said}), Reply(500, {"error": said})
    )
    for _ in range(3):
        with pytest.raises(JourneyError, match="X-Amz-Signature=…") as caught:
            client.upscale(image_url=PICTURE, type="2x")
        assert "s1gned" not in str(caught.value)
    with pytest.raises(TaskFailed, match="X-Amz-Signature=…") as failed:
        waiting(story({"status": "failed", "error": said}), passing).wait("t")
    assert "s1gned" not in str(failed.value)
