"""Untrusted bytes become checked pictures here, and checked pictures become previews.

Only PNG, JPEG and WebP come in, told by their first bytes. A picture's size is read and judged before
anything is decoded, and decoding happens in a process of its own with limits on memory and time.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from journey.errors import PictureRefused
from journey.processes import Workers

log = logging.getLogger(__name__)

T = TypeVar("T")
FormatName = Literal["PNG", "JPEG", "WEBP"]
EXTENSIONS: dict[FormatName, str] = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}

PREVIEW_SIDE = 2048
THUMBNAIL_SIDE = 320
PREVIEW = "preview.webp"
THUMBNAIL = "thumbnail.webp"

DECODE_SECONDS = 60
"""Processor time that one decode may take; a 100-megapixel PNG takes about 5 s."""

_DECODER_BASE_BYTES = 1024**3
_DECODER_BYTES_PER_PIXEL = 12
"""Address space of a decoder: the interpreter and its libraries, and three copies of the picture at 4 bytes a pixel."""

_READERS: dict[FormatName, type[ImageFile]] = {"PNG": PngImageFile, "JPEG": JpegImageFile, "WEBP": WebPImageFile}
"""Opened by these and not by `Image.open`, which has a pixel limit of its own and takes a JPEG that carries a second
picture (as phones make them) for an animation."""

_EXIF = b"eXIf"
_ORIENTATION = 0x0112
_GREY_AND_ALPHA = 4
"""A colour type of PNG."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""

_DAMAGED = "The picture is damaged or cut short. Save or download it again and try once more."
_SAID = "Only PNG, JPEG and WebP pictures can be used"
_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"II+\x00", "a TIFF"),
    (b"MM\x00+", "a TIFF"),
    (b"BM", "a BMP"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG file"),
    (b"<!doctype svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"\x00\x00\x00\x0cJXL", "a JPEG XL"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (b"PK\x03\x04", "a ZIP archive"),
)
_BOX_KINDS = {
    b"heic": "a HEIC", b"heix": "a HEIC", b"hevc": "a HEIC", b"mif1": "a HEIC", b"msf1": "a HEIC",
    b"avif": "an AVIF", b"avis": "an AVIF",
}  # fmt: skip
"""Formats of the ISO base media family, by the brand that follows `ftyp`."""


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
    if head[4:8] == b"ftyp":
        raise PictureRefused(f"This is {_BOX_KINDS.get(head[8:12], 'a video')}. {_SAID}.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in _OTHER_KINDS:
        if start.startswith(magic.lower()):
            raise PictureRefused(f"This is {kind}. {_SAID}.")
    raise PictureRefused(f"This is not a picture. {_SAID}.")


def inspect(path: Path, *, max_pixels: int) -> Picture:
    """Read the header only. Raises PictureRefused for another format, an animation or too many pixels."""
    with _opened(path, max_pixels) as (image, kind):
        width, height = image.size
        if _orientation(image, path) in (5, 6, 7, 8):
            width, height = height, width
        target, notes = _target_mode(image, path)
        return Picture(kind, width, height, len(target), notes)


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

    def __init__(
        self,
        *,
        max_input_pixels: int,
        max_output_pixels: int,
        workers: int = 1,
        nice: int = 5,
        seconds: int = DECODE_SECONDS,
    ) -> None:
        self.max_input_pixels = max_input_pixels
        self.max_output_pixels = max_output_pixels
        pixels = max(max_input_pixels, max_output_pixels)
        self._workers = Workers(
            workers,
            nice=nice,
            memory_bytes=_DECODER_BASE_BYTES + _DECODER_BYTES_PER_PIXEL * pixels,
            cpu_seconds=seconds,
        )

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

    def apply(self, work: Callable[[Image.Image, Path], T], path: Path, target: Path) -> T:
        """`work(picture, target)` in the process that decodes the picture. Raises PictureRefused, and what it raises.

        The picture may have as many pixels as a result may. `work` has to be importable.
        """
        outcome: T = self._run(_apply, work, path, self.max_output_pixels, target)
        return outcome

    def _run(self, work: Callable[..., T], *args: object) -> T:
        try:
            return self._workers.submit(work, *args).result()
        except BrokenExecutor as error:
            log.warning("a picture was given up: %s", error)
            raise PictureRefused(
                "The picture could not be decoded within the limits on memory and time. Save it anew, or smaller."
            ) from error


def write_previews(image: Image.Image, folder: Path) -> None:
    """Write PREVIEW (at most 2048 px a side) and THUMBNAIL (at most 320 px) of a decoded picture."""
    # WebP is RGB, which a profile for grey does not describe.
    icc = None if image.mode in ("L", "LA") else image.info.get("icc_profile")
    preview = _shrunk(image, PREVIEW_SIDE)
    preview.save(folder / PREVIEW, "WEBP", quality=88, method=1, icc_profile=icc)
    _shrunk(preview, THUMBNAIL_SIDE).save(folder / THUMBNAIL, "WEBP", quality=80, method=1, icc_profile=icc)


def to_image(pixels: Pixels) -> Image.Image:
    """The array as a Pillow picture that shares no memory with it."""
    array = pixels.array[:, :, 0] if pixels.array.shape[2] == 1 else pixels.array
    image = Image.fromarray(np.ascontiguousarray(array))
    if pixels.icc:
        image.info["icc_profile"] = pixels.icc
    return image


def _check(path: Path, max_pixels: int) -> Picture:
    picture = inspect(path, max_pixels=max_pixels)
    write_previews(decoded(path, max_pixels), path.parent)
    return picture


def _apply(work: Callable[[Image.Image, Path], T], path: Path, max_pixels: int, target: Path) -> T:
    return work(decoded(path, max_pixels), target)


def _write_pixels(path: Path, max_pixels: int, array_path: Path) -> bytes | None:
    image = decoded(path, max_pixels)
    array = np.asarray(image)
    np.save(array_path, array[:, :, np.newaxis] if array.ndim == 2 else array)
    icc: bytes | None = image.info.get("icc_profile")
    return icc


def decoded(path: Path, max_pixels: int) -> Image.Image:
    """Upright, 8 bits, L, LA, RGB or RGBA, without metadata other than a fitting ICC profile."""
    with _opened(path, max_pixels) as (image, _):
        target, _ = _target_mode(image, path)
        profile = image.info.get("icc_profile")
        turn = _TURNS.get(_orientation(image, path))
        image.load()
        converted = _convert(image, target)
        upright = converted.transpose(turn) if turn is not None else converted
        upright.info = {"icc_profile": profile} if _fits(profile, target) else {}
        return upright


def _orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1 (upright) to 8. Nothing is decoded for it; unreadable EXIF counts as none."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif") or (_late_exif(path) if image.format == "PNG" else b""))
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  EXIF is written by everything that ever touched a picture, and often wrong
        return 1


def _late_exif(path: Path) -> bytes:
    """The EXIF that a PNG carries behind its pixels, where reading the header does not get to."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[:4])
            if head[4:] == _EXIF:
                return file.read(length)
            file.seek(length + 4, io.SEEK_CUR)
    return b""


def _target_mode(image: Image.Image, path: Path) -> tuple[str, tuple[str, ...]]:
    """The mode the picture is brought to, and what that changes."""
    if image.mode == "CMYK":
        return "RGB", ("CMYK colours were converted to sRGB.",)
    depth, colour_type = _png_header(path) if image.format == "PNG" else (8, None)
    # Pillow reads 16-bit colour as 8-bit without saying so, and 16-bit grey with alpha as RGBA.
    is_grey = image.mode in ("1", "L", "LA", "I;16") or colour_type == _GREY_AND_ALPHA
    kept = "grey" if is_grey else "colour"
    has_alpha = "transparency" in image.info or image.mode in ("LA", "RGBA")
    target = ("LA" if has_alpha else "L") if is_grey else ("RGBA" if has_alpha else "RGB")
    return target, ((f"16-bit {kept} was reduced to 8 bits.",) if depth == 16 else ())


def _png_header(path: Path) -> tuple[int, int]:
    """Bits per channel and the colour type, as the IHDR chunk says them."""
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
        # Of 16-bit colours Pillow keeps the upper 8 bits of the pixels, but not of the transparent colour.
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
            pass  # a broken profile: the plain conversion is still a picture
    return image.convert("RGB")


def _fits(profile: bytes | None, mode: str) -> bool:
    """True when an ICC profile is for the colours of this mode."""
    return profile is not None and profile[16:20] == (b"GRAY" if mode in ("L", "LA") else b"RGB ")


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
def _opened(path: Path, max_pixels: int) -> Iterator[tuple[ImageFile, FormatName]]:
    """Opened and judged by its header. Every way in which reading can fail becomes PictureRefused."""
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks about odd metadata; the size limit is our own, below
        kind = sniff(file.read(32))
        file.seek(0)
        if kind == "WEBP":
            _refuse_too_many(_webp_size(file), max_pixels)  # its reader makes room for the pixels at once
        try:
            image = _READERS[kind](file)
            _refuse_too_many(image.size, max_pixels)
            if getattr(image, "n_frames", 1) > 1:
                raise PictureRefused("The picture is animated. Save one frame of it and use that.")
            yield image, kind
        except (PictureRefused, MemoryError):
            raise
        except Exception as error:
            # Broken bytes bring readers to errors of every kind; none of them is the program's.
            raise PictureRefused(_DAMAGED) from error


def _refuse_too_many(size: tuple[int, int], max_pixels: int) -> None:
    if problem := too_many_pixels(*size, max_pixels):
        raise PictureRefused(problem)


def _webp_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height by the header of a WebP, extended (VP8X), lossless (VP8L) or lossy (VP8). (0, 0): unknown."""
    head = file.read(30)
    file.seek(0)
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return (
            int.from_bytes(head[26:28], "little") & 0x3FFF,
            int.from_bytes(head[28:30], "little") & 0x3FFF,
        )
    return 0, 0
