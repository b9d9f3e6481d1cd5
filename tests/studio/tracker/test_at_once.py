"""Several entries are claimed in one transaction, and each is as safe as if it were alone."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from journey.history import Entry, State
from journey.history.spending import Spending
from journey.provider import JOURNEYAPI
from journey.storage import failpoints
from journey.storage.database import Database, Transactions
from journey.studio.tracker import submitting
from journey.studio.tracker.submitting import SUBMITS_AT_ONCE
from journey.testing import Late, StandIn
from tests.conftest import PROCESSES, exit_codes
from tests.harness.explained import statements, writes
from tests.harness.standing import wait_for
from tests.harness.tracking import TrackedStudio
from tests.studio.tracker.conftest import ON_BOTH, ORDER, MakeStudio, states


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SUBMITS_AT_ONCE) as executor:
        yield executor


def claim_at_once(studio: TrackedStudio) -> None:
    """Let the next entries be claimed in one transaction: none is stored before all of them wait for it."""
    group, go_on = studio.tracker._submitting._group, threading.Event()
    holding = threading.Thread(target=group.store, args=[lambda _: go_on.wait(30)])
    holding.start()
    wait_for(lambda: group._is_storing)
    studio.tracker.step()
    wait_for(lambda: len(group._waiting) == SUBMITS_AT_ONCE)
    go_on.set()
    holding.join()


def all_done(studio: TrackedStudio) -> None:
    for future in list(studio.tracker._errands._under_way.values()):
        future.result(60)


def hold_before_the_call(monkeypatch: pytest.MonkeyPatch, until: Callable[[int], bool]) -> list[int]:
    """Hold each entry between its claim and its call until this is true of its number; returns those that came."""
    came: list[int] = []
    numbers = itertools.count()

    def hold(point: str) -> None:
        if point == "after submitting is stored":
            came.append(number := next(numbers))
            wait_for(lambda: until(number))

    monkeypatch.setattr(submitting, "reach", hold)
    return came


@ON_BOTH
def test_those_claimed_at_once_keep_the_budget(
    make: MakeStudio, api: StandIn, database: Database, pool: ThreadPoolExecutor
) -> None:
    """With a budget for three calls, three of eight that are claimed in one transaction are sent, in their order."""

    def may_spend(_: Entry, within: Transactions) -> str | None:
        return None if Spending(within).credits_since(0) + 2 <= 6 else "The budget is used up."

    studio = make(may_spend=may_spend, executor=pool)
    entries = [studio.add() for _ in range(12)]
    claim_at_once(studio)
    all_done(studio)
    assert {State.OPEN: 3, State.QUEUED: 9} == states(studio)
    assert 3 == api.charges == sum(studio.look(entry).attempts for entry in entries)
    assert 6 == Spending(database).credits_since(0)
    assert {JOURNEYAPI: "The budget is used up."} == studio.history.pauses.reasons()


def test_credits_that_end_among_those_claimed_at_once(
    make: MakeStudio, api: StandIn, database: Database, pool: ThreadPoolExecutor
) -> None:
    """When the account pays for three of eight that were claimed together, five wait, and cost nothing."""
    studio = make(executor=pool)
    for _ in range(12):
        studio.add()
    api.credits = 6
    claim_at_once(studio)
    all_done(studio)
    assert {State.OPEN: 3, State.QUEUED: 9} == states(studio)
    assert (3, 6) == (api.charges, Spending(database).credits_since(0))
    assert [JOURNEYAPI] == list(studio.history.pauses.reasons())


def test_one_that_is_refused_stops_those_claimed_with_it(
    make: MakeStudio, api: StandIn, database: Database, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the key was refused, none of those that were claimed with it is sent; all of them wait, and go on later."""
    studio = make(executor=pool)
    entries = [studio.add() for _ in range(12)]
    key, api.key = api.key, "another-key-0123456789"
    hold_before_the_call(
        monkeypatch, until=lambda number: number == 0 or JOURNEYAPI in studio.tracker._submitting._refusing
    )
    claim_at_once(studio)
    all_done(studio)
    assert 1 == len(api.calls_to(ORDER))
    assert {State.QUEUED: 12} == states(studio)
    assert SUBMITS_AT_ONCE == sum(studio.look(entry).attempts for entry in entries)
    assert 0 == Spending(database).credits_since(0)
    api.key = key
    monkeypatch.setattr(submitting, "reach", failpoints.reach)
    studio.history.pauses.end(JOURNEYAPI)
    while State.QUEUED in states(studio):
        studio.tracker.step()
        all_done(studio)
    assert 12 == api.charges


def test_a_stop_among_those_claimed_at_once(
    make: MakeStudio, api: StandIn, database: Database, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a stop, those that were claimed and whose call has not begun go back to the queue, and nothing is charged."""
    studio = make(executor=pool)
    for _ in range(12):
        studio.add()
    came = hold_before_the_call(monkeypatch, until=lambda _: studio.tracker._loop.is_stopping)
    claim_at_once(studio)
    wait_for(lambda: len(came) == SUBMITS_AT_ONCE)
    assert {State.SUBMITTING: SUBMITS_AT_ONCE, State.QUEUED: 4} == states(studio)
    studio.tracker.stop(timeout=30)
    assert {State.QUEUED: 12} == states(studio)
    assert (0, []) == (api.charges, api.calls_to(ORDER))
    assert 0 == Spending(database).credits_since(0)


def die_among_several(database_url: str, folder: str, api_url: str, api_key: str, point: str) -> None:
    """Send what is queued on several threads, and die when one of them reaches the point."""
    database = Database(database_url)
    with ThreadPoolExecutor(SUBMITS_AT_ONCE) as executor:
        studio = TrackedStudio(database, Path(folder), api_url, api_key, timeout=60, executor=executor)
        failpoints.arm(point)
        claim_at_once(studio)
        all_done(studio)


@pytest.mark.parametrize(
    "point", ["before submitting is stored:5", "after submitting is stored:5", "after the call:3", "after the call:11"]
)
def test_a_process_may_be_killed_while_several_are_sent(api: StandIn, tmp_path: Path, point: str) -> None:
    """After kill -9 in the middle of several calls none is made twice, and each charge has its task or is unknown."""
    url = f"sqlite:///{tmp_path / 'journey.db'}"
    database = Database(url)
    database.upgrade()
    studio = TrackedStudio(database, tmp_path, api.url, api.key)
    entries = [studio.add(f"https://example.com/{number}.png") for number in range(16)]
    api.always(ORDER, Late(0.05))
    process = PROCESSES.Process(target=die_among_several, args=[url, str(tmp_path), api.url, api.key, point])
    process.start()
    assert [-9] == exit_codes(process)
    begun = [entry for entry in map(studio.look, entries) if entry.attempts]
    if point.startswith("before submitting"):
        assert [] == begun
    studio.history.recover()
    studio.settle()
    studio.close()
    # A process that is killed while it writes a call has sent half of one.
    calls = Counter(str(call.body["image_url"]) for call in api.calls_to(ORDER) if call.body)
    assert {1} == set(calls.values())
    for entry in map(studio.look, entries):
        if entry.state is State.AMBIGUOUS:
            assert entry.id in {each.id for each in begun}
        else:
            assert (State.FINISHED, 1) == (entry.state, calls[str(entry.image_url)])
            assert api.tasks[str(entry.task_id)].order["image_url"] == entry.image_url
    assert SUBMITS_AT_ONCE >= states(studio)[State.AMBIGUOUS]
    database.close()


def test_many_are_asked_for_at_once(studio: TrackedStudio, api: StandIn, database: Database) -> None:
    """Forty that are queued leave in one step, first come first, after two or three questions for whose turn it is."""
    wanted = [f"https://example.com/{number}.png" for number in range(40)]
    for url in wanted:
        studio.clock.now += 1
        studio.add(url)
    with statements(database) as said:
        studio.tracker.step()
    assert wanted == [call.body["image_url"] for call in api.calls_to(ORDER)]
    asked = [sql for sql, given in said if "ORDER BY entries.due_at" in sql and State.QUEUED in tuple(given)]
    assert len(asked) <= 3


def test_what_was_held_back_meanwhile_is_not_sent(make: MakeStudio, api: StandIn) -> None:
    """One that was asked for with others, and has been given another time or was sent before its turn, is not sent."""

    def meanwhile(entry: Entry) -> None:
        if entry.id == first.id:
            studio.history.postpone(held.id, studio.clock.now + 60)
            studio.history.move(sent.id, State.SUBMITTING)
            studio.history.move(sent.id, State.QUEUED, due_at=sent.due_at)

    studio = make(webhook_for=meanwhile)
    added = []
    for number in range(3):
        studio.clock.now += 1
        added.append(studio.add(f"https://example.com/{number}.png"))
    first, held, sent = added
    studio.tracker._submitting.hand_out(JOURNEYAPI, studio.client, {})
    assert [first.image_url] == [call.body["image_url"] for call in api.calls_to(ORDER)]
    studio.settle()
    assert {State.FINISHED: 3} == states(studio)
    assert 3 == api.charges


def test_what_waits_for_a_look_is_one_statement(studio: TrackedStudio, api: StandIn, database: Database) -> None:
    """Of twenty tasks without news, one statement says when they are looked at next."""
    for _ in range(20):
        studio.add()
    studio.tracker.step()
    for task_id in list(api.tasks):
        api.hold(task_id)
    studio.clock.now += JOURNEYAPI.poll[1]
    studio.tracker.step()
    studio.clock.now += JOURNEYAPI.poll[1]
    with statements(database) as said:
        assert 1 == writes(database, studio.tracker.step)
    assert 1 == sum(sql.startswith("UPDATE entries") for sql, _ in said)
