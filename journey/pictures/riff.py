"""The chunks of a WebP, found without decoding a pixel. What nobody needs may be broken, if the pixels are not."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from journey.pictures.chunks import LARGEST, Chunk

_HEADER_BYTES = 12
"""RIFF, the size of what follows, and WEBP."""
_MOST_CHUNKS = 5_000
_IMAGE = (b"VP8 ", b"VP8L")
_ANIMATED = (b"ANIM", b"ANMF")
_KNOWN = frozenset((b"VP8X", b"ICCP", b"ALPH", b"EXIF", b"XMP ", *_IMAGE, *_ANIMATED))
_ICC, _EXIF, _XMP = 0x20, 0x08, 0x04
"""Flags of VP8X, without which nobody reads these chunks."""


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Every chunk up to the end of the file, whatever size its header says.

    The caller may read and seek in the file between two of them.
    """
    end = file.seek(0, os.SEEK_END)
    at = _HEADER_BYTES
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        kind, length = struct.unpack("<4sI", header)
        yield Chunk(kind, at + 8, min(length, end - at - 8) if kind not in _IMAGE else length)
        at += 8 + length
        if length % 2:
            # A chunk ends on an even place. Some programs forget that.
            file.seek(at)
            following = file.read(5)
            at += 0 if following[:4] in _KNOWN and following[1:] not in _KNOWN else 1


def bare(file: BinaryIO) -> BinaryIO:
    """The same WebP with nothing but what decides its pixels, its colours and how it is turned.

    Readers stumble over anything else, and take a wrong size in the header for a file that was cut short. What they
    read well, an animation, and a file whose pixels are not all there, is left as it is.
    """
    kept: dict[bytes, Chunk] = {}
    found = list(chunks(file))
    for chunk in found:
        kept.setdefault(b"VP8 " if chunk.kind in _IMAGE else chunk.kind, chunk)
    size = file.seek(0, os.SEEK_END)
    image = kept.get(b"VP8 ")
    is_whole = image is not None and image.at + image.length <= size
    if image is None or not is_whole or any(kind in kept for kind in _ANIMATED) or _is_sound(file, found, size):
        file.seek(0)
        return file
    parts = [(image.kind, _data(file, image))]
    extended = _data(file, kept[b"VP8X"]) if b"VP8X" in kept else b""
    if len(extended) == 10:
        flags = extended[0] & ~_XMP
        parts = [*_part(file, kept, b"ALPH", size), *parts]
        for kind, flag in ((b"ICCP", _ICC), (b"EXIF", _EXIF)):
            part = _part(file, kept, kind, LARGEST) if flags & flag else []
            flags = flags if part else flags & ~flag
            parts = [*part, *parts] if kind == b"ICCP" else [*parts, *part]
        parts.insert(0, (b"VP8X", bytes((flags,)) + extended[1:]))
    body = b"".join(struct.pack("<4sI", kind, len(data)) + data + bytes(len(data) % 2) for kind, data in parts)
    return io.BytesIO(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


def _is_sound(file: BinaryIO, found: Sequence[Chunk], size: int) -> bool:
    """Whether the header and all chunks are as they should be, so that nobody stumbles."""
    file.seek(4)
    said = int.from_bytes(file.read(4), "little")
    kinds = [chunk.kind for chunk in found]
    expected = _HEADER_BYTES + sum(8 + chunk.length + chunk.length % 2 for chunk in found)
    is_in_order = len(kinds) == 1 or kinds[0] == b"VP8X"
    return said + 8 == size == expected and is_in_order and len({*kinds}) == len(kinds) and _KNOWN.issuperset(kinds)


def _part(file: BinaryIO, kept: dict[bytes, Chunk], kind: bytes, largest: int) -> list[tuple[bytes, bytes]]:
    """This chunk; nothing when there is none, or one that is too large."""
    chunk = kept.get(kind)
    return [(kind, _data(file, chunk))] if chunk is not None and chunk.length <= largest else []


def _data(file: BinaryIO, chunk: Chunk) -> bytes:
    file.seek(chunk.at)
    return file.read(chunk.length)
