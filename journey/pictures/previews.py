"""Small copies of a decoded picture, kept beside it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

PREVIEW_SIDE = 2048
THUMBNAIL_SIDE = 320
PREVIEW = "preview.webp"
THUMBNAIL = "thumbnail.webp"


def write_previews(image: Image.Image, folder: Path) -> None:
    """Write PREVIEW (at most 2048 px a side) and THUMBNAIL (at most 320 px) of a decoded picture."""
    # WebP is RGB, which a profile for grey does not describe.
    icc = None if image.mode in ("L", "LA") else image.info.get("icc_profile")
    preview = _shrunk(image, PREVIEW_SIDE)
    preview.save(folder / PREVIEW, "WEBP", quality=88, method=1, icc_profile=icc)
    _shrunk(preview, THUMBNAIL_SIDE).save(folder / THUMBNAIL, "WEBP", quality=80, method=1, icc_profile=icc)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """Shrink a picture, never enlarge it; first by a whole factor, which is fast and keeps memory low."""
    longest = max(image.size)
    if longest <= side:
        return image.convert("RGBA") if image.mode == "LA" else image
    step = longest // side
    reduced = image.reduce(step) if step > 1 else image
    width, height = (max(1, round(edge * side / longest)) for edge in image.size)
    return reduced.resize((width, height), Image.Resampling.LANCZOS)
