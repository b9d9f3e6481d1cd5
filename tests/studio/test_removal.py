"""Deleting entries removes their files, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from journey.engine import tasks as engine_tasks
from journey.engine.pruning import PIECE, prune
from journey.engine.tasks import Tasks
from journey.engine.tasks import engine_tasks as task_table
from journey.history import Entry, History, NewEntry, State
from journey.history import tables as history_tables
from journey.history.deletions import Deletions, doom, watched
from journey.pictures import gallery
from journey.provider import JOURNEYAPI, THIS_MACHINE, Provider
from journey.storage.database import Database
from journey.storage.files import Files, new_key
from journey.storage.looked import LOOK_SECONDS, Looked
from journey.storage.stored import StoredFile, StoredPicture
from journey.storage.uses import User, Uses
from journey.studio.removal import Prune, Removal
from tests.harness.standing import Clock

Put = Callable[..., str]


def kept(key: str) -> StoredPicture:
    return StoredPicture(key, "a.png", 64, 48)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(database: Database, clock: Clock) -> History:
    return History(database, clock=clock)


@pytest.fixture
def tasks(database: Database, clock: Clock) -> Tasks:
    """The tasks of the engine here."""
    return Tasks(database, clock=clock)


@pytest.fixture
def deletions(database: Database) -> Deletions:
    return Deletions(database, give_up=lambda within, ids: Tasks(within).give_up_results(ids))


@pytest.fixture
def looked(files: Files, clock: Clock) -> Looked:
    return Looked(files._root, clock=clock)


@pytest.fixture
def uses(database: Database, looked: Looked) -> Uses:
    return Uses(database, looked, [*history_tables.CLAIMS, *engine_tasks.CLAIMS])


@pytest.fixture
def removal(deletions: Deletions, files: Files, looked: Looked, uses: Uses, database: Database) -> Removal:
    return Removal(deletions, files, looked, uses, prune=pruning(database, keep=1_000))


def pruning(database: Database, *, keep: int) -> Prune:
    return partial(prune, database, keep=keep, watched=watched, doom=doom)


def swept(removal: Removal, before: float | None) -> None:
    """Remove all that is too old."""
    for _ in removal.sweep(before, note="It was old."):
        pass


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


def ordered(tasks: Tasks, owner: str, *, result: str, source: str | None = None, **more: str) -> str:
    """A task of the engine here, ordered with some key, whose result has its place already."""
    task_id = f"task-{new_key()}"
    tasks.add(
        task_id,
        source=StoredFile(source, "a.png") if source else None,
        owner=owner,
        type="4x",
        network="fast",
        model="fast",
        origin="",
        result_key=result,
        **more,
    )
    return task_id


def done(tasks: Tasks, owner: str, result: str) -> str:
    """The same, finished."""
    task_id = ordered(tasks, owner, result=result)
    tasks.finish(task_id, StoredFile(result, "a.png"), source_pixels=1, seconds=1.0)
    return task_id


def test_what_cannot_be_removed_now_is_removed_later(
    history: History, deletions: Deletions, removal: Removal, files: Files, put: Put, monkeypatch: pytest.MonkeyPatch
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
        removal.delete([entry.id])
        assert ([used], False) == (deletions.doomed(), files.has(other, "a.png"))
    removal.bury()
    assert ([], False) == (deletions.doomed(), files.has(used, "a.png"))


def test_files_go_with_their_last_entry(
    history: History, deletions: Deletions, removal: Removal, files: Files, put: Put
) -> None:
    """A picture stays while any entry uses it as its source or its result, and goes with the last one."""
    shared, middle, end = put(), put(), put()
    first, second = finished(history, shared, middle), finished(history, shared, put())
    child = finished(history, middle, end)
    assert [first.id] == [entry.id for entry in removal.delete([first.id])]
    assert files.has(shared, "a.png")
    assert files.has(middle, "a.png")
    removal.delete([second.id, child.id])
    assert [] == [key for key in (shared, middle, end) if files.has(key, "a.png")]
    assert (0, []) == (history.lists.count(), deletions.doomed())


def test_samples_are_never_removed(
    history: History, deletions: Deletions, removal: Removal, files: Files, put: Put
) -> None:
    """A sample picture belongs to everybody, so it stays when the only entry that used it is deleted."""
    sample = put(gallery.stored("koi").key)
    removal.delete([finished(history, sample, put()).id])
    assert files.has(sample, "a.png")
    assert [] == deletions.doomed()


def test_what_is_under_way_is_not_touched(history: History, removal: Removal, files: Files, put: Put) -> None:
    """An entry that is not over keeps its row and its files."""
    source = put()
    entry = history.add(NewEntry(provider=THIS_MACHINE, type="2x", name="fjord", source=kept(source)))
    assert [] == removal.delete([entry.id])
    assert history.get(entry.id) is not None
    assert files.has(source, "a.png")


def test_a_crash_in_between_leaves_no_file(
    history: History, deletions: Deletions, removal: Removal, files: Files, put: Put
) -> None:
    """Files of entries whose deletion was interrupted are removed afterwards, unless they are in use again."""
    lost, again = put(), put()
    entries = [finished(history, lost, None), finished(history, again, None)]
    deletions.delete([entry.id for entry in entries])  # and here it crashed
    finished(history, again, put())
    removal.bury()
    assert (False, True) == (files.has(lost, "a.png"), files.has(again, "a.png"))
    assert [] == deletions.doomed()


def made_here(history: History, tasks: Tasks, source: StoredPicture, result: str) -> Entry:
    """An open entry whose task of the engine here has just stored this result."""
    entry = history.add(NewEntry(provider=THIS_MACHINE, type="4x", name="fjord", source=source))
    history.move(entry.id, State.SUBMITTING)
    history.move(entry.id, State.OPEN, task_id=done(tasks, "studio", result))
    return entry


def test_a_result_that_nobody_took_is_removed(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put
) -> None:
    """When a task here was stopped just as its result was stored, deleting its entry removes that result as well."""
    result = put()
    entry = made_here(history, tasks, kept(put()), result)
    history.move(entry.id, State.STOPPED)
    removal.delete([entry.id])
    assert not files.has(result, "a.png")


# Tasks of the engine here


def test_a_result_goes_with_its_entry_although_the_engine_knows_its_task(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put
) -> None:
    """The task that made a result for the studio does not keep it when the entry is deleted."""
    result = put()
    entry = made_here(history, tasks, kept(put()), result)
    history.move(entry.id, State.ARCHIVING, result_key=result)
    history.move(entry.id, State.FINISHED, result=kept(result))
    removal.delete([entry.id])
    assert not files.has(result, "a.png")


@pytest.mark.parametrize("provider", [JOURNEYAPI, THIS_MACHINE], ids=lambda each: each.name)
def test_a_result_that_somebody_else_ordered_is_never_removed(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put, provider: Provider
) -> None:
    """Deleting an entry that enlarges, or has adopted, the result of a task of another key leaves that result alone."""
    theirs, adopted = put(), put()
    for key in (theirs, adopted):
        done(tasks, "another", key)
    entry = finished(history, theirs, adopted, provider=provider)
    removal.delete([entry.id])
    removal.bury()
    assert [True, True] == [files.has(key, "a.png") for key in (theirs, adopted)]


def test_a_picture_that_the_engine_has_yet_to_enlarge_stays(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put
) -> None:
    """A picture that a task of any key waits for outlives its last entry, and goes once that task is over."""
    shared = put()
    task_id = ordered(tasks, "another", result=new_key(), source=shared)
    removal.delete([finished(history, shared, put()).id])
    assert files.has(shared, "a.png")
    tasks.fail(task_id, "Cancelled")
    removal.bury()
    assert not files.has(shared, "a.png")


# Looks


def test_a_picture_that_nobody_queued_goes_a_day_after_the_last_look(
    looked: Looked, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """A picture that was only looked at goes a day after the last look, and not while a tab still shows it."""
    picture = put()
    looked.note([picture])
    clock.now += LOOK_SECONDS - 1
    looked.note([picture])  # the tab still shows it
    clock.now += LOOK_SECONDS
    removal.remove_unqueued()
    assert files.has(picture, "a.png")
    clock.now += 1
    removal.remove_unqueued()
    assert not files.has(picture, "a.png")
    assert set() == looked.old()


def test_an_old_look_removes_nothing_that_is_in_use(
    history: History, tasks: Tasks, looked: Looked, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """What was looked at stays after a day if an entry, a task of the engine here, or everybody uses it."""
    queued, result, working, theirs, sample = put(), put(), put(), put(), put(gallery.stored("koi").key)
    finished(history, queued, result)
    ordered(tasks, "another", result=new_key(), source=working)
    done(tasks, "another", theirs)
    keys = [queued, result, working, theirs, sample]
    looked.note(keys)
    clock.now += LOOK_SECONDS + 1
    removal.remove_unqueued()
    assert keys == [key for key in keys if files.has(key, "a.png")]


def test_deleting_an_entry_leaves_what_a_tab_shows(
    history: History, looked: Looked, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """A picture that somebody looked at within a day outlives its last entry, and goes after that day."""
    picture = put()
    looked.note([picture])
    removal.delete([finished(history, picture, put()).id])
    assert files.has(picture, "a.png")
    clock.now += LOOK_SECONDS + 1
    removal.bury()
    assert not files.has(picture, "a.png")


# Age


def test_old_results_go_unless_another_entry_uses_them(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """An old result is removed, and its entry says so; one that another entry enlarges, or has as well, stays."""
    alone, middle, shared = put(), put(), put()
    entry = finished(history, put(), alone)
    parent = finished(history, put(), middle)
    finished(history, middle, None)
    finished(history, put(), shared)
    clock.now += 10
    finished(history, put(), shared)
    swept(removal, clock.now)
    assert [False, True, True] == [files.has(key, "a.png") for key in (alone, middle, shared)]
    told = [history.get(each.id) for each in (entry, parent)]
    assert [(None, "It was old."), (middle, None)] == [(each.result_key, each.note) for each in told if each]


def test_old_sources_go_once_nothing_newer_uses_them(
    history: History, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """An old entry loses its source with its result, unless a newer one, or one under way, has it as well.

    What it was like stays in its row. A result that an old entry enlarged goes with the next sweep.
    """
    alone, shared, waiting = put(), put(), put()
    old, sharing = finished(history, alone, middle := put()), finished(history, shared, None)
    child = finished(history, middle, end := put())
    history.add(NewEntry(provider=JOURNEYAPI, type="2x", name="fjord", source=kept(waiting)))
    finished(history, waiting, None)
    clock.now += 10
    finished(history, shared, put())
    for _ in range(2):
        swept(removal, clock.now)
    kept_still = {key for key in (alone, shared, waiting, middle, end) if files.has(key, "a.png")}
    assert {shared, waiting} == kept_still
    told = [history.get(each.id) for each in (old, child, sharing)]
    assert [None, None, kept(shared)] == [each.source for each in told if each]
    assert [(64, 48)] * 3 == [each.source_size for each in told if each]


def test_samples_stay_the_sources_of_old_entries(history: History, removal: Removal, clock: Clock) -> None:
    """The pictures of the house are not taken from anything."""
    sample = next(iter(gallery.PICTURES))
    entry = finished(history, gallery.stored(sample).key, None)
    clock.now += 10
    swept(removal, clock.now)
    assert (now := history.get(entry.id))
    assert now.source


# Tasks of the engine


def test_old_tasks_go_with_what_nothing_else_uses(
    history: History, tasks: Tasks, removal: Removal, files: Files, put: Put, clock: Clock
) -> None:
    """A task that is too old goes with its result, but not with a result that an entry keeps.

    One under way stays, as does one whose entry has not heard of its end, one whose webhook is due, and a sample.
    """
    mine, entrys = put(), put()
    gone = [done(tasks, "a", mine), done(tasks, "a", entrys)]
    finished(history, put(), entrys, provider=THIS_MACHINE)
    busy, unheard = ordered(tasks, "a", result=new_key()), done(tasks, "a", put())
    open_entry = history.add(NewEntry(provider=THIS_MACHINE, type="4x", name="fjord"))
    history.move(open_entry.id, State.SUBMITTING)
    history.move(open_entry.id, State.OPEN, task_id=unheard)
    due = ordered(tasks, "a", result=new_key(), webhook_url="https://example.com/hook")
    tasks.fail(due, "It failed.")
    tasks.add_finished("sample", model="fast", pictures=[StoredFile(new_key(), "a.png")])
    clock.now += 10
    forgotten = list(pruning(tasks._database, keep=1_000)(clock.now))
    removal.bury()
    assert [2] == forgotten
    assert [busy, unheard, due, "sample"] == [
        each.task_id for each in tasks.get([*gone, busy, unheard, due, "sample"], owner="a")
    ]
    assert [False, True] == [files.has(key, "a.png") for key in (mine, entrys)]


def test_more_tasks_than_are_kept_go_in_pieces(tasks: Tasks, clock: Clock) -> None:
    """Of any number of tasks the newest so many stay, and no step takes more than a piece of the others.

    What finished is still counted.
    """
    database = tasks._database
    first = done(tasks, "a", new_key())
    with database.write() as connection:
        row = dict(connection.execute(task_table.select()).one()._mapping)
        rows = [row | {"task_id": f"t{number}", "created_at": clock.now + number} for number in range(1, 1_000)]
        connection.execute(task_table.insert(), rows)
    steps = list(pruning(database, keep=100)(None))
    assert [PIECE] * 9 == steps
    assert [] == tasks.get([first, "t899"], owner="a")
    assert ["t900", "t999"] == [each.task_id for each in tasks.get(["t900", "t999"], owner="a")]
    assert 1 == tasks.finished_count(owner="a")
    assert [] == list(pruning(database, keep=100)(None))


# The register


def test_the_register_knows_every_user(
    history: History, tasks: Tasks, looked: Looked, uses: Uses, put: Put, clock: Clock
) -> None:
    """Whoever uses a file is told for each key, however many are asked about; what nobody uses is left out."""
    source, result, busy, task, look, nobody = (new_key() for _ in range(6))
    finished(history, source, result)
    ordered(tasks, "another", result=task, source=busy)
    looked.note([look, source])
    asked = [source, result, busy, task, look, nobody, *(new_key() for _ in range(1_200))]
    assert {
        source: {User.SOURCE, User.LOOK},
        result: {User.RESULT},
        busy: {User.TASK},
        task: {User.TASK},
        look: {User.LOOK},
    } == uses.of(asked)
    assert {} == uses.of([])
