"""Colour profiles and transparency of decoded pictures (L, LA, RGB or RGBA)."""

from __future__ import annotations

import struct
from functools import cache

from PIL import Image, ImageCms


def coloured(picture: Image.Image) -> Image.Image:
    """The picture with a profile in `info`: its own, or sRGB (which describes RGB only, so grey becomes RGB)."""
    if picture.info.get("icc_profile"):
        return picture
    coloured = picture.convert({"L": "RGB", "LA": "RGBA"}.get(picture.mode, picture.mode))
    coloured.info = {"icc_profile": srgb()}
    return coloured


def flat(picture: Image.Image) -> Image.Image:
    """The picture on white, without transparency."""
    if picture.mode not in ("LA", "RGBA"):
        return picture
    flat = Image.new(picture.mode[:-1], picture.size, "white")
    flat.paste(picture.convert(flat.mode), mask=picture.getchannel("A"))
    flat.info = dict(picture.info)
    return flat


@cache
def srgb() -> bytes:
    """The sRGB profile that comes with Little CMS, with a fixed date, so that the same work makes the same file."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(made)
