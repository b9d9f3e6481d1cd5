"""Tasks are asked about at the right time, and odd answers change nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from journey.api.models import Task
from journey.history import State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from tests.harness.hosted import (
    ODD_TASKS,
    SINGLE_ID,
    STEPS,
    Change,
    Close,
    FakeHosted,
    Reply,
    web_page,
    without,
)
from tests.harness.tracking import TrackedStudio
from tests.studio.tracker.conftest import states


def test_many_tasks_are_asked_for_together(studio: TrackedStudio, api: FakeHosted) -> None:
    """Twenty-five tasks are watched with at most 20 ids per call and come home with one charge each."""
    api.steps = (*STEPS[:1], *STEPS[-2:])
    for _ in range(25):
        studio.add()
    studio.settle()
    assert {State.FINISHED: 25} == states(studio)
    assert 25 == api.charges
    sizes = {len(call.body["task_ids"]) for call in api.calls_to("fetch-many")}
    assert sizes <= set(range(2, 21))
    assert 20 in sizes


def test_a_task_that_fails_says_so(studio: TrackedStudio, api: FakeHosted) -> None:
    """A failed task ends the entry with its error; what it says later changes nothing."""
    entry = studio.add()
    studio.tracker.step()
    task_id = str(studio.look(entry).task_id)
    api.fail(task_id, "Moderated")
    studio.settle()
    assert (State.FAILED, "Moderated") == (studio.look(entry).state, studio.look(entry).error)
    api.finish(task_id)
    api.tasks[task_id].error = None
    studio.settle()
    assert State.FAILED is studio.look(entry).state


def test_an_answer_about_many_may_be_odd(studio: TrackedStudio, api: FakeHosted) -> None:
    """Missing, reversed, repeated or foreign tasks and unknown status words do no harm: all tasks come home."""
    entries = [studio.add() for _ in range(3)]
    studio.tracker.step()
    foreign = {"task_id": SINGLE_ID, "status": "failed", "error": "not yours"}
    changes = [
        lambda answer: {"tasks": []},
        lambda answer: {"tasks": answer["tasks"][::-1]},
        lambda answer: {"tasks": [foreign, *answer["tasks"][1:], None, 7]},
        lambda answer: {"tasks": answer["tasks"] * 2},
        lambda answer: {"tasks": [{**task, "status": "polishing"} for task in answer["tasks"]]},
    ]
    api.script("fetch-many", *[Change(change) for change in changes], Reply(500, {}), web_page(), Close.HALF_ANSWER)
    for entry in entries:
        api.hold(str(studio.look(entry).task_id), STEPS.index(("processing", "50")))
    studio.settle(seconds=100)
    assert {State.OPEN: 3} == states(studio)
    for entry in entries:
        api.finish(str(studio.look(entry).task_id))
    studio.settle()
    assert {State.FINISHED: 3} == states(studio)


@pytest.mark.parametrize("change", ODD_TASKS.values(), ids=ODD_TASKS.keys())
def test_harmless_variants_of_an_answer_change_nothing(studio: TrackedStudio, api: FakeHosted, change: Change) -> None:
    """Whatever fields an answer lacks or adds, the task comes home."""
    api.always("fetch", change)
    entry = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_one_id_that_the_api_refuses_does_not_hide_the_others(studio: TrackedStudio, api: FakeHosted) -> None:
    """When a call about many is refused, each is asked about by itself."""
    entries = [studio.add() for _ in range(3)]
    api.always("fetch-many", Reply(400, {"error": "task_ids: one is malformed"}))
    studio.settle()
    assert {State.FINISHED: 3} == states(studio)
    assert len(entries) == api.charges


def test_finished_without_a_picture_is_not_finished(studio: TrackedStudio, api: FakeHosted) -> None:
    """A finished task without an address is still watched, and comes home when the address is there."""
    entry = studio.add()
    studio.tracker.step()
    api.finish(str(studio.look(entry).task_id))
    api.always("fetch", without("image_url"))
    studio.settle(seconds=600)
    assert State.OPEN is studio.look(entry).state
    api.always("fetch", None)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_silent_task_is_stale_and_asked_for_rarely(studio: TrackedStudio, api: FakeHosted) -> None:
    """A task without any change for 30 minutes is stale and asked about every five minutes, until there is news."""
    entry = studio.add()
    studio.tracker.step()
    task_id = str(studio.look(entry).task_id)
    api.hold(task_id, STEPS.index(("processing", "50")))
    studio.settle(seconds=1800)
    assert 100 < len(api.calls_to("fetch")) < 180  # every 2 s at first, growing to 15 s
    studio.clock.now += 400
    studio.settle(seconds=400)
    assert studio.look(entry).is_stale(studio.clock.now)
    asked = len(api.calls_to("fetch"))
    studio.settle(seconds=3600)
    assert 10 <= len(api.calls_to("fetch")) - asked <= 14
    api.finish(task_id)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_task_that_moves_here_is_asked_about_at_once(studio: TrackedStudio, api: FakeHosted) -> None:
    """Whatever pause is left until the next look, a move of the task on this machine brings it about now."""
    entry = studio.add(provider=THIS_MACHINE)
    studio.tracker.step()
    task_id = str(studio.look(entry).task_id)
    api.hold(task_id, STEPS.index(("processing", "50")))
    studio.tracker.step()
    asked = len(api.calls_to("fetch"))
    studio.clock.now += 0.01
    studio.tracker.step()
    assert asked == len(api.calls_to("fetch"))
    studio.tracker.task_moved(task_id)
    studio.tracker.step()
    assert asked + 1 == len(api.calls_to("fetch"))


def test_a_move_during_an_answer_is_not_lost(studio: TrackedStudio, api: FakeHosted) -> None:
    """A task that moves while an older answer about it is on its way is asked about again, without a pause."""
    entry = studio.add(provider=THIS_MACHINE)
    studio.tracker.step()
    task_id = str(studio.look(entry).task_id)
    api.hold(task_id, STEPS.index(("processing", "50")))
    ask = studio.client.fetch_many

    def moves_meanwhile(task_ids: Iterable[str]) -> list[Task]:
        answer = ask(task_ids)
        studio.clock.now += 0.01
        studio.history.hasten_task(task_id)
        return answer

    studio.client.fetch_many = moves_meanwhile  # type: ignore[method-assign]
    studio.clock.now += THIS_MACHINE.poll[0]
    studio.tracker.step()
    studio.client.fetch_many = ask  # type: ignore[method-assign]
    asked = len(api.calls_to("fetch"))
    studio.tracker.step()
    assert asked + 1 == len(api.calls_to("fetch"))


def test_a_task_here_is_asked_about_as_soon_as_its_id_is_stored(studio: TrackedStudio) -> None:
    """A task on this machine may have moved before its id was stored; one elsewhere is left alone at first."""
    here, elsewhere = studio.add(provider=THIS_MACHINE), studio.add()
    for provider, client in studio.tracker._clients.items():
        studio.tracker._submitting.hand_out(provider, client, {})
    now = studio.clock.now
    assert (now, now + JOURNEYAPI.poll[0]) == (studio.look(here).due_at, studio.look(elsewhere).due_at)
