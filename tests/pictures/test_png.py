"""PNG files written from arrays hold exactly the pixels and the profile they were given."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from journey.pictures import png


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (1, 7), (300, 41)])
def test_pixels_come_back_as_they_were(tmp_path: Path, channels: int, height: int, width: int) -> None:
    """An array of any size and number of channels reads back in Pillow as the same pixels."""
    array = np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)
    png.write(tmp_path / "a.png", array)
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert ["L", "LA", "RGB", "RGBA"][channels - 1] == picture.mode
        assert (array == np.asarray(picture).reshape(array.shape)).all()


def test_the_packed_rows_have_the_right_checksum(tmp_path: Path) -> None:
    """Packed in many pieces, the pixels are still one stream with its checksum, which not every reader looks at."""
    array = np.random.default_rng(7).integers(0, 256, (1200, 1000, 3), dtype=np.uint8)
    png.write(tmp_path / "a.png", array)
    data, packed, at = (tmp_path / "a.png").read_bytes(), b"", len(png.SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    assert 1200 * 3001 == len(zlib.decompress(packed))


def test_a_view_of_a_larger_array_is_written_as_it_looks(tmp_path: Path) -> None:
    """An array whose rows do not lie next to each other in memory is written as it looks."""
    large = np.random.default_rng(7).integers(0, 256, (600, 80, 4), dtype=np.uint8)
    view = large[::2, 5:47, :3]
    png.write(tmp_path / "a.png", view)
    with Image.open(tmp_path / "a.png") as picture:
        assert (view == np.asarray(picture)).all()


def test_the_profile_comes_back_byte_for_byte(tmp_path: Path) -> None:
    """An ICC profile is kept as it is; without one, none is invented."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    array = np.zeros((2, 2, 3), np.uint8)
    for given in (profile, None):
        png.write(tmp_path / "a.png", array, icc=given)
        with Image.open(tmp_path / "a.png") as picture:
            assert given == picture.info.get("icc_profile")
