"""The usual time of a task, learnt from the latest ones."""

from __future__ import annotations

from journey.history import History, NewEntry, State
from journey.history.timing import usual_times
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from tests.harness.standing import Clock


def finish(history: History, clock: Clock, seconds: float, **fields: object) -> None:
    """Add a task that is sent after a wait in the queue, and whose result is stored `seconds` later."""
    wish = {"provider": JOURNEYAPI, "type": "4x", "name": "koi.png"} | fields
    entry = history.add(NewEntry(**wish))  # type: ignore[arg-type]
    clock.now += 1_000
    for state, after in ((State.SUBMITTING, 0.0), (State.OPEN, 0.0), (State.ARCHIVING, seconds), (State.FINISHED, 0.0)):
        clock.now += after
        history.move(entry.id, state)


def test_the_median_of_the_last_twenty(database: Database) -> None:
    """The time from sending to the stored result is the median of the latest 20 with that provider and multiplier."""
    clock = Clock()
    history = History(database, clock=clock)
    assert {} == usual_times(database, [JOURNEYAPI])
    finish(history, clock, 9_000)
    for seconds in range(31, 51):
        finish(history, clock, seconds)
    finish(history, clock, 5, provider=THIS_MACHINE)
    finish(history, clock, 7, type="2x")
    assert {(JOURNEYAPI, 4): 40.5, (JOURNEYAPI, 2): 7.0} == usual_times(database, [JOURNEYAPI])
