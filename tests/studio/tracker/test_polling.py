"""Tasks are asked about at the right time, and odd answers change nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

import pytest

from journey.api.models import Task
from journey.history import State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.testing import (
    GRID_ID,
    SINGLE_ID,
    STEPS,
    Change,
    Close,
    Reply,
    StandIn,
    each_task,
    web_page,
    with_fields,
    without,
)
from tests.harness.explained import writes
from tests.harness.odd_answers import ODD_TASKS
from tests.harness.tracking import TrackedStudio
from tests.studio.tracker.conftest import states


def test_many_tasks_are_asked_for_together(studio: TrackedStudio, api: StandIn) -> None:
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


def test_a_task_that_fails_says_so(studio: TrackedStudio, api: StandIn) -> None:
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


def test_an_answer_about_many_may_be_odd(studio: TrackedStudio, api: StandIn) -> None:
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
def test_harmless_variants_of_an_answer_change_nothing(studio: TrackedStudio, api: StandIn, change: Change) -> None:
    """Whatever fields an answer lacks or adds, the task comes home."""
    api.always("fetch", change)
    entry = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_one_id_that_the_api_refuses_does_not_hide_the_others(studio: TrackedStudio, api: StandIn) -> None:
    """When a call about many is refused, each is asked about by itself."""
    entries = [studio.add() for _ in range(3)]
    api.always("fetch-many", Reply(400, {"error": "task_ids: one is malformed"}))
    studio.settle()
    assert {State.FINISHED: 3} == states(studio)
    assert len(entries) == api.charges


def test_a_picture_may_come_a_moment_later(studio: TrackedStudio, api: StandIn) -> None:
    """A task that is finished a moment before its address is told comes home, and says meanwhile what it waits for."""
    entry = studio.add()
    studio.tracker.step()
    api.finish(str(studio.look(entry).task_id))
    api.always("fetch", without("image_url"))
    studio.settle(seconds=30)
    assert State.OPEN is studio.look(entry).state
    assert "finished, but not yet where" in str(studio.look(entry).note)
    api.always("fetch", None)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


PREVIEW = {"image_url": "https://cdn.example/preview.png"}
ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "cancelled": ({"status": "CANCELLED"}, "CANCELLED"),
    "moderated": ({"status": "moderated", "message": "Against our rules", **PREVIEW}, "Against our rules"),
    "rejected": ({"status": "Rejected", "detail": [{"msg": "Not a picture"}]}, "Not a picture"),
    "an object": ({"status": "failed", "error": {"message": "Out of paint"}}, "Out of paint"),
    "a list": ({"status": "failed", "errors": [{"msg": "Out of paint"}, "and ink"]}, "Out of paint and ink"),
    "another name": ({"failure_reason": "Out of paint"}, "Out of paint"),
    "only a message": ({"message": "Out of paint"}, "Out of paint"),
    "an error beside a preview": ({"error": "Out of paint", **PREVIEW}, "Out of paint"),
    "no reason": ({"status": "error", "error": {}}, "gave no reason"),
    "no picture": ({"status": "success"}, "JourneyAPI says that the task is finished, but named no address"),
    "no picture, but words": ({"status": "success", "message": "Removed"}, "no address of a picture. Removed"),
    "only holes": ({"status": "done", "image_urls": [None, "", {}, 7]}, "named no address of a picture"),
    "too long an address": ({"status": "done", "image_url": "https://cdn/" + "a" * 99_999}, "so it cannot be kept"),
}  # fmt: skip


@pytest.mark.parametrize(("end", "words"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("count", [1, 2])
def test_every_end_ends_the_entry_in_the_words_of_the_api(
    studio: TrackedStudio, api: StandIn, end: dict[str, Any], words: str, count: int
) -> None:
    """However the API says that a task is over without a picture, the entry ends, with what the API said."""
    entries = [studio.add() for _ in range(count)]
    ended = each_task(lambda task: {"task_id": task["task_id"], **end})
    api.always("fetch", ended)
    api.always("fetch-many", ended)
    studio.settle(seconds=120)
    for entry in entries:
        assert (State.FAILED, True) == (studio.look(entry).state, words in str(studio.look(entry).error))
    assert count == api.charges


@pytest.mark.parametrize(
    "percentages",
    [("0", "32", 64.0, "99%", "99.9"), (None,), ("",), ("soon",), ("missing",), (True, [], {})],
    ids=str,
)
def test_previews_never_end_an_entry(studio: TrackedStudio, api: StandIn, percentages: tuple[Any, ...]) -> None:
    """While previews come, with whatever percentage or none, the entry is open; then the result is archived once."""
    entries = [studio.add() for _ in range(2)]
    studio.tracker.step()
    ids = [str(studio.look(entry).task_id) for entry in entries]
    for task_id in ids:
        api.hold(task_id, STEPS.index(("processing", "50")))
    sent = itertools.cycle(percentages)
    statuses = itertools.cycle(["IN_PROGRESS", "rendering", "processing", 3, {"name": "done"}])

    def preview(task: dict[str, Any]) -> dict[str, Any]:
        shown = {
            **task,
            "status": next(statuses),
            "percentage": next(sent),
            "image_url": f"{api.origin}/source/9x9.png",
        }
        return {name: value for name, value in shown.items() if value != "missing"}

    for endpoint in ("fetch", "fetch-many"):
        api.always(endpoint, each_task(preview))
    studio.settle(seconds=300)
    assert {State.OPEN: 2} == states(studio)
    assert [] == api.calls_to("cdn")
    for endpoint in ("fetch", "fetch-many"):
        api.always(endpoint, None)
    for task_id in ids:
        api.finish(task_id)
    studio.settle()
    assert [(256, 192)] * 2 == [studio.look(entry).result_size for entry in entries]
    assert (2, 2) == (api.charges, len(api.calls_to("cdn")))


def test_a_hole_is_no_other_picture(studio: TrackedStudio, api: StandIn) -> None:
    """When the picture that was asked for is a hole, its neighbour does not take its place: the entry ends."""
    entry = studio.add(parent_task_id=GRID_ID, index="2")
    urls = [f"{api.origin}/source/64x48.png", None, f"{api.origin}/source/64x48.png", None]
    api.always("fetch", with_fields(status="done", image_urls=urls, image_url=None))
    studio.settle(seconds=120)
    assert State.FAILED is studio.look(entry).state
    assert "no address of picture 2" in str(studio.look(entry).error)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("header", ["60", "date"])
def test_a_provider_that_wants_to_be_left_alone_is(
    studio: TrackedStudio, api: StandIn, count: int, header: str
) -> None:
    """After a 429 with Retry-After nothing is asked about before its time, not even what was sent meanwhile."""
    first, *_ = [studio.add() for _ in range(count)]
    studio.tracker.step()
    studio.clock.now += 2
    until = studio.clock.now + 60
    headers = {"Retry-After": header}
    if header == "date":
        headers = {"Retry-After": formatdate(until, usegmt=True), "Date": formatdate(studio.clock.now, usegmt=True)}
    api.script("fetch" if count == 1 else "fetch-many", Reply(429, {}, headers))

    def asked() -> int:
        return len(api.calls_to("fetch")) + len(api.calls_to("fetch-many"))

    studio.tracker.step()
    assert (1, True) == (asked(), "Too many calls" in str(studio.look(first).note))
    studio.add()
    for _ in range(8):
        studio.tracker.step()
        studio.clock.now += 7
    assert (1, count + 1) == (asked(), api.charges)
    studio.clock.now = until
    studio.tracker.step()
    assert 2 == asked()
    studio.settle()
    assert {State.FINISHED: count + 1} == states(studio)


def test_what_stays_open_says_why(studio: TrackedStudio, api: StandIn) -> None:
    """As long as nothing can be learnt about a task, its note says what came instead; a good answer clears it."""
    entry = studio.add()
    studio.tracker.step()
    api.hold(str(studio.look(entry).task_id))
    unknown = Reply(404, {"errors": [{"msg": "Task not found"}]})
    for fault, words in (
        (Reply(200, {"error": "Overloaded, come again"}), "Overloaded"),
        (web_page(502), "a gateway in front of it answered 502"),
        (web_page(403), "The key is not at fault"),
        (unknown, "JourneyAPI says nothing about this task"),
        (Close.AFTER_READING, "connection broke"),
    ):
        for answer, note in ((fault, words), (None, None)):
            api.script("fetch", answer)
            studio.clock.now += 15
            studio.tracker.step()
            now = studio.look(entry)
            assert State.OPEN is now.state
            assert note is now.note if note is None else note in str(now.note)
    assert {} == studio.history.pauses.reasons()


def test_a_silent_task_is_stale_and_asked_for_rarely(studio: TrackedStudio, api: StandIn) -> None:
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


def test_a_task_that_moves_here_is_asked_about_at_once(studio: TrackedStudio, api: StandIn) -> None:
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


def test_a_move_during_an_answer_is_not_lost(studio: TrackedStudio, api: StandIn) -> None:
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


def test_what_a_webhook_named_is_asked_about_first(studio: TrackedStudio, api: StandIn) -> None:
    """With more tasks due than one call can ask about, the next call asks about the one there is news of.

    A second webhook for it, while that call is answered, is not lost.
    """
    entries = [studio.add() for _ in range(30)]
    for _ in entries:
        studio.tracker.step()
    for task_id in list(api.tasks):
        api.hold(task_id)
    studio.clock.now += JOURNEYAPI.poll[1]
    named = max((studio.look(entry) for entry in entries), key=lambda entry: (entry.due_at or 0, entry.id))
    studio.history.hint(named, str(named.task_id))
    ask, asked = studio.client.fetch_many, list[list[str]]()

    def named_again(task_ids: Iterable[str]) -> list[Task]:
        asked.append(list(task_ids))
        studio.clock.now += 0.01
        studio.history.hint(named, str(named.task_id))
        return ask(asked[-1])

    studio.client.fetch_many = named_again  # type: ignore[method-assign]
    studio.tracker.step()
    studio.tracker.step()
    assert [[named.task_id]] * 2 == [asked[0], asked[2]]
    assert named.task_id not in asked[1]


def test_an_answer_about_many_is_one_transaction(studio: TrackedStudio, api: StandIn, database: Database) -> None:
    """However many tasks are asked about in one call, what was said about them is stored at once."""
    for _ in range(20):
        studio.add()
    for _ in range(20):
        studio.tracker.step()
    for task_id in list(api.tasks)[::2]:
        api.hold(task_id)
    studio.clock.now += JOURNEYAPI.poll[1]
    calls = len(api.calls_to("fetch-many"))
    assert 1 == writes(database, studio.tracker.step)
    assert 1 == len(api.calls_to("fetch-many")) - calls


def test_a_task_here_is_asked_about_as_soon_as_its_id_is_stored(studio: TrackedStudio) -> None:
    """A task on this machine may have moved before its id was stored; one elsewhere is left alone at first."""
    here, elsewhere = studio.add(provider=THIS_MACHINE), studio.add()
    for provider, client in studio.tracker._clients.items():
        studio.tracker._submitting.hand_out(provider, client, {})
    now = studio.clock.now
    assert (now, now + JOURNEYAPI.poll[0]) == (studio.look(here).due_at, studio.look(elsewhere).due_at)
