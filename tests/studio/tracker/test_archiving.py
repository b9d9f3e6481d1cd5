"""A task is finished when our own copy of its result is stored, and not before."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from journey.history import Entry, History, State
from journey.pictures.previews import PREVIEW
from journey.provider import THIS_MACHINE
from journey.storage.database import Database
from journey.storage.files import new_key
from journey.storage.stored import StoredFile, StoredPicture
from journey.studio.tracker.archiving import ATTEMPTS
from journey.studio.tracker.submitting import backoff
from journey.testing import STEPS, Change, Close, Fault, Reply, StandIn, picture, web_page, with_fields
from tests.harness.standing import Clock
from tests.harness.tracking import OWN_ORIGIN, TrackedStudio
from tests.studio.tracker.conftest import ON_BOTH, MakeStudio, states


def test_a_result_of_another_size_is_kept_and_said(studio: TrackedStudio, api: StandIn) -> None:
    """A picture that is not 4x the source is kept as it came, with a note; two pixels do not count."""
    other, close = studio.add(), studio.add()
    studio.tracker.step()
    api.finish(str(studio.look(other).task_id), size=(128, 96))
    api.finish(str(studio.look(close).task_id), size=(254, 194))
    studio.settle()
    assert {State.FINISHED: 2} == states(studio)
    assert "128 × 96 px; 256 × 192 px were expected" in str(studio.look(other).note)
    assert studio.look(close).note is None


HOUR = 3600.0
DAY = 24 * HOUR
BROKEN: dict[str, Fault] = {
    "a web page": web_page(),
    "an empty file": Reply(200, b"", {"Content-Type": "image/png"}),
    "half a picture": Reply(200, picture(256, 192)[:-400], {"Content-Type": "image/png"}),
    "a text": Reply(200, "hello" * 99, {"Content-Type": "image/png"}),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_result_that_is_no_picture_is_tried_again(studio: TrackedStudio, api: StandIn, fault: Fault) -> None:
    """A broken download is tried again until it is a picture."""
    api.script("cdn", fault, fault, fault)
    healed = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(healed).state
    assert 4 == len(api.calls_to("cdn"))


def test_a_result_is_given_up_after_a_day(studio: TrackedStudio, api: StandIn) -> None:
    """A broken download is tried with growing pauses for a day; then the entry fails, and keeps the address."""
    assert DAY < sum(backoff(tries) for tries in range(1, ATTEMPTS)) < DAY + 2 * HOUR
    api.always("cdn", BROKEN["a text"])
    entry = studio.add()
    studio.settle(seconds=HOUR)
    waiting = studio.look(entry)
    assert (State.ARCHIVING, True, True) == (waiting.state, waiting.lacks_result, bool(waiting.note))
    studio.history.postpone(entry.id, studio.clock.now, archive_attempts=ATTEMPTS - 2)
    studio.settle(seconds=HOUR)
    given_up = studio.look(entry)
    assert (State.FAILED, 2, True) == (given_up.state, given_up.credits, given_up.lacks_result)
    assert f"could not be fetched in {ATTEMPTS} tries" in str(given_up.error)
    assert f"{api.origin}/cdn/{given_up.task_id}.png" == given_up.result_url


@pytest.mark.parametrize("fault", [Reply(404, b""), Reply(403, b""), Reply(410, b"")])
def test_a_result_that_is_gone_is_asked_for_again(studio: TrackedStudio, api: StandIn, fault: Reply) -> None:
    """When the address of a result is gone, the task is asked for a new one, with no new charge."""
    api.steps = STEPS[-1:]
    api.script("cdn", fault)
    entry = studio.add()
    studio.settle()
    assert State.FINISHED is studio.look(entry).state
    assert 2 == len(api.calls_to("fetch")) == len(api.calls_to("cdn"))
    assert 1 == api.charges


@pytest.mark.parametrize("fault", [Close.BEFORE_READING, Close.HALF_ANSWER, Reply(503, b"")])
def test_a_paid_result_outlives_a_long_outage(studio: TrackedStudio, api: StandIn, fault: Fault) -> None:
    """When the server of the results is away for hours, the entry waits for it instead of failing."""
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


def test_an_internal_result_is_not_fetched(studio: TrackedStudio, api: StandIn) -> None:
    """Nothing connects to a result at an internal address: the task is asked for another, and fails after a day."""
    with socket.create_server(("127.0.0.3", 0)) as internal:
        internal.setblocking(False)
        url = f"http://127.0.0.3:{internal.getsockname()[1]}/a.png"
        api.always("fetch", with_fields(image_url=url))
        entry = studio.add()
        studio.settle(seconds=2 * DAY)
        assert State.FAILED is studio.look(entry).state
        assert "could not be fetched" in str(studio.look(entry).error)
        with pytest.raises(BlockingIOError):
            internal.accept()
    assert len(studio.history.timeline(entry.id)) < 30
    api.always("fetch", with_fields(image_url="http://169.254.169.254/a.png"))
    entry = studio.add()
    studio.settle(seconds=HOUR)
    assert studio.look(entry).lacks_result
    api.always("fetch", None)
    studio.settle(seconds=DAY)
    assert State.FINISHED is studio.look(entry).state


@pytest.mark.parametrize("fault", [RuntimeError("odd"), OSError(28, "No space left on device")])
def test_what_stays_broken_is_logged_once(
    studio: TrackedStudio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """An error that comes back at every try for an hour leaves one trace in the log, not one for each try."""

    def breaks(*_: object, **__: object) -> str:
        raise fault

    monkeypatch.setattr(studio.files, "keep", breaks)
    entry = studio.add()
    studio.settle(seconds=HOUR)
    assert State.ARCHIVING is studio.look(entry).state
    assert 1 == len([record for record in caplog.records if record.exc_info])


def test_a_full_disk_is_waited_for(studio: TrackedStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """While results cannot be stored, the entry says why and tries again; once they can, it comes home."""

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


def test_a_dropped_download_leaves_no_file(studio: TrackedStudio, api: StandIn) -> None:
    """When a person stops watching in the middle of the download, what then arrives is removed."""
    entry = studio.add(provider=THIS_MACHINE)
    studio.history.move(entry.id, State.SUBMITTING)
    studio.history.move(entry.id, State.OPEN, task_id="t-1")
    archiving = studio.history.move(entry.id, State.ARCHIVING, result_url=api.picture_url(), result_key=new_key())
    assert archiving is not None
    studio.history.move(entry.id, State.ABANDONED)
    studio.tracker._archiving.archive(archiving)
    assert 1 == len(api.calls_to("cdn"))
    assert State.ABANDONED is studio.look(entry).state
    assert not studio.files.has(str(archiving.result_key), PREVIEW)


def result_of_our_own(studio: TrackedStudio, api: StandIn, *, origin: str = OWN_ORIGIN) -> str:
    """A task of the embedded engine is finished, and its result stored under this key."""
    with studio.files.folder() as folder:
        (folder / "result.png").write_bytes(picture(256, 192))
        key = studio.files.keep(folder)
    api.always("fetch", Change(lambda task: {**task, "image_url": StoredFile(key, "result.png").url(origin)}))
    api.steps = STEPS[-1:]
    return key


@pytest.mark.parametrize(
    "origin", [OWN_ORIGIN, "http://127.0.0.1:1"], ids=["this port", "the port of an earlier start"]
)
@ON_BOTH
def test_a_result_of_our_own_is_adopted(studio: TrackedStudio, api: StandIn, origin: str) -> None:
    """A result of the embedded engine is already stored here: it keeps its key and is not downloaded."""
    key = result_of_our_own(studio, api, origin=origin)
    entry = studio.add(None, provider=THIS_MACHINE)
    studio.settle()
    done = studio.look(entry)
    assert State.FINISHED is done.state
    assert StoredPicture(key, "result.png", 256, 192, done.result_bytes) == done.result
    assert [] == api.calls_to("cdn")
    assert 0 == done.credits


class Busy(History):
    """Never finds time for what waits to be archived."""

    def due(self, state: State, **which: Any) -> list[Entry]:
        return [] if state is State.ARCHIVING else super().due(state, **which)


def test_a_result_of_our_own_does_not_wait_for_its_turn(make: MakeStudio, database: Database, api: StandIn) -> None:
    """A result that is already on this disk is kept in the same breath in which its task is seen to be finished."""
    studio = make(history=Busy(database, clock=Clock()))
    result_of_our_own(studio, api)
    entry = studio.add(None, provider=THIS_MACHINE)
    studio.tracker.step()
    assert State.OPEN is studio.look(entry).state
    studio.tracker.step()
    assert State.FINISHED is studio.look(entry).state


def test_another_server_cannot_name_our_files(studio: TrackedStudio, api: StandIn) -> None:
    """A hosted result that merely looks like one of ours is fetched by its address like any other."""
    api.always("fetch", with_fields(image_url=StoredFile("0" * 32, "result.png").url(api.origin)))
    api.steps = STEPS[-1:]
    entry = studio.add()
    studio.settle(seconds=10)
    assert studio.look(entry).state in (State.ARCHIVING, State.OPEN)
    assert api.calls_to("cdn")
