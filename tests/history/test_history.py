"""Entries move along their ways and no others, are paid for once, and lose nothing that was typed or answered."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journey.api.models import Task, TaskStatus
from journey.errors import InvalidRequest
from journey.history import ERROR_LIMIT, OVER, STALE_AFTER, Entry, Filter, History, NewEntry, Order, State
from journey.history.deletions import Deletions
from journey.history.spending import Spending
from journey.history.tables import entries
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from journey.testing import StandIn
from tests.harness.standing import Clock
from tests.harness.tracking import TrackedStudio

WAYS = {
    State.QUEUED: {State.SUBMITTING, State.ASKING, State.CANCELLED},
    State.ASKING: {State.QUEUED, State.CANCELLED},
    State.SUBMITTING: {State.OPEN, State.QUEUED, State.FAILED, State.AMBIGUOUS},
    State.AMBIGUOUS: {State.OPEN, State.QUEUED, State.ABANDONED},
    State.OPEN: {State.ARCHIVING, State.FAILED, State.ABANDONED, State.STOPPED},
    State.ARCHIVING: {State.FINISHED, State.FAILED, State.OPEN, State.ABANDONED},
}
ROUTES: dict[State, tuple[State, ...]] = {
    State.QUEUED: (),
    State.ASKING: (State.ASKING,),
    State.SUBMITTING: (State.SUBMITTING,),
    State.AMBIGUOUS: (State.SUBMITTING, State.AMBIGUOUS),
    State.OPEN: (State.SUBMITTING, State.OPEN),
    State.ARCHIVING: (State.SUBMITTING, State.OPEN, State.ARCHIVING),
    State.FINISHED: (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED),
    State.FAILED: (State.SUBMITTING, State.FAILED),
    State.CANCELLED: (State.CANCELLED,),
    State.ABANDONED: (State.SUBMITTING, State.OPEN, State.ABANDONED),
    State.STOPPED: (State.SUBMITTING, State.OPEN, State.STOPPED),
}
NEW = NewEntry(provider=JOURNEYAPI, type="4x", name="fjord", image_url="https://example.com/a.png", fingerprint="f")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(database: Database, clock: Clock) -> History:
    return History(database, clock=clock)


@pytest.fixture
def spending(database: Database, clock: Clock) -> Spending:
    return Spending(database, clock=clock)


@pytest.fixture
def deletions(database: Database) -> Deletions:
    return Deletions(database)


@pytest.fixture(scope="module")
def scratch(upgraded_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """A history that all examples of a property share."""
    path = shutil.copy(upgraded_sqlite, tmp_path_factory.mktemp("scratch"))
    database = Database(f"sqlite:///{path}")
    yield History(database, clock=Clock())
    database.close()


def entry_in(history: History, state: State, **fields: Any) -> Entry:
    """A new entry, moved to this state."""
    entry = history.add(replace(NEW, fingerprint=None, **fields))
    for step in ROUTES[state]:
        changes: dict[str, Any] = {"task_id": "t-1"} if step is State.OPEN else {}
        moved = history.move(entry.id, step, **changes)
        assert moved is not None
        entry = moved
    assert state is entry.state
    return entry


def kept(key: str) -> StoredPicture:
    """A picture under this key. Its file is never read here."""
    return StoredPicture(key, "a.png", 10, 10)


def task(status: TaskStatus, percentage: int | None = None) -> Task:
    return Task(task_id="t-1", status=status, percentage=percentage)


def test_only_the_drawn_ways_exist(history: History) -> None:
    """Each state leads on by its drawn ways only; any other move changes nothing at all."""
    for state in State:
        for to in State:
            entry = entry_in(history, state)
            moved = history.move(entry.id, to)
            if to in WAYS.get(state, set()):
                assert moved is not None
                assert to is moved.state
            else:
                assert moved is None
                assert entry == history.get(entry.id)


STEPS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(State)),
    st.tuples(st.just("observe"), st.tuples(st.sampled_from(TaskStatus), st.none() | st.integers(0, 100))),
    st.tuples(st.sampled_from(["lose", "hint", "bind", "send_again", "recover", "postpone", "hasten"]), st.none()),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(State), st.lists(STEPS, max_size=12))
def test_nothing_goes_backwards(scratch: History, first: State, steps: list[tuple[str, Any]]) -> None:
    """Whatever happens in whatever order, an end is final, a percentage never falls, and only calls add credits."""
    entry = entry_in(scratch, first)
    for action, value in steps:
        match action:
            case "move":
                scratch.move(entry.id, value)
            case "observe":
                scratch.observe(entry.id, task(*value))
            case "lose":
                scratch.lose(entry.id, "lost")
            case "hint":
                scratch.hint(entry, "t-2")
            case "bind":
                scratch.bind(entry.id, "t-3", words="by a person")
            case "postpone":
                scratch.postpone(entry.id, 1.0, note="later")
            case _:
                getattr(scratch, action)(*([entry.id] if action == "send_again" else []))
        now = scratch.get(entry.id)
        assert now is not None
        assert now.state is entry.state or entry.state not in OVER
        assert (now.percentage or 0) >= (entry.percentage or 0)
        assert 0 <= now.credits <= 2 * now.attempts
        entry = now
    assert [moment.state for moment in scratch.timeline(entry.id)][-1] is entry.state


def test_a_double_click_is_one_entry(history: History, clock: Clock) -> None:
    """The same wish is queued once while it is under way or just finished; later it makes a new entry."""
    first = history.add(NEW)
    for state in ROUTES[State.FINISHED]:
        assert first.id == history.add(NEW).id
        history.move(first.id, state)
    assert first.id == history.add(NEW).id
    assert first.id != history.add(replace(NEW, fingerprint="another")).id
    clock.now += 60
    assert first.id != history.add(NEW).id


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.ABANDONED, State.STOPPED])
def test_what_ended_without_a_picture_can_be_wished_again(history: History, state: State) -> None:
    """After a failure, or once a person has stopped it, the same wish makes a new entry at once."""
    first = history.add(NEW)
    for step in ROUTES[state]:
        history.move(first.id, step)
    assert first.id != history.add(NEW).id


def test_an_undecided_wish_is_not_paid_again(history: History) -> None:
    """While it is unknown whether a call was accepted, the same wish leads to that entry."""
    first = history.add(NEW)
    history.move(first.id, State.SUBMITTING)
    history.lose(first.id, "unknown")
    assert first.id == history.add(NEW).id


def test_tabs_at_the_same_time_are_one_entry(history: History) -> None:
    """Ten clicks at the same moment, from ten threads, make one entry."""
    with ThreadPoolExecutor(10) as pool:
        added = list(pool.map(lambda _: history.add(NEW), range(10)))
    assert 1 == len({entry.id for entry in added})
    assert 1 == history.lists.count()


def test_one_of_many_gets_to_submit(history: History) -> None:
    """When several try to take the same entry, exactly one succeeds."""
    entry = history.add(NEW)
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda _: history.move(entry.id, State.SUBMITTING), range(10)))
    assert 1 == sum(each is not None for each in taken)


def test_credits_follow_the_calls(history: History, spending: Spending, clock: Clock) -> None:
    """A call counts at once, unless it proves refused or unsent; an unknown one counts, and so does its repeat."""
    entry = entry_in(history, State.SUBMITTING)
    assert 2 == spending.credits_since(clock.now)
    assert (history.move(entry.id, State.QUEUED) or entry).credits == 0
    history.move(entry.id, State.SUBMITTING)
    lost = history.lose(entry.id, "unknown")
    assert lost is not None
    assert 2 == lost.credits
    history.send_again(entry.id)
    sent = history.move(entry.id, State.SUBMITTING)
    assert sent is not None
    assert (4, 3) == (sent.credits, sent.attempts)
    assert (history.move(entry.id, State.FAILED) or entry).credits == 2
    assert 0 == spending.credits_since(clock.now + 31 * 86_400)
    assert 0 == entry_in(history, State.FINISHED, provider=THIS_MACHINE).credits
    assert 2 == entry_in(history, State.FINISHED).credits


def test_a_late_answer_is_not_taken_for_that_of_another_call(history: History) -> None:
    """The outcome of an earlier attempt does not touch an entry that has been sent again."""
    first = entry_in(history, State.SUBMITTING)
    history.lose(first.id, "unknown")
    history.send_again(first.id)
    again = history.move(first.id, State.SUBMITTING)
    assert again is not None
    assert history.move(first.id, State.QUEUED, attempt=first.attempts) is None
    assert history.lose(first.id, "late", attempt=first.attempts) is None
    assert history.move(first.id, State.OPEN, attempt=again.attempts) is not None


def test_the_time_line_tells_everything(history: History, clock: Clock) -> None:
    """Each change is kept with its time and its words, in order, and a task that turned up once, without a change."""
    entry = history.add(NEW)
    clock.now += 1
    history.move(entry.id, State.SUBMITTING)
    clock.now += 1
    history.lose(entry.id, "It read the request and closed.", answer="half")
    for entry_id in (entry.id, entry.id, "unknown"):
        history.keep_task(entry_id, "t-7", words="It is task t-7.")
    said = [(moment.at - entry.created_at, moment.state, moment.words) for moment in history.timeline(entry.id)]
    assert [
        (0, State.QUEUED, None),
        (1, State.SUBMITTING, None),
        (2, State.AMBIGUOUS, "It read the request and closed."),
        (2, State.AMBIGUOUS, "It is task t-7."),
    ] == said


def test_due_is_in_order_and_in_time(history: History, clock: Clock) -> None:
    """Due entries come longest waiting first, of one provider if asked, and postponed ones once their time has come."""
    first, second = entry_in(history, State.QUEUED), entry_in(history, State.QUEUED, provider=THIS_MACHINE)
    history.postpone(first.id, clock.now + 10, note="later")
    assert [second.id] == [entry.id for entry in history.due(State.QUEUED, limit=9)]
    assert clock.now + 10 == history.next_due(after=clock.now)
    clock.now += 10
    assert [second.id, first.id] == [entry.id for entry in history.due(State.QUEUED, limit=9)]
    assert [first.id] == [entry.id for entry in history.due(State.QUEUED, limit=9, provider=JOURNEYAPI)]
    assert [second.id] == [entry.id for entry in history.due(State.QUEUED, limit=1)]
    assert history.next_due(after=clock.now) is None
    history.move(first.id, State.CANCELLED)
    history.postpone(first.id, 1.0, note="too late")
    ended = history.get(first.id)
    assert ended is not None
    assert (None, "later") == (ended.due_at, ended.note)


def test_a_webhook_heals_what_is_unknown(history: History) -> None:
    """A webhook that comes before or after the answer is lost leads to the task; other entries keep their state."""
    early, late = entry_in(history, State.SUBMITTING), entry_in(history, State.SUBMITTING)
    history.hint(early, "t-early")
    history.lose(early.id, "unknown")
    history.lose(late.id, "unknown")
    history.hint(late, "t-late")
    for entry, task_id in ((early, "t-early"), (late, "t-late")):
        healed = history.get(entry.id)
        assert healed is not None
        assert (State.OPEN, task_id, None) == (healed.state, healed.task_id, healed.error)
        assert [entry.id] == [each.id for each in history.due(State.OPEN, limit=9) if each.task_id == task_id]
    for state in State:
        if state in OVER or state in (State.QUEUED, State.ARCHIVING):
            entry = entry_in(history, state)
            history.hint(entry, "t-9")
            assert state is (history.get(entry.id) or early).state


def ids_of(history: History, entry: Entry) -> set[str]:
    """The tasks that an entry or its timeline names."""
    now = history.get(entry.id)
    assert now is not None
    words = " ".join(moment.words or "" for moment in history.timeline(entry.id))
    return {task_id for task_id in ("t-1", "t-2") if task_id == now.task_id or f"{task_id}." in words}


@pytest.mark.parametrize("hints", [("t-1",), ("t-2",), ("t-1", "t-2"), ("t-2", "t-1"), ("t-1", "t-2", "t-1", "t-2")])
@pytest.mark.parametrize("stage", range(1, 7))
def test_each_call_that_was_paid_for_keeps_its_task(history: History, hints: tuple[str, ...], stage: int) -> None:
    """Of an entry sent twice, whose calls both got lost, each task that a webhook names is known, whenever it comes."""
    entry = entry_in(history, State.QUEUED)
    stages: list[Callable[[], object]] = [
        lambda: history.move(entry.id, State.SUBMITTING),
        lambda: history.lose(entry.id, "lost"),
        lambda: history.send_again(entry.id),
        lambda: history.move(entry.id, State.SUBMITTING),
        lambda: history.lose(entry.id, "lost"),
        lambda: history.move(entry.id, State.ABANDONED),
    ]
    left = list(hints)
    for number, step in enumerate(stages):
        if number >= stage and left:
            history.hint(history.get(entry.id) or entry, left.pop(0))
        step()
    for task_id in left:
        history.hint(history.get(entry.id) or entry, task_id)
    assert set(hints) <= ids_of(history, entry)


def test_a_task_that_turns_up_after_the_end_can_be_fetched(history: History) -> None:
    """A webhook that names the task of an entry that a person dropped lets a person have its result after all."""
    entry = entry_in(history, State.AMBIGUOUS)
    dropped = history.move(entry.id, State.ABANDONED)
    assert dropped is not None
    history.hint(dropped, "t-9")
    now = history.get(entry.id)
    assert now is not None
    assert (State.ABANDONED, "t-9", True) == (now.state, now.task_id, now.can_be_fetched_again)


def test_a_call_here_is_never_in_doubt(history: History) -> None:
    """After a crash this machine is asked again by itself, because it knows which calls it has accepted."""
    sending, unknown = (
        entry_in(history, state, provider=THIS_MACHINE) for state in (State.SUBMITTING, State.AMBIGUOUS)
    )
    history.recover()
    assert {sending.id, unknown.id} == {entry.id for entry in history.due(State.QUEUED, limit=9)}


def test_a_webhook_makes_an_open_entry_due(history: History, clock: Clock) -> None:
    """A hint about an open entry's own task makes it due now; another task makes nothing due."""
    made = entry_in(history, State.OPEN)
    history.postpone(made.id, clock.now + 100)
    entry = history.get(made.id)
    assert entry is not None
    history.hint(entry, "t-other")
    assert [] == history.due(State.OPEN, limit=9)
    history.hint(entry, "t-1")
    assert [entry.id] == [each.id for each in history.due(State.OPEN, limit=9)]


@pytest.mark.parametrize("task_id", ["", "  ", "a\x00b", "\ud800", "x" * 201, "two\nlines"])
def test_what_can_be_no_task_id_is_refused(history: History, task_id: str) -> None:
    """A typed task id that cannot be one is refused, so that it cannot spoil the polling of other tasks."""
    entry = entry_in(history, State.AMBIGUOUS)
    with pytest.raises(InvalidRequest, match="cannot be a task ID"):
        history.bind(entry.id, task_id, words="by a person")
    assert State.AMBIGUOUS is (history.get(entry.id) or entry).state


def test_a_crash_loses_nothing(history: History, clock: Clock) -> None:
    """After a crash what was being sent is unknown, what was being archived is asked for again, and the rest stays."""
    entries = {state: entry_in(history, state) for state in State}
    history.postpone(entries[State.OPEN].id, clock.now + 3600)
    history.recover()
    history.recover()
    after = {state: history.get(entry.id) for state, entry in entries.items()}
    expected = {state: state for state in State} | {
        State.SUBMITTING: State.AMBIGUOUS,
        State.ARCHIVING: State.OPEN,
    }
    assert expected == {state: entry.state for state, entry in after.items() if entry}
    assert {entries[State.OPEN].id, entries[State.ARCHIVING].id} == {
        entry.id for entry in history.due(State.OPEN, limit=9)
    }


def test_observations_are_news_or_not(history: History, clock: Clock) -> None:
    """A change of status or percentage counts as news; a repetition or a lower percentage does not."""
    entry = entry_in(history, State.OPEN)
    assert history.observe(entry.id, task(TaskStatus.PROCESSING, 40))
    assert not history.observe(entry.id, task(TaskStatus.PROCESSING, 40))
    assert not history.observe(entry.id, task(TaskStatus.PROCESSING, 10))
    assert not history.observe(entry.id, task(TaskStatus.PROCESSING, None))
    assert 40 == (history.get(entry.id) or entry).percentage
    assert not (history.get(entry.id) or entry).is_stale(clock.now + STALE_AFTER)
    assert (history.get(entry.id) or entry).is_stale(clock.now + STALE_AFTER + 1)
    assert not history.observe("unknown", task(TaskStatus.PROCESSING))


def test_a_task_that_waits_its_turn_here_is_never_stale(history: History, clock: Clock) -> None:
    """A task may wait for days in the embedded engine's own queue without becoming stale."""
    entry = entry_in(history, State.OPEN, provider=THIS_MACHINE)
    history.observe(entry.id, task(TaskStatus.PENDING, 0))
    assert not (history.get(entry.id) or entry).is_stale(clock.now + 7 * 86_400)


ODD = ["a\x00b", "lone \ud800 surrogate \udfff", "x" * 1_048_576, "é\u202e\U0001f600\n\t", ""]


@pytest.mark.parametrize("text", ODD, ids=["NUL", "surrogates", "1 MB", "odd", "empty"])
def test_any_text_is_stored_alike(history: History, text: str) -> None:
    """Both databases store NUL, lone surrogates and endless text in the same cleaned and shortened form."""
    entry = history.add(replace(NEW, name=text, person=text, network=text, image_url=text))
    history.move(entry.id, State.SUBMITTING, words=text)
    history.move(entry.id, State.FAILED, error=text, answer=text, note=text, result_model=text)
    history.pauses.begin(JOURNEYAPI, text)
    stored = history.get(entry.id)
    clean = text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert stored is not None
    assert clean[:ERROR_LIMIT] == stored.error == history.pauses.reasons()[JOURNEYAPI]
    assert clean[:200] == stored.name
    assert (clean[:320], clean[:100], clean[:4096]) == (stored.person, stored.network, stored.answer)
    assert clean[:ERROR_LIMIT] == history.timeline(entry.id)[1].words


@pytest.mark.parametrize("end", [State.OPEN, State.FAILED])
def test_a_webhook_secret_is_gone_after_its_last_use(
    database: Database, history: History, end: State, tmp_path: Path
) -> None:
    """A person's webhook secret is kept until the call is sent; then it is in no row and in no byte of the file."""
    secret = "s3cr3t-of-a-person-0123456789"
    entry = entry_in(history, State.SUBMITTING, webhook_url="https://example.com/hook", webhook_secret=secret)
    assert secret == history.webhook_secret(entry.id)
    assert secret not in repr(entry)
    history.lose(entry.id, "unknown")
    history.send_again(entry.id)
    history.move(entry.id, State.SUBMITTING)
    assert secret == history.webhook_secret(entry.id)
    history.move(entry.id, end)
    assert history.webhook_secret(entry.id) is None
    if database.is_sqlite:
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_secret_is_gone_when_a_person_names_the_task(history: History) -> None:
    """Binding a task id removes the secret as well."""
    entry = entry_in(history, State.SUBMITTING, webhook_url="https://example.com/hook", webhook_secret="s3cr3t-0123")
    history.lose(entry.id, "unknown")
    history.bind(entry.id, "t-1", words="by a person")
    assert history.webhook_secret(entry.id) is None


def test_pauses_keep_their_first_reason(history: History) -> None:
    """A paused provider keeps its first reason until it is resumed, and the other provider is not touched."""
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda number: history.pauses.begin(JOURNEYAPI, f"reason {number}"), [1] * 5))
    history.pauses.begin(JOURNEYAPI, "reason 2")
    assert {JOURNEYAPI: "reason 1"} == history.pauses.reasons()
    history.pauses.end(THIS_MACHINE)
    history.pauses.end(JOURNEYAPI)
    assert {} == history.pauses.reasons()


def test_the_list_is_newest_first(history: History, clock: Clock) -> None:
    """The newest entries come first, page by page, and only those of chosen states or of one person if asked."""
    made = []
    for person in ("ann", "bob", "ann"):
        clock.now += 1
        made.append(entry_in(history, State.FAILED if person == "bob" else State.QUEUED, person=person).id)
    assert made[::-1] == [entry.id for entry in history.lists.latest()]
    assert [made[1]] == [entry.id for entry in history.lists.latest(limit=1, offset=1)]
    assert [made[1]] == [entry.id for entry in history.lists.latest(states=[State.FAILED])]
    assert [made[2], made[0]] == [entry.id for entry in history.lists.latest(person="ann")]
    assert (3, 1) == (history.lists.count(), history.lists.count(states=[State.FAILED]))


def test_old_results_are_forgotten_but_not_their_rows(history: History, deletions: Deletions, clock: Clock) -> None:
    """Results older than a given time are found until they are forgotten, and their entries stay."""
    entry = entry_in(history, State.ARCHIVING)
    history.move(entry.id, State.FINISHED, result_key="k" * 32, result=kept("k" * 32))
    assert [] == deletions.results_before(clock.now, [entry.id])
    assert [entry.id] == [each.id for each in deletions.results_before(clock.now + 1, [entry.id])]
    deletions.forget_results(deletions.results_before(clock.now + 1, [entry.id]), "removed")
    assert ["k" * 32] == deletions.doomed()
    assert [] == deletions.results_before(clock.now + 1, [entry.id])
    assert State.FINISHED is (history.get(entry.id) or entry).state


def test_news_of_a_task_makes_its_open_entry_due_now(history: History, clock: Clock) -> None:
    """The engine's own hint shortens the wait of the entry it is about, and of no other."""
    mine, other = (entry_in(history, State.OPEN) for _ in range(2))
    for entry, task_id in ((mine, "task-1"), (other, "task-2")):
        history.postpone(entry.id, clock.now + 100, task_id=task_id)
    history.hasten_task("task-1")
    assert [mine.id] == [entry.id for entry in history.due(State.OPEN, limit=10)]


def found(history: History, **wanted: Any) -> list[str]:
    """The names of what a filter matches, whose number has to be the total and the number of ids."""
    page = history.lists.search(Filter(**wanted))
    assert len(page.entries) == page.total == len(history.lists.ids(Filter(**wanted)))
    return [entry.name for entry in page.entries]


def test_what_people_search_for_is_found(history: History, clock: Clock) -> None:
    """Every word must occur in the name, an ID, person, tag or comment, in any case, and is never a pattern."""
    koi = entry_in(history, State.OPEN, name="Koi_pond 100%.png", person="ann@example.com")
    clock.now += 1
    owl = entry_in(history, State.QUEUED, name="Ölbild owl.png", person="bob@example.com")
    history.labels.describe(koi.id, tags_now=["Album"], comment="The client wants it BRIGHTER.")
    assert [koi.name] == found(history, text="koi") == found(history, text="POND ann@") == found(history, text="album")
    assert (
        [koi.name] == found(history, text="brighter koi") == found(history, text="T-1") == found(history, text="100%")
    )
    assert [koi.name] == found(history, text=koi.id) == found(history, text="i_p")
    assert [owl.name] == found(history, text="ölbild") == found(history, text="ÖLBILD OWL")
    assert [owl.name, koi.name] == found(history, text=" example.com ") == found(history, text="")
    for nothing in ("koi owl", "k%d", "l_p", "/", "\\", "'", "\x00", "\ud800", "x" * 5_000):
        assert [] == found(history, text=nothing)


def test_filters_combine(history: History, clock: Clock) -> None:
    """Each part of a filter leaves out what does not match it, and all parts apply together."""
    mine = entry_in(history, State.FAILED, name="mine", person="ann", provider=THIS_MACHINE, type="2x", batch="b1")
    clock.now += 100
    other = entry_in(history, State.QUEUED, name="other", person="bob", came_from="t-9")
    history.labels.tag([mine.id], "poster")
    for part in (
        {"states": [State.FAILED, State.STOPPED]},
        {"provider": THIS_MACHINE},
        {"type": "2x"},
        {"person": "ann"},
        {"tag": "poster"},
        {"batch": "b1"},
        {"until": other.created_at},
    ):
        assert ["mine"] == found(history, **part), part
        assert [] == found(history, **part, came_from="t-9"), part
    assert ["other"] == found(history, since=other.created_at) == found(history, came_from="t-9")
    assert ["ann", "bob"] == history.lists.persons()


def test_lists_are_sorted_and_paged(history: History, clock: Clock) -> None:
    """Each order sorts by its own rule, and equal entries newest first; pages tell the total and never overlap."""
    for name, side, took, provider in (("b", 10, 5, THIS_MACHINE), ("C", 30, 1, JOURNEYAPI), ("a", 20, 9, JOURNEYAPI)):
        clock.now += 100
        entry = entry_in(history, State.ARCHIVING, name=name, provider=provider)
        clock.now += took
        history.move(entry.id, State.FINISHED, result_key="k", result=StoredPicture("k", "a.png", side, side, side))
    entry_in(history, State.QUEUED, name="d")
    firsts = {order: "".join(each.name for each in history.lists.search(order=order).entries) for order in Order}
    assert {
        Order.NEWEST: "daCb",
        Order.OLDEST: "bCad",
        Order.LARGEST: "Cabd",
        Order.NAME: "abCd",
        Order.DEAREST: "aCdb",
        Order.LONGEST: "abCd",
    } == firsts
    pages = [history.lists.search(limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [4, 4, 4] == [page.total for page in pages]
    assert ["daC", "b", ""] == ["".join(entry.name for entry in page.entries) for page in pages]
    assert 60 == history.lists.result_bytes()


def test_tags_are_the_same_in_any_case(history: History) -> None:
    """A tag keeps its first spelling and is given only once; what cannot be a tag is refused with a sentence."""
    one, two = (entry_in(history, State.QUEUED) for _ in range(2))
    assert "Ölbild" == history.labels.tag([one.id, "gone"], "  Ölbild ")
    assert "Ölbild" == history.labels.tag([one.id, two.id], "öLBILD")
    history.labels.describe(two.id, tags_now=["a  b", "ÖLBILD", "A B"], comment="  said \n")
    assert {one.id: ["Ölbild"], two.id: ["a b", "Ölbild"]} == history.labels.tags_of([one.id, two.id, "gone"])
    assert ["a b", "Ölbild"] == history.labels.known_tags()
    assert "said" == (history.get(two.id) or two).comment
    for bad in ("", " \n", "x" * 41, "\u202e"):
        with pytest.raises(InvalidRequest, match="1 to 40 characters"):
            history.labels.describe(two.id, tags_now=["new", bad], comment="lost")
    with pytest.raises(InvalidRequest, match="4,000"):
        history.labels.describe(two.id, tags_now=[], comment="x" * 4_001)
    assert ("said", ["a b", "Ölbild"]) == (
        (history.get(two.id) or two).comment,
        history.labels.tags_of([two.id])[two.id],
    )
    history.labels.untag([two.id], "a b")
    assert ["Ölbild"] == history.labels.known_tags()


@pytest.mark.parametrize("state", list(State))
def test_a_result_is_fetched_again_only_by_a_person(history: History, clock: Clock, state: State) -> None:
    """A task that ended here without a result is watched again at once, at no new charge; no other entry changes."""
    entry = entry_in(history, state, provider=JOURNEYAPI)
    clock.now += 60
    again = history.fetch_again(entry.id)
    if state is State.ABANDONED:
        assert again is not None
        assert (State.OPEN, None, entry.credits, entry.attempts) == (
            again.state,
            again.finished_at,
            again.credits,
            again.attempts,
        )
        assert [entry.id] == [each.id for each in history.due(State.OPEN, limit=9)]
        assert history.fetch_again(entry.id) is None
        assert entry.credits == (history.move(entry.id, State.FAILED, error="still not") or entry).credits
        assert history.fetch_again(entry.id) is not None
    else:  # a failure without a task id was refused before there was a task
        assert again is None
        assert entry == history.get(entry.id)


def test_only_what_is_over_is_deleted(history: History, deletions: Deletions, clock: Clock) -> None:
    """Deleting removes the time line and tags, spares what is not over, and names the files of what went."""
    made = {state: entry_in(history, state, source=kept(state.value), batch="b") for state in State}
    parent = entry_in(history, State.FINISHED, source=kept("shared"))
    history.labels.tag([entry.id for entry in made.values()], "t")
    gone = deletions.delete([*(entry.id for entry in made.values()), "unknown"])
    assert {state for state in State if state.over} == {entry.state for entry in gone}
    assert {state for state in State if not state.over} == {
        each.state for each in history.lists.search(Filter(batch="b")).entries
    }
    assert [] == history.timeline(gone[0].id)
    assert {entry.state.value for entry in gone} == set(deletions.doomed())
    deletions.buried([entry.state.value for entry in gone])
    deletions.delete([parent.id])
    assert ["shared"] == deletions.doomed()


def test_what_is_still_needed_is_not_too_old(history: History, deletions: Deletions, clock: Clock) -> None:
    """A result that another entry enlarges is not removed because of its age, whatever has become of that entry."""
    parent = entry_in(history, State.ARCHIVING)
    history.move(parent.id, State.FINISHED, result_key="r" * 32)
    child = entry_in(history, State.OPEN, source=kept("r" * 32))
    assert [] == deletions.results_before(clock.now + 1, [parent.id])
    history.move(child.id, State.FAILED)
    assert [] == deletions.results_before(clock.now + 1, [parent.id])
    deletions.delete([child.id])
    assert [parent.id] == [each.id for each in deletions.results_before(clock.now + 1, [parent.id])]


def test_the_pulse_beats_at_every_change(history: History, deletions: Deletions, clock: Clock) -> None:
    """Every change that a list shows changes the pulse, which begins with the number of entries."""
    beats = [history.lists.pulse()]
    for change in (
        lambda: history.add(NEW),
        lambda: history.move(history.lists.latest()[0].id, State.SUBMITTING),
        lambda: history.move(history.lists.latest()[0].id, State.OPEN),
        lambda: history.observe(history.lists.latest()[0].id, task(TaskStatus.PROCESSING, 7)),
        lambda: history.move(history.lists.latest()[0].id, State.FAILED),
        lambda: deletions.delete([history.lists.latest()[0].id]),
    ):
        clock.now += 1
        change()
        beats.append(history.lists.pulse())
    assert all(before != after for before, after in pairwise(beats))
    assert [0, 1, 1, 1, 1, 1, 0] == [beat[0] for beat in beats]
    assert beats[-1] == history.lists.pulse()


def test_fetching_again_brings_the_result_at_no_charge(upgraded_sqlite: Path, tmp_path: Path) -> None:
    """The result of a task that was no longer watched is fetched and stored; JourneyAPI is asked but not paid again."""
    database = Database(f"sqlite:///{shutil.copy(upgraded_sqlite, tmp_path)}")
    with StandIn() as api, closing(TrackedStudio(database, tmp_path, api.url, api.key)) as studio:
        entry = studio.add()
        studio.tracker.step()
        task_id = studio.look(entry).task_id
        studio.history.move(entry.id, State.ABANDONED)
        api.finish(str(task_id))
        studio.settle()
        assert State.ABANDONED is studio.look(entry).state
        studio.history.fetch_again(entry.id)
        studio.settle()
        assert (State.FINISHED, 1, 2) == (studio.look(entry).state, api.charges, studio.look(entry).credits)
        result = studio.look(entry).result
        assert result is not None
        assert studio.files.has(result.key, result.file)
    database.close()


def test_ends_are_told_and_nothing_else(database: Database) -> None:
    """Whoever asked is told of an entry that ends, or waits for a person, once that can be read, and of no other."""
    told: list[tuple[str, State]] = []

    def note(entry_id: str) -> None:
        entry = kept.get(entry_id)
        assert entry is not None
        told.append((entry_id, entry.state))

    kept = History(database, on_end=note)
    finished, lost, hinted = (kept.add(replace(NEW, fingerprint=None)) for _ in range(3))
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED, State.FAILED):
        kept.move(finished.id, state)
    kept.move(lost.id, State.SUBMITTING)
    kept.lose(lost.id, "No answer.")
    kept.bind(lost.id, "a-task", words="Found.")
    sending = kept.move(hinted.id, State.SUBMITTING)
    assert sending is not None
    kept.hint(sending, "another-task")
    kept.lose(hinted.id, "No answer.")
    assert [(finished.id, State.FINISHED), (lost.id, State.AMBIGUOUS)] == told


def test_what_a_server_said_is_read_without_its_signatures(database: Database, history: History) -> None:
    """Error, note, answer and timeline are masked when they are read, also those that were stored as they came."""
    signed = "https://cdn.example/x?X-Amz-Signature=s1gned"
    entry = history.add(NEW)
    history.move(entry.id, State.SUBMITTING)
    said = {"error": f"It was at {signed}", "note": signed, "answer": f'{{"url": "{signed}"}}'}
    history.move(entry.id, State.AMBIGUOUS, words=f"It said {signed}", **said)
    with database.read() as connection:
        assert "s1gned" in str(connection.scalar(sa.select(entries.c.error)))
    read = history.get(entry.id)
    assert read is not None
    assert "It was at https://cdn.example/x?X-Amz-Signature=…" == read.error
    told = f"{read.error} {read.note} {read.answer} {[moment.words for moment in history.timeline(entry.id)]}"
    assert (4, False) == (told.count("X-Amz-Signature=…"), "s1gned" in told)
