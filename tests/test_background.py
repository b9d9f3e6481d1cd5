"""What goes on behind the pages: a value that is kept fresh, and a loop that survives failing steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from journey import background
from journey.background import Fresh, Latest, Loop, pause_after
from tests.harness.standing import Clock


class Threads:
    """Holds back the work that would go to a thread, until `run` is called."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def fresh(ask: Callable[[], int]) -> tuple[Fresh[int], Threads, Clock]:
    threads, clock = Threads(), Clock()
    return Fresh("a number", ask, seconds=60, clock=clock, run=threads), threads, clock


def test_nobody_waits_for_a_value() -> None:
    """A look gives the last value at once, and asks for a new one only when the last is too old."""
    numbers: Iterator[int] = iter(range(10))
    value, threads, clock = fresh(lambda: next(numbers))
    assert (None, None) == (value.look(), value.told_at)
    threads.run()
    assert (0, clock.now) == (value.look(), value.told_at)
    clock.now += 60
    assert 0 == value.look()
    assert [] == threads.waiting
    clock.now += 1
    assert 0 == value.look()
    threads.run()
    assert 1 == value.look()


def test_a_question_is_asked_once_however_many_look() -> None:
    """While a question is under way nobody asks again, even when it takes longer than a value lasts."""
    value, threads, clock = fresh(lambda: 1)
    for _ in range(5):
        value.look()
        clock.now += 100
    assert 1 == len(threads.waiting)


def test_a_value_that_cannot_be_found_out_leaves_the_last_one() -> None:
    """After a failure the last value stays, with its time, and the question is asked again after the usual time."""
    answers: list[int | Exception] = [7, OSError("away"), 8]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    value, threads, clock = fresh(ask)
    value.look()
    threads.run()
    told_at = clock.now
    clock.now += 61
    value.look()
    threads.run()
    assert (7, told_at) == (value.look(), value.told_at)
    assert [] == threads.waiting
    clock.now += 61
    value.look()
    threads.run()
    assert 8 == value.look()


def test_a_clock_that_was_set_back_makes_a_value_old() -> None:
    """A value from the future is asked for again, or it would stay until the clock has caught up."""
    value, threads, clock = fresh(lambda: 1)
    value.look()
    threads.run()
    clock.now -= 3600
    value.look()
    assert 1 == len(threads.waiting)


def test_a_loop_goes_on_after_a_step_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop counts failures in a row, says after three that it is failing, and is well after one that works."""
    monkeypatch.setattr(background, "pause_after", lambda failures: 0.0)
    seen: list[tuple[int, bool]] = []
    done = threading.Event()

    def step() -> float:
        seen.append((loop.failures_in_a_row, loop.is_failing))
        if len(seen) <= 3:
            raise OSError("away")
        if len(seen) == 5:
            done.set()
        return 0.0 if len(seen) < 5 else 60.0

    loop = Loop("test-loop", step)
    assert loop.is_failing  # it is not running yet
    loop.start()
    assert done.wait(10)
    loop.stop()
    assert [(0, False), (1, False), (2, False), (3, True), (0, False)] == seen
    assert not loop.is_alive


def test_a_loop_looks_at_once_when_it_is_woken_and_can_be_started_again() -> None:
    """Waking ends the pause, stopping ends the loop, and a start after that goes on."""
    steps: list[int] = []
    stepped = threading.Event()

    def step() -> float:
        steps.append(1)
        stepped.set()
        return 60.0

    loop = Loop("test-loop", step)
    for _ in range(2):
        loop.start()
        loop.start()
        assert stepped.wait(10)
        stepped.clear()
        loop.wake()
        assert stepped.wait(10)
        stepped.clear()
        loop.stop()
        loop.stop()
    assert 4 == len(steps)


def test_a_wish_that_comes_during_a_step_is_not_lost() -> None:
    """A loop that is woken during a step looks again right after it."""
    steps: list[int] = []
    over = threading.Event()

    def step() -> float:
        steps.append(1)
        if len(steps) == 1:
            loop.wake()
            return 60.0
        over.set()
        return 60.0

    loop = Loop("test-loop", step)
    loop.start()
    assert over.wait(10)
    loop.stop()


def test_pauses_after_failures_grow_to_half_a_minute() -> None:
    """The pauses are 2, 4, 8 and 16 seconds, then 30, however often a loop fails."""
    assert [2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == [pause_after(failures) for failures in range(1, 7)]
    assert 30.0 == pause_after(10**6)


def test_a_value_is_asked_for_again_after_no_thread_could_be_started() -> None:
    """A machine that is out of threads for a moment does not freeze the value for ever."""
    tries: list[int] = []

    def run(work: Callable[[], None]) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("can't start new thread")
        work()

    clock = Clock()
    value = Fresh("a number", lambda: 7, seconds=60, clock=clock, run=run)
    assert value.look() is None
    clock.now += 61
    value.look()
    assert 7 == value.look()


def test_the_latest_are_remembered() -> None:
    """The value that was set longest ago makes room for a new one; one that is set again is new."""
    latest: Latest[str, int] = Latest(2)
    for number, key in enumerate(("a", "b", "a", "c")):
        latest[key] = number
    assert {"a": 2, "c": 3} == latest
