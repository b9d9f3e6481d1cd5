"""The kinds of picture that are accepted, told by their first bytes. To add a kind, add a line to KINDS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import SEEK_CUR
from typing import BinaryIO, Literal

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from journey.errors import PictureRefused

FormatName = Literal["PNG", "JPEG", "WEBP"]


@dataclass(frozen=True)
class Kind:
    """What a kind of picture is called, how it begins, and what reads it.

    `magic` holds offsets and the bytes found there. `reader` opens the file instead of `Image.open`, which has a pixel
    limit of its own and takes a JPEG with a second picture inside (phones write them) for an animation. `claimed_size`
    reads width and height for a kind whose reader may take much memory before the size can be checked.
    """

    label: str
    magic: tuple[tuple[int, bytes], ...]
    extension: str
    media_type: str
    endings: tuple[str, ...]
    reader: type[ImageFile]
    claimed_size: Callable[[BinaryIO], tuple[int, int]] | None = None


def _webp_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height from the header of an extended (VP8X), lossless (VP8L) or lossy (VP8) WebP; (0, 0): unknown."""
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


_MOST_SEGMENTS = 5_000
"""Before the pixels of a JPEG. A profile and large metadata take some hundreds; Pillow keeps all of them in memory."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height from the frame header of a JPEG; (0, 0): unknown. Raises PictureRefused for endless segments."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xFF, 0xDA, 0xD9):
            break
        length = int.from_bytes(head[2:], "big")
        if head[1] in _FRAMES:
            frame = file.read(5)
            file.seek(0)
            return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        file.seek(max(length - 2, 0), SEEK_CUR)
    else:
        raise PictureRefused("The file has more parts than any picture. Save it again from a picture editor.")
    file.seek(0)
    return 0, 0


KINDS: Mapping[FormatName, Kind] = {
    "PNG": Kind("PNG", ((0, b"\x89PNG\r\n\x1a\n"),), ".png", "image/png", ("png",), PngImageFile),
    "JPEG": Kind("JPEG", ((0, b"\xff\xd8\xff"),), ".jpg", "image/jpeg", ("jpg", "jpeg"), JpegImageFile, _jpeg_size),
    "WEBP": Kind("WebP", ((0, b"RIFF"), (8, b"WEBP")), ".webp", "image/webp", ("webp",), WebPImageFile, _webp_size),
}

ENDINGS: tuple[str, ...] = tuple(ending for kind in KINDS.values() for ending in kind.endings)
"""The endings of these files' names, without the dot."""

_ENDING = re.compile(rf"\.({'|'.join(ENDINGS)})$", re.IGNORECASE)

_LABELS = [kind.label for kind in KINDS.values()]
LABELS = f"{', '.join(_LABELS[:-1])} or {_LABELS[-1]}"
"""`PNG, JPEG or WebP`."""

_SAID = f"Only {', '.join(_LABELS[:-1])} and {_LABELS[-1]} pictures can be used"
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


def sniff(head: bytes) -> FormatName:
    """The format, told by the first bytes (32 are enough). Raises PictureRefused, which says what it is instead."""
    for name, kind in KINDS.items():
        if all(head[at:].startswith(begins) for at, begins in kind.magic):
            return name
    if not head:
        raise PictureRefused(f"The file is empty. {_SAID}.")
    if head[4:8] == b"ftyp":
        raise PictureRefused(f"This is {_BOX_KINDS.get(head[8:12], 'a video')}. {_SAID}.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, other in _OTHER_KINDS:
        if start.startswith(magic.lower()):
            raise PictureRefused(f"This is {other}. {_SAID}.")
    raise PictureRefused(f"This is not a picture. {_SAID}.")


def without_ending(title: str) -> str:
    """The title of a picture: the name of its file, without what says that it is a picture."""
    return _ENDING.sub("", title)
