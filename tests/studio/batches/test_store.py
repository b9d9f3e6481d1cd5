"""How a batch runs: a few at a time and in order, paused, tried again and stopped, and nothing twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from journey.history import STALE_AFTER, State
from journey.provider import JOURNEYAPI, THIS_MACHINE, Provider
from journey.studio.batches.store import seconds_left
from tests.studio.batches.conftest import Team, wish


@pytest.mark.parametrize("provider", [JOURNEYAPI, THIS_MACHINE], ids=str)
def test_a_batch_lets_a_few_go_at_a_time_in_order(team: Team, provider: Provider) -> None:
    """The first are due at once, in the order given, and each one that is done or stuck lets the next go."""
    ahead = provider.ahead
    entries = team.queue(ahead + 4, provider=provider)
    names = [f"picture {n}" for n in range(ahead + 4)]
    assert names == [entry.name for entry in entries]
    assert names[:ahead] == team.due()
    team.batches.feed()
    assert names[:ahead] == team.due()
    team.run(entries[0])
    team.run(entries[1], State.AMBIGUOUS)
    team.batches.feed()
    assert names[2 : ahead + 2] == team.due()
    team.run(entries[2], State.OPEN)
    team.clock.now += STALE_AFTER + 1
    team.batches.feed()
    assert names[3 : ahead + 3] == team.due()


def test_a_double_click_queues_once(team: Team) -> None:
    """The same batch again, at once or from another tab, adds nothing."""
    first = team.queue(3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: team.queue(3), range(8)))
    assert [entry.id for entry in first] == [item.entry.id for item in team.batches.items("b1")]
    assert 3 == team.history.lists.count()


def test_a_picture_under_way_is_not_queued_twice(team: Team) -> None:
    """A picture that was queued alone joins the batch; one of another batch stays there and is counted."""
    alone = team.history.add(wish(0))
    team.queue(2)
    assert alone.id in [item.entry.id for item in team.batches.items("b1")]
    assert "picture 0" in team.due()
    team.queue(3, "b2")
    batch = team.batches.get("b2")
    assert batch is not None
    assert (2, ["picture 2"]) == (batch.elsewhere, [item.entry.name for item in team.batches.items("b2")])


def test_a_paused_batch_sends_nothing_even_after_a_restart(team: Team) -> None:
    """Nothing of a paused batch is due, neither what waits nor what came back to the queue, even after a restart."""
    entries = team.queue(6)
    team.history.move(entries[0].id, State.SUBMITTING)
    team.batches.pause("b1")
    assert [] == team.due()
    team.history.move(entries[0].id, State.QUEUED, note="No connection.")  # what was being sent came back
    team.batches.feed()
    team.history.recover()
    team.clock.now += 24 * 3600
    team.batches.feed()
    assert ([], (0, 0, 6, 0)) == (team.due(), team.progress())
    team.batches.resume("b1")
    assert ["picture 0", "picture 1", "picture 2"] == team.due()
    assert {None} == {item.entry.note for item in team.batches.items("b1")}


def test_a_pause_holds_no_other_batch(team: Team) -> None:
    """While a batch is paused, entries of other batches and of none go on."""
    team.queue(4)
    team.batches.queue("b2", [wish(100)], name="other")
    team.history.add(wish(200))
    team.batches.pause("b1")
    team.batches.feed()
    assert {"picture 100", "picture 200"} == set(team.due())


def test_a_new_try_is_for_what_failed_only(team: Team) -> None:
    """Failed pictures are queued again in their places, but only once; finished and undecided ones are not."""
    entries = team.queue(4)
    for entry, state in zip(entries, (State.FAILED, State.FINISHED, State.AMBIGUOUS, State.FAILED), strict=True):
        team.run(entry, state)
    assert (1, 0, 0, 2) == team.progress()
    team.clock.now += 60
    assert 2 == team.batches.retry("b1")
    assert 0 == team.batches.retry("b1")
    items = team.batches.items("b1")
    assert [f"picture {n}" for n in range(4)] == [item.entry.name for item in items]
    assert [2, 1, 1, 2] == [item.tries for item in items]
    assert ["picture 0", "picture 3"] == team.due()
    ((_, counted),) = team.batches.latest()
    assert (4, 1, 1, 0, 2) == (counted.total, counted.finished, counted.undecided, counted.failed, counted.under_way)


def test_what_waits_can_be_cancelled(team: Team) -> None:
    """Cancelling takes everything that was not sent out of the queue, and leaves what is under way."""
    entries = team.queue(5)
    team.run(entries[0], State.OPEN)
    assert 4 == team.batches.cancel_waiting("b1")
    team.batches.feed()
    assert [State.OPEN] + [State.CANCELLED] * 4 == [item.entry.state for item in team.batches.items("b1")]


def test_the_time_left_follows_the_pace(team: Team) -> None:
    """When one of two equal pictures took 10 s, 10 s are left; before the first is finished nothing is promised."""
    entries = team.queue(2)
    assert seconds_left(team.batches.items("b1"), team.clock.now) is None
    team.history.move(entries[0].id, State.SUBMITTING)
    team.clock.now += 10
    for state in (State.OPEN, State.ARCHIVING, State.FINISHED):
        team.history.move(entries[0].id, state)
    items = team.batches.items("b1")
    assert pytest.approx(10) == seconds_left(items, team.clock.now)
