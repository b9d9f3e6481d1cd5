"""Errands: each runs once at a time, waits a moment after it has stumbled, and is finished at a stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from journey.studio.tracker.errands import Errands
from tests.harness.standing import Clock, Inline


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def test_the_same_errand_is_not_run_twice_at_once(pool: ThreadPoolExecutor, clock: Clock) -> None:
    """While it is under way a second one of that name is dropped; others run, and are counted by their kind."""
    go_on, done = threading.Event(), threading.Event()
    ran: list[str] = []

    def slow() -> None:
        ran.append("slow")
        go_on.wait(10)

    errands = Errands(pool, on_done=done.set, clock=clock)
    for name in ("poll a", "poll a", "poll b", "archive a"):
        errands.hand_out(name, slow)
    assert (2, 1) == (errands.count("poll"), errands.count("archive"))
    go_on.set()
    errands.stop(10)
    assert ["slow"] * 3 == ran
    assert done.is_set()


def test_one_that_stumbled_waits_a_moment(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, left alone for five seconds, and forgiven when somebody says so."""
    tries: list[float] = []

    def stumble() -> None:
        tries.append(clock.now)
        raise OSError("away")

    errands = Errands(Inline(), on_done=lambda: None, clock=clock)
    for seconds in (0, 4, 1):
        clock.now += seconds
        errands.hand_out("poll a", stumble)
        errands.sweep()
    assert 2 == len(tries)
    errands.forgive()
    errands.hand_out("poll a", stumble)
    assert 3 == len(tries)
    assert "could not poll a" in caplog.text


def test_nothing_begins_after_a_stop(clock: Clock) -> None:
    """What is handed out too late is not run."""
    ran: list[int] = []
    errands = Errands(Inline(), on_done=lambda: None, clock=clock)
    errands.stop(1)
    errands.hand_out("poll a", lambda: ran.append(1))
    assert [] == ran
