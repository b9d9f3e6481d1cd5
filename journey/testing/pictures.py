"""Pictures of the stand-in: what it draws, and what it makes of a picture that it is given."""

from __future__ import annotations

import functools
import io

from PIL import Image

MOST_PIXELS = 64_000_000
"""Pixels of the largest result: a stand-in has no use for larger ones, and they would fill the memory."""
_MIRRORED = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)


@functools.cache
def picture(width: int, height: int, image_format: str = "PNG") -> bytes:
    """A picture of exactly this size in pixels, with a different colour at every corner."""
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(220, 60, 40), (40, 160, 90), (50, 80, 200), (240, 200, 60)])
    return _encoded(corners.resize((width, height), Image.Resampling.BILINEAR), image_format)


def enlarged(source: bytes, scale: int, *, size: tuple[int, int] | None = None, place: int = 0) -> bytes | None:
    """The source as PNG, by nearest neighbour at `scale` times its size, or at `size` in pixels.

    In the places 1 to 3 of a grid it is mirrored, each time in another way. None when the source is no picture.
    """
    try:
        with Image.open(io.BytesIO(source)) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    if place:
        image = image.transpose(_MIRRORED[place - 1])
    return _encoded(image.resize(size or (image.width * scale, image.height * scale), Image.Resampling.NEAREST), "PNG")


def problem(source: bytes, scale: int) -> str | None:
    """Why no task could enlarge this, as a sentence; None when one can."""
    try:
        with Image.open(io.BytesIO(source)) as opened:
            width, height = opened.size
            opened.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "The picture at image_url cannot be read"
    if width * height * scale * scale > MOST_PIXELS:
        return f"The result would have more than {MOST_PIXELS // 1_000_000} million pixels, the most of the stand-in"
    return None


def _encoded(image: Image.Image, image_format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format)
    return file.getvalue()
