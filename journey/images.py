"""Untrusted bytes become checked pictures here, and checked pictures become previews.

Only PNG, JPEG and WebP come in, told by their first bytes. A picture's size is read and judged before
anything is decoded, and decoding happens in a process of its own with limits on memory and time.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from journey.errors import PictureRefused
from journey.processes import Workers

T = TypeVar("T")
FormatName = Literal["PNG", "JPEG", "WEBP"]
EXTENSIONS: dict[FormatName, str] = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}

PREVIEW_SIDE = 2048
THUMBNAIL_SIDE = 320
PREVIEW = "preview.webp"
THUMBNAIL = "thumbnail.webp"

DECODE_SECONDS = 60
"""Time that one decode may take; a 100-megapixel PNG takes about 5 s."""

_DECODER_BASE_BYTES = 1024**3
_DECODER_BYTES_PER_PIXEL = 12
"""Address space of a decoder: the interpreter and its libraries, and three copies of the picture at 4 bytes a pixel."""

_SAID = "Only PNG, JPEG and WebP pictures can be used"
_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"BM", "a BMP"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG file"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"\x00\x00\x00\x0cJXL", "a JPEG XL"),
    (b"PK\x03\x04", "a ZIP archive"),
)


@dataclass(frozen=True)
class Picture:
    """What is known of a picture. Width and height are in pixels, upright (any EXIF turn applied).

    `channels` is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA). `notes` are sentences about what was
    converted on the way in.
    """

    format: FormatName
    width: int
    height: int
    channels: int
    notes: tuple[str, ...] = ()

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


@dataclass(frozen=True)
class Pixels:
    """A decoded picture: `array` is uint8 of shape (height, width, channels), `icc` the profile that describes it."""

    array: np.ndarray
    icc: bytes | None


def sniff(head: bytes) -> FormatName:
    """The format, by the first bytes (32 are enough). Raises PictureRefused saying what it is instead."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if not head:
        raise PictureRefused(f"The file is empty. {_SAID}.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in _OTHER_KINDS:
        if start.startswith(magic.lower()):
            raise PictureRefused(f"This is {kind}. {_SAID}.")
    raise PictureRefused(f"This is not a picture. {_SAID}.")


def inspect(path: Path, *, max_pixels: int) -> Picture:
    """Read the header only. Raises PictureRefused for another format, an animation or too many pixels."""
    with path.open("rb") as file:
        sniff(file.read(32))
    with _opened(path, max_pixels) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
            width, height = height, width
        target, notes = _target_mode(image, path)
        return Picture(image.format, width, height, len(target), notes)  # type: ignore[arg-type]  # sniffed above


def too_many_pixels(width: int, height: int, max_pixels: int) -> str | None:
    """The sentence to show when a picture is over the limit, else None."""
    if width * height <= max_pixels:
        return None
    return (
        f"The picture has {width} × {height} = {width * height / 1e6:.1f} megapixels; "
        f"up to {max_pixels / 1e6:g} are possible. Make it smaller first."
    )


class Decoder:
    """A small pool of processes that decode untrusted pictures. One that dies fails its own picture only."""

    def __init__(self, *, max_input_pixels: int, max_output_pixels: int, workers: int = 1) -> None:
        self.max_input_pixels = max_input_pixels
        self.max_output_pixels = max_output_pixels
        pixels = max(max_input_pixels, max_output_pixels)
        self._workers = Workers(workers, nice=5, memory_bytes=_DECODER_BASE_BYTES + _DECODER_BYTES_PER_PIXEL * pixels)

    def start(self) -> None:
        self._workers.start()

    def stop(self) -> None:
        self._workers.stop()

    def check(self, path: Path, *, max_pixels: int | None = None) -> Picture:
        """Decode the whole picture and write PREVIEW and THUMBNAIL beside it. Raises PictureRefused."""
        return self._run(_check, path, max_pixels or self.max_input_pixels)

    def pixels(self, path: Path, scratch: Path, *, max_pixels: int | None = None) -> Pixels:
        """Decode to an array. `scratch` is a folder of the caller's, for the file behind the array."""
        array_path = scratch / "pixels.npy"
        icc = self._run(_write_pixels, path, max_pixels or self.max_input_pixels, array_path)
        return Pixels(np.load(array_path, mmap_mode="r"), icc)

    def _run(self, work: Callable[..., T], *args: object) -> T:
        job = self._workers.submit(work, *args)
        try:
            return job.result(timeout=DECODE_SECONDS)
        except FutureTimeout:
            self._workers.stop()
            self._workers.start()
            raise PictureRefused("The picture takes too long to decode. Save it anew and try again.") from None
        except (BrokenExecutor, MemoryError) as error:
            raise PictureRefused("The picture could not be decoded within the limits on memory and time.") from error


def write_previews(image: Image.Image, folder: Path) -> None:
    """Write PREVIEW (at most 2048 px a side) and THUMBNAIL (at most 320 px) of a decoded picture."""
    icc = image.info.get("icc_profile")
    preview = _shrunk(image, PREVIEW_SIDE)
    preview.save(folder / PREVIEW, "WEBP", quality=88, method=1, icc_profile=icc)
    _shrunk(preview, THUMBNAIL_SIDE).save(folder / THUMBNAIL, "WEBP", quality=80, method=1, icc_profile=icc)


def write_png(image: Image.Image, path: Path) -> None:
    """Write a PNG, compressed quickly (level 1: 0.7 s for 4096 × 4096, 25 % larger than level 6)."""
    image.save(path, "PNG", compress_level=1, icc_profile=image.info.get("icc_profile"))


def to_image(pixels: Pixels) -> Image.Image:
    """The array as a Pillow picture that shares no memory with it."""
    array = pixels.array[:, :, 0] if pixels.array.shape[2] == 1 else pixels.array
    image = Image.fromarray(np.ascontiguousarray(array))
    if pixels.icc:
        image.info["icc_profile"] = pixels.icc
    return image


def _check(path: Path, max_pixels: int) -> Picture:
    picture = inspect(path, max_pixels=max_pixels)
    write_previews(_decoded(path, max_pixels), path.parent)
    return picture


def _write_pixels(path: Path, max_pixels: int, array_path: Path) -> bytes | None:
    image = _decoded(path, max_pixels)
    array = np.asarray(image)
    np.save(array_path, array[:, :, np.newaxis] if array.ndim == 2 else array)
    icc: bytes | None = image.info.get("icc_profile")
    return icc


def _decoded(path: Path, max_pixels: int) -> Image.Image:
    """Upright, 8 bits, L, LA, RGB or RGBA, without metadata other than a fitting ICC profile."""
    with _opened(path, max_pixels) as image:
        target, _ = _target_mode(image, path)
        image.load()
        upright = ImageOps.exif_transpose(image)
        converted = _convert(upright, target)
        profile = _fitting_profile(converted, image)
        converted.info = {"icc_profile": profile} if profile else {}
        return converted


def _target_mode(image: Image.Image, path: Path) -> tuple[str, tuple[str, ...]]:
    """The mode the picture is brought to, and what that changes."""
    transparent = "transparency" in image.info
    if image.mode in ("1", "L", "I", "I;16", "I;16B", "F"):
        deep = image.mode not in ("1", "L")
        return ("LA" if transparent else "L"), (("16-bit grey was reduced to 8 bits.",) if deep else ())
    if image.mode in ("LA", "La"):
        return "LA", ()
    if image.mode in ("RGBA", "RGBa", "PA") or (transparent and image.mode in ("P", "RGB")):
        return "RGBA", _depth_note(image, path)
    if image.mode in ("CMYK", "YCCK"):
        return "RGB", ("CMYK colours were converted to sRGB.",)
    if image.mode == "LAB":
        return "RGB", ("Lab colours were converted to sRGB.",)
    return "RGB", _depth_note(image, path)


def _depth_note(image: Image.Image, path: Path) -> tuple[str, ...]:
    # Pillow reads 16-bit colour as 8-bit without saying so; byte 24 of a PNG is its bit depth.
    if image.format == "PNG":
        with path.open("rb") as file:
            if file.read(25)[24:] == b"\x10":
                return ("16-bit colour was reduced to 8 bits.",)
    return ()


def _convert(image: Image.Image, target: str) -> Image.Image:
    if image.mode == "CMYK":
        return _cmyk_to_srgb(image)
    if image.mode in ("I", "I;16", "I;16B", "F"):
        # 65535 is white: 257 = 65535 / 255. Pillow's own conversion would clip at 255 instead.
        grey = np.asarray(image, dtype=np.float32) / 257.0
        reduced = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
        return reduced.convert(target)
    return image if image.mode == target else image.convert(target)


def _cmyk_to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: the plain conversion is still a picture
    return image.convert("RGB")


def _fitting_profile(converted: Image.Image, original: Image.Image) -> bytes | None:
    """The original's ICC profile, if it describes the colours that the picture has now."""
    profile: bytes | None = original.info.get("icc_profile")
    space = {"L": b"GRAY", "LA": b"GRAY"}.get(converted.mode, b"RGB ")
    return profile if profile and profile[16:20] == space else None


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """Smaller, never larger; by whole steps first, which is fast and keeps memory low."""
    longest = max(image.size)
    if longest <= side:
        return image.convert("RGBA") if image.mode == "LA" else image
    step = longest // side
    reduced = image.reduce(step) if step > 1 else image
    width, height = (max(1, round(edge * side / longest)) for edge in image.size)
    return reduced.resize((width, height), Image.Resampling.LANCZOS)


@contextmanager
def _opened(path: Path, max_pixels: int) -> Iterator[Image.Image]:
    """Opened and judged by its header. Every way in which reading can fail becomes PictureRefused."""
    formats: tuple[FormatName, ...] = ("PNG", "JPEG", "WEBP")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks about odd metadata; the size limit is our own, below
        try:
            with Image.open(path, formats=formats) as image:
                if problem := too_many_pixels(*image.size, max_pixels):
                    raise PictureRefused(problem)
                if getattr(image, "n_frames", 1) > 1:
                    raise PictureRefused("The picture is animated. Save one frame of it and use that.")
                yield image
        except PictureRefused:
            raise
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            raise PictureRefused(
                "The picture is damaged or cut short. Save or download it again and try once more."
            ) from error
        except (Image.DecompressionBombError, MemoryError, OverflowError, IndexError, KeyError, TypeError) as error:
            raise PictureRefused("The picture is damaged. Save it anew and try once more.") from error
