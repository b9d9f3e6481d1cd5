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
    "PNG": Kind("PNG", ((0, b"\x89PNG\r\n\x1a\n"),), ".png", "image/png", ("png", "apng"), PngImageFile),
    "JPEG": Kind(
        "JPEG",
        ((0, b"\xff\xd8\xff"),),
        ".jpg",
        "image/jpeg",
        ("jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp"),
        JpegImageFile,
        _jpeg_size,
    ),
    "WEBP": Kind("WebP", ((0, b"RIFF"), (8, b"WEBP")), ".webp", "image/webp", ("webp",), WebPImageFile, _webp_size),
}

ENDINGS: tuple[str, ...] = tuple(ending for kind in KINDS.values() for ending in kind.endings)
"""The endings of these files' names, without the dot."""

_ENDING = re.compile(rf"\.({'|'.join(ENDINGS)})$", re.IGNORECASE)

_LABELS = [kind.label for kind in KINDS.values()]
LABELS = f"{', '.join(_LABELS[:-1])} or {_LABELS[-1]}"
"""`PNG, JPEG or WebP`."""

_SAID = f"Only {', '.join(_LABELS[:-1])} and {_LABELS[-1]} pictures can be used"
_SAVE = "Save it as PNG or JPEG and use that."


@dataclass(frozen=True)
class _Other:
    """Something that is no picture we take: how it begins, in small letters, what it is, and what to do about it."""

    begins: bytes
    name: str
    step: str = _SAVE

    @property
    def sentence(self) -> str:
        return f"This is {self.name}. {_SAID}. {self.step}"


_RAW = "Develop it to a JPEG or PNG and use that."
_STILL = "Save a single picture from it and use that."
_PAGE = "Open the page in a browser, save the picture on it, and upload that."
_UNPACK = "Unpack it first."
_OTHER_KINDS = (
    _Other(b"gif8", "a GIF"),
    _Other(b"%pdf", "a PDF", _STILL),
    _Other(b"%!ps", "a PostScript file", _STILL),
    _Other(b"8bps", "a Photoshop file"),
    _Other(b"ii*\x00\x10\x00\x00\x00cr", "a raw file", _RAW),
    _Other(b"fujifilmccd-raw", "a raw file", _RAW),
    _Other(b"iiro", "a raw file", _RAW),
    _Other(b"iirs", "a raw file", _RAW),
    _Other(b"mmor", "a raw file", _RAW),
    _Other(b"iiu\x00", "a raw file", _RAW),
    _Other(b"\x00mrm", "a raw file", _RAW),
    _Other(b"ii*\x00", "a TIFF"),
    _Other(b"mm\x00*", "a TIFF"),
    _Other(b"ii+\x00", "a TIFF"),
    _Other(b"mm\x00+", "a TIFF"),
    _Other(b"bm", "a BMP"),
    _Other(b"\x00\x00\x01\x00", "an icon"),
    _Other(b"<svg", "an SVG drawing"),
    _Other(b"<?xml", "an XML or SVG file"),
    _Other(b"<!doctype svg", "an SVG drawing"),
    _Other(b"<!doctype html", "a web page", _PAGE),
    _Other(b"<html", "a web page", _PAGE),
    _Other(b"\x00\x00\x00\x0cjxl", "a JPEG XL"),
    _Other(b"\xff\x0a", "a JPEG XL"),
    _Other(b"\x00\x00\x00\x0cjp  ", "a JPEG 2000"),
    _Other(b"v/1\x01", "an OpenEXR file"),
    _Other(b"#?radiance", "an HDR file"),
    _Other(b"pk\x03\x04", "a ZIP archive", _UNPACK),
    _Other(b"rar!", "a RAR archive", _UNPACK),
    _Other(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    _Other(b"\x1f\x8b", "a packed file", _UNPACK),
    _Other(b"\x1aE\xdf\xa3".lower(), "a video", _STILL),
)
_VIDEO = _Other(b"", "a video", _STILL)
_NO_PICTURE = _Other(b"", "not a picture", "Choose another file.")
_HEIC = _Other(b"", "a HEIC")
_AVIF = _Other(b"", "an AVIF")
_RAW_BOX = _Other(b"", "a raw file", _RAW)
_BOX_KINDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avif", b"avis", b"avio"), _AVIF),
    b"crx ": _RAW_BOX,
}
"""Formats of the ISO base media family, by the brand that follows `ftyp`."""


def sniff(head: bytes) -> FormatName:
    """The format, told by the first bytes (32 are enough). Raises PictureRefused, which says what it is instead."""
    for name, kind in KINDS.items():
        if all(head[at:].startswith(begins) for at, begins in kind.magic):
            return name
    if not head:
        raise PictureRefused(f"The file is empty. {_SAID}. Save or download it again.")
    if head[4:8] == b"ftyp":
        raise PictureRefused(_BOX_KINDS.get(head[8:12], _VIDEO).sentence)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    raise PictureRefused(next((each for each in _OTHER_KINDS if start.startswith(each.begins)), _NO_PICTURE).sentence)


def without_ending(title: str) -> str:
    """The title of a picture: the name of its file, without what says that it is a picture."""
    return _ENDING.sub("", title)
