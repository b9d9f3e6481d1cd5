"""Deleting entries removes their files, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journey.api.client import JourneyClient
from journey.history import Entry, History, NewEntry, State
from journey.history.deletions import Deletions
from journey.pictures import gallery
from journey.provider import JOURNEYAPI, THIS_MACHINE, Provider
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.stored import Origins, StoredPicture
from journey.studio.removal import Removal
from tests.conftest import empty_database
from tests.harness.hosted import FakeHosted, with_fields

Put = Callable[..., str]
Make = Callable[..., Removal]


def kept(key: str) -> StoredPicture:
    return StoredPicture(key, "a.png", 64, 48)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database("sqlite", request, tmp_path) as made:
        yield made


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


@pytest.fixture
def deletions(database: Database) -> Deletions:
    return Deletions(database)


@pytest.fixture
def remove(history: History, deletions: Deletions, files: Files) -> Make:
    """Makes the removal, with a client for the engine here if one is given."""

    def make(here: JourneyClient | None = None) -> Removal:
        clients = {THIS_MACHINE: here} if here else {}
        return Removal(history.lists, deletions, files, clients, origins=Origins())

    return make


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


def finished(history: History, source: str, result: str | None, *, provider: Provider = JOURNEYAPI) -> Entry:
    entry = history.add(NewEntry(provider=provider, type="4x", name="fjord", source=kept(source)))
    history.move(entry.id, State.SUBMITTING)
    history.move(entry.id, State.OPEN, task_id=f"task-{entry.id}")
    if result is None:
        history.move(entry.id, State.STOPPED)
    else:
        history.move(entry.id, State.ARCHIVING, result_key=result)
        history.move(entry.id, State.FINISHED, result=kept(result))
    return entry


def test_what_cannot_be_removed_now_is_removed_later(
    history: History, deletions: Deletions, remove: Make, files: Files, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in use is not forgotten, and does not keep the others from being removed."""
    used, other = put(), put()
    entry = finished(history, used, other)
    delete = files.delete

    def busy(key: str) -> None:
        if key == used:
            raise PermissionError("in use")
        delete(key)

    with monkeypatch.context() as windows:
        windows.setattr(files, "delete", busy)
        remove().delete([entry.id])
        assert ([used], False) == (deletions.doomed(), files.has(other, "a.png"))
    remove().bury()
    assert ([], False) == (deletions.doomed(), files.has(used, "a.png"))


def test_files_go_with_their_last_entry(
    history: History, deletions: Deletions, remove: Make, files: Files, put: Put
) -> None:
    """A picture stays while any entry uses it as its source or its result, and goes with the last one."""
    shared, middle, end = put(), put(), put()
    first, second = finished(history, shared, middle), finished(history, shared, put())
    child = finished(history, middle, end)
    assert [first.id] == [entry.id for entry in remove().delete([first.id])]
    assert files.has(shared, "a.png")
    assert files.has(middle, "a.png")
    remove().delete([second.id, child.id])
    assert [] == [key for key in (shared, middle, end) if files.has(key, "a.png")]
    assert (0, []) == (history.lists.count(), deletions.doomed())


def test_samples_are_never_removed(
    history: History, deletions: Deletions, remove: Make, files: Files, put: Put
) -> None:
    """A sample picture belongs to everybody, so it stays when the only entry that used it is deleted."""
    sample = put(gallery.stored("koi").key)
    remove().delete([finished(history, sample, put()).id])
    assert files.has(sample, "a.png")
    assert [] == deletions.doomed()


def test_what_is_under_way_is_not_touched(history: History, remove: Make, files: Files, put: Put) -> None:
    """An entry that is not over keeps its row and its files."""
    source = put()
    entry = history.add(NewEntry(provider=THIS_MACHINE, type="2x", name="fjord", source=kept(source)))
    assert [] == remove().delete([entry.id])
    assert history.get(entry.id) is not None
    assert files.has(source, "a.png")


def test_a_crash_in_between_leaves_no_file(
    history: History, deletions: Deletions, remove: Make, files: Files, put: Put
) -> None:
    """Files of entries whose deletion was interrupted are removed afterwards, unless they are in use again."""
    lost, again = put(), put()
    entries = [finished(history, lost, None), finished(history, again, None)]
    deletions.delete([entry.id for entry in entries])  # and here it crashed
    finished(history, again, put())
    remove().bury()
    assert (False, True) == (files.has(lost, "a.png"), files.has(again, "a.png"))
    assert [] == deletions.doomed()


def test_a_result_that_nobody_took_is_removed(history: History, remove: Make, files: Files, put: Put) -> None:
    """When a task here was stopped just as its result was stored, deleting its entry removes that result as well."""
    result = put()
    with FakeHosted() as engine, JourneyClient(engine.key, engine.url) as client:
        task_id = client.upscale(image_url=engine.picture_url(8, 8), type="2x")
        engine.finish(task_id)
        engine.always("fetch", with_fields(image_url=f"http://127.0.0.1:1/files/{result}/a.png"))
        entry = history.add(NewEntry(provider=THIS_MACHINE, type="2x", name="fjord", source=kept(put())))
        history.move(entry.id, State.SUBMITTING)
        history.move(entry.id, State.OPEN, task_id=task_id)
        history.move(entry.id, State.STOPPED)
        remove(client).delete([entry.id])
    assert not files.has(result, "a.png")


def test_an_engine_that_does_not_answer_keeps_nobody_from_deleting(
    history: History, remove: Make, files: Files, put: Put
) -> None:
    """An entry is deleted even when the engine does not answer whether it has a result of it."""
    entry = finished(history, put(), None, provider=THIS_MACHINE)
    with JourneyClient("key", "http://127.0.0.1:9/api/v1", attempts=1) as client:
        assert [entry.id] == [each.id for each in remove(client).delete([entry.id])]
