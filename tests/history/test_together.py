"""Several changes in one transaction: all are stored or none, and one that fails takes no other with it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from journey.errors import InvalidRequest
from journey.history import Entry, History, NewEntry, State
from journey.history.together import Group, together
from journey.provider import JOURNEYAPI
from journey.storage.database import Database
from tests.harness.explained import writes
from tests.harness.standing import Clock


def queued(history: History, count: int) -> list[Entry]:
    return [history.add(NewEntry(provider=JOURNEYAPI, type="2x", name=str(number))) for number in range(count)]


def test_all_is_stored_or_nothing(database: Database) -> None:
    """What is changed together is stored together; ends are told afterwards, and not when nothing is stored."""
    told: list[str] = []
    history = History(database, on_end=told.append, clock=Clock())
    first, second = queued(history, 2)

    def cancel(*, and_fail: bool) -> None:
        with together(history) as within:
            for entry in (first, second):
                assert within.move(entry.id, State.CANCELLED)
            assert [] == told
            if and_fail:
                raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        cancel(and_fail=True)
    assert ([], State.QUEUED) == (told, getattr(history.get(first.id), "state", None))
    assert 1 == writes(database, lambda: cancel(and_fail=False))
    assert ([first.id, second.id], State.CANCELLED) == (told, getattr(history.get(first.id), "state", None))


def test_those_who_wait_share_a_transaction(database: Database) -> None:
    """Changes that come while another is being stored are stored in one transaction, and each hears of its own."""
    history = History(database, clock=Clock())
    first, *others = queued(history, 8)
    group, begun, go_on = Group(history), threading.Event(), threading.Event()

    def slow(within: History) -> Entry | None:
        begun.set()
        go_on.wait(10)
        return within.move(first.id, State.CANCELLED)

    def fails(_: History) -> None:
        raise InvalidRequest("this one only")

    with ThreadPoolExecutor(9) as pool:

        def all_at_once() -> None:
            pool.submit(group.store, slow)
            begun.wait(10)
            moves = [
                pool.submit(group.store, lambda within, entry=entry: within.move(entry.id, State.SUBMITTING))  # type: ignore[misc]  # the default binds it
                for entry in others
            ]
            while len(group._waiting) < len(others):
                pass
            go_on.set()
            assert [entry.id for entry in others] == [move.result(10).id for move in moves]

        assert 2 == writes(database, all_at_once)
        with pytest.raises(InvalidRequest, match="this one only"):
            group.store(fails)


def test_one_that_fails_takes_no_other_with_it(database: Database) -> None:
    """Of several that are stored together, one that raises is told so, and the others are stored all the same."""
    history = History(database, clock=Clock())
    first, second = queued(history, 2)
    group, begun, go_on = Group(history), threading.Event(), threading.Event()

    def slow(_: History) -> None:
        begun.set()
        go_on.wait(10)

    def fails(within: History) -> None:
        within.move(second.id, State.CANCELLED)
        raise InvalidRequest("this one only")

    with ThreadPoolExecutor(3) as pool:
        pool.submit(group.store, slow)
        begun.wait(10)
        good = pool.submit(group.store, lambda within: within.move(first.id, State.SUBMITTING))
        bad = pool.submit(group.store, fails)
        while len(group._waiting) < 2:
            pass
        go_on.set()
        with pytest.raises(InvalidRequest, match="this one only"):
            bad.result(10)
        assert (good.result(10) or first).state is State.SUBMITTING
    assert State.SUBMITTING is getattr(history.get(first.id), "state", None)
    assert 1 == getattr(history.get(first.id), "attempts", None)


def test_nobody_waits_for_a_later_transaction(database: Database) -> None:
    """Whoever's change was stored by another thread goes on at once, even if that thread has begun the next one."""
    history = History(database, clock=Clock())
    group, begun, go_on, gone_on = Group(history), threading.Event(), threading.Event(), threading.Semaphore(0)

    def slow(_: History) -> None:
        begun.set()
        go_on.wait(10)

    def one() -> None:
        group.store(lambda _: None)
        gone_on.release()

    def one_and_another() -> bool:
        group.store(lambda _: None)
        return group.store(lambda _: all(gone_on.acquire(timeout=5) for _ in others))

    with ThreadPoolExecutor(10) as pool:
        pool.submit(group.store, slow)
        begun.wait(10)
        first = pool.submit(one_and_another)
        others = [pool.submit(one) for _ in range(8)]
        while len(group._waiting) < 9:
            pass
        go_on.set()
        assert first.result(30)
