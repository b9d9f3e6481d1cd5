"""Untrusted bytes become pixels: upright, 8 bits per channel, with no metadata but a colour profile.

Pixels are decoded only in a process with limits on memory and time; `checking` is the way in.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from journey.errors import PictureRefused
from journey.pictures.kinds import KINDS, FormatName, sniff

_EXIF = b"eXIf"
_ORIENTATION = 0x0112
_GREY_AND_ALPHA = 4
"""The colour type of a PNG that is grey with alpha."""
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
_DAMAGED = "The picture is damaged or cut short. Save or download it again and try once more."


def decoded(path: Path, max_pixels: int) -> Image.Image:
    """The picture upright, 8 bits per channel (L, LA, RGB or RGBA), with no metadata but a matching ICC profile.

    Raises PictureRefused.
    """
    with opened(path, max_pixels) as (image, _):
        target, _ = target_mode(image, path)
        profile = image.info.get("icc_profile")
        turn = _TURNS.get(orientation(image, path))
        image.load()
        converted = _convert(image, target)
        upright = converted.transpose(turn) if turn is not None else converted
        upright.info = {"icc_profile": profile} if fits(profile, target) else {}
        return upright


def too_many_pixels(width: int, height: int, max_pixels: int) -> str | None:
    """The sentence to show when a picture is over the limit, else None."""
    if width * height <= max_pixels:
        return None
    return (
        f"The picture has {width} × {height} = {width * height / 1e6:.1f} megapixels; "
        f"the limit is {max_pixels / 1e6:g}. Make it smaller first."
    )


@contextmanager
def opened(path: Path, max_pixels: int) -> Iterator[tuple[ImageFile, FormatName]]:
    """Open a picture and check its header. Any error while it is read, except MemoryError, becomes PictureRefused."""
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; the size limit is our own, below
        kind = sniff(file.read(32))
        file.seek(0)
        if claimed_size := KINDS[kind].claimed_size:
            _refuse_too_many(claimed_size(file), max_pixels)
        try:
            image = KINDS[kind].reader(file)
            _refuse_too_many(image.size, max_pixels)
            if getattr(image, "n_frames", 1) > 1:
                raise PictureRefused("The picture is animated. Save one frame of it and use that.")
            yield image, kind
        except (PictureRefused, MemoryError):
            raise
        except Exception as error:
            # Broken bytes make readers raise all kinds of errors; none of them is a fault of this program.
            raise PictureRefused(_DAMAGED) from error


def _refuse_too_many(size: tuple[int, int], max_pixels: int) -> None:
    if problem := too_many_pixels(*size, max_pixels):
        raise PictureRefused(problem)


def orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1 (upright) to 8; 1 when the EXIF cannot be read. No pixels are decoded."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif") or (_late_exif(path) if image.format == "PNG" else b""))
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  any program may have written the EXIF, and it is often wrong
        return 1


def is_upright(image: Image.Image, path: Path) -> bool:
    """Whether the picture is shown as it is stored, neither turned nor mirrored."""
    return orientation(image, path) not in _TURNS


def _late_exif(path: Path) -> bytes:
    """The EXIF that a PNG stores after its pixels, where reading the header does not reach."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[:4])
            if head[4:] == _EXIF:
                return file.read(length)
            file.seek(length + 4, io.SEEK_CUR)
    return b""


def target_mode(image: Image.Image, path: Path) -> tuple[str, tuple[str, ...]]:
    """The mode that the picture is converted to, and sentences about what that changes."""
    if image.mode == "CMYK":
        return "RGB", ("CMYK colours were converted to sRGB.",)
    depth, colour_type = png_header(path) if image.format == "PNG" else (8, None)
    # Pillow reads 16-bit colour as 8-bit without saying so, and 16-bit grey with alpha as RGBA.
    is_grey = image.mode in ("1", "L", "LA", "I;16") or colour_type == _GREY_AND_ALPHA
    kept = "grey" if is_grey else "colour"
    has_alpha = "transparency" in image.info or image.mode in ("LA", "RGBA")
    target = ("LA" if has_alpha else "L") if is_grey else ("RGBA" if has_alpha else "RGB")
    return target, ((f"16-bit {kept} was reduced to 8 bits.",) if depth == 16 else ())


def png_header(path: Path) -> tuple[int, int]:
    """Bits per channel and the colour type, from the IHDR chunk."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[24], header[25]


def _convert(image: Image.Image, target: str) -> Image.Image:
    if image.mode == "CMYK":
        return _cmyk_to_srgb(image)
    if image.mode == "I;16":
        return _reduced_grey(image)
    if image.mode == "1" and target == "LA":
        image = image.convert("L")
    transparent = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(transparent, tuple) and max(transparent) > 255:
        # Pillow reduces 16-bit pixels to their upper 8 bits, but leaves the transparent colour at 16 bits.
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    return image if image.mode == target else image.convert(target)


def _reduced_grey(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit; Pillow's own conversion would clip at 255 instead."""
    deep = np.asarray(image)
    # 65535 is white: 257 = 65535 / 255.
    grey = Image.fromarray(((deep.astype(np.uint32) + 128) // 257).astype(np.uint8))
    transparent = image.info.get("transparency")
    if transparent is not None:
        grey.putalpha(Image.fromarray(np.where(deep == transparent, 0, 255).astype(np.uint8)))
    return grey


def _cmyk_to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # the profile is broken; the plain conversion still gives a picture
    return image.convert("RGB")


def fits(profile: bytes | None, mode: str) -> bool:
    """True when an ICC profile is for the colours of this mode."""
    return profile is not None and profile[16:20] == (b"GRAY" if mode in ("L", "LA") else b"RGB ")
