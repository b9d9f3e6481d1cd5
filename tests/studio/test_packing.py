"""Results in fewer bytes: packed anew while the machine is idle, and never at anybody's cost."""

from __future__ import annotations

import errno
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from journey.history import State
from journey.history.tables import entries
from journey.pictures import png
from journey.pictures.previews import PREVIEW
from journey.pictures.repacking import repack
from journey.provider import JOURNEYAPI
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files, new_key
from journey.studio.packing import BUSY_SECONDS, IDLE_SECONDS, SETTLED_SECONDS, Packing
from journey.testing import picture
from journey.workspace import Workspace
from tests.harness.standing import Clock, DecoderHere, wait_for
from tests.studio.conftest import LIMITS

PIXELS = np.asarray(Image.linear_gradient("L").resize((300, 200))) // 2
NOISY = PIXELS[..., np.newaxis] + np.random.default_rng(7).integers(0, 3, (*PIXELS.shape, 3), dtype=np.uint8)


class Packer(DecoderHere):
    """Packs in this process, tells which files it was given, and calls `meanwhile` before it begins."""

    def __init__(self) -> None:
        super().__init__(LIMITS)
        self.given: list[Path] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def repack(self, path: Path, target: Path) -> bool:
        self.given.append(path)
        self.meanwhile()
        return repack(path, self.limits.output, target)


@dataclass
class Busy:
    is_busy: bool = False


@dataclass
class Shelf:
    """Results that are stored, and what packs them anew."""

    database: Database
    files: Files
    clock: Clock
    packer: Packer
    other: Busy

    def __post_init__(self) -> None:
        self.packing = Packing(self.database, self.files, self.packer, [self.other], clock=self.clock)

    def put(self, *, ago: float = 2 * SETTLED_SECONDS, key: str | None = None, name: str = "hill_4x.png") -> str:
        """A finished entry with a result; of `key`, if that has one already. Returns the key."""
        if key is None:
            with self.files.folder() as folder:
                png.write(folder / name, NOISY)
                (folder / PREVIEW).write_bytes(b"preview")
                key = self.files.keep(folder)
        add(self.database, key, name, self.clock.now - ago, self.size(key, name))
        return key

    def size(self, key: str, name: str = "hill_4x.png") -> int:
        return self.files.path(key, name).stat().st_size

    def pack_all(self) -> None:
        assert any(self.packing.step() == IDLE_SECONDS for _ in range(9)), "it comes to no end"

    def noted(self) -> set[int]:
        with self.database.read() as connection:
            return set(connection.scalars(sa.select(entries.c.result_bytes)))


def add(database: Database, key: str, name: str, finished_at: float, size: int) -> None:
    entry = {
        "id": secrets.token_hex(8), "state": State.FINISHED, "provider": JOURNEYAPI, "type": "4x", "name": "hill",
        "credits": 2, "attempts": 1, "archive_attempts": 0, "created_at": finished_at, "changed_at": finished_at,
        "finished_at": finished_at, "result_key": key, "result_file": name, "result_width": 300, "result_height": 200,
        "result_bytes": size,
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(entries.insert().values(**entry))


@pytest.fixture(params=["folder", "memory"])
def shelf(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Shelf:
    return shelf_at(str(tmp_path / "files") if request.param == "folder" else in_memory(), database, tmp_path)


def in_memory() -> str:
    return f"memory://{uuid.uuid4().hex}"


def shelf_at(place: str, database: Database, folder: Path) -> Shelf:
    files = Files(place, work_dir=folder)
    files.start()
    return Shelf(database, files, Clock(), Packer(), Busy())


def test_each_result_is_packed_once(shelf: Shelf) -> None:
    """A result becomes smaller with the same pixels, its entries say so, and no result is tried a second time."""
    key = shelf.put()
    shelf.put(key=key, ago=1.5 * SETTLED_SECONDS)
    other = shelf.put()
    before = shelf.size(key)
    shelf.pack_all()
    assert shelf.size(key) < before
    assert {shelf.size(key), shelf.size(other)} == shelf.noted()
    with Image.open(shelf.files.path(key, "hill_4x.png")) as image:
        assert (NOISY == np.asarray(image)).all()
    again = Packing(shelf.database, shelf.files, shelf.packer, [shelf.other], clock=shelf.clock)
    assert IDLE_SECONDS == again.step()
    assert 3 == len(shelf.packer.given)  # once for each entry
    shelf.clock.now += SETTLED_SECONDS
    new = shelf.put()
    assert 0 == again.step()
    assert shelf.size(new) < before


def test_a_new_result_has_time_to_settle(shelf: Shelf) -> None:
    """Whoever waits for a result gets it before anything is done to its file."""
    shelf.put(ago=SETTLED_SECONDS - 1)
    assert IDLE_SECONDS == shelf.packing.step()
    shelf.clock.now += 2
    assert 0 == shelf.packing.step()


def test_nothing_is_packed_while_there_is_work(shelf: Shelf) -> None:
    """A busy machine is left alone, and the results are not forgotten for it."""
    shelf.put()
    shelf.other.is_busy = True
    assert BUSY_SECONDS == shelf.packing.step()
    assert [] == shelf.packer.given
    shelf.other.is_busy = False
    assert 0 == shelf.packing.step()
    assert 1 == len(shelf.packer.given)


@pytest.mark.parametrize("is_late", [False, True])
def test_work_that_comes_stops_what_is_under_way(shelf: Shelf, is_late: bool) -> None:
    """The result that is being packed is dropped as soon as there is work, in the last moment too, and tried again."""
    key = shelf.put()
    before = shelf.size(key)

    def work_comes() -> None:
        shelf.other.is_busy = True
        if not is_late:
            wait_for(lambda: [*shelf.files._scratch.glob("*/stop")], seconds=10)

    shelf.packer.meanwhile = work_comes
    assert BUSY_SECONDS == shelf.packing.step()
    assert before == shelf.size(key)
    assert [] == [*shelf.files._scratch.iterdir()]
    shelf.packer.meanwhile, shelf.other.is_busy = lambda: None, False
    assert 0 == shelf.packing.step()
    assert shelf.size(key) < before


def test_a_crash_after_the_file_leaves_no_wrong_size(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was replaced, but not noted before the crash, is whole, and is noted by the next try."""
    key = shelf.put()
    before = shelf.size(key)
    with monkeypatch.context() as crash:
        crash.setattr("journey.studio.packing.note_bytes", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shelf.packing.step()
    assert {before} == shelf.noted()
    assert 0 == shelf.packing.step()
    assert {shelf.size(key)} == shelf.noted()
    assert shelf.size(key) < before


def test_a_full_disk_costs_nothing(shelf: Shelf) -> None:
    """Without room for one more copy the result stays as it is, and is tried again later."""
    key = shelf.put()
    before = shelf.size(key)

    def no_room() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shelf.packer.meanwhile = no_room
    assert IDLE_SECONDS == shelf.packing.step()
    assert before == shelf.size(key)
    shelf.packer.meanwhile = lambda: None
    assert 0 == shelf.packing.step()
    assert shelf.size(key) < before


def test_a_result_that_is_deleted_meanwhile_does_not_come_back(shelf: Shelf) -> None:
    """Packing takes no part in what is kept: a result that goes is gone, and the next one has its turn."""
    key = shelf.put()
    shelf.packer.meanwhile = lambda: shelf.files.delete(key)
    assert 0 == shelf.packing.step()
    assert not shelf.files.has(key, "hill_4x.png")
    assert IDLE_SECONDS == shelf.packing.step()


def test_not_even_in_the_moment_of_replacing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that is deleted while its smaller file is on its way to object storage leaves nothing there."""
    shelf = shelf_at(in_memory(), database, tmp_path)
    key, put = shelf.put(), shelf.files._fs.put_file

    def late(*args: str) -> None:
        shelf.files.delete(key)
        put(*args)

    monkeypatch.setattr(shelf.files._fs, "put_file", late)
    assert 0 == shelf.packing.step()
    assert not shelf.files.has(key, "hill_4x.png")


def test_what_is_no_png_or_damaged_is_passed_over(shelf: Shelf) -> None:
    """One result that cannot be packed keeps none from its turn."""
    shelf.put(name="hill_4x.jpg", ago=4 * SETTLED_SECONDS)
    with shelf.files.folder() as folder:
        (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        shelf.put(key=shelf.files.keep(folder), name="a.png", ago=3 * SETTLED_SECONDS)
    add(shelf.database, new_key(), "gone.png", shelf.clock.now - 3 * SETTLED_SECONDS, 7)
    key = shelf.put()
    before = shelf.size(key)
    shelf.pack_all()
    assert shelf.size(key) < before


def test_object_storage_is_not_copied_to_this_machine(shelf: Shelf) -> None:
    """What was fetched only to be packed does not stay; a picture that somebody looks at does."""
    near, far = shelf.put(ago=3 * SETTLED_SECONDS), shelf.put()
    shelf.files.let_go(far)
    shelf.pack_all()
    assert shelf.files.nearby(near, "hill_4x.png") is not None
    assert shelf.files.is_local == (shelf.files.nearby(far, "hill_4x.png") is not None)
    assert shelf.size(near) == shelf.size(far)


def test_whoever_reads_the_old_file_reads_on(database: Database, tmp_path: Path) -> None:
    """A download that has begun is the whole old file, byte for byte."""
    shelf = shelf_at(str(tmp_path / "files"), database, tmp_path)
    path = shelf.files.path(shelf.put(), "hill_4x.png")
    whole = path.read_bytes()
    with path.open("rb") as download:
        begun = download.read(100)
        assert 0 == shelf.packing.step()
        assert whole == begun + download.read()
    assert whole != path.read_bytes()


def test_a_studio_packs_results_when_it_is_told_to(tmp_path: Path) -> None:
    """With JOURNEY_RESULTS=smaller an idle studio packs its results, in a process of its own; else none."""
    sizes = []
    for wish in ("as-made", "smaller"):
        space = Workspace(Settings(data_dir=tmp_path / wish, engine="off", results=wish))  # type: ignore[arg-type]
        space._decoders.start()
        stored = space.intake.from_upload("hill.png", picture(640, 480)).stored
        path = space.files.path(stored.key, stored.file)
        before = path.stat().st_size
        add(space.database, stored.key, stored.file, 1_700_000_000.0, before)
        space.start(draws_samples=False)
        assert space._packing.is_at_work == (wish == "smaller")
        if wish == "smaller":
            wait_for(lambda path=path, before=before: path.stat().st_size < before)  # type: ignore[misc]  # bound now
        sizes.append((before, path.stat().st_size))
        space.stop()
    assert sizes[0][0] == sizes[0][1] > sizes[1][1]
