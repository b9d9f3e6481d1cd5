"""Orders of two steps in the history: one transaction, one order in lists, and a link from each step to the other."""

from __future__ import annotations

import pytest

from journey.history import Entry, History, NewEntry, State
from journey.history.kinship import find_kin
from journey.provider import HERE, JOURNEYAPI
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from tests.harness.standing import Clock

RESULT = StoredPicture("a" * 32, "koi_4x.png", 4096, 4096)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(database: Database, clock: Clock) -> History:
    return History(database, clock=clock)


def order(history: History, **fields: object) -> Entry:
    wish = {"provider": JOURNEYAPI, "type": "4x", "name": "koi.png", "fingerprint": "f", "then_type": "2x"} | fields
    return history.add(NewEntry(**wish))  # type: ignore[arg-type]


def finish(history: History, entry: Entry) -> Entry | None:
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        history.move(entry.id, state, task_id="t-1")
    return history.move(entry.id, State.FINISHED, result=RESULT, result_key=RESULT.key)


def test_the_end_of_the_first_step_begins_the_second(history: History) -> None:
    """Only the move to finished queues the second step, once, with the result of the first as its picture."""
    entry = order(history, image_url="https://example.com/koi.png", webhook_url="https://example.com/hook", index="2")
    assert [entry.id] == history.lists.ids()
    first = finish(history, entry)
    assert first is not None
    assert finish(history, entry) is None
    (second,) = history.lists.related(following=[entry.id])
    assert (HERE, "2x", 0, State.QUEUED, RESULT.size) == (
        second.provider, second.type, second.credits, second.state, second.source_size
    )  # fmt: skip
    assert (None, None, None, None) == (second.image_url, second.webhook_url, second.index, second.parent_task_id)
    assert first == history.beginning(second) == history.beginning(first)


def test_nothing_is_queued_when_the_move_fails(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the second step cannot be written, the first is not finished either: both are one transaction."""
    entry = order(history)

    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(history, "_add", fails)
    with pytest.raises(RuntimeError):
        finish(history, entry)
    now = history.get(entry.id)
    assert now is not None
    assert State.ARCHIVING is now.state
    assert 1 == history.lists.count()


def test_a_list_can_show_each_order_once(history: History, clock: Clock) -> None:
    """With `once`, an order is shown by the step that stands for it, and each step finds the other in one look."""
    entry = order(history)
    alone = order(history, fingerprint="g", then_type=None)
    assert [alone, entry] == sorted(history.lists.latest(once=True), key=lambda each: each.id != alone.id)
    clock.now += 60
    finish(history, entry)
    (second,) = history.lists.related(following=[entry.id])
    assert [second.id, alone.id] == [each.id for each in history.lists.latest(once=True)]
    assert 3 == len(history.lists.latest())
    first = history.beginning(second)
    kin = find_kin(history.lists, [first, second])
    assert (first, second) == (kin.first_step(second), kin.second_step(first))
    assert (None, None) == (kin.first_step(first), kin.second_step(second))


def test_an_order_can_be_ended_after_its_first_step(history: History) -> None:
    """What was to follow is dropped while the first step goes on, and its result is the end."""
    entry = order(history)
    assert history.end_after_first_step(entry.id)
    assert not history.end_after_first_step(entry.id)
    finish(history, entry)
    assert () == history.lists.related(following=[entry.id])
    assert history.go_on(entry.id) is None
    assert "Nothing is to follow it." in [moment.words for moment in history.timeline(entry.id)]
