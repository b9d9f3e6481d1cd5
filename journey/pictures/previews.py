"""Small copies of a picture, kept beside it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image

from journey.pictures.profiles import grey_in_srgb
from journey.pictures.rows import MODES, Stream, Strips, of_image, to_image

PREVIEW_SIDE = 2048
THUMBNAIL_SIDE = 320
PREVIEW = "preview.webp"
THUMBNAIL = "thumbnail.webp"

_STRIP_ROWS = 64


class Writer:
    """Writes PREVIEW (at most 2048 px a side) and THUMBNAIL (at most 320 px) of a picture that comes row by row.

    Rows are shrunk by a whole factor as they come, which is fast, and holds less than 4096 px a side of any picture.
    Both files are written at the end of the `with`.
    """

    def __init__(self, folder: Path, width: int, height: int, channels: int, *, icc: bytes | None = None) -> None:
        self._folder = folder
        self._size = (width, height)
        self._icc = icc
        self._step = _whole_factor(self._size, PREVIEW_SIDE)
        self._strip_rows = self._step * -(-_STRIP_ROWS // self._step)
        self._strips = Strips(width, height, channels, self._strip_rows)
        self._reduced = Image.new(MODES[channels], (-(-width // self._step), -(-height // self._step)))

    def add(self, rows: np.ndarray) -> None:
        """Take the next uint8 rows, of shape (any, width, channels)."""
        for number, strip in self._strips.of(rows):
            reduced = to_image(strip).reduce(self._step)
            self._reduced.paste(reduced, (0, number * self._strip_rows // self._step))

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()

    def _finish(self) -> None:
        self._strips.check()
        preview = _resized(self._reduced, self._size, PREVIEW_SIDE)
        icc = self._icc
        if preview.mode in ("L", "LA"):
            # WebP is RGB, which a profile for grey does not describe.
            preview, icc = grey_in_srgb(preview, icc).convert({"L": "RGB", "LA": "RGBA"}[preview.mode]), None
        preview.save(self._folder / PREVIEW, "WEBP", quality=88, method=1, icc_profile=icc)
        small = preview.reduce(_whole_factor(preview.size, THUMBNAIL_SIDE))
        thumbnail = _resized(small, preview.size, THUMBNAIL_SIDE)
        thumbnail.save(self._folder / THUMBNAIL, "WEBP", quality=80, method=1, icc_profile=icc)


def write(picture: Stream, folder: Path) -> None:
    """Write PREVIEW and THUMBNAIL of a picture."""
    with Writer(folder, picture.width, picture.height, picture.channels, icc=picture.icc) as writer:
        for rows in picture.bands:
            writer.add(rows)


def write_previews(image: Image.Image, folder: Path) -> None:
    """Write PREVIEW and THUMBNAIL of a decoded picture (L, LA, RGB or RGBA)."""
    write(of_image(image), folder)


def shrunk(preview: Path, width: int) -> bytes:
    """A preview without transparency as JPEG of at most this many pixels in width, where it is drawn no larger."""
    small = BytesIO()
    with Image.open(preview) as picture:
        picture.thumbnail((width, picture.height), Image.Resampling.LANCZOS)
        picture.convert("RGB").save(small, "JPEG", quality=60, optimize=True, progressive=True)
    return small.getvalue()


def _whole_factor(size: tuple[int, int], side: int) -> int:
    return max(1, max(size) // side)


def _resized(reduced: Image.Image, size: tuple[int, int], side: int) -> Image.Image:
    """A picture of this size, already reduced by a whole factor, at most `side` px a side; it is never enlarged."""
    longest = max(size)
    if longest <= side:
        return reduced
    width, height = (max(1, round(edge * side / longest)) for edge in size)
    return reduced.resize((width, height), Image.Resampling.LANCZOS)
