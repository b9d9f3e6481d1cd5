"""Untrusted bytes become rows of pixels, from top to bottom, so that a large picture needs little memory.

It belongs into a process with limits: that of `checking`, or the one that makes print files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from journey.pictures.decoding import decoded, in_srgb, reduced, refuse_broken
from journey.pictures.reading import Reading, read
from journey.pictures.rows import FileRows, Stream, band_edges, of_image

T = TypeVar("T")


def stream(path: Path, max_pixels: int, work: Callable[[Stream], T]) -> T:
    """Give a picture to `work`: upright, 8 bits per channel, with no metadata but a matching ICC profile.

    A baseline JPEG and a PNG that is not interlaced are decoded as `work` asks for their rows. All others (a
    progressive JPEG, WebP, CMYK, a picture to be turned) are decoded before, and held. So is a
    picture in which libvips finds a fault: Pillow, which is less strict, then has the last word, and `work` begins
    again. Raises PictureRefused.
    """
    if picture := _by_rows(path, max_pixels):
        try:
            return work(picture)
        except FaultFound:
            pass
    return work(of_image(decoded(path, max_pixels)))


def write_rows(path: Path, max_pixels: int, target: Path, on_band: Callable[[], object] | None = None) -> FileRows:
    """Decode to a file that holds nothing but pixels, and read it by rows. `on_band` is called after each band.

    Raises PictureRefused, and what `on_band` raises; then what was written so far is left to the caller.
    """

    def write(picture: Stream) -> FileRows:
        with target.open("wb") as file:
            for rows in picture.bands:
                file.write(rows.data)
                if on_band:
                    on_band()
        return FileRows(target, picture.width, picture.height, picture.channels, picture.icc)

    return stream(path, max_pixels, write)


class FaultFound(Exception):
    """libvips does not take the picture."""


def _by_rows(path: Path, max_pixels: int) -> Stream | None:
    """The picture if its file holds the rows one after the other, in the form in which they are wanted."""
    reading = read(path, max_pixels)
    if reading.loader is None or not reading.is_upright:
        return None
    return Stream(reading.width, reading.height, len(reading.mode), reading.profile, _bands(path, reading))


def _bands(path: Path, reading: Reading) -> Iterator[np.ndarray]:
    refuse_broken(path, reading)
    for rows in samples(path, reading):
        yield in_srgb(reduced(rows) if reading.depth == 16 else rows, reading)


def samples(path: Path, reading: Reading) -> Iterator[np.ndarray]:
    """The rows as they are stored: uint8 or uint16 of shape (any, width, channels). Raises FaultFound.

    `reading` has to name a loader.
    """
    vips = _vips()
    # To libvips, pixels that break off in the middle of a JPEG are no more than a warning.
    fail_on = "warning" if reading.kind == "JPEG" else "error"
    height, width, channels = reading.height, reading.width, len(reading.mode)
    try:
        image = getattr(vips.Image, str(reading.loader))(str(path), access="sequential", fail_on=fail_on)
        kind = "ushort" if reading.depth == 16 else "uchar"
        if (height, width, channels, kind) != (image.height, image.width, image.bands, image.format):
            raise FaultFound
        for top, bottom in band_edges(width, height):
            yield image.crop(0, top, width, bottom - top).numpy().reshape(bottom - top, width, channels)
    except vips.Error as error:
        raise FaultFound from error


@cache
def _vips() -> Any:
    """libvips, loaded when it is first needed: only in a process that decodes. Its loaders are called by name."""
    import pyvips  # type: ignore[import-untyped]

    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)  # decoding is work for one thread, and each further one holds rows of its own
    return pyvips
