"""Deleted entries take their files along, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journey.api.client import JourneyClient
from journey.history import Entry, History, NewEntry, State
from journey.pictures import gallery
from journey.storage.database import Database
from journey.storage.files import Files
from journey.studio import removal
from tests.conftest import empty_database
from tests.fakes.hosted import FakeHosted, with_fields

Put = Callable[..., str]


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database("sqlite", request, tmp_path) as made:
        yield made


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(str(tmp_path / "files"), work_dir=tmp_path)


@pytest.fixture
def put(files: Files) -> Put:
    """Keeps a small file and gives its key."""

    def keep(key: str | None = None) -> str:
        with files.folder() as folder:
            (folder / "a.png").write_bytes(b"a picture")
            return files.keep(folder, key=key)

    return keep


def finished(history: History, source: str, result: str | None, **fields: str) -> Entry:
    wish = {"engine": "journeyapi", "type": "4x", "name": "fjord", "source_key": source, "source_file": "a.png"}
    entry = history.add(NewEntry(**wish | fields))  # type: ignore[arg-type]  # the fields are those of NewEntry
    history.move(entry.id, State.SUBMITTING)
    history.move(entry.id, State.OPEN, task_id=f"task-{entry.id}")
    if result is None:
        history.move(entry.id, State.STOPPED)
    else:
        history.move(entry.id, State.ARCHIVING, result_key=result)
        history.move(entry.id, State.FINISHED, result_file="a.png")
    return entry


def test_files_go_with_their_last_entry(history: History, files: Files, put: Put) -> None:
    """A picture that another entry still uses stays, as its source or as its result; the last one takes it along."""
    shared, middle, end = put(), put(), put()
    first, second = finished(history, shared, middle), finished(history, shared, put())
    child = finished(history, middle, end)
    assert [first.id] == [entry.id for entry in removal.delete(history, files, [first.id])]
    assert files.has(shared, "a.png")
    assert files.has(middle, "a.png")
    removal.delete(history, files, [second.id, child.id])
    assert [] == [key for key in (shared, middle, end) if files.has(key, "a.png")]
    assert (0, []) == (history.count(), history.doomed())


def test_samples_are_never_removed(history: History, files: Files, put: Put) -> None:
    """A sample picture belongs to everybody, also when the only entry that used it is deleted."""
    sample = put(gallery.key_of("koi"))
    removal.delete(history, files, [finished(history, sample, put()).id])
    assert files.has(sample, "a.png")
    assert [] == history.doomed()


def test_what_is_under_way_is_not_touched(history: History, files: Files, put: Put) -> None:
    """An entry that is not over keeps its row and its files."""
    source = put()
    entry = history.add(NewEntry(engine="embedded", type="2x", name="fjord", source_key=source, source_file="a.png"))
    assert [] == removal.delete(history, files, [entry.id])
    assert history.get(entry.id) is not None
    assert files.has(source, "a.png")


def test_a_crash_in_between_leaves_no_file(history: History, files: Files, put: Put) -> None:
    """Files of entries whose deletion was interrupted are removed afterwards, unless they are in use again."""
    lost, again = put(), put()
    entries = [finished(history, lost, None), finished(history, again, None)]
    history.delete([entry.id for entry in entries])  # and here it crashed
    finished(history, again, put())
    removal.bury(history, files)
    assert (False, True) == (files.has(lost, "a.png"), files.has(again, "a.png"))
    assert [] == history.doomed()


def test_a_result_that_nobody_took_is_removed(history: History, files: Files, put: Put) -> None:
    """When a task here was stopped just as its result was stored, deleting its entry removes that result as well."""
    result = put()
    with FakeHosted() as engine, JourneyClient(engine.key, engine.url) as client:
        task_id = client.upscale(image_url=engine.picture_url(8, 8), type="2x")
        engine.finish(task_id)
        engine.always("fetch", with_fields(image_url=f"http://127.0.0.1:1/files/{result}/a.png"))
        entry = history.add(NewEntry(engine="embedded", type="2x", name="fjord", source_key=put()))
        history.move(entry.id, State.SUBMITTING)
        history.move(entry.id, State.OPEN, task_id=task_id)
        history.move(entry.id, State.STOPPED)
        removal.delete(history, files, [entry.id], embedded=client)
    assert not files.has(result, "a.png")


def test_an_engine_that_does_not_answer_keeps_nobody_from_deleting(history: History, files: Files, put: Put) -> None:
    """What the engine is asked for is an extra: without an answer the entry is deleted all the same."""
    entry = finished(history, put(), None, engine="embedded")
    with JourneyClient("key", "http://127.0.0.1:9/api/v1", attempts=1) as client:
        assert [entry.id] == [each.id for each in removal.delete(history, files, [entry.id], embedded=client)]
