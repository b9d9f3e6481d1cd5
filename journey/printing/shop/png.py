"""A PNG copied without decoding: its pixels, its colours, and nothing else."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from journey.errors import PictureRefused
from journey.pictures.chunks import Chunk, chunks
from journey.pictures.png import SIGNATURE, write_chunk
from journey.pictures.reading import Reading
from journey.printing import MM_PER_INCH
from journey.printing.shop.progress import Work

_PIECE = 1 << 20
_PIXELS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"tRNS"))
_CURVES = frozenset((b"gAMA", b"cHRM", b"cICP"))
"""Kept as they are, where nothing better describes the pixels."""
_DAMAGED = "The PNG is damaged or cut short. Save or download it again and try once more."


def copy_png(source: Path, target: BinaryIO, dpi: float | None, reading: Reading, work: Work) -> None:
    """Copy what shows the picture, with the colours that `reading` found and this DPI, or none."""
    has_pixels = False
    target.write(SIGNATURE)
    with source.open("rb") as file:
        for chunk in chunks(file):
            if chunk.kind not in _PIXELS and not (chunk.kind in _CURVES and _describes(chunk.kind, reading)):
                continue
            work.check()
            _copy_chunk(file, target, chunk)
            has_pixels = has_pixels or chunk.kind == b"IDAT"
            if chunk.kind == b"IHDR":
                if dpi is not None:
                    write_chunk(target, b"pHYs", density(dpi))
                _write_colours(target, reading)
    if not has_pixels:
        raise PictureRefused(_DAMAGED)
    write_chunk(target, b"IEND", b"")


def _describes(kind: bytes, reading: Reading) -> bool:
    """Whether this chunk is the way in which the file says its colours."""
    if kind == b"cICP":
        return reading.said_by == "cICP"
    return reading.said_by == "gAMA"


def _write_colours(target: BinaryIO, reading: Reading) -> None:
    """A profile, also for readers that know no cICP and no gAMA; sRGB where the file says nothing else."""
    if profile := reading.colours.of_a_copy:
        write_chunk(target, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(profile))
    else:
        write_chunk(target, b"sRGB", b"\x00")


def _copy_chunk(source: BinaryIO, target: BinaryIO, chunk: Chunk) -> None:
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
