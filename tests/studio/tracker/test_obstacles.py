"""Whatever stands between a paid result and this studio that a person would step over is stepped over."""

from __future__ import annotations

import gzip
import itertools
import time
import zlib
from collections.abc import Callable, Mapping

import pytest

from journey.history import State
from journey.outside.door import FOR_RESULTS, Door, Limits
from journey.testing import STEPS, Change, Drip, Fault, Reply, StandIn, picture, redirect
from tests.harness.tracking import TrackedStudio
from tests.studio.tracker.conftest import MakeStudio

RESULT = picture(256, 192)
ODD_HOST = "xn--i-7iq.test"
"""What browsers make of the host of an emoji and a letter; stricter rules refuse to decode it."""


def coded(coding: str, body: bytes = RESULT) -> Reply:
    return Reply(200, body, {"Content-Type": "image/png", "Content-Encoding": coding})


def deflated(data: bytes, *, with_header: bool) -> bytes:
    packing = zlib.compressobj(wbits=15 if with_header else -15)
    return packing.compress(data) + packing.flush()


IN_THE_ANSWER: dict[str, Fault] = {
    "an empty coding": coded(""),
    "no coding by name": coded("none"),
    "a coding that is none": coded("binary"),
    "a coding of uploads": coded("aws-chunked"),
    "gzip unasked": coded("gzip", gzip.compress(RESULT, mtime=0)),
    "gzip in two members": coded("x-gzip", gzip.compress(RESULT[:99]) + gzip.compress(RESULT[99:])),
    "gzip that is not said": Reply(200, gzip.compress(RESULT, mtime=0), {"Content-Type": "image/png"}),
    "deflate": coded("deflate", deflated(RESULT, with_header=True)),
    "deflate without its header": coded("deflate", deflated(RESULT, with_header=False)),
    "said to be gzip": coded("gzip"),
    "said to be a page": Reply(200, RESULT, {"Content-Type": "text/html"}),
}

IN_THE_ADDRESS: dict[str, Callable[[str], str]] = {
    "blanks round it": lambda url: f" \t{url}\n",
    "a raw space": lambda url: f"{url}?name=my koi.png",
    "3,000 characters": lambda url: f"{url}?signature={'a' * 3_000}",
    "letters of other scripts": lambda url: f"{url}?name=富士.png",
    "an odd host": lambda url: url.replace("127.0.0.1", ODD_HOST),
    "a scheme in capitals": lambda url: url.replace("http://", "HTTP://"),
    "a break in the middle": lambda url: url.replace("/cdn", "\n/cdn"),
}


def everything_is_here(host: str, port: int) -> list[str]:
    """Resolves every name to this machine."""
    return ["127.0.0.1"]


@pytest.fixture
def studio(make: MakeStudio, api: StandIn) -> TrackedStudio:
    api.steps = STEPS[-1:]
    return make(door=Door(["127.0.0.1"], resolver=everything_is_here))


def comes_home(studio: TrackedStudio, api: StandIn) -> None:
    """An entry is queued, charged once and archived once, at the size that was ordered."""
    entry = studio.add()
    studio.settle(seconds=60)
    done = studio.look(entry)
    assert (State.FINISHED, (256, 192), 2) == (done.state, done.result_size, done.credits), done
    assert (1, 1) == (api.charges, [step.state for step in studio.history.timeline(entry.id)].count(State.FINISHED))


@pytest.mark.parametrize("answer", IN_THE_ANSWER.values(), ids=IN_THE_ANSWER.keys())
def test_an_odd_answer_is_no_obstacle(studio: TrackedStudio, api: StandIn, answer: Fault) -> None:
    """The bytes decide what a result is, whatever its server says about them."""
    api.always("cdn", answer)
    comes_home(studio, api)
    assert 1 == len(api.calls_to("cdn"))


@pytest.mark.parametrize("spelt", IN_THE_ADDRESS.values(), ids=IN_THE_ADDRESS.keys())
def test_an_odd_address_is_no_obstacle(studio: TrackedStudio, api: StandIn, spelt: Callable[[str], str]) -> None:
    """An address of a result is read as browsers read it, and never cut."""

    def odd(task: Mapping[str, str]) -> Mapping[str, str]:
        return {**task, "image_url": spelt(task["image_url"])}

    api.always("fetch", Change(odd))
    comes_home(studio, api)
    assert 1 == len(api.calls_to("cdn"))


@pytest.mark.parametrize("query", ["", "?a b", "?ü"], ids=["plain", "with a space", "with Latin-1"])
def test_five_redirects_are_no_obstacle(studio: TrackedStudio, api: StandIn, query: str) -> None:
    """A result that lies behind five redirects is fetched, also when they are badly encoded."""
    api.script("cdn", *[redirect(f"/cdn/{number}.png{query}") for number in range(5)], Reply(200, RESULT))
    comes_home(studio, api)
    assert 6 == len(api.calls_to("cdn"))


def test_a_server_that_asks_for_a_pause_gets_it(studio: TrackedStudio, api: StandIn) -> None:
    """A result behind a 503 with Retry-After is not asked for before, and then comes home."""
    api.script("cdn", Reply(503, b"", {"Retry-After": "900"}))
    entry, begun = studio.add(), studio.clock.now
    studio.settle(seconds=899)
    assert (State.ARCHIVING, 1) == (studio.look(entry).state, len(api.calls_to("cdn")))
    studio.clock.now = begun
    studio.settle(seconds=1000)
    assert (State.FINISHED, 2) == (studio.look(entry).state, len(api.calls_to("cdn")))
    assert 1 == api.charges


def test_a_slow_server_is_no_obstacle(make: MakeStudio, api: StandIn) -> None:
    """A result may take longer than a picture that somebody is waiting for, as long as its bytes keep coming."""
    api.steps = STEPS[-1:]
    api.always("cdn", Drip(0.00005))
    begun, seconds = time.monotonic(), itertools.count(0, 0.15)
    assert Limits().total * 3 < FOR_RESULTS.total

    def minutes_later() -> float:
        """Each look at the clock is a moment later, so that all of the bytes take over a minute."""
        return begun + next(seconds)

    comes_home(make(door=Door(["127.0.0.1"], clock=minutes_later, limits=FOR_RESULTS)), api)
    assert Limits().total < next(seconds)
