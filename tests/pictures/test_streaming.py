"""Rows decoded one after the other are those of the whole picture, and take little memory."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from journey.errors import PictureRefused
from journey.pictures import png, pyramid, streaming
from journey.pictures.checking import Decoder, Limits
from journey.pictures.decoding import decoded
from journey.pictures.rows import BAND_PIXELS, Stream, of_image, to_array
from tests.harness.engines import encoded, gradient

LIMIT = 100_000_000
SIZE = (1_003, 2_101)
"""More than two bands of pixels, and no whole number of anything."""

BY_ROWS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "png": ("PNG", "RGB", {}),
    "png with alpha": ("PNG", "RGBA", {}),
    "grey png": ("PNG", "L", {}),
    "grey png with alpha": ("PNG", "LA", {}),
    "palette": ("PNG", "P", {}),
    "black and white": ("PNG", "1", {}),
    "one transparent colour": ("PNG", "RGB", {"transparency": (1, 2, 3)}),
    "jpeg": ("JPEG", "RGB", {"quality": 90}),
    "jpeg of all colours": ("JPEG", "RGB", {"quality": 95, "subsampling": 0}),
    "grey jpeg": ("JPEG", "L", {}),
    "jpeg with restarts": ("JPEG", "RGB", {"restart_marker_rows": 1}),
}

HELD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "progressive jpeg": ("JPEG", "RGB", {"progressive": True}),
    "cmyk jpeg": ("JPEG", "CMYK", {}),
    "webp": ("WEBP", "RGB", {"lossless": True}),
}


def large(mode: str = "RGB") -> Image.Image:
    image = gradient(*SIZE).convert("L").convert(mode) if mode in ("L", "LA") else gradient(*SIZE).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image


def kept(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


def whole(picture: Stream) -> np.ndarray:
    return np.concatenate(list(picture.bands))


@pytest.mark.parametrize("kind", BY_ROWS)
def test_rows_are_those_of_the_whole_picture(kind: str, tmp_path: Path, decoder: Decoder) -> None:
    """Decoded row by row, in more than one band, a picture has every pixel that Pillow finds in it."""
    form, mode, options = BY_ROWS[kind]
    path = kept(tmp_path, encoded(large(mode), form, **options))
    assert SIZE[0] * SIZE[1] > 2 * BAND_PIXELS
    assert streaming._by_rows(path, LIMIT) is not None
    with decoder.rows(path, tmp_path) as rows:
        assert np.array_equal(to_array(decoded(path, LIMIT)), rows.read(0, rows.height))


@pytest.mark.parametrize("kind", HELD)
def test_other_kinds_are_decoded_as_a_whole(kind: str, tmp_path: Path, decoder: Decoder) -> None:
    """What cannot be decoded row by row comes in with the same pixels all the same."""
    form, mode, options = HELD[kind]
    path = kept(tmp_path, encoded(large().convert(mode), form, **options))
    assert streaming._by_rows(path, LIMIT) is None
    with decoder.rows(path, tmp_path) as rows:
        assert np.array_equal(to_array(decoded(path, LIMIT)), rows.read(0, rows.height))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    """Two rows of two grey pixels; the chunks stand between the header and the end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    return png.SIGNATURE + header + b"".join(chunks) + chunk(b"IEND", b"")


PACKED = zlib.compress(b"\0\1\2\0\3\4")
JPEG = encoded(gradient(), "JPEG")
FAULTS = {
    "no checksum of the pixels": png_with(chunk(b"IDAT", PACKED[:-4])),
    "a chunk that nobody knows": png_with(chunk(b"ABCD", b""), chunk(b"IDAT", PACKED)),
    "bytes between two segments": JPEG[:20] + b"lost" + JPEG[20:],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_costs_no_pixel_costs_no_picture(fault: str, tmp_path: Path, decoder: Decoder) -> None:
    """A picture with a fault that libvips minds and Pillow does not comes in as Pillow reads it."""
    path = kept(tmp_path, FAULTS[fault])
    decoder.check(path)
    with decoder.rows(path, tmp_path) as rows:
        assert np.array_equal(to_array(decoded(path, LIMIT)), rows.read(0, rows.height))


def test_a_jpeg_that_breaks_off_inside_is_refused(tmp_path: Path, decoder: Decoder) -> None:
    """A JPEG whose pixels end in the middle, at a marker that means nothing, is not filled up with grey."""
    data = bytearray(encoded(large(), "JPEG"))
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\x68"
    with pytest.raises(PictureRefused, match="damaged"):
        decoder.check(kept(tmp_path, bytes(data)))


def test_work_that_fails_keeps_its_own_error(tmp_path: Path) -> None:
    """An error of the work itself, such as a full disk, is not taken for a fault of the picture."""

    def work(picture: Stream) -> None:
        next(picture.bands)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        streaming.stream(kept(tmp_path, encoded(large(), "PNG")), LIMIT, work)


def test_an_image_gives_all_its_rows() -> None:
    """A picture that is held is given in bands as well, with its profile."""
    image = large("LA")
    image.info["icc_profile"] = b"profile"
    picture = of_image(image)
    assert (*SIZE, 2, b"profile") == (picture.width, picture.height, picture.channels, picture.icc)
    assert np.array_equal(to_array(image), whole(picture))


# Memory


def peak_bytes(decoder: Decoder) -> int:
    """The most memory that the decoder's process has ever held."""
    lines = Path(f"/proc/{decoder._run(os.getpid)}/status").read_text().splitlines()
    return int(dict(line.split(":", 1) for line in lines)["VmHWM"].split()[0]) * 1024


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Limits(LIMIT, LIMIT))
    decoder.start()
    yield decoder
    decoder.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process")
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_takes_little_memory(kind: str, tmp_path: Path, decoder: Decoder) -> None:
    """Checking, reading and tiling 30 megapixels takes less memory than half of their pixels."""
    width, height = 1_500, 20_000
    path = tmp_path / "large"
    strip = np.asarray(gradient(width, 400))
    if kind == "PNG":
        with png.Writer(path, width, height, 3) as writer:
            for _ in range(height // len(strip)):
                writer.add(strip)
    else:
        Image.fromarray(np.tile(strip, (height // len(strip), 1, 1))).save(path, "JPEG")
    small = tmp_path / "small"
    small.mkdir()
    decoder.check(kept(small, encoded(gradient(), kind)))  # loads the libraries
    before = peak_bytes(decoder)
    decoder.check(path)
    decoder.rows(path, tmp_path).close()
    decoder.apply(pyramid.write, path, tmp_path / "tiles")
    assert width * height * 3 / 2 > peak_bytes(decoder) - before
