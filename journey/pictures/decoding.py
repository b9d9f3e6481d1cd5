"""Untrusted bytes become pixels: upright, 8 bits per channel, with no metadata but a colour profile.

Pixels are decoded only in a process with limits on memory and time; `checking` is the way in.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms

from journey.errors import PictureRefused
from journey.pictures import chunks, riff
from journey.pictures.reading import DAMAGED, Reading, broken_is_refused, opened, read

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture upright, by its EXIF orientation."""


def decoded(path: Path, max_pixels: int) -> Image.Image:
    """The picture upright, 8 bits per channel (L, LA, RGB or RGBA), with no metadata but a matching ICC profile.

    Raises PictureRefused.
    """
    reading = read(path, max_pixels)
    with path.open("rb") as file, broken_is_refused():
        image = opened(_bare(path, file, reading), reading.kind, max_pixels)
        image.load()
        turn = _TURNS.get(reading.orientation)
        converted = _convert(image, reading)
        upright = converted.transpose(turn) if turn is not None else converted
        if reading.colours.levels is not None:
            upright = Image.fromarray(in_srgb(np.asarray(upright), reading))
        upright.info = {"icc_profile": reading.profile} if reading.profile else {}
        return upright


def _bare(path: Path, file: BinaryIO, reading: Reading) -> BinaryIO:
    """The file without the side matter over which Pillow stumbles, though it has nothing to do with the pixels."""
    if reading.kind == "WEBP":
        return riff.bare(file)
    if reading.kind != "PNG":
        return file
    if (found := chunks.bare(path)) is None:
        raise PictureRefused(DAMAGED)
    return found


def refuse_broken(path: Path, reading: Reading) -> None:
    """Raises PictureRefused for a PNG whose pixels have a wrong checksum: its readers would take what is there."""
    if reading.kind == "PNG" and not chunks.is_whole(path):
        raise PictureRefused(DAMAGED)


def in_srgb(pixels: np.ndarray, reading: Reading) -> np.ndarray:
    """Pixels (height, width[, channels]) of this picture with their colours on the curve of sRGB; alpha stays."""
    levels = reading.colours.levels
    if levels is None:
        return pixels
    if reading.mode in ("L", "RGB"):
        return np.asarray(levels[pixels])
    return np.concatenate([levels[pixels[..., :-1]], pixels[..., -1:]], axis=-1)


def reduced(deep: np.ndarray) -> np.ndarray:
    """16-bit values as 8-bit ones: 65535 is white, and 257 = 65535 / 255."""
    return ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _convert(image: Image.Image, reading: Reading) -> Image.Image:
    if image.mode == "CMYK":
        return _cmyk_to_srgb(image, reading.colours.profile)
    if image.mode == "I;16":
        return _reduced_grey(image)
    if image.mode == "1" and reading.mode == "LA":
        image = image.convert("L")
    transparent = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(transparent, tuple) and max(transparent) > 255:
        # Pillow reduces 16-bit pixels to their upper 8 bits, but leaves the transparent colour at 16 bits.
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    return image if image.mode == reading.mode else image.convert(reading.mode)


def _reduced_grey(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit; Pillow's own conversion would clip at 255 instead."""
    deep = np.asarray(image)
    grey = Image.fromarray(reduced(deep))
    transparent = image.info.get("transparency")
    if transparent is not None:
        grey.putalpha(Image.fromarray(np.where(deep == transparent, 0, 255).astype(np.uint8)))
    return grey


def _cmyk_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # the profile is broken; the plain conversion still gives a picture
    return image.convert("RGB")
