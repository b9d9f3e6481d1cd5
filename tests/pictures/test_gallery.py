"""The stored samples: drawn once, under fixed keys, with what the pages and the engine need."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from journey.pictures import gallery, samples
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.storage.files import Files
from tests.harness.engines import hang_small_samples


@pytest.fixture(scope="module")
def grid_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Files in which only the grid was really drawn, in place of a small one that had lost a part."""
    folder = tmp_path_factory.mktemp("gallery")
    files = Files(str(folder / "files"), work_dir=folder)
    files.start()
    hang_small_samples(files)
    for name in (samples.GRID.parts[2].name, *(sample.name for sample in samples.SAMPLES)):
        files.delete(gallery.stored(name).key)
    gallery.hang(files, grid_only=True)
    return files


def paths(files: Files, name: str) -> list[Path]:
    return [files.path(gallery.stored(name).key, each) for each in (gallery.stored(name).file, PREVIEW, THUMBNAIL)]


def test_the_grid_is_its_four_parts(grid_files: Files) -> None:
    """The four pictures of the grid are its quarters, in reading order, each with its previews."""
    with Image.open(paths(grid_files, samples.GRID.name)[0]) as whole:
        whole.load()
    for number, part in enumerate(samples.GRID.parts):
        with Image.open(paths(grid_files, part.name)[0]) as picture:
            left, top = number % 2 * part.width, number // 2 * part.height
            quarter = whole.crop((left, top, left + part.width, top + part.height))
            assert quarter.tobytes() == picture.convert("RGB").tobytes()


def test_only_what_is_missing_is_drawn(grid_files: Files) -> None:
    """A second start draws nothing that is already there, and leaves nothing half-written."""
    before = {path: path.stat().st_mtime_ns for part in samples.GRID.parts for path in paths(grid_files, part.name)}
    gallery.hang(grid_files, grid_only=True)
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert [] == list(grid_files._incoming.iterdir())
    assert not gallery.is_hung(grid_files, [samples.SAMPLES[0].name])


def test_a_grid_that_lost_a_part_is_drawn_again(grid_files: Files) -> None:
    """A grid that has lost a part is drawn again as a whole."""
    assert gallery.is_hung(grid_files, [samples.GRID.name, *(part.name for part in samples.GRID.parts)])
    with Image.open(paths(grid_files, samples.GRID.parts[0].name)[0]) as picture:
        assert (samples.GRID.parts[0].width, samples.GRID.parts[0].height) == picture.size


def test_what_hangs_needs_no_worker(tmp_path: Path) -> None:
    """When all samples are stored, a start draws nothing."""
    files = Files(str(tmp_path / "files"), work_dir=tmp_path)
    files.start()
    hang_small_samples(files)
    before = sorted(tmp_path.rglob("*"))
    gallery.hang(files)
    assert before == sorted(tmp_path.rglob("*"))


def test_keys_of_samples_are_fixed_and_different() -> None:
    """A sample has the same address on every machine, so that it can be linked to."""
    keys = [gallery.stored(name).key for name in gallery.PICTURES]
    assert len(keys) == len(set(keys)) == len(samples.SAMPLES) + 5
    assert "3f11882ed81b5d76209cde30b02d9cd9" == gallery.stored("spring").key
