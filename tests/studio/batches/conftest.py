"""A history and its batches, moved by hand."""

from __future__ import annotations

import pytest

from journey.history import Entry, History, NewEntry, State
from journey.provider import THIS_MACHINE, Provider
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from journey.studio.batches.store import Batches, progress
from tests.harness.standing import Clock


class Team:
    """A history, its batches and a clock that stands still."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.history = History(database, clock=self.clock)
        self.batches = Batches(database, clock=self.clock)

    def queue(self, count: int, batch_id: str = "b1", provider: Provider = THIS_MACHINE) -> list[Entry]:
        self.batches.queue(batch_id, [wish(n, provider) for n in range(count)], name=f"{count} pictures")
        return [item.entry for item in self.batches.items(batch_id)]

    def run(self, entry: Entry, to: State = State.FINISHED) -> None:
        """Move the entry along the usual ways to that state."""
        on_the_way = [State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED]
        if to in (State.FAILED, State.AMBIGUOUS):
            on_the_way = [State.SUBMITTING, to]
        for state in on_the_way[: on_the_way.index(to) + 1]:
            assert self.history.move(entry.id, state, task_id=entry.id) is not None

    def due(self) -> list[str]:
        return [entry.name for entry in self.history.due(State.QUEUED, limit=100)]

    def progress(self) -> tuple[int, int, int, int]:
        now = progress(self.batches.items("b1"))
        return now.finished, now.under_way, now.waiting, now.failed


def wish(number: int, provider: Provider = THIS_MACHINE) -> NewEntry:
    return NewEntry(
        provider=provider,
        type="4x",
        name=f"picture {number}",
        fingerprint=f"{provider} {number}",
        image_url=f"https://a.example/{number}.png",
        source=StoredPicture("0" * 32, "x.png", 100, 100),
    )


@pytest.fixture
def team(database: Database) -> Team:
    return Team(database)
