"""The tracker brings every task home, whatever goes wrong on the way."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from journey import background
from journey.history import History, State
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.provider import JOURNEYAPI
from journey.storage.database import Database
from journey.testing import STEPS, Close, Fault, Hang, Late, Reply, StandIn, rate_limited, web_page
from tests.conftest import PROCESSES, exit_codes
from tests.harness.standing import wait_for
from tests.harness.tracking import POINTS, TrackedStudio, run_until_death
from tests.studio.tracker.conftest import ON_BOTH, ORDER, MakeStudio, dump, states


@ON_BOTH
def test_a_picture_comes_home(studio: TrackedStudio, api: StandIn) -> None:
    """A task is sent, watched and archived: our own copy of the right size, with its previews, for two credits."""
    entry = studio.add()
    studio.settle()
    done = studio.look(entry)
    assert (State.FINISHED, 100, 2, None, None) == (done.state, done.percentage, done.credits, done.note, done.error)
    assert (256, 192, "midjourney") == (*(done.result_size or ()), done.result_model)
    assert done.result is not None
    path = studio.files.path(done.result.key, done.result.file)
    assert api.result(api.tasks[str(done.task_id)]) == path.read_bytes()
    assert done.result_bytes == path.stat().st_size
    with Image.open(path.with_name(PREVIEW)) as preview, Image.open(path.with_name(THUMBNAIL)) as thumbnail:
        assert (256, 192) == preview.size == thumbnail.size
    assert [State.QUEUED, State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED] == [
        moment.state for moment in studio.history.timeline(entry.id)
    ]
    assert 1 == api.charges == len(api.calls_to(ORDER))


def test_a_flapping_server_costs_each_task_once(studio: TrackedStudio, api: StandIn) -> None:
    """With every second answer broken in some way, each of 30 tasks comes home once or is marked as unknown."""
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


def test_a_clock_that_is_set_back_stops_nothing(studio: TrackedStudio, api: StandIn) -> None:
    """When the clock jumps back an hour, what is due soon is done soon; a jump forward causes no storm of calls."""
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


def test_waiting_is_not_a_busy_loop(studio: TrackedStudio) -> None:
    """What waits in a paused queue does not keep the worker awake; what is due soon wakes it in time."""
    studio.history.pauses.begin(JOURNEYAPI, "reason")
    entry = studio.add()
    assert 0.5 == studio.tracker._timed_step()
    studio.history.postpone(entry.id, studio.clock.now + 0.1)
    assert 0.05 < studio.tracker._timed_step() < 0.15


class Stumbling(History):
    """Raises this many `times` in the middle of a step."""

    times = 0

    def first_due(self) -> dict[State, float]:
        if self.times:
            self.times -= 1
            raise RuntimeError("stumbled")
        return super().first_due()


def test_a_worker_that_stumbles_goes_on(
    make: MakeStudio, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a step raises, the worker starts again after a pause, and the work is done."""
    monkeypatch.setattr(background, "pause_after", lambda failures: 0.0)
    history = Stumbling(database, clock=lambda: 1_800_000_000.0)
    studio = make(history=history)
    entry = studio.add()
    studio.tracker.start()
    history.times = 4
    studio.tracker.wake()
    wait_for(lambda: studio.look(entry).task_id and not history.times)
    wait_for(lambda: not studio.tracker.is_silent(60))
    studio.tracker.stop()
    studio.tracker.stop()
    assert studio.tracker.is_silent(60)
    assert "tracker stumbled" in caplog.text


@ON_BOTH
def test_stopping_waits_for_the_call_and_claims_nothing_more(make: MakeStudio, api: StandIn) -> None:
    """Stopping waits for the task ids of calls under way and begins no others; the rest stays queued."""
    api.always(ORDER, Late(0.3))
    studio = make(executor=ThreadPoolExecutor(8))
    for _ in range(20):
        studio.add()
    studio.tracker.start()
    wait_for(lambda: len(api.calls_to(ORDER)) >= 1)
    studio.tracker.stop(timeout=10)
    calls = len(api.calls_to(ORDER))
    assert 1 <= calls <= 8
    assert {State.OPEN: calls, State.QUEUED: 20 - calls} == states(studio)
    assert calls == api.charges


@ON_BOTH
def test_a_start_takes_up_what_was_left(make: MakeStudio, api: StandIn) -> None:
    """A start resumes paused queues, marks what was being sent as unknown, and works again by itself."""
    first = make()
    lost, waiting = first.add(), first.add()
    first.history.move(lost.id, State.SUBMITTING)
    first.history.pauses.begin(JOURNEYAPI, "no credits")
    studio = make(executor=ThreadPoolExecutor(4))
    studio.tracker.start()
    wait_for(lambda: studio.look(waiting).task_id is not None)
    studio.tracker.stop()
    assert State.AMBIGUOUS is studio.look(lost).state
    assert 1 == api.charges


@ON_BOTH
def test_a_key_or_secret_is_told_to_nobody(
    make: MakeStudio, api: StandIn, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """After every kind of answer, even one that echoes what was sent, no log, error or row holds a key or secret."""
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
            studio.history.pauses.end(JOURNEYAPI)
            if not studio.history.move(entry.id, State.CANCELLED):
                studio.history.move(entry.id, State.ABANDONED)
    api.script("fetch", Reply(500, {"error": api.key}), Reply(401, {"error": api.key}))
    studio.add()
    studio.settle()
    told = caplog.text + repr([record.__dict__ for record in caplog.records]) + repr(dump(database))
    told += (
        repr(studio.history.lists.latest())
        + repr(studio.client)
        + repr(vars(studio.tracker))
        + repr(vars(studio.tracker._submitting))
    )
    assert [] == [secret for secret in secrets if secret in told]


def crash(api: StandIn, database_url: str, folder: Path, point: str) -> None:
    """Let a process die at the point, start again, and check what must hold then."""
    database = Database(database_url)
    database.upgrade()
    charged_before = api.charges
    studio = TrackedStudio(database, folder, api.url, api.key)
    entry = studio.add()
    api.steps = STEPS[-1:]
    if point == "during the call":
        api.script(ORDER, Hang())
    begun = len(api.calls_to(ORDER))
    process = PROCESSES.Process(target=run_until_death, args=[database_url, str(folder), api.url, api.key, point])
    process.start()
    if point == "during the call":
        wait_for(lambda: len(api.calls_to(ORDER)) > begun)
        process.kill()
    assert [-9] == exit_codes(process)

    studio = TrackedStudio(database, folder, api.url, api.key)
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
        finished = studio.history.lists.count(states=[State.FINISHED])
        assert finished == len(kept)
    assert charges == len(api.calls_to(ORDER)) - begun
    assert 1 == ended.attempts
    assert [] == studio.left_behind()
    database.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_process_may_be_killed_anywhere(api: StandIn, tmp_path: Path, point: str) -> None:
    """After kill -9 at any point the task finishes or is marked unknown, charged at most once, with no debris left."""
    crash(api, f"sqlite:///{tmp_path / 'journey.db'}", tmp_path, point)


@pytest.mark.torture
@pytest.mark.parametrize("point", POINTS)
def test_a_process_may_be_killed_anywhere_often(api: StandIn, database_url: str, tmp_path: Path, point: str) -> None:
    """The same holds twenty times over on both databases."""
    for _ in range(20):
        crash(api, database_url, tmp_path, point)
