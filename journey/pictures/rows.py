"""Pictures by rows: as much of one as somebody works on, never the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from PIL import Image

BAND_PIXELS = 1 << 20
"""About as many pixels are worked on at once: 4 MiB at four channels."""
BAND_ROWS = 16
"""A band has a multiple of so many rows, because libvips decodes so many at once and does not go back."""


class Rows(Protocol):
    """A picture that can be read anywhere. Width and height are in pixels.

    `channels` is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA), and `icc` the profile that describes the colours.
    """

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def icc(self) -> bytes | None: ...

    def read(self, top: int, bottom: int) -> np.ndarray:
        """The rows from `top` up to `bottom`, without it: uint8 of shape (bottom - top, width, channels)."""
        ...


@dataclass(frozen=True)
class Stream:
    """A picture that comes once, from top to bottom: `bands` gives uint8 rows of shape (any, width, channels)."""

    width: int
    height: int
    channels: int
    icc: bytes | None
    bands: Iterator[np.ndarray]


class ArrayRows:
    """Rows of an array: uint8 of shape (height, width, channels)."""

    def __init__(self, array: np.ndarray, icc: bytes | None = None) -> None:
        self._array = array
        self.height, self.width, self.channels = array.shape
        self.icc = icc

    def read(self, top: int, bottom: int) -> np.ndarray:
        """A view, so do not change it."""
        return self._array[top:bottom]


class FileRows:
    """Rows of a file that holds nothing but pixels. It is read piece by piece, because mapped pages count as memory.

    It may be read by several threads, and sent to another process. Closing it removes the file, and so does the end of
    a `with`.
    """

    def __init__(self, path: Path, width: int, height: int, channels: int, icc: bytes | None = None) -> None:
        self._path = path
        self.width = width
        self.height = height
        self.channels = channels
        self.icc = icc

    def read(self, top: int, bottom: int) -> np.ndarray:
        """The rows as an array of their own. Raises OSError when the file cannot be read."""
        length = self.width * self.channels
        pixels = np.fromfile(self._path, np.uint8, count=(bottom - top) * length, offset=top * length)
        return pixels.reshape(bottom - top, self.width, self.channels)

    def close(self) -> None:
        """Remove the file. A second call changes nothing."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> FileRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def band_edges(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Top and bottom of bands that together are the picture, each of about BAND_PIXELS and at least BAND_ROWS rows."""
    step = max(1, BAND_PIXELS // width // BAND_ROWS) * BAND_ROWS
    for top in range(0, height, step):
        yield top, min(height, top + step)


def of_image(image: Image.Image) -> Stream:
    """A Pillow picture (L, LA, RGB or RGBA) from top to bottom, with the profile in its `info`."""
    strips = (image.crop((0, top, image.width, bottom)) for top, bottom in band_edges(*image.size))
    return Stream(*image.size, len(image.getbands()), image.info.get("icc_profile"), map(to_array, strips))


class Strips:
    """Puts rows that come in any number together to strips of `side` rows, of which the last may be lower."""

    def __init__(self, width: int, height: int, channels: int, side: int) -> None:
        self._strip = np.empty((min(side, height), width, channels), np.uint8)
        self._filled = 0
        self._complete = 0
        self._missing = height

    def of(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """The strips that the next rows complete, numbered from 0 at the top. Each is good until the next one.

        Rows that complete no strip are kept for the next call. Raises ValueError for more rows than the picture has.
        """
        if len(rows) > self._missing:
            raise ValueError("the picture has fewer rows")
        while len(rows):
            taken = rows[: len(self._strip) - self._filled]
            self._strip[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            self._missing -= len(taken)
            rows = rows[len(taken) :]
            if self._filled == len(self._strip) or not self._missing:
                yield self._complete, self._strip[: self._filled]
                self._complete += 1
                self._filled = 0

    def check(self) -> None:
        """Raise ValueError unless all rows have come."""
        if self._missing:
            raise ValueError(f"{self._missing} rows of the picture are missing")


MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's word for pixels of so many channels."""


def to_image(rows: np.ndarray) -> Image.Image:
    """Rows of shape (height, width, channels) as a Pillow picture (L, LA, RGB or RGBA)."""
    return Image.fromarray(np.ascontiguousarray(rows[:, :, 0] if rows.shape[2] == 1 else rows))


def to_array(image: Image.Image) -> np.ndarray:
    """The pixels of a Pillow picture as uint8 of shape (height, width, channels)."""
    return np.asarray(image).reshape(image.height, image.width, -1)
