"""Orders of two steps: one payment, one end, whatever happens in between."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from journey.history import Entry, State
from journey.history.tables import wishes_of
from journey.provider import HERE, JOURNEYAPI
from journey.storage.database import Database
from journey.studio.batches.store import Batches, progress
from journey.studio.stopping import stop
from journey.testing import STEPS, Reply, StandIn
from tests.conftest import PROCESSES, exit_codes
from tests.harness.standing import wait_for
from tests.harness.studios import Shelf, Studio, free_port, new_task
from tests.harness.tracking import SOURCE, TrackedStudio, run_until_death
from tests.studio.tracker.conftest import ON_BOTH, ORDER, MakeStudio, states

WAY: dict[str, Any] = {"then_type": "2x", "then_network": "fast", "fingerprint": "f" * 64}
BATCH = "b" * 32


def steps(studio: TrackedStudio) -> tuple[Entry, list[Entry]]:
    """The first step, and all second ones, the latest first."""
    entries = studio.history.lists.latest()
    (first,) = [entry for entry in entries if not entry.follows]
    return first, [entry for entry in entries if entry.follows]


@ON_BOTH
def test_the_second_step_takes_the_result_of_the_first(studio: TrackedStudio, api: StandIn) -> None:
    """4x at JourneyAPI, then 2x here: both finish, only the first costs anything, and each knows the other."""
    entry = studio.add(**WAY, person="ann@example.com")
    studio.settle()
    first, (second,) = steps(studio)
    assert (State.FINISHED, State.FINISHED) == (first.state, second.state)
    assert (entry.id, first.task_id, 1, 2) == (second.follows, second.came_from, first.step, second.step)
    assert (HERE, "2x", "fast", "ann@example.com") == (second.provider, second.type, second.network, second.person)
    assert first.result is not None
    assert (first.result.key, first.result.size) == (second.source and second.source.key, second.source_size)
    assert (2, 0) == (first.credits, second.credits)
    here, there = api.calls_to("upscale-2x-4x")[1], api.calls_to("upscale-2x-4x")[0]
    assert ({"image_url", "type"}, {"image_url", "type", "model", "reference"}) == (set(there.body), set(here.body))


def test_an_order_is_one_for_a_double_click(studio: TrackedStudio) -> None:
    """The same order again, in whichever step it is, is the one under way; just finished, it is its last step."""
    first = studio.add(**WAY)
    assert first.id == studio.add(**WAY).id
    studio.history.move(first.id, State.SUBMITTING)
    studio.history.move(first.id, State.OPEN, task_id="t-1")
    studio.history.move(first.id, State.ARCHIVING)
    studio.history.move(first.id, State.FINISHED, result=SOURCE)
    _, (second,) = steps(studio)
    assert second.id == studio.add(**WAY).id
    studio.settle(seconds=5)
    assert State.FINISHED is studio.look(second).state
    assert second.id == studio.add(**WAY).id
    assert 2 == studio.history.lists.count()


def test_a_budget_holds_the_first_step_and_not_the_second(make: MakeStudio, api: StandIn) -> None:
    """While the budget is used up nothing is sent; the first step uses it up again, and the second is free."""
    spent = [100]

    def may_spend(entry: Entry, _: object) -> str | None:
        return "The budget is used up." if entry.provider.is_paid and spent[0] + entry.provider.credits > 100 else None

    studio = make(may_spend=may_spend)
    entry = studio.add(**WAY)
    studio.settle()
    assert (State.QUEUED, 0) == (studio.look(entry).state, api.charges)
    spent[0] = 98
    studio.history.pauses.end(JOURNEYAPI)
    studio.tracker.step()
    spent[0] = 100
    studio.settle()
    first, (second,) = steps(studio)
    assert (State.FINISHED, State.FINISHED, 2, 0) == (first.state, second.state, first.credits, second.credits)


def test_a_first_step_that_fails_ends_the_order(studio: TrackedStudio, api: StandIn) -> None:
    """Nothing follows a step without a result."""
    entry = studio.add(**WAY)
    studio.tracker.step()
    api.fail(str(studio.look(entry).task_id), "No.")
    studio.settle()
    assert {State.FAILED: 1} == states(studio)


def test_a_second_step_is_tried_again_alone(studio: TrackedStudio, api: StandIn) -> None:
    """When the second step fails, the result of the first is kept, and going on repeats only the second, for free."""
    entry = studio.add(**WAY)
    _fail_second(studio, api)
    first, (second,) = steps(studio)
    assert (State.FINISHED, State.FAILED) == (first.state, second.state)
    assert studio.look(entry).result is not None
    again = studio.history.go_on(entry.id)
    assert again is not None
    assert again.id == getattr(studio.history.go_on(entry.id), "id", None)
    studio.settle()
    first, (latest, _) = steps(studio)
    assert (again.id, State.FINISHED, 2) == (latest.id, latest.state, first.credits)
    assert 0 == sum(each.credits for each in steps(studio)[1])
    assert again.id == getattr(studio.history.go_on(entry.id), "id", None)


def _fail_second(studio: TrackedStudio, api: StandIn) -> None:
    studio.settle(seconds=0)
    while not steps(studio)[1]:
        studio.settle(seconds=5)
    _, (second,) = steps(studio)
    studio.tracker.step()
    api.fail(str(studio.look(second).task_id), "Out of memory.")
    studio.settle()


@pytest.mark.parametrize("at", [State.QUEUED, State.OPEN, State.ARCHIVING])
def test_nothing_follows_a_stop_in_the_first_step(studio: TrackedStudio, at: State) -> None:
    """Stopped before, while or just after its first step runs, an order has no second step."""
    entry = studio.add(**WAY)
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        if at is not State.QUEUED and studio.look(entry).state is not at:
            fields: dict[str, Any] = {"task_id": "t-1"} if state is State.OPEN else {}
            studio.history.move(entry.id, state, **fields)
    stop(entry, studio.history, {JOURNEYAPI: studio.client, HERE: studio.client})
    if at is State.ARCHIVING:
        assert studio.history.move(entry.id, State.FINISHED, result=SOURCE)
    assert [] == steps(studio)[1]
    assert studio.look(entry).state.over


def test_a_stop_reaches_the_second_step(studio: TrackedStudio, api: StandIn) -> None:
    """A page that still shows the first step stops the second, and the result of the first stays."""
    entry = studio.add(**WAY)
    while not steps(studio)[1]:
        studio.settle(seconds=5)
    api.script("cancel", Reply(200))
    _, (second,) = steps(studio)
    stop(entry, studio.history, {JOURNEYAPI: studio.client, HERE: studio.client})
    assert State.STOPPED is studio.look(second).state
    assert studio.look(entry).result is not None


def test_a_batch_feeds_second_steps_like_others(database: Database, studio: TrackedStudio, api: StandIn) -> None:
    """In a batch a picture is one item through both steps, and nothing of a paused batch is sent."""
    batches = Batches(database, clock=studio.clock)
    wanted = studio.add(**WAY)
    studio.history.move(wanted.id, State.CANCELLED)
    with database.read() as connection:
        wishes = wishes_of(connection, [wanted.id])
    batches.queue(BATCH, wishes, name="Posters")
    batches.pause(BATCH)
    studio.settle()
    assert 0 == api.charges
    batches.resume(BATCH)
    studio.settle()
    batches.pause(BATCH)
    batches.feed()
    studio.settle()
    (item,) = batches.items(BATCH)
    assert (2, True, 1, 1) == (item.entry.step, item.waits, item.tries, api.charges)
    batches.resume(BATCH)
    studio.settle()
    (item,) = batches.items(BATCH)
    assert (State.FINISHED, 1, 1) == (item.entry.state, progress([item]).finished, item.tries)
    ((_, done),) = batches.latest()
    assert (1, 1) == (done.total, done.finished)


@pytest.mark.parametrize(
    ("point", "in_second_step"),
    [
        ("before the end is stored", False),
        ("after the end is stored", False),
        ("before submitting is stored", True),
        ("after the task id is stored", True),
        ("before archiving is stored", True),
        ("before the end is stored", True),
        ("after the end is stored", True),
    ],
)
def test_a_process_may_be_killed_between_and_in_the_steps(
    api: StandIn, tmp_path: Path, point: str, in_second_step: bool
) -> None:
    """After kill -9 at any of these points and a new start, both steps finish once, and the order is paid for once."""
    url = f"sqlite:///{tmp_path / 'journey.db'}"
    database = Database(url)
    database.upgrade()
    api.steps = STEPS[-1:]
    studio = TrackedStudio(database, tmp_path, api.url, api.key)
    studio.add(**WAY)
    process = PROCESSES.Process(
        target=run_until_death,
        args=[url, str(tmp_path), api.url, api.key, point],
        kwargs={"in_second_step": in_second_step},
    )
    process.start()
    assert [-9] == exit_codes(process)

    studio = TrackedStudio(database, tmp_path, api.url, api.key)
    studio.history.recover()
    studio.settle()
    studio.close()
    first, (second,) = steps(studio)
    assert (State.FINISHED, State.FINISHED) == (first.state, second.state)
    assert (1, 1) == (first.attempts, second.attempts)
    assert (2, 0, 2) == (first.credits, second.credits, len(api.calls_to(ORDER)))
    assert [] == studio.left_behind()
    database.close()


def test_the_program_may_be_killed_in_the_second_step(api: StandIn, tmp_path: Path) -> None:
    """With the real engine: kill -9 while it enlarges what JourneyAPI made, start again, and there is one result of 8x,
    for one charge."""
    settings = {"JOURNEY_API_KEY": api.key, "JOURNEY_API_URL": api.url, "JOURNEY_FETCH_ALLOW": "127.0.0.0/8"}
    studio = Studio(tmp_path, free_port(), settings)
    with Shelf(tmp_path) as shelf:
        source = shelf.keep("koi.png", Image.new("RGB", (120, 120), "teal"))
        wish = new_task("koi.png", source, provider=JOURNEYAPI, image_url=api.picture_url(120, 120), then_type="2x")
        entry = shelf.history.add(wish)

        def second_is(*wanted: State) -> bool:
            return any(each.state in wanted for each in shelf.history.lists.related(following=[entry.id]))

        try:
            studio.start()
            wait_for(lambda: second_is(State.OPEN, State.ARCHIVING), seconds=120)
            studio.stop(signal.SIGKILL)
            studio.start()
            wait_for(lambda: second_is(State.FINISHED), seconds=240)
        finally:
            studio.stop()
        (second,) = shelf.history.lists.related(following=[entry.id])
        assert ((960, 960), 1) == (second.result_size, second.attempts)
        assert 1 == api.charges
        assert 1 == len(list((tmp_path / "files").rglob("*_2x.png")))
