"""The tracker brings every task home, pays for it once, and says what it does not know."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpcore
import pytest
from PIL import Image

from journey.errors import DatabaseAway
from journey.history import Entry, History, State
from journey.outside.transport import Transport
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.storage.database import Database, metadata
from journey.storage.files import file_url, new_key
from journey.studio import tracker
from journey.studio.tracker import ARCHIVE_ATTEMPTS
from tests.conftest import PROCESSES, empty_database, exit_codes
from tests.fakes.hosted import (
    NO_TASK_ID,
    ODD_TASKS,
    SINGLE_ID,
    STEPS,
    Change,
    Close,
    Drip,
    FakeHosted,
    Fault,
    Hang,
    Late,
    Reply,
    picture,
    rate_limited,
    redirect,
    web_page,
    with_fields,
    without,
)
from tests.studio import OWN_ORIGIN, POINTS, Studio, run_until_death

ORDER = "upscale-2x-4x"
MakeStudio = Callable[..., Studio]


ON_BOTH = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
"""The rest does not depend on the kind of database more than the tests of the history do."""


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(getattr(request, "param", "sqlite"), request, tmp_path) as made:
        yield made


@pytest.fixture
def api() -> Iterator[FakeHosted]:
    with FakeHosted() as fake:
        yield fake


@pytest.fixture
def make(api: FakeHosted, database: Database, tmp_path: Path) -> Iterator[MakeStudio]:
    """Builds a studio; afterwards the rules that hold after every fault are checked."""
    made: list[Studio] = []

    def build(**options: Any) -> Studio:
        made.append(Studio(database, tmp_path, options.pop("api_url", api.url), api.key, **options))
        return made[-1]

    yield build
    for studio in made:
        studio.close()
        entries = studio.history.latest(limit=1000)
        assert [] == studio.left_behind()
        assert api.charges <= sum(entry.attempts for entry in entries)
        free = sum(entry.attempts for entry in entries if entry.engine == "embedded")
        assert 2 * (api.charges - free) <= sum(entry.credits for entry in entries)
        # Nothing is sent again but by a person, and each charge has a task id or its entry says that it is not known.
        once = [entry for entry in entries if entry.attempts == 1 and entry.credits]
        assert all(entry.task_id or entry.state in (State.AMBIGUOUS, State.ABANDONED) for entry in once)
        assert api.key not in repr(dump(database))


@pytest.fixture
def studio(make: MakeStudio) -> Studio:
    return make()


def dump(database: Database) -> dict[str, list[Sequence[Any]]]:
    with database.read() as connection:
        return {table.name: list(connection.execute(table.select())) for table in metadata.sorted_tables}


def states(studio: Studio) -> Counter[State]:
    return Counter(entry.state for entry in studio.history.latest(limit=1000))


@ON_BOTH
def test_a_picture_comes_home(studio: Studio, api: FakeHosted) -> None:
    """A task is sent, watched and archived: our own copy of the right size, with its previews, for two credits."""
    entry = studio.add()
    studio.settle()
    done = studio.look(entry)
    assert (State.FINISHED, 100, 2, None, None) == (done.state, done.percentage, done.credits, done.note, done.error)
    assert (256, 192, "midjourney") == (done.result_width, done.result_height, done.result_model)
    path = studio.files.path(str(done.result_key), str(done.result_file))
    assert api.result(api.tasks[str(done.task_id)]) == path.read_bytes()
    assert done.result_bytes == path.stat().st_size
    with Image.open(path.with_name(PREVIEW)) as preview, Image.open(path.with_name(THUMBNAIL)) as thumbnail:
        assert (256, 192) == preview.size == thumbnail.size
    assert [State.QUEUED, State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED] == [
        moment.state for moment in studio.history.timeline(entry.id)
    ]
    assert 1 == api.charges == len(api.calls_to(ORDER))


def test_many_tasks_are_asked_for_together(studio: Studio, api: FakeHosted) -> None:
    """Twenty-five tasks are watched with at most 20 ids a call and come home with one charge each."""
    api.steps = (*STEPS[:1], *STEPS[-2:])
    for _ in range(25):
        studio.add()
    studio.settle()
    assert {State.FINISHED: 25} == states(studio)
    assert 25 == api.charges
    sizes = {len(call.body["task_ids"]) for call in api.calls_to("fetch-many")}
    assert sizes <= set(range(2, 21))
    assert 20 in sizes


def unresolvable(*_: object) -> Sequence[str]:
    raise httpcore.ConnectError("no such name")


def test_what_was_not_sent_is_sent_later(studio: Studio, api: FakeHosted) -> None:
    """While nothing can be reached all wait, told when it is tried next; the first to fail speaks for the others."""
    api.stop()
    entries = [studio.add() for _ in range(9)]
    now = studio.clock.now
    studio.tracker.step()
    waiting = [studio.look(entry) for entry in entries]
    tried = [entry for entry in waiting if entry.attempts]
    assert {State.QUEUED: 9} == states(studio)
    assert 4 >= len(tried) >= 1
    assert all(entry.due_at == now + 2 and "cannot be reached" in str(entry.note) for entry in tried)
    assert 0 == sum(entry.credits for entry in waiting)
    studio.tracker.step()
    assert len(tried) == sum(studio.look(entry).attempts for entry in entries)
    api.start()
    studio.settle()
    assert {State.FINISHED: 9} == states(studio)
    assert 9 == api.charges


def test_the_waits_grow(studio: Studio, api: FakeHosted) -> None:
    """Each time in a row that nothing is reached doubles the wait, up to five minutes."""
    api.stop()
    entry = studio.add()
    waits = []
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
def test_too_many_calls_hold_the_engine_back(
    studio: Studio, api: FakeHosted, retry_after: str | None, wait: float
) -> None:
    """A 429 is not charged; the whole engine is left alone for the time that was asked for, within reason."""
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
def test_what_may_have_been_accepted_is_never_sent_again(make: MakeStudio, api: FakeHosted, fault: Fault) -> None:
    """Anything short of proof is told as unknown, counted as charged, kept with the answer, and left to a person."""
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


def test_a_person_may_name_the_task_or_send_again(make: MakeStudio, api: FakeHosted) -> None:
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
    studio: Studio, api: FakeHosted, refusal: Reply, words: str
) -> None:
    """The engine is paused with one reason, nothing is burned, and a person's resume sends what waited."""
    api.always(ORDER, refusal)
    for _ in range(6):
        studio.add()
    studio.settle()
    assert {State.QUEUED: 6} == states(studio)
    assert ["journeyapi"] == list(studio.history.paused())
    assert words in studio.history.paused()["journeyapi"]
    assert 1 == len(api.calls_to(ORDER))
    assert 0 == studio.history.credits_since(0)
    api.always(ORDER, None)
    studio.history.resume("journeyapi")
    studio.settle()
    assert {State.FINISHED: 6} == states(studio)
    assert 6 == api.charges


@ON_BOTH
def test_credits_for_ten_of_fifty(studio: Studio, api: FakeHosted) -> None:
    """With credits for ten, ten of fifty are charged and come home, and forty wait unharmed."""
    api.steps = STEPS[-1:]
    api.credits = 20
    for _ in range(50):
        studio.add(engine="journeyapi")
    studio.settle()
    assert {State.FINISHED: 10, State.QUEUED: 40} == states(studio)
    assert 10 == api.charges
    assert 20 == studio.history.credits_since(0)
    assert 1 == len(studio.history.paused())


def test_a_server_that_proves_nothing_is_a_hard_stop(make: MakeStudio, api: FakeHosted) -> None:
    """When TLS fails nothing is sent and the queue pauses with the reason."""
    studio = make(api_url=api.url.replace("http:", "https:"))
    entry = studio.add()
    studio.settle()
    assert State.QUEUED is studio.look(entry).state
    assert "could not prove" in studio.history.paused()["journeyapi"]
    assert 0 == api.charges


def test_a_rotated_key_is_used_from_the_next_call_on(studio: Studio, api: FakeHosted) -> None:
    """After the key was changed at the API, the queue waits; with the new key it goes on."""
    api.key = "another-key-0123456789"
    entry = studio.add()
    studio.settle()
    assert State.QUEUED is studio.look(entry).state
    studio.client.api_key = api.key
    studio.history.resume("journeyapi")
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_refused_request_fails_with_the_words_of_the_api(studio: Studio, api: FakeHosted) -> None:
    """A 400 ends the entry with what the API said, costs nothing, and the others go on."""
    api.script(ORDER, Reply(400, {"errors": [{"msg": "image_url is not <b>reachable</b>"}]}))
    for _ in range(2):
        studio.add()
    studio.settle()
    assert {State.FAILED: 1, State.FINISHED: 1} == states(studio)
    (refused,) = studio.history.latest(states=[State.FAILED])
    assert 0 == refused.credits
    assert "image_url is not <b>reachable</b>" in str(refused.error)


def test_what_cannot_be_asked_for_is_not_sent(studio: Studio, api: FakeHosted) -> None:
    """A picture that only lies here cannot go to JourneyAPI without a public address: it fails before the call."""
    entry = studio.add(None, source_key="0" * 32, source_file="a.png")
    studio.settle()
    assert State.FAILED is studio.look(entry).state
    assert "Set JOURNEY_PUBLIC_URL" in str(studio.look(entry).error)
    assert [] == api.calls_to(ORDER)


def test_a_task_that_fails_says_so(studio: Studio, api: FakeHosted) -> None:
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


def test_an_answer_about_many_may_be_odd(studio: Studio, api: FakeHosted) -> None:
    """Left out, turned round, repeated or foreign tasks and odd words harm nobody: all come home."""
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
def test_harmless_variants_of_an_answer_change_nothing(studio: Studio, api: FakeHosted, change: Change) -> None:
    """Whatever fields an answer lacks or adds, the task comes home."""
    api.always("fetch", change)
    entry = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_one_id_that_the_api_refuses_does_not_hide_the_others(studio: Studio, api: FakeHosted) -> None:
    """When a call about many is refused, each is asked for by itself."""
    entries = [studio.add() for _ in range(3)]
    api.always("fetch-many", Reply(400, {"error": "task_ids: one is malformed"}))
    studio.settle()
    assert {State.FINISHED: 3} == states(studio)
    assert len(entries) == api.charges


def test_finished_without_a_picture_is_not_finished(studio: Studio, api: FakeHosted) -> None:
    """A finished task without an address is watched on, and comes home when the address is there."""
    entry = studio.add()
    studio.tracker.step()
    api.finish(str(studio.look(entry).task_id))
    api.always("fetch", without("image_url"))
    studio.settle(seconds=600)
    assert State.OPEN is studio.look(entry).state
    api.always("fetch", None)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_result_of_another_size_is_kept_and_said(studio: Studio, api: FakeHosted) -> None:
    """A picture that is not 4x the source is kept as it came, with a note; two pixels are no difference."""
    other, close = studio.add(), studio.add()
    studio.tracker.step()
    api.finish(str(studio.look(other).task_id), size=(128, 96))
    api.finish(str(studio.look(close).task_id), size=(254, 194))
    studio.settle()
    assert {State.FINISHED: 2} == states(studio)
    assert "128 × 96 px; 256 × 192 px were expected" in str(studio.look(other).note)
    assert studio.look(close).note is None


BROKEN: dict[str, Fault] = {
    "a web page": web_page(),
    "an empty file": Reply(200, b"", {"Content-Type": "image/png"}),
    "half a picture": Reply(200, picture(256, 192)[:-400], {"Content-Type": "image/png"}),
    "a text": Reply(200, "hello" * 99, {"Content-Type": "image/png"}),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_result_that_is_no_picture_is_tried_again_and_then_given_up(
    studio: Studio, api: FakeHosted, fault: Fault
) -> None:
    """A broken download is repeated for about a minute; then the entry fails and says where the result is."""
    api.script("cdn", fault)
    healed = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(healed).state
    api.always("cdn", fault)
    broken, begun = studio.add(), studio.clock.now
    studio.settle()
    given_up = studio.look(broken)
    assert (State.FAILED, 2) == (given_up.state, given_up.credits)
    assert f"{api.origin}/cdn/{given_up.task_id}.png" in str(given_up.error)
    assert ARCHIVE_ATTEMPTS == len(api.calls_to("cdn")) - 2
    assert studio.clock.now - begun < 300


@pytest.mark.parametrize("fault", [Reply(404, b""), Reply(403, b""), Reply(410, b"")])
def test_a_result_that_is_gone_is_asked_for_again(studio: Studio, api: FakeHosted, fault: Reply) -> None:
    """When the address of a result is gone, the task is asked for a new one, with no new charge."""
    api.steps = STEPS[-1:]
    api.script("cdn", fault)
    entry = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(entry).state
    assert 2 == len(api.calls_to("fetch")) == len(api.calls_to("cdn"))
    assert 1 == api.charges


@pytest.mark.parametrize("fault", [Close.BEFORE_READING, Close.HALF_ANSWER, Reply(503, b"")])
def test_a_paid_result_outlives_a_long_outage(studio: Studio, api: FakeHosted, fault: Fault) -> None:
    """When the place of the results is away for hours, the entry waits for it instead of failing."""
    api.steps = STEPS[-1:]
    api.always("cdn", fault)
    entry = studio.add()
    studio.settle(seconds=6 * 3600)
    assert State.ARCHIVING is studio.look(entry).state
    assert studio.look(entry).note
    assert len(api.calls_to("cdn")) < 100
    api.always("cdn", None)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_an_internal_result_is_not_fetched(studio: Studio, api: FakeHosted) -> None:
    """A result at an internal address fails for good, and nothing connects there."""
    with socket.create_server(("127.0.0.3", 0)) as internal:
        internal.setblocking(False)
        url = f"http://127.0.0.3:{internal.getsockname()[1]}/a.png"
        api.always("fetch", with_fields(image_url=url))
        entry = studio.add()
        studio.settle()
        assert State.FAILED is studio.look(entry).state
        assert "cannot be used" in str(studio.look(entry).error)
        with pytest.raises(BlockingIOError):
            internal.accept()
    api.always("fetch", with_fields(image_url="http://169.254.169.254/a.png"))
    entry = studio.add()
    studio.settle()
    assert State.FAILED is studio.look(entry).state


def test_a_full_disk_is_waited_for(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """While results cannot be stored the entry says why and tries again; then it comes home."""

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(studio.files, "keep", full)
        entry = studio.add()
        studio.settle(seconds=600)
        assert State.ARCHIVING is studio.look(entry).state
        assert "No space left on device" in str(studio.look(entry).note)
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_a_dropped_download_leaves_no_file(studio: Studio, api: FakeHosted) -> None:
    """When a person stops watching in the middle of the download, what then arrives is removed."""
    entry = studio.add(engine="embedded")
    studio.history.move(entry.id, State.SUBMITTING)
    studio.history.move(entry.id, State.OPEN, task_id="t-1")
    archiving = studio.history.move(entry.id, State.ARCHIVING, result_url=api.picture_url(), result_key=new_key())
    assert archiving is not None
    studio.history.move(entry.id, State.ABANDONED)
    studio.tracker._archive(archiving)
    assert 1 == len(api.calls_to("cdn"))
    assert State.ABANDONED is studio.look(entry).state
    assert not studio.files.has(str(archiving.result_key), PREVIEW)


def test_a_silent_task_is_stale_and_asked_for_rarely(studio: Studio, api: FakeHosted) -> None:
    """Without any change for 30 minutes a task is stale and asked for every five minutes; news ends that."""
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


@pytest.mark.parametrize(
    "origin", [OWN_ORIGIN, "http://127.0.0.1:1"], ids=["this port", "the port of an earlier start"]
)
@ON_BOTH
def test_a_result_of_our_own_is_adopted(studio: Studio, api: FakeHosted, origin: str) -> None:
    """A result of the embedded engine lies here already: it keeps its key and is not downloaded."""
    with studio.files.folder() as folder:
        (folder / "result.png").write_bytes(picture(256, 192))
        key = studio.files.keep(folder)
    api.always("fetch", Change(lambda task: {**task, "image_url": file_url(origin, key, "result.png")}))
    api.steps = STEPS[-1:]
    entry = studio.add(None, engine="embedded", source_key="0" * 32, source_file="a.png")
    studio.settle()
    done = studio.look(entry)
    assert (State.FINISHED, key, "result.png", 256) == (
        done.state,
        done.result_key,
        done.result_file,
        done.result_width,
    )
    assert [] == api.calls_to("cdn")
    assert 0 == done.credits


def test_another_server_cannot_name_our_files(studio: Studio, api: FakeHosted) -> None:
    """A hosted result that merely looks like one of ours is fetched by its address like any other."""
    api.always("fetch", with_fields(image_url=file_url(api.origin, "0" * 32, "result.png")))
    api.steps = STEPS[-1:]
    entry = studio.add()
    studio.settle(seconds=10)
    assert studio.look(entry).state in (State.ARCHIVING, State.OPEN)
    assert api.calls_to("cdn")


def test_ours_is_the_webhook_unless_a_person_gave_one(make: MakeStudio, api: FakeHosted) -> None:
    """The call names our receiver, or the person's own, whose secret is gone once the call is sent."""
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
    assert "ours-0123" not in repr(dump(studio.history._database))


def test_the_task_id_is_stored_when_the_database_comes_back(
    make: MakeStudio, api: FakeHosted, database: Database
) -> None:
    """A database that is away just when the answer comes does not cost the task id."""

    class Away(History):
        times = 2

        def move(self, entry_id: str, to: State, **changes: Any) -> Entry | None:
            if to is State.OPEN and self.times:
                self.times -= 1
                raise DatabaseAway
            return super().move(entry_id, to, **changes)

    studio = make(history=Away(database, clock=lambda: 1_800_000_000.0))
    entry = studio.add()
    studio.tracker.step()
    assert State.OPEN is studio.look(entry).state
    assert studio.look(entry).task_id in api.tasks
    assert 1 == api.charges


def test_an_answer_after_another_process_took_over_is_not_lost(make: MakeStudio, api: FakeHosted) -> None:
    """A call that was given up for unknown meanwhile still binds its task; after a repeat it is noted at least."""
    for sent_again in (False, True):
        studio = make()
        entry = studio.add()

        def take_over(answer: Any, studio: Studio = studio, again: bool = sent_again, entry: Entry = entry) -> Any:
            studio.history.recover()
            if again:
                studio.history.send_again(entry.id)
            return answer

        api.script(ORDER, Change(take_over))
        studio.clock.now += 1
        studio.tracker.step()
        if sent_again:
            words = str([moment.words for moment in studio.history.timeline(entry.id)])
            assert "turned out to be accepted, as task 85h8-" in words
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
def test_the_budget_holds_for_calls_made_at_the_same_time(make: MakeStudio, api: FakeHosted) -> None:
    """With a budget for three calls, three of twelve are made, however many are under way at once."""
    studio: Studio

    def may_spend(_: Entry) -> str | None:
        return None if studio.history.credits_since(0) + 2 <= 6 else "The budget is used up."

    api.always(ORDER, Late(0.05))
    with ThreadPoolExecutor(8) as pool:
        studio = make(may_spend=may_spend, executor=pool)
        for _ in range(12):
            studio.add()
        for _ in range(5):
            studio.tracker.step()
            for future in studio.tracker._at_work.values():
                future.result()
    assert 3 == api.charges
    assert {"journeyapi": "The budget is used up."} == studio.history.paused()


def test_a_flapping_server_costs_each_task_once(studio: Studio, api: FakeHosted) -> None:
    """With every second answer broken in another way, each of 30 tasks comes home once or is told as unknown."""
    faults: list[Fault] = [rate_limited("1"), None, Reply(500, {}, accepted=True), None, Close.AFTER_READING, None]
    api.always(ORDER, lambda number: faults[number % len(faults)])
    api.always("fetch-many", lambda number: Reply(503, {}) if number % 2 else None)
    api.always("fetch", lambda number: Close.HALF_ANSWER if number % 2 else None)
    api.always("cdn", lambda number: Reply(502, b"") if number % 2 else None)
    entries = [studio.add() for _ in range(30)]
    studio.settle()
    ended = states(studio)
    assert 30 == ended[State.FINISHED] + ended[State.AMBIGUOUS]
    assert ended[State.AMBIGUOUS] >= 5
    assert 30 == api.charges
    finished = [studio.look(entry) for entry in entries if studio.look(entry).state is State.FINISHED]
    assert len(finished) == len({entry.task_id for entry in finished})


def test_a_clock_that_is_set_back_stops_nothing(studio: Studio, api: FakeHosted) -> None:
    """When the clock jumps back an hour, what was due soon is done soon; forward, it makes no storm."""
    entry = studio.add()
    studio.tracker.step()
    studio.clock.now -= 3600
    studio.tracker.step()
    assert 1 == len(api.calls_to("fetch"))
    studio.clock.now += 7200
    for _ in range(20):
        studio.tracker.step()
    assert 2 == len(api.calls_to("fetch"))
    studio.settle()
    assert State.FINISHED is studio.look(entry).state


def test_waiting_is_not_a_busy_loop(studio: Studio) -> None:
    """What waits for a pause or a later time does not keep the worker awake; what is due soon does."""
    studio.history.pause("journeyapi", "reason")
    entry = studio.add()
    studio.tracker.step()
    assert 0.5 == studio.tracker._until_next()
    studio.history.postpone(entry.id, studio.clock.now + 0.1)
    assert 0.05 < studio.tracker._until_next() < 0.15


class Stumbling(History):
    """Raises so many times in the middle of a step."""

    times = 0

    def due(self, state: State, **which: Any) -> list[Entry]:
        if self.times and state is State.ARCHIVING:
            self.times -= 1
            raise RuntimeError("stumbled")
        return super().due(state, **which)


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """For real threads: returns as soon as it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.005)


def test_a_worker_that_stumbles_goes_on(
    make: MakeStudio, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a step raises, the worker starts again after a growing pause, and the work is done."""
    pauses: list[float] = []
    pause = tracker._restart_pause
    monkeypatch.setattr(tracker, "_restart_pause", lambda count: pauses.append(pause(count)) or 0.0)
    history = Stumbling(database, clock=lambda: 1_800_000_000.0)
    studio = make(history=history)
    entry = studio.add()
    studio.tracker.start()
    assert studio.tracker.is_alive
    history.times = 4
    studio.tracker.wake()
    wait_until(lambda: bool(studio.look(entry).task_id) and not history.times)
    wait_until(lambda: studio.tracker.failures_in_a_row == 0)
    studio.tracker.stop()
    studio.tracker.stop()
    assert not studio.tracker.is_alive
    assert [2.0, 4.0, 8.0, 16.0] == pauses[-4:]
    assert "the tracker stumbled" in caplog.text
    assert [2, 4, 8, 16, 30, 30] == [pause(count) for count in (1, 2, 3, 4, 5, 1000)]


@ON_BOTH
def test_stopping_waits_for_the_call_and_claims_nothing_more(make: MakeStudio, api: FakeHosted) -> None:
    """Stop lets calls under way tell their task ids, begins no others, and the next start finds all as it was."""
    api.always(ORDER, Late(0.3))
    studio = make(executor=ThreadPoolExecutor(8))
    for _ in range(20):
        studio.add()
    studio.tracker.start()
    wait_until(lambda: len(api.calls_to(ORDER)) >= 1)
    studio.tracker.stop(timeout=10)
    calls = len(api.calls_to(ORDER))
    assert 1 <= calls <= 8
    assert {State.OPEN: calls, State.QUEUED: 20 - calls} == states(studio)
    assert calls == api.charges


@ON_BOTH
def test_a_start_takes_up_what_was_left(make: MakeStudio, api: FakeHosted) -> None:
    """A start resumes paused queues, tells what was being sent as unknown, and works again by itself."""
    first = make()
    lost, waiting = first.add(), first.add()
    first.history.move(lost.id, State.SUBMITTING)
    first.history.pause("journeyapi", "no credits")
    studio = make(executor=ThreadPoolExecutor(4))
    studio.tracker.start()
    wait_until(lambda: studio.look(waiting).task_id is not None)
    studio.tracker.stop()
    assert State.AMBIGUOUS is studio.look(lost).state
    assert 1 == api.charges


@ON_BOTH
def test_a_key_or_secret_is_told_to_nobody(
    make: MakeStudio, api: FakeHosted, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """After every kind of answer, echoes of what was sent among them, no log, error or row holds key or secret."""
    caplog.set_level(logging.DEBUG)
    secrets = [api.key, "s3cr3t-of-a-person", "s3cr3t-of-our-own"]
    studio = make(webhook_for=lambda _: ("https://studio.test/webhooks/x", secrets[2]), timeout=0.4)
    own = {"webhook_url": "https://example.com/hook", "webhook_secret": secrets[1]}
    for fields, sent in ((own, secrets[1]), ({}, secrets[2])):
        echo = {"error": f"What is {api.key} or {sent}?"}
        echoes = [Reply(status, echo) for status in (400, 402, 403, 404, 413, 429, 500, 200)]
        for answer in (*echoes, Close.AFTER_READING, Hang(), web_page(502), None):
            api.script(ORDER, answer)
            entry = studio.add(**fields)
            studio.settle(seconds=300)
            studio.history.resume("journeyapi")
            if not studio.history.move(entry.id, State.CANCELLED):
                studio.history.move(entry.id, State.ABANDONED)
    api.script("fetch", Reply(500, {"error": api.key}), Reply(401, {"error": api.key}))
    studio.add()
    studio.settle()
    told = caplog.text + repr([record.__dict__ for record in caplog.records]) + repr(dump(database))
    told += repr(studio.history.latest()) + repr(studio.client) + repr(vars(studio.tracker))
    assert [] == [secret for secret in secrets if secret in told]


def crash(api: FakeHosted, database_url: str, folder: Path, point: str) -> None:
    """Let a process die at the point, start again, and check what must hold then."""
    database = Database(database_url)
    database.upgrade()
    charged_before = api.charges
    studio = Studio(database, folder, api.url, api.key)
    entry = studio.add()
    api.steps = STEPS[-1:]
    if point == "during the call":
        api.script(ORDER, Hang())
    begun = len(api.calls_to(ORDER))
    process = PROCESSES.Process(target=run_until_death, args=[database_url, str(folder), api.url, api.key, point])
    process.start()
    if point == "during the call":
        wait_until(lambda: len(api.calls_to(ORDER)) > begun)
        process.kill()
    assert [-9] == exit_codes(process)

    studio = Studio(database, folder, api.url, api.key)
    studio.history.recover()
    studio.settle()
    studio.close()
    ended = studio.look(entry)
    charges = api.charges - charged_before
    if point in ("after submitting is stored", "during the call", "after the call"):
        assert (State.AMBIGUOUS, 2) == (ended.state, ended.credits)
        assert charges <= 1
    else:
        assert (State.FINISHED, 1, 2) == (ended.state, charges, ended.credits)
        assert studio.files.has(str(ended.result_key), PREVIEW)
        kept = [path for path in studio.folder.rglob(PREVIEW) if path.is_file()]
        finished = studio.history.count(states=[State.FINISHED])
        assert finished == len(kept)
    assert charges == len(api.calls_to(ORDER)) - begun
    assert 1 == ended.attempts
    assert [] == studio.left_behind()
    database.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_process_may_be_killed_anywhere(api: FakeHosted, tmp_path: Path, point: str) -> None:
    """After kill -9 at any point the task is finished or told as unknown, charged once at most, and nothing is left."""
    crash(api, f"sqlite:///{tmp_path / 'journey.db'}", tmp_path, point)


@pytest.mark.torture
@pytest.mark.parametrize("point", POINTS)
def test_a_process_may_be_killed_anywhere_often(api: FakeHosted, database_url: str, tmp_path: Path, point: str) -> None:
    """The same, twenty times over on both databases."""
    for _ in range(20):
        crash(api, database_url, tmp_path, point)
