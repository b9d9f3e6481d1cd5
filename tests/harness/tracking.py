"""A history, a tracker and their files around the stand-in, stepped by hand; and the same in a process that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import httpx
import sqlalchemy as sa

from journey.api.client import JourneyClient
from journey.history import Entry, History, NewEntry, State
from journey.history.together import transactions
from journey.outside.door import Door, Fetched
from journey.pictures.checking import Limits
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.stored import Origins, StoredPicture
from journey.studio.tracker import Tracker
from tests.harness.standing import Clock, DecoderHere, Inline

T = TypeVar("T")
OWN_ORIGIN = "http://studio.test:8501"
SOURCE = StoredPicture("5" * 32, "fjord.png", 64, 48)
"""The picture that is enlarged. Its file is never read here."""


class TrackedStudio:
    """Everything that the tracker needs, in one folder, with the stand-in as both providers."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        api_url: str,
        api_key: str,
        *,
        executor: Executor | None = None,
        timeout: float = 5.0,
        transport: httpx.BaseTransport | None = None,
        allow: Sequence[str] = ("127.0.0.1",),
        public: str | None = None,
        **collaborators: Any,
    ) -> None:
        self.clock: Clock = collaborators.pop("clock", None) or Clock()
        self.history: History = collaborators.pop("history", None) or History(database, clock=self.clock)
        self.client = JourneyClient(
            api_key, api_url, attempts=1, timeout=timeout, transport=transport, sleep=lambda _: None
        )
        self.folder = folder / "files"
        self.files = Files(str(self.folder), work_dir=folder)
        self.files.start()
        self.decoder = DecoderHere(Limits(10**6, 16 * 10**6))
        self.door: Door = collaborators.pop("door", None) or Door(allow)
        self.tracker = Tracker(
            self.history,
            {JOURNEYAPI: self.client, THIS_MACHINE: self.client},
            self.files,
            self.decoder,
            self.door,
            origins=Origins(public, local=(OWN_ORIGIN,)),
            max_bytes=2**20,
            clock=self.clock,
            executor=executor or Inline(),
            **collaborators,
        )

    def add(self, image_url: str | None = "https://example.com/fjord.png", **fields: Any) -> Entry:
        """Queue a 4x upscale of a picture of 64 × 48 pixels."""
        wish = {"provider": JOURNEYAPI, "type": "4x", "name": "fjord.png", "source": SOURCE}
        return self.history.add(NewEntry(image_url=image_url, **{**wish, **fields}))

    def look(self, entry: Entry) -> Entry:
        """The entry as it is now."""
        now = self.history.get(entry.id)
        assert now is not None
        return now

    def settle(self, *, seconds: float = 3600.0) -> None:
        """Step from one due time to the next, until nothing more is due within this many seconds."""
        end = self.clock.now + seconds
        while True:
            wanted = self.tracker._loop._wanted
            wanted.set()
            while wanted.is_set():  # as its own loop does
                wanted.clear()
                self.tracker.step()
            due_at = self.history.next_due(after=self.clock.now)
            if due_at is None or due_at > end:
                break
            self.clock.now = due_at

    def close(self) -> None:
        self.tracker.stop()
        self.client.close()

    def left_behind(self) -> list[Path]:
        """Temporary files that nobody removed."""
        return list((self.folder / "incoming").iterdir())


def die(*_: object) -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def _die_around_a_move(before: State | None, after: State | None, *, in_second_step: bool) -> None:
    """Kill this process before or after an entry moves to these states, be it alone or with others."""
    move_for_real, write_for_real = History.move, Database.write
    moved: list[str] = []

    def is_meant(history: History, entry_id: str) -> bool:
        entry = history.get(entry_id)
        return entry is not None and (entry.step == 2) is in_second_step

    def move(history: History, entry_id: str, to: State, **changes: Any) -> Entry | None:
        if to is before and is_meant(history, entry_id):
            die()
        entry = move_for_real(history, entry_id, to, **changes)
        if to is after and is_meant(history, entry_id):
            moved.append(entry_id)
            if isinstance(transactions(history), Database):
                die()
        return entry

    @contextmanager
    def write(database: Database) -> Iterator[sa.Connection]:
        with write_for_real(database) as connection:
            yield connection
        if moved:  # within a transaction that has been stored by now
            die()

    History.move = move  # type: ignore[method-assign]
    Database.write = write  # type: ignore[method-assign]


POINTS = (
    "before submitting is stored",
    "after submitting is stored",
    "during the call",
    "after the call",
    "after the task id is stored",
    "during polling",
    "before archiving is stored",
    "during the download",
    "after the download",
    "during the rename",
    "after the rename",
)
"""Where `run_until_death` can die. "During the call" it does not: its caller has to kill it."""

_BEFORE = {
    "before submitting is stored": State.SUBMITTING,
    "after the call": State.OPEN,
    "before archiving is stored": State.ARCHIVING,
    "before the end is stored": State.FINISHED,
}
_AFTER = {
    "after submitting is stored": State.SUBMITTING,
    "after the task id is stored": State.OPEN,
    "after the end is stored": State.FINISHED,
}
"""The points that lie before and after a move to a state."""


def run_until_death(
    database_url: str, folder: str, api_url: str, api_key: str, point: str, *, in_second_step: bool = False
) -> None:
    """Work through the queue as the program does, and die at this point.

    `in_second_step` leaves the first step of an order alone, at points that lie before or after a move.
    """
    database = Database(database_url)
    studio = TrackedStudio(database, Path(folder), api_url, api_key, timeout=60)
    _die_around_a_move(_BEFORE.get(point), _AFTER.get(point), in_second_step=in_second_step)
    match point:
        case "during polling":
            studio.client.fetch_many = _then_die(studio.client.fetch_many)  # type: ignore[method-assign]
        case "during the download":
            studio.door.get = _half_a_download  # type: ignore[method-assign, assignment]
        case "after the download":
            studio.door.get = _then_die(studio.door.get)  # type: ignore[method-assign]
        case "during the rename":
            Path.chmod = die  # type: ignore[method-assign, assignment]
        case "after the rename":
            studio.files.keep = _then_die(studio.files.keep)  # type: ignore[method-assign]
    studio.settle()


def _then_die(work: Callable[..., T]) -> Callable[..., T]:
    def dying(*args: Any, **kwargs: Any) -> T:
        result = work(*args, **kwargs)
        die()
        return result

    return dying


def _half_a_download(_: str, *, max_bytes: int, into: BinaryIO) -> Fetched:
    into.write(b"\x89PNG half of it")
    into.flush()
    die()
    raise AssertionError(max_bytes)
