"""Browsers that wait for the end of a task hear of it at once, and cost nothing when they have left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from journey.engine.__main__ import listener_at
from journey.history import Entry, History, NewEntry, State
from journey.provider import THIS_MACHINE
from journey.views import links
from journey.web import ends
from tests.conftest import empty_database
from tests.harness.engines import served
from tests.harness.standing import wait_for

SECONDS = 10.0


class Waiting:
    """A history whose ends are told, on a free port."""

    def __init__(self, history: History, told: ends.Ends, origin: str) -> None:
        self.history = history
        self.told = told
        self._origin = origin

    def begun(self) -> Entry:
        entry = self.history.add(NewEntry(provider=THIS_MACHINE, type="4x", name="koi"))
        self.history.move(entry.id, State.SUBMITTING)
        return entry

    def connect(self, path: str) -> ClientConnection:
        return connect(self._origin + path, proxy=None)

    def is_heard(self, entry: Entry) -> bool:
        return entry.id in self.told._waiting


@pytest.fixture
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Waiting]:
    with empty_database("sqlite", request, tmp_path) as database:
        told = ends.Ends()
        history = History(database, on_end=told.tell)
        listener = listener_at("127.0.0.1", 0)
        with served(Starlette(routes=ends.routes(history, told)), listener):
            yield Waiting(history, told, f"ws://127.0.0.1:{listener.getsockname()[1]}")


def test_an_end_is_told_to_all_who_wait_for_it(waiting: Waiting) -> None:
    """Every browser that waits for an entry gets one message when it ends, and those that wait for another get none."""
    entry, other = waiting.begun(), waiting.begun()
    paths = [links.end_of(entry), links.end_of(entry), links.end_of(other)]
    first, second, third = map(waiting.connect, paths)
    with first, second, third:
        wait_for(lambda: waiting.is_heard(entry) and waiting.is_heard(other))
        waiting.history.move(entry.id, State.OPEN)
        with pytest.raises(TimeoutError):
            first.recv(timeout=0)
        waiting.history.move(entry.id, State.STOPPED)
        assert [entry.id, entry.id] == [each.recv(timeout=SECONDS) for each in (first, second)]
        with pytest.raises(TimeoutError):
            third.recv(timeout=0)


def test_an_end_before_the_wait_is_told_as_well(waiting: Waiting) -> None:
    """An entry that ended before its browser got through is told at once."""
    entry = waiting.begun()
    waiting.history.move(entry.id, State.FAILED)
    with waiting.connect(links.end_of(entry)) as browser:
        assert entry.id == browser.recv(timeout=SECONDS)


def test_nothing_is_said_of_an_unknown_entry(waiting: Waiting) -> None:
    """Whoever asks for an id that does not exist is turned away."""
    with waiting.connect("/ends/0123456789abcdef") as browser, pytest.raises(ConnectionClosed) as caught:
        browser.recv(timeout=SECONDS)
    assert caught.value.rcvd is not None
    assert ends.UNKNOWN == caught.value.rcvd.code


def test_who_has_left_is_forgotten(waiting: Waiting) -> None:
    """When the last browser that waited for an entry has left, nothing is kept of it, and the end harms nobody."""
    entry = waiting.begun()
    with waiting.connect(links.end_of(entry)):
        wait_for(lambda: waiting.is_heard(entry))
    wait_for(lambda: not waiting.is_heard(entry))
    assert waiting.history.move(entry.id, State.FAILED)
