"""Colour profiles and transparency of decoded pictures (L, LA, RGB or RGBA)."""

from __future__ import annotations

from PIL import Image

from journey.pictures.profiles import srgb


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
