"""What the process that works the queues looks after, in a whole studio."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from journey.history import NewEntry
from journey.pictures import gallery
from journey.pictures.checking import Decoder, Limits
from journey.pictures.tiles import Tiles
from journey.provider import JOURNEYAPI
from journey.settings import Settings
from journey.storage.files import Files, new_key
from journey.storage.looked import LOOK_SECONDS
from journey.studio.sweeping import EVERY_SECONDS, TILES_SECONDS, Sweeping
from journey.testing import picture
from journey.workspace import Workspace
from tests.harness.standing import Clock, wait_for


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def space(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A studio that has not begun its work, and draws no samples."""
    monkeypatch.setattr(gallery, "hang", lambda *_, **__: None)
    made = Workspace(Settings(data_dir=tmp_path, engine="off"), clock=clock)
    yield made
    made.stop()


def test_what_nobody_queued_is_removed_by_the_process_that_works(space: Workspace, clock: Clock) -> None:
    """The process that works the queues removes what was looked at a day ago and never queued, and nothing newer.

    Print files that an earlier version noted in a folder of its own are among it, a day after the change.
    """
    space._decoders.start()
    old = space.intake.from_upload("old.png", picture(64, 48)).stored
    clock.now += LOOK_SECONDS
    new = space.intake.from_upload("new.png", picture(48, 64)).stored
    record = space.settings.data_dir / "print-files"
    record.mkdir()
    (record / (noted := new_key())).write_text(str(clock.now))
    clock.now += 1
    space.start()
    wait_for(lambda: not space.files.has(old.key, old.file))
    assert space.files.has(new.key, new.file)
    assert {noted} == space._looked.recent({noted})
    assert [] == list(record.iterdir())


def test_the_room_of_a_look_is_counted(space: Workspace) -> None:
    """What is stored is counted in the background, and told by what it is for."""
    space._decoders.start()
    look = space.intake.from_upload("look.png", picture(64, 48)).stored
    space.disk_use.look()
    wait_for(lambda: space.disk_use.told_at)
    room = space.disk_use.look()
    size = sum(path.stat().st_size for path in space.files.path(look.key, look.file).parent.iterdir())
    assert room is not None
    assert (0, 0, size) == (room.results, room.sources, room.looks)


def test_tiles_that_nobody_looks_at_go_and_come_back(tmp_path: Path) -> None:
    """Tiles go a week after the last look, with nothing else; the next look makes them again."""
    space = Workspace(Settings(data_dir=tmp_path, engine="off"))
    space._decoders.start()
    keys = []
    for side in (600, 640):
        stored = space.intake.from_upload(f"{side}.png", picture(side, 600)).stored
        space.history.add(NewEntry(provider=JOURNEYAPI, type="2x", name="hill", source=stored))
        assert space.tiles.look(stored.key, stored.file) is None
        space.tiles.wait(30)
        keys.append(stored.key)
    seen, unseen = (space.files.path(key, "tiles.zip") for key in keys)
    old = time.time() - TILES_SECONDS - 5
    for path in (seen, unseen):
        os.utime(path, (old, old))
    assert space.tiles.look(keys[0], "600.png")
    with space.database.write() as connection:
        connection.execute(sa.text("UPDATE entries SET created_at = :old"), {"old": old})
    sweep(space)
    assert (True, False) == (seen.exists(), unseen.exists())
    assert space.files.has(keys[1], "640.png")
    assert space.tiles.look(keys[1], "640.png") is None
    space.tiles.wait(30)
    assert space.tiles.look(keys[1], "640.png")
    space.stop()


def test_tiles_are_looked_through_once_a_day(tmp_path: Path) -> None:
    """A million entries are not gone through each time that a studio starts; a damaged note of it is none."""
    space = Workspace(Settings(data_dir=tmp_path, engine="off"))
    space._decoders.start()
    stored = space.intake.from_upload("hill.png", picture(600, 600)).stored
    entry = NewEntry(provider=JOURNEYAPI, type="2x", name="hill", source=stored)
    space.history.add(entry)
    assert space.tiles.look(stored.key, stored.file) is None
    space.tiles.wait(30)
    tiles = space.files.path(stored.key, "tiles.zip")
    now = time.time() + 2 * TILES_SECONDS
    os.utime(tiles, (now, now))
    sweep(space, at=now)
    os.utime(tiles, (0, 0))
    sweep(space, at=now + 86_399)
    assert tiles.exists()
    assert space.tiles.sweep_is_due(now - 1)  # the clock was set back
    sweep(space, at=now + 86_400)
    assert not tiles.exists()
    space.files.note("tiles-swept", "yesterday")
    assert space.tiles.sweep_is_due(now + 86_401)
    space.stop()


def test_tiles_in_object_storage_are_not_looked_through(tmp_path: Path) -> None:
    """Nobody knows there which ones nobody looks at, so nothing is asked."""
    storage = Files(f"memory://{tmp_path.name}", work_dir=tmp_path)
    assert not Tiles(storage, Decoder(Limits(1, 1))).sweep_is_due(time.time())


def test_a_sweep_leaves_the_processor_to_others(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each of its steps it rests nine times as long as that took."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now, time=time.time)
    monkeypatch.setattr("journey.studio.sweeping.time", clock)

    def slow(*_: object, **__: object) -> Iterator[None]:
        for _ in range(2):
            clock.now += 2.0
            yield

    monkeypatch.setattr(space.removal, "sweep", slow)
    sweeping = Sweeping(space.removal, keep_days=1)
    assert [18.0, 18.0, EVERY_SECONDS] == [pytest.approx(sweeping.step()) for _ in range(3)]


def sweep(space: Workspace, *, at: float | None = None) -> None:
    """All of it, as a process does that has just started."""
    clock = time.time if at is None else lambda: at
    sweeping = Sweeping(space.removal, tiles=space.tiles, keep_days=None, clock=clock)
    while sweeping.step() < EVERY_SECONDS:
        pass
