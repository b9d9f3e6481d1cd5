"""Rows come from arrays and files as they are, and what is written of them does not depend on how they come."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from journey.pictures import png, previews, pyramid
from journey.pictures.previews import PREVIEW, PREVIEW_SIDE, THUMBNAIL, shrunk
from journey.pictures.pyramid import TILE_SIDE
from journey.pictures.rows import ArrayRows, FileRows, of_image, to_array, to_image

WRITERS = {
    "png": lambda folder, array: png.Writer(folder / "a.png", array.shape[1], array.shape[0], array.shape[2]),
    "previews": lambda folder, array: previews.Writer(folder, array.shape[1], array.shape[0], array.shape[2]),
    "tiles": lambda folder, array: pyramid.Writer(folder / "tiles.zip", array.shape[1], array.shape[0], array.shape[2]),
}


def picture(width: int, height: int, channels: int) -> np.ndarray:
    """Smooth blobs, different everywhere."""
    coarse = np.random.default_rng(7).integers(0, 256, (12, 12, channels), dtype=np.uint8)
    return to_array(to_image(coarse).resize((width, height), Image.Resampling.BICUBIC))


def pieces(array: np.ndarray, *heights: int) -> Iterator[np.ndarray]:
    """The rows in pieces of these heights, over and over."""
    top = turn = 0
    while top < len(array):
        height = heights[turn % len(heights)]
        yield array[top : top + height]
        top, turn = top + height, turn + 1


def test_a_file_of_rows_is_read_anywhere_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    """Any rows of a file are those of the array that was written, and the file is gone after the `with`."""
    array = np.random.default_rng(7).integers(0, 256, (40, 7, 3), dtype=np.uint8)
    path = tmp_path / "pixels"
    path.write_bytes(array.tobytes())
    with FileRows(path, 7, 40, 3, b"profile") as rows:
        for top, bottom in ((0, 40), (39, 40), (5, 17), (3, 3)):
            assert np.array_equal(array[top:bottom], rows.read(top, bottom))
            assert np.array_equal(array[top:bottom], ArrayRows(array).read(top, bottom))
        assert (7, 40, 3, b"profile") == (rows.width, rows.height, rows.channels, rows.icc)
    assert not path.exists()


def tiles_in(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1100, 700), (513, 1025), (6200, 33), (3, 4500)], ids=str)
def test_it_makes_no_difference_how_many_rows_come_at_once(
    tmp_path: Path, channels: int, size: tuple[int, int]
) -> None:
    """PNG, previews and tiles hold the same pixels, whether rows come one by one, in odd pieces or all at once."""
    array = picture(*size, channels)
    folders = [tmp_path / "whole", tmp_path / "odd"]
    for folder, heights in zip(folders, [(len(array),), (1, 7, 600, 64, 2, 130)], strict=True):
        folder.mkdir()
        for kind in WRITERS.values():
            with kind(folder, array) as writer:
                for rows in pieces(array, *heights):
                    writer.add(rows)
    whole, odd = folders
    with Image.open(odd / "a.png") as written:
        assert np.array_equal(array, to_array(written))
    for name in (PREVIEW, THUMBNAIL):
        assert (whole / name).read_bytes() == (odd / name).read_bytes()
    assert tiles_in(whole / "tiles.zip") == tiles_in(odd / "tiles.zip")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_large_picture_is_reduced_as_a_whole_one_would_be(tmp_path: Path, channels: int) -> None:
    """A preview is the whole picture reduced by a whole factor and then resized, with no seams between strips."""
    array = picture(6200, 1500, channels)
    previews.write(of_image(to_image(array)), tmp_path)
    meant = to_image(array).reduce(6200 // PREVIEW_SIDE).resize((2048, 495), Image.Resampling.LANCZOS)
    meant.save(tmp_path / "meant.webp", "WEBP", quality=88, method=1)
    assert (tmp_path / "meant.webp").read_bytes() == (tmp_path / PREVIEW).read_bytes()


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("heights", [[], [TILE_SIDE - 1], [TILE_SIDE, 1]])
def test_a_wrong_number_of_rows_is_not_taken_for_a_picture(tmp_path: Path, kind: str, heights: list[int]) -> None:
    """A picture that ends before its last row, or goes on after it, is an error and not a damaged file."""
    array = picture(20, TILE_SIDE, 3)
    with pytest.raises(ValueError, match="rows"), WRITERS[kind](tmp_path, array) as writer:  # noqa: PT012 - that is it
        for height in heights:
            writer.add(array[:height])


@pytest.mark.parametrize("kind", WRITERS)
def test_an_error_while_rows_come_is_told_as_it_is(tmp_path: Path, kind: str) -> None:
    """What fails between two rows fails the whole work with its own error, and leaves nothing running."""
    array = picture(20, 20, 3)

    def broken() -> Iterator[Any]:
        yield array[:5]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"), WRITERS[kind](tmp_path, array) as writer:  # noqa: PT012
        for rows in broken():
            writer.add(rows)
    assert not (tmp_path / PREVIEW).exists()


def test_a_shrunk_preview_has_the_width_that_was_asked_for(tmp_path: Path) -> None:
    """It keeps its shape, is never enlarged, and is a JPEG, which pages send on as it is."""
    for size, meant in (((1536, 1024), (720, 480)), ((600, 1800), (600, 1800))):
        Image.linear_gradient("L").resize(size).convert("RGB").save(tmp_path / PREVIEW)
        with Image.open(BytesIO(shrunk(tmp_path / PREVIEW, 720))) as small:
            assert ("JPEG", meant) == (small.format, small.size)
