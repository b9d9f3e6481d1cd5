"""Print files made in the background, by a real worker and into a real store."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from journey import printing
from journey.errors import FileMissing, JourneyError
from journey.printing import shop
from journey.printing.shop import PrintFile, PrintSpec
from journey.printing.shop.runs import WAITING_LIMIT, PrintRuns
from journey.storage.files import Files
from journey.storage.looked import LOOK_SECONDS, Looked
from journey.storage.stored import StoredFile
from tests.harness.standing import Clock

A6 = printing.PAPERS["A6"]
SECONDS = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    work = tmp_path_factory.mktemp("work")
    return Files(str(work / "files"), work_dir=work)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def looked(files: Files, clock: Clock) -> Looked:
    return Looked(files._root, clock=clock)


@pytest.fixture(scope="module")
def runs(files: Files, looked: Looked) -> Iterator[PrintRuns]:
    made = PrintRuns(files, looked)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def hill(files: Files) -> StoredFile:
    with files.folder() as folder:
        Image.linear_gradient("L").resize((300, 424)).convert("RGB").save(folder / "hill.png")
        return StoredFile(files.keep(folder), "hill.png")


def disk_full(*_: object, **__: object) -> PrintFile:
    raise OSError(errno.ENOSPC, "No space left on device")


def broken(*_: object, **__: object) -> PrintFile:
    raise RuntimeError("secret details")


def patient(source: Path, folder: Path, /, *, should_stop: object, **_: object) -> PrintFile:
    while not should_stop():  # type: ignore[operator]
        pass
    return shop.retag(source, folder, should_stop=should_stop)  # type: ignore[arg-type]


def test_a_file_is_made_stored_and_ready_to_download(runs: PrintRuns, files: Files, hill: StoredFile) -> None:
    """A finished run has a key, a name and its notes, and the stored file is what was ordered."""
    run = runs.make(shop.exact_size, hill, PrintSpec(A6, 300, "TIFF", bleed_mm=3), title="Hill")
    run.wait(SECONDS)
    made = run.made
    assert (True, None, 1.0) == (run.done, run.problem, run.progress)
    assert made is not None
    assert "hill_A6_300dpi_bleed3mm.tif" == made.stored.file
    path = files.path(made.stored.key, made.stored.file)
    assert path.stat().st_size == made.size
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        assert printing.pixels_needed(A6, 300, 3) == picture.size
        assert (300, 300) == picture.info["dpi"]
    assert any("add no detail" in note for note in made.notes)
    assert [made.stored.file] == [each.name for each in path.parent.iterdir()]


def test_a_set_names_the_file_of_each_note(runs: PrintRuns, hill: StoredFile) -> None:
    """A note about one file of a ZIP says which one it is about."""
    specs = [PrintSpec(A6, 300, "JPEG"), PrintSpec(printing.PAPERS["A5"], 300, "JPEG")]
    run = runs.make(shop.print_set, hill, specs, title="Hill")
    run.wait(SECONDS)
    assert run.made is not None
    assert ("hill_print_set.zip", 2) == (run.made.stored.file, len(run.made.files))
    assert {"hill_A6_300dpi.jpg", "hill_A5_300dpi.jpg"} == {note.split(":")[0] for note in run.made.notes}


@pytest.mark.parametrize(
    ("work", "said"), [(disk_full, "The disk is full"), (broken, "could not be made")], ids=["disk full", "a bug"]
)
def test_a_failure_is_a_sentence(runs: PrintRuns, hill: StoredFile, work: object, said: str) -> None:
    """What goes wrong is told in words, without inner details, and no file is made."""
    run = runs.make(work, hill)  # type: ignore[arg-type, type-var]
    run.wait(SECONDS)
    assert run.made is None
    assert said in str(run.problem)
    assert "secret" not in str(run.problem)


def test_a_number_that_cannot_be_used_is_told_as_it_is(runs: PrintRuns, hill: StoredFile) -> None:
    """A ValueError of the work reaches the person word for word."""
    run = runs.make(shop.retag, hill, dpi=0)
    run.wait(SECONDS)
    assert "The DPI must be a number from 1 to 10,000." == run.problem


def test_stop_ends_what_runs_and_what_waits(runs: PrintRuns, hill: StoredFile, files: Files) -> None:
    """A stopped run ends as stopped, whether it had begun or not, and the folder for work is empty again."""
    running = runs.make(patient, hill)
    waiting = runs.make(shop.retag, hill)
    assert waiting.waiting
    waiting.stop()
    running.stop()
    for run in (waiting, running):
        run.wait(SECONDS)
        assert (True, None) == (run.stopped, run.made)
    assert [] == list((Path(files._root) / "incoming").iterdir())


def test_too_many_waiting_are_refused(runs: PrintRuns, hill: StoredFile) -> None:
    """Once many runs are waiting, another one is refused, so that nobody can fill the queue without end."""
    started = [runs.make(patient, hill) for _ in range(WAITING_LIMIT)]
    with pytest.raises(JourneyError, match="Many print files"):
        runs.make(shop.retag, hill)
    for run in reversed(started):
        run.stop()
    for run in started:
        run.wait(SECONDS)


def test_a_picture_that_is_gone_is_refused_at_once(runs: PrintRuns) -> None:
    """Nothing is started for a picture that is not stored."""
    with pytest.raises(FileMissing):
        runs.make(shop.retag, StoredFile("0" * 32, "hill.png"))


def test_a_print_file_and_its_picture_are_looked_at_for_a_day(
    runs: PrintRuns, looked: Looked, hill: StoredFile, clock: Clock
) -> None:
    """Making a print file is a look at its picture, and the file counts as looked at for a day from when it is made."""
    run = runs.make(patient, hill)
    assert {hill.key} == looked.recent({hill.key})
    run.stop()
    run = runs.make(shop.retag, hill)
    run.wait(SECONDS)
    assert run.made is not None
    made = run.made.stored.key
    clock.now += LOOK_SECONDS
    assert {made} == looked.recent({made})
    clock.now += 1
    assert made in looked.old()
