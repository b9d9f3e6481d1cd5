"""Who is told what, and when."""

from __future__ import annotations

from journey.history import Entry, History, NewEntry, State
from journey.provider import THIS_MACHINE
from journey.storage.database import Database
from journey.views.notices import ended


def add(history: History, *ways: State, **fields: str) -> Entry:
    entry = history.add(NewEntry(**{"provider": THIS_MACHINE, "type": "2x", "name": "koi.png"} | fields))  # type: ignore[arg-type]
    for state in ways:
        history.move(entry.id, state)
    found = history.get(entry.id)
    assert found is not None
    return found


FAILED = (State.SUBMITTING, State.FAILED)


def test_what_goes_on_is_counted(database: Database) -> None:
    """Queued, sent and open entries are under way, ended and undecided ones are not; each person's can be asked for."""
    history = History(database)
    going = {
        add(history, person="ann@example.com").id,
        add(history, State.SUBMITTING).id,
        add(history, State.SUBMITTING, State.OPEN).id,
    }
    for ways in (FAILED, (State.CANCELLED,), (State.SUBMITTING, State.AMBIGUOUS)):
        add(history, *ways, person="ann@example.com")
    assert going == set(history.lists.under_way())
    assert 1 == len(history.lists.under_way(person="ann@example.com"))
    assert [] == history.lists.under_way(person="bob@example.com")


def test_a_batch_is_told_once_and_a_pair_one_by_one(database: Database) -> None:
    """The entries of a batch are told together when the last has ended, and the halves of a pair one by one."""
    history = History(database)
    batch = [add(history, *FAILED, batch="b"), add(history, batch="b")]
    pair = [add(history, *FAILED, batch="ab-1"), add(history, batch="ab-1")]
    alone = add(history, State.SUBMITTING, State.AMBIGUOUS)
    assert [[pair[0]], [alone]] == ended([*batch, *pair, alone])
    batch[1] = add(history, *FAILED, batch="b")
    assert [batch] == ended(batch)
    assert [] == ended([])
