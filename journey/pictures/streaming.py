"""Untrusted bytes become rows of pixels, from top to bottom, so that a large picture needs little memory.

It belongs into a process with limits: that of `checking`, or the one that makes print files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from journey.pictures.decoding import decoded, fits, is_upright, opened, png_header, target_mode
from journey.pictures.rows import FileRows, Stream, band_edges, of_image

T = TypeVar("T")


def stream(path: Path, max_pixels: int, work: Callable[[Stream], T]) -> T:
    """Give a picture to `work`: upright, 8 bits per channel, with no metadata but a matching ICC profile.

    A baseline JPEG and a PNG that is not interlaced are decoded as `work` asks for their rows. All others (a
    progressive JPEG, WebP, a palette, 16 bits, CMYK, a picture to be turned) are decoded before, and held. So is a
    picture in which libvips finds a fault: Pillow, which is less strict, then has the last word, and `work` begins
    again. Raises PictureRefused.
    """
    if picture := _by_rows(path, max_pixels):
        try:
            return work(picture)
        except _FaultFound:
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


class _FaultFound(Exception):
    """libvips does not take the picture."""


def _by_rows(path: Path, max_pixels: int) -> Stream | None:
    """The picture if its file holds the rows one after the other, in the form in which they are wanted."""
    with opened(path, max_pixels) as (image, kind):
        target, _ = target_mode(image, path)
        if image.mode != target or not is_upright(image, path):
            return None
        if kind == "JPEG" and not image.info.get("progressive"):
            # To libvips, pixels that break off in the middle of a JPEG are no more than a warning.
            loader, fail_on = "jpegload", "warning"
        elif kind == "PNG" and png_header(path)[0] == 8 and not image.info.get("interlace"):
            loader, fail_on = "pngload", "error"
        else:
            return None
        profile = image.info.get("icc_profile")
        icc = profile if fits(profile, target) else None
        width, height = image.size
        bands = _bands(path, loader, fail_on, (height, width, len(target)))
        return Stream(width, height, len(target), icc, bands)


def _bands(path: Path, loader: str, fail_on: str, shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    vips = _vips()
    height, width, channels = shape
    try:
        image = getattr(vips.Image, loader)(str(path), access="sequential", fail_on=fail_on)
        if (*shape, "uchar") != (image.height, image.width, image.bands, image.format):
            raise _FaultFound
        for top, bottom in band_edges(width, height):
            yield image.crop(0, top, width, bottom - top).numpy().reshape(bottom - top, width, channels)
    except vips.Error as error:
        raise _FaultFound from error


@cache
def _vips() -> Any:
    """libvips, loaded when it is first needed: only in a process that decodes. Its loaders are called by name."""
    import pyvips  # type: ignore[import-untyped]

    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)  # decoding is work for one thread, and each further one holds rows of its own
    return pyvips
