"""The usual time of a task at JourneyAPI is learnt from the last ones."""

from __future__ import annotations

from journey.history import History, NewEntry, State
from journey.history.timing import UsualTimes
from journey.storage.database import Database
from tests.studio import Clock


def finish(history: History, clock: Clock, seconds: float, **fields: object) -> None:
    """A task that was sent now and is stored so many seconds later, after a wait in the queue."""
    wish = {"engine": "journeyapi", "type": "4x", "name": "koi.png"} | fields
    entry = history.add(NewEntry(**wish))  # type: ignore[arg-type]
    clock.now += 1_000
    for state, after in ((State.SUBMITTING, 0.0), (State.OPEN, 0.0), (State.ARCHIVING, seconds), (State.FINISHED, 0.0)):
        clock.now += after
        history.move(entry.id, state)


def test_the_median_of_the_last_twenty(database: Database) -> None:
    """The time from sending to the stored result counts, of the newest of that engine and multiplier alone."""
    clock = Clock()
    history, usual = History(database, clock=clock), UsualTimes(database)
    assert usual.seconds("journeyapi", 2) is None
    finish(history, clock, 9_000)
    for seconds in range(31, 51):
        finish(history, clock, seconds)
    finish(history, clock, 5, engine="embedded")
    finish(history, clock, 5, type="2x")
    assert 40.5 == usual.seconds("journeyapi", 4)


def test_it_is_worked_out_once_a_minute(database: Database) -> None:
    """Within a minute the same figure is given without asking again."""
    clock, now = Clock(), Clock()
    history, usual = History(database, clock=clock), UsualTimes(database, clock=now)
    finish(history, clock, 30)
    assert 30 == usual.seconds("journeyapi", 4)
    finish(history, clock, 60)
    now.now += 59
    assert 30 == usual.seconds("journeyapi", 4)
    now.now += 2
    assert 45 == usual.seconds("journeyapi", 4)
