"""Every task is sent once, paid for once, and what is not known is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpcore
import pytest
import sqlalchemy as sa

from journey.errors import DatabaseAway
from journey.history import Entry, State
from journey.history.spending import Spending
from journey.outside.transport import Transport
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database, Transactions
from journey.testing import (
    STEPS,
    Change,
    Close,
    Drip,
    Fault,
    Hang,
    Late,
    Reply,
    StandIn,
    rate_limited,
    redirect,
    web_page,
)
from tests.harness.odd_answers import NO_TASK_ID
from tests.harness.standing import refusing
from tests.harness.tracking import TrackedStudio
from tests.studio.tracker.conftest import ON_BOTH, ORDER, MakeStudio, dump, states


def unresolvable(*_: object) -> Sequence[str]:
    raise httpcore.ConnectError("no such name")


def test_what_was_not_sent_is_sent_later(studio: TrackedStudio, api: StandIn) -> None:
    """While the API cannot be reached, all tasks wait; the first to fail say why, and the others are not tried."""
    entries = [studio.add() for _ in range(9)]
    now = studio.clock.now
    with refusing(api):
        studio.tracker.step()
        waiting = [studio.look(entry) for entry in entries]
        tried = [entry for entry in waiting if entry.attempts]
        assert {State.QUEUED: 9} == states(studio)
        assert 4 >= len(tried) >= 1
        assert all(entry.due_at == now + 2 and "cannot be reached" in str(entry.note) for entry in tried)
        assert 0 == sum(entry.credits for entry in waiting)
        studio.tracker.step()
        assert len(tried) == sum(studio.look(entry).attempts for entry in entries)
    studio.settle()
    assert {State.FINISHED: 9} == states(studio)
    assert 9 == api.charges


def test_the_waits_grow(studio: TrackedStudio, api: StandIn) -> None:
    """Each time in a row that the API is not reached doubles the wait, up to five minutes."""
    entry = studio.add()
    waits = []
    with refusing(api):
        for _ in range(10):
            studio.tracker.step()
            due_at = studio.look(entry).due_at or 0
            waits.append(due_at - studio.clock.now)
            studio.clock.now = due_at
    assert [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] == waits


def test_a_name_that_does_not_resolve_is_not_sent(make: MakeStudio) -> None:
    """A failing name server is proof that nothing was sent."""
    studio = make(transport=Transport(deadline_seconds=5, choose=unresolvable))
    entry = studio.add()
    studio.tracker.step()
    assert (State.QUEUED, 0) == (studio.look(entry).state, studio.look(entry).credits)


@pytest.mark.parametrize(
    ("retry_after", "wait"), [("60", 60), ("999999", 120), ("0", 2), ("inf", 2), ("garbage", 2), (None, 2)]
)
def test_too_many_calls_hold_the_provider_back(
    studio: TrackedStudio, api: StandIn, retry_after: str | None, wait: float
) -> None:
    """A 429 is not charged, and the whole provider is left alone for as long as it asks, at most 120 s."""
    api.script(ORDER, *[rate_limited(retry_after)] * 4)
    entries = [studio.add() for _ in range(6)]
    now = studio.clock.now
    studio.tracker.step()
    due = {studio.look(entry).due_at for entry in entries if studio.look(entry).attempts}
    assert {now + wait} == due
    calls = len(api.calls_to(ORDER))
    studio.clock.now += wait - 1
    studio.tracker.step()
    assert calls == len(api.calls_to(ORDER))
    studio.settle()
    assert {State.FINISHED: 6} == states(studio)
    assert 6 == api.charges


UNKNOWN: dict[str, Fault] = {
    "closed before reading": Close.BEFORE_READING,
    "closed after reading": Close.AFTER_READING,
    "half an answer": Close.HALF_ANSWER,
    "no answer": Hang(),
    "a dripping answer": Drip(0.05),
    "500": Reply(500, {}, accepted=True),
    "502 page": web_page(502),
    "redirect": redirect("http://127.0.0.3/"),
    **{f"200, task_id {name}": reply for name, reply in NO_TASK_ID.items()},
}


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_may_have_been_accepted_is_never_sent_again(make: MakeStudio, api: StandIn, fault: Fault) -> None:
    """A call that may have been accepted is marked as unknown, counted as charged, and left to a person."""
    studio = make(timeout=0.4)
    api.script(ORDER, fault)
    entry = studio.add()
    studio.settle()
    lost = studio.look(entry)
    assert (State.AMBIGUOUS, 2, 1) == (lost.state, lost.credits, lost.attempts)
    assert lost.error
    assert len(lost.answer or "") <= 4096
    studio.history.recover()
    studio.clock.now += 86_400
    studio.settle()
    assert 1 >= api.charges
    assert 1 >= len(api.calls_to(ORDER))


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_call_here_is_made_again_by_itself(make: MakeStudio, api: StandIn, fault: Fault) -> None:
    """Nobody decides about a call that costs nothing: it is made again, and leads to the task that it made before."""
    studio = make(timeout=0.4)
    api.script(ORDER, fault)
    entry = studio.add(provider=THIS_MACHINE)
    studio.settle()
    done = studio.look(entry)
    assert (State.FINISHED, 2, 0) == (done.state, done.attempts, done.credits)
    assert 1 == sum(task.order.get("reference") == entry.id for task in api.tasks.values())
    assert "ambiguous" not in [moment.state for moment in studio.history.timeline(entry.id)]


def test_a_person_may_name_the_task_or_send_again(make: MakeStudio, api: StandIn) -> None:
    """Naming the task costs nothing more; sending again makes a second call, and both are counted."""
    studio = make()
    api.script(ORDER, Close.AFTER_READING, Close.AFTER_READING)
    named, again = studio.add(), studio.add()
    studio.settle()
    assert {State.AMBIGUOUS: 2} == states(studio)
    task_id = next(task_id for task_id, task in api.tasks.items() if task.order)
    studio.history.bind(named.id, task_id, words="by a person")
    studio.history.send_again(again.id)
    studio.settle()
    assert {State.FINISHED: 2} == states(studio)
    assert (2, 4) == (studio.look(named).credits, studio.look(again).credits)
    assert 3 == api.charges


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Reply(401, {}), "refused the key"),
        (web_page(401), "refused the key"),
        (Reply(402, {"error": "Not enough credits"}), "too few credits"),
        (Reply(400, {"message": "You have no credits left"}), "too few credits"),
        (web_page(404), "Check the API address"),
    ],
)
def test_a_refused_key_or_purse_or_a_wrong_address_pauses_the_queue(
    studio: TrackedStudio, api: StandIn, database: Database, refusal: Reply, words: str
) -> None:
    """The provider is paused with one reason, no credits are counted, and resuming sends what waited."""
    api.always(ORDER, refusal)
    for _ in range(6):
        studio.add()
    studio.settle()
    assert {State.QUEUED: 6} == states(studio)
    assert [JOURNEYAPI] == list(studio.history.pauses.reasons())
    assert words in studio.history.pauses.reasons()[JOURNEYAPI]
    assert 1 == len(api.calls_to(ORDER))
    assert 0 == Spending(database).credits_since(0)
    api.always(ORDER, None)
    studio.history.pauses.end(JOURNEYAPI)
    studio.settle()
    assert {State.FINISHED: 6} == states(studio)
    assert 6 == api.charges


def test_a_gateway_that_refuses_is_tried_again(studio: TrackedStudio, api: StandIn) -> None:
    """What a gateway turned away was not charged: it says that the key is not at fault, and goes on by itself."""
    api.script(ORDER, web_page(403), web_page(403))
    entry = studio.add()
    studio.tracker.step()
    waiting = studio.look(entry)
    assert (State.QUEUED, 0, {}) == (waiting.state, waiting.credits, studio.history.pauses.reasons())
    assert "The key is not at fault" in str(waiting.note)
    studio.settle()
    assert (State.FINISHED, 1, 3) == (studio.look(entry).state, api.charges, len(api.calls_to(ORDER)))


@ON_BOTH
def test_credits_for_ten_of_fifty(studio: TrackedStudio, api: StandIn, database: Database) -> None:
    """With credits for ten, ten of fifty are charged and come home, and forty wait unharmed."""
    api.steps = STEPS[-1:]
    api.credits = 20
    for _ in range(50):
        studio.add(provider=JOURNEYAPI)
    studio.settle()
    assert {State.FINISHED: 10, State.QUEUED: 40} == states(studio)
    assert 10 == api.charges
    assert 20 == Spending(database).credits_since(0)
    assert 1 == len(studio.history.pauses.reasons())


def test_a_server_that_proves_nothing_is_a_hard_stop(make: MakeStudio, api: StandIn) -> None:
    """When TLS fails nothing is sent and the queue pauses with the reason."""
    studio = make(api_url=api.url.replace("http:", "https:"))
    entry = studio.add()
    studio.settle()
    assert State.QUEUED is studio.look(entry).state
    assert "could not prove" in studio.history.pauses.reasons()[JOURNEYAPI]
    assert 0 == api.charges


def test_a_rotated_key_is_used_from_the_next_call_on(studio: TrackedStudio, api: StandIn) -> None:
    """When the key has changed at the API, the queue waits; with the new key it goes on."""
    api.key = "another-key-0123456789"
    entry = studio.add()
    studio.settle()
    assert State.QUEUED is studio.look(entry).state
    studio.client.api_key = api.key
    studio.history.pauses.end(JOURNEYAPI)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_refused_request_fails_with_the_words_of_the_api(studio: TrackedStudio, api: StandIn) -> None:
    """A 400 ends the entry with what the API said, costs nothing, and the others go on."""
    api.script(ORDER, Reply(400, {"errors": [{"msg": "image_url is not <b>reachable</b>"}]}))
    for _ in range(2):
        studio.add()
    studio.settle()
    assert {State.FAILED: 1, State.FINISHED: 1} == states(studio)
    (refused,) = studio.history.lists.latest(states=[State.FAILED])
    assert 0 == refused.credits
    assert "image_url is not <b>reachable</b>" in str(refused.error)


def test_what_cannot_be_asked_for_is_not_sent(studio: TrackedStudio, api: StandIn) -> None:
    """A picture that is only here cannot go to JourneyAPI without a public address: it fails before the call."""
    entry = studio.add(None)
    studio.settle()
    assert State.FAILED is studio.look(entry).state
    assert "Set JOURNEY_PUBLIC_URL" in str(studio.look(entry).error)
    assert [] == api.calls_to(ORDER)


def test_ours_is_the_webhook_unless_a_person_gave_one(make: MakeStudio, api: StandIn, database: Database) -> None:
    """The call names our webhook unless a person gave one, whose secret is forgotten once the call is sent."""
    studio = make(webhook_for=lambda entry: (f"https://studio.test/webhooks/{entry.webhook_token}", "ours-0123"))
    first = studio.add()
    second = studio.add(webhook_url="https://example.com/hook", webhook_secret="theirs-0123")
    studio.tracker.step()
    sent = [(call.body["webhook_url"], call.body["webhook_secret"]) for call in api.calls_to(ORDER)]
    assert sorted(sent) == [
        ("https://example.com/hook", "theirs-0123"),
        (f"https://studio.test/webhooks/{first.webhook_token}", "ours-0123"),
    ]
    assert studio.history.webhook_secret(second.id) is None
    assert "ours-0123" not in repr(dump(database))


def test_a_webhook_that_comes_at_the_last_moment_is_sent(make: MakeStudio, api: StandIn) -> None:
    """A webhook that a second order brings while the call is being prepared is in that call, and one call is made."""
    hook = "https://example.com/hook"

    def meanwhile(*_: object) -> None:
        studio.add(fingerprint="f", webhook_url=hook, webhook_secret="theirs-0123")

    studio = make(webhook_for=meanwhile)
    entry = studio.add(fingerprint="f")
    studio.settle()
    (call,) = api.calls_to(ORDER)
    assert (hook, "theirs-0123") == (call.body["webhook_url"], call.body["webhook_secret"])
    assert (State.FINISHED, 2, 1) == (studio.look(entry).state, studio.look(entry).credits, api.charges)


def test_the_task_id_is_stored_when_the_database_comes_back(
    make: MakeStudio, api: StandIn, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away just when the answer comes does not cost the task id."""

    write, refused = database.write, list[int]()

    @contextmanager
    def away_for_a_moment() -> Iterator[sa.Connection]:
        if api.charges and len(refused) < 2:
            refused.append(1)
            raise DatabaseAway
        with write() as connection:
            yield connection

    monkeypatch.setattr(database, "write", away_for_a_moment)
    studio = make()
    entry = studio.add()
    studio.tracker.step()
    assert 2 == len(refused)
    assert State.OPEN is studio.look(entry).state
    assert studio.look(entry).task_id in api.tasks
    assert 1 == api.charges


def test_an_answer_after_another_process_took_over_is_not_lost(make: MakeStudio, api: StandIn) -> None:
    """A late answer still binds its task to an entry marked as unknown; after a repeat it is at least noted."""
    for sent_again in (False, True):
        studio = make()
        entry = studio.add()

        def take_over(
            answer: Any, studio: TrackedStudio = studio, again: bool = sent_again, entry: Entry = entry
        ) -> Any:
            studio.history.recover()
            if again:
                studio.history.send_again(entry.id)
            return answer

        api.script(ORDER, Change(take_over))
        studio.clock.now += 1
        studio.tracker.step()
        if sent_again:
            words = str([moment.words for moment in studio.history.timeline(entry.id)])
            assert "turned out to have been accepted, as task 85h8-" in words
            studio.settle()
            assert (State.FINISHED, 4, 2) == (
                studio.look(entry).state,
                studio.look(entry).credits,
                studio.look(entry).attempts,
            )
        else:
            assert State.OPEN is studio.look(entry).state
            studio.history.move(entry.id, State.ABANDONED)


@ON_BOTH
def test_the_budget_holds_for_calls_made_at_the_same_time(make: MakeStudio, api: StandIn, database: Database) -> None:
    """With a budget for three calls, three of twelve are made, however many are under way at once."""

    def may_spend(_: Entry, within: Transactions) -> str | None:
        return None if Spending(within).credits_since(0) + 2 <= 6 else "The budget is used up."

    api.always(ORDER, Late(0.05))
    with ThreadPoolExecutor(8) as pool:
        studio = make(may_spend=may_spend, executor=pool)
        for _ in range(12):
            studio.add()
        for _ in range(5):
            studio.tracker.step()
            for future in studio.tracker._errands._under_way.values():
                future.result()
    assert 3 == api.charges
    assert {JOURNEYAPI: "The budget is used up."} == studio.history.pauses.reasons()
