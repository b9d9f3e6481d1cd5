"""Results that could not be fetched from here are handed in by people."""

from __future__ import annotations

from pathlib import Path

import pytest

from journey.errors import InvalidRequest, PictureRefused
from journey.history import Entry, History, NewEntry, State
from journey.pictures.checking import Limits
from journey.pictures.previews import PREVIEW
from journey.provider import JOURNEYAPI
from journey.storage.database import Database
from journey.storage.files import Files, new_key
from journey.storage.looked import Looked
from journey.storage.stored import StoredPicture
from journey.studio.results import HandIn
from journey.testing import picture
from tests.harness.standing import Clock, DecoderHere

SOURCE = StoredPicture("5" * 32, "fjord.png", 64, 48)
"""The picture that was enlarged 4x. Its file is never read here."""


@pytest.fixture
def history(database: Database) -> History:
    return History(database, clock=Clock())


@pytest.fixture
def hand_in(history: History, files: Files, tmp_path: Path) -> HandIn:
    return HandIn(history, files, Looked(tmp_path / "files"), DecoderHere(Limits(10**6, 16 * 10**6)))


def fetched_in_vain(history: History, **first: str) -> Entry:
    """A paid task of 64 × 48 px at 4x whose result could not be fetched."""
    wish = NewEntry(provider=JOURNEYAPI, type="4x", name="fjord.png", source=SOURCE, **first)
    entry = history.add(wish)
    history.move(entry.id, State.SUBMITTING)
    history.move(entry.id, State.OPEN, task_id="t-1")
    history.move(entry.id, State.ARCHIVING, result_url="https://cdn.example.com/a.png", result_key=new_key())
    history.postpone(entry.id, 2e9, archive_attempts=3, note="The server does not answer.")
    return now(history, entry)


def now(history: History, entry: Entry) -> Entry:
    found = history.get(entry.id)
    assert found is not None
    return found


@pytest.mark.parametrize("state", [State.ARCHIVING, State.OPEN, State.FAILED, State.ABANDONED])
def test_a_saved_file_becomes_the_result(history: History, hand_in: HandIn, files: Files, state: State) -> None:
    """Whether the result is still being tried or was given up, the file that a person saved ends the task."""
    entry = fetched_in_vain(history)
    if state is not State.ARCHIVING:
        history.move(entry.id, state, archive_attempts=3)
    entry = now(history, entry)
    assert entry.lacks_result
    done = hand_in.take(entry, picture(256, 192))
    assert (State.FINISHED, (256, 192), None, 2) == (done.state, done.result_size, done.note, done.credits)
    assert done.result is not None
    assert files.has(done.result.key, PREVIEW)
    assert "A person uploaded its result." == history.timeline(entry.id)[-1].words
    assert not done.lacks_result


def test_a_result_of_another_size_is_kept_and_said(history: History, hand_in: HandIn) -> None:
    """What is handed in is what was paid for, whatever its size: it is kept, with a note."""
    done = hand_in.take(fetched_in_vain(history), picture(128, 96))
    assert (128, 96) == done.result_size
    assert "256 × 192 px were expected" in str(done.note)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(picture(64, 48), "as large as the original, 64 × 48 px"), (b"<html>not a picture</html>", "web page")],
    ids=["the original", "a web page"],
)
def test_a_wrong_file_changes_nothing(
    history: History, hand_in: HandIn, files: Files, data: bytes, sentence: str
) -> None:
    """The original itself, or something that is no picture, is refused; the task goes on, and no file stays."""
    entry = fetched_in_vain(history)
    with pytest.raises((InvalidRequest, PictureRefused), match=sentence):
        hand_in.take(entry, data)
    assert entry == now(history, entry)
    assert [] == [path for path in Path(files._root).rglob("*.png") if path.is_file()]


def test_a_result_that_came_home_meanwhile_stays(history: History, hand_in: HandIn, files: Files) -> None:
    """When the tracker was faster, its result stays and the upload is not kept."""
    entry = fetched_in_vain(history)
    home = history.move(entry.id, State.FINISHED, result=StoredPicture(new_key(), "a.png", 256, 192))
    with pytest.raises(InvalidRequest, match="has its result by now"):
        hand_in.take(entry, picture(256, 192))
    assert home == now(history, entry)
    assert [] == [path for path in Path(files._root).rglob("*.png") if path.is_file()]


def test_the_second_step_follows_a_result_that_was_handed_in(history: History, hand_in: HandIn) -> None:
    """An order of two steps goes on with the file that a person uploaded."""
    done = hand_in.take(fetched_in_vain(history, then_type="2x"), picture(256, 192))
    follows = history.lists.latest(limit=1, states=[State.QUEUED])
    assert done.result
    assert [(done.id, done.result.key)] == [(entry.follows, entry.source.key) for entry in follows if entry.source]
