"""The chunks of a PNG: copied without decoding, and written."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from journey.errors import PictureRefused
from journey.pictures.png import SIGNATURE, write_chunk
from journey.printing import MM_PER_INCH
from journey.printing.shop.progress import Work
from journey.printing.shop.specs import Profile

_PIECE = 1 << 20

_KEPT = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD"))
_COLOURS = frozenset((b"gAMA", b"cHRM", b"sRGB", b"iCCP"))
_DAMAGED = "The PNG is damaged or cut short. Save or download it again and try once more."


def may_be_turned(source: Path) -> bool:
    """Whether a chunk could say that the picture is turned. Pillow would decode all of the picture to find out."""
    with source.open("rb") as file:
        return any(_tells_a_turn(file, each) for each in _chunks(file))


@dataclass(frozen=True)
class _Chunk:
    """`at` is where its data begins in the file."""

    kind: bytes
    at: int
    length: int


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Every chunk up to IEND. The caller may read and seek in the file between two of them."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            raise PictureRefused(_DAMAGED)
        length, kind = struct.unpack(">I4s", header)
        yield _Chunk(kind, at + 8, length)
        if kind == b"IEND":
            return
        at += 12 + length


def _tells_a_turn(file: BinaryIO, chunk: _Chunk) -> bool:
    if chunk.kind == b"eXIf":
        return True
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    file.seek(chunk.at)
    return file.read(min(chunk.length, 32)).startswith((b"Raw profile type", b"XML:com.adobe.xmp"))


def copy_png(source: Path, target: BinaryIO, dpi: float, work: Work) -> tuple[int, int, Profile]:
    width = height = 0
    coloured: Profile | None = None
    with source.open("rb") as file:
        target.write(SIGNATURE)
        for chunk in _chunks(file):
            if chunk.kind not in _KEPT:
                continue
            work.check()
            if chunk.kind in _COLOURS:
                coloured = "source"
            elif chunk.kind in (b"PLTE", b"IDAT") and coloured is None:
                write_chunk(target, b"sRGB", b"\x00")
                coloured = "sRGB"
            if chunk.kind == b"IHDR":
                file.seek(chunk.at)
                width, height = struct.unpack(">II", file.read(8))
            _copy_chunk(file, target, chunk)
            if chunk.kind == b"IHDR":
                write_chunk(target, b"pHYs", density(dpi))
    if not width or coloured is None:
        raise PictureRefused(_DAMAGED)
    return width, height, coloured


def _copy_chunk(source: BinaryIO, target: BinaryIO, chunk: _Chunk) -> None:
    """Copy a chunk byte for byte. Raises PictureRefused when it is cut short or its checksum is wrong."""
    target.write(struct.pack(">I", chunk.length))
    source.seek(chunk.at - 4)
    checksum, left = 0, chunk.length + 4
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise PictureRefused(_DAMAGED)
        checksum = zlib.crc32(piece, checksum)
        target.write(piece)
        left -= len(piece)
    said = source.read(4)
    if said != struct.pack(">I", checksum):
        raise PictureRefused(_DAMAGED)
    target.write(said)


def density(dpi: float) -> bytes:
    per_metre = round(dpi / MM_PER_INCH * 1000)
    return struct.pack(">IIB", per_metre, per_metre, 1)
